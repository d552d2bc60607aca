"""Facebook Pages for postkit."""
