"""Reddit for postkit, through praw."""
