"""Video: what a file is, whether a network takes it, and making it fit without losing a word."""
