"""The file postkit.toml."""

from __future__ import annotations

from ..config import read_config
from ..errors import InputError
from ..kit import Kit
from .finding import Examined, problem


def look(kit: Kit) -> Examined:
    path = kit.home.config_path
    try:
        config = read_config(path)
    except InputError as error:
        found = [problem("settings", text, f"correct {path}") for text in error.problems]
        return Examined("settings", "", tuple(found))
    if not path.exists():
        return Examined("settings", f"none ({path} is not there)")
    groups = f", groups {', '.join(f'@{name}' for name in config.groups)}" if config.groups else ""
    return Examined("settings", f"{path}{groups}")
