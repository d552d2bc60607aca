"""A Kit that can be looked at although its settings are broken."""

from __future__ import annotations

from typing import ClassVar

from ..config import Config, read_config
from ..deliver.actor import Via
from ..errors import PostkitError
from ..installation import opened
from ..kit import Kit


class Patient(Kit):
    """Settings that cannot be read count as none; the doctor tells of them on its own. What it
    learns online is written down as the terminal's."""

    via: ClassVar[Via] = "cli"

    @opened
    def config(self) -> Config:
        try:
            return read_config(self.home.config_path)
        except PostkitError:
            return Config()
