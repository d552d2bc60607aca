"""Markdown of a post file: read once, shown as plain text or as a network's own Markdown."""
