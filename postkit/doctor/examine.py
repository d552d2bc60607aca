"""Looks at every area on its own, so that what is broken hides nothing else."""

from __future__ import annotations

from collections.abc import Callable

from ..accounts.check import Heard
from ..accounts.secret import Redactor
from ..errors import PostkitError
from ..kit import Kit
from . import accounts, clock, networks, plugins, posts, settings, store, vault, versions
from .finding import Area, Examination, Examined, problem
from .reading import is_older

Look = Callable[[Kit], Examined]
LOOKS: dict[Area, Look] = {
    "clock": clock.look,
    "settings": settings.look,
    "store": store.look,
    "vault": vault.look,
    "plugins": plugins.look,
    "accounts": accounts.look,
    "versions": versions.look,
    "posts": posts.look,
}
NEEDS_STORE: frozenset[Area] = frozenset({"accounts", "versions", "posts", "networks"})


def examine(kit: Kit, *, online: bool = False, heard: Heard = lambda _: None) -> Examination:
    """Look at all of it. ``online`` asks each network who its accounts are, and for the time."""
    looks = dict(LOOKS)
    if online:
        looks["networks"] = lambda kit: networks.look(kit, heard)
    found: list[Examined] = []
    skip = ""
    for area, look in looks.items():
        if area in NEEDS_STORE:
            if skip:
                found.append(Examined(area, f"not looked at: {skip}", skipped=True))
                continue
            if not kit.home.store_path.exists():
                found.append(Examined(area, "none yet"))
                continue
        examined = _on_its_own(area, look, kit)
        found.append(examined)
        if area == "store":
            if any(each.severity == "problem" for each in examined.findings):
                skip = "the store is broken"
            elif is_older(kit.home.store_path):
                skip = "the store is of an older postkit"
    return Examination(tuple(found))


def _on_its_own(area: Area, look: Look, kit: Kit) -> Examined:
    try:
        return look(kit)
    except PostkitError as error:
        return Examined(area, "", (problem(area, error.message),))
    except Exception as error:  # noqa: BLE001 - what is broken here must hide nothing else
        reason = Redactor.redact(f"{type(error).__name__}: {error}")
        return Examined(area, "", (problem(area, f"It could not be looked at ({reason})."),))
