"""A page in the browser of whoever sits in front of the screen."""

from __future__ import annotations

import os
import sys


def open_page(address: str) -> bool:
    """Open ``address`` where there is a screen; whether it was."""
    has_screen = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if not has_screen:
        return False
    import webbrowser

    return webbrowser.open(address)
