"""``python -m postkit`` is the command ``postkit``."""

from __future__ import annotations

from .cli.main import main

main()
