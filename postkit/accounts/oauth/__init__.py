"""OAuth 2: an account is connected in the browser, with a code that only we can use."""
