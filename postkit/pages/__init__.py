"""What the pages share that postkit writes: safe HTML, and how a post looks."""
