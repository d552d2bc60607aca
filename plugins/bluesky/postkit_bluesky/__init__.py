"""Bluesky for postkit, and any server that hosts accounts of the AT Protocol."""
