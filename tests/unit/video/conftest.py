"""Films by name, each made once for a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .films import FILMS, make


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("films")
    made: dict[str, Path] = {}

    def get(name: str) -> Path:
        if name not in made:
            made[name] = make(folder / f"{len(made)}.{FILMS[name].format}", FILMS[name])
        return made[name]

    return get
