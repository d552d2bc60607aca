"""The plugins that are installed: what does not load, and what may not."""

from __future__ import annotations

import sqlite3

from ..kit import Kit
from .finding import Examined, Finding, problem, warning
from .reading import read_only


def look(kit: Kit) -> Examined:
    used = _used(kit)
    records = kit.plugins.records(load=True)
    found: list[Finding] = []
    for record in records:
        what = f"{record.name} ({record.distribution} {record.version})".replace(" )", ")")
        if record.state in ("available", "loaded"):
            continue
        needed = record.group == "postkit.networks" and record.name in used
        severity = problem if needed else warning
        if record.state == "failed":
            text = f"The plugin {what} does not load: {record.reason}"
            found.append(severity("plugins", text, "`postkit plugins --load`"))
        else:
            text = f"The plugin {what} is installed and not enabled."
            found.append(severity("plugins", text, f"`postkit plugins enable {record.name}`"))
    known = set(kit.plugins.network_names())
    found += [
        problem("plugins", f"There are accounts of {name}, and no plugin for it.", "install it")
        for name in sorted(used - known)
    ]
    loaded = sum(record.state == "loaded" for record in records)
    return Examined("plugins", f"{loaded} load", tuple(found))


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
