"""The Kit of a command: what is done with it was done at the terminal, and the history says so."""

from __future__ import annotations

from typing import ClassVar

from .. import kit
from ..deliver.actor import Via


class Kit(kit.Kit):
    via: ClassVar[Via] = "cli"
