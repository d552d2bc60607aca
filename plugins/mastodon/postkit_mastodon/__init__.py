"""Mastodon for postkit, and servers that speak its API."""
