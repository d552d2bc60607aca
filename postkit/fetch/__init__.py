"""Fetch what a stranger's URL names, and reach nothing but the public internet by it."""
