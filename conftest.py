"""Every session of tests ends with a search for secrets in all that it has written."""

pytest_plugins = ["postkit.testing.watch"]
