"""pytest fixtures for programs that embed postkit; nothing is imported until one is used."""
