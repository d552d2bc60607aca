"""A plan as one HTML file: each address's posts as readers would see them, and what was changed."""
