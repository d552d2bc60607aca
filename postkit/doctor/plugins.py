"""The plugins that are installed: what does not load, and what may not."""

from __future__ import annotations

import sqlite3
from importlib import util

from ..installed import EMULATORS, NETWORKS
from ..kit import Kit
from ..plugins import Record
from .finding import Examined, Finding, problem, warning
from .reading import read_only


def look(kit: Kit) -> Examined:
    used = _used(kit)
    records = kit.plugins.records(load=True)
    found: list[Finding] = []
    if kit.plugins.allowed.problem:
        found.append(problem("plugins", kit.plugins.allowed.problem))
    for record in records:
        if record.state == "failed" and not _is_left_out(record):
            text = f"The plugin {record.name} ({_origin(record)}) does not load: {record.reason}"
            severity = problem if _is_used(record, used) else warning
            found.append(severity("plugins", text, "`postkit plugins --load`"))
    strange = [record for record in records if record.state == "not_enabled"]
    for origin in dict.fromkeys(map(_origin, strange)):
        own = [record for record in strange if _origin(record) == origin]
        text = f"{origin} is installed and not enabled, so its plugins do not run."
        severity = problem if any(_is_used(record, used) for record in own) else warning
        remedy = f"`postkit plugins enable {own[0].distribution}`, if you trust it"
        found.append(severity("plugins", text, remedy))
    known = {*kit.plugins.network_names(), *(record.name for record in strange)}
    found += [
        problem("plugins", f"There are accounts of {name}, and no plugin for it.", "install it")
        for name in sorted(used - known)
    ]
    loaded = sum(record.state == "loaded" for record in records)
    return Examined("plugins", f"{loaded} load", tuple(found))


def _origin(record: Record) -> str:
    return f"{record.distribution} {record.version}".strip()


def _is_left_out(record: Record) -> bool:
    """An emulator without its server: the extra `emulator` was not asked for."""
    return record.group == EMULATORS and util.find_spec("starlette") is None


def _is_used(record: Record, used: set[str]) -> bool:
    return record.group == NETWORKS and record.name in used


def _used(kit: Kit) -> set[str]:
    """The networks that there are accounts of."""
    if not kit.home.store_path.exists():
        return set()
    try:
        with read_only(kit.home.store_path) as connection:
            found = connection.execute(
                "SELECT DISTINCT network FROM account WHERE removed_at IS NULL"
            ).fetchall()
    except sqlite3.Error:
        return set()
    return {name for (name,) in found}
