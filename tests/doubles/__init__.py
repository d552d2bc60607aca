"""Stand-ins for packages of others."""
