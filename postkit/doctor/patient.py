"""A Kit that can be looked at although its settings are broken."""

from __future__ import annotations

from ..config import Config, read_config
from ..errors import PostkitError
from ..installation import opened
from ..kit import Kit


class Patient(Kit):
    """Settings that cannot be read count as none; the doctor tells of them on its own."""

    @opened
    def config(self) -> Config:
        try:
            return read_config(self.home.config_path)
        except PostkitError:
            return Config()
