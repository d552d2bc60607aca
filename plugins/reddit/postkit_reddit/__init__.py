"""postkit's plugin for one network."""
