"""The example plugin keeps what postkit promises, without being installed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from postkit.testing.conformance import NetworkConformance

EXAMPLE = Path(__file__).parents[2] / "examples" / "postkit-chat"

sys.path.insert(0, str(EXAMPLE))
try:
    PLUGINS = (
        importlib.import_module("postkit_chat.plugin"),
        importlib.import_module("postkit_chat.emulator"),
    )
finally:
    sys.path.remove(str(EXAMPLE))


class TestChat(NetworkConformance):
    network = "chat"
    plugins: ClassVar[Sequence[object]] = PLUGINS
