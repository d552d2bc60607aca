"""Versions of networks' APIs that accounts use, and their ends."""

from __future__ import annotations

from datetime import date, timedelta

from ..errors import PostkitError
from ..kit import Kit
from ..network import Account, ApiVersion
from .finding import Examined, Finding, problem, warning

NEAR = timedelta(days=90)


def look(kit: Kit) -> Examined:
    today = kit.clock.now().date()
    found: list[Finding] = []
    named: dict[str, None] = {}
    for account in kit.accounts:
        try:
            network = kit.plugins.network(account.network)
        except PostkitError:
            continue  # the plugins' area tells of it
        version = network.version_for(account)
        if version is None:
            continue
        named[f"{account.network} {version}"] = None
        known = next((each for each in network.versions if each.name == version), None)
        if known is not None:
            found += _ending(account, known, network.versions, today)
    return Examined("versions", ", ".join(named) or "no account names one", tuple(found))


def _ending(
    account: Account, version: ApiVersion, versions: tuple[ApiVersion, ...], today: date
) -> list[Finding]:
    if version.ends is None or version.ends - today > NEAR:
        return []
    newest = versions[-1].name
    remedy = (
        f'set version = "{newest}" for it in postkit.toml, or leave the setting out'
        if version.name != newest
        else "update postkit"
    )
    where = f"({version.source}, checked {version.checked})"
    if version.ends < today:
        text = f"{account.label} uses {version.name}, which ended on {version.ends} {where}."
        return [problem("versions", text, remedy)]
    text = f"{account.label} uses {version.name}, which ends on {version.ends} {where}."
    return [warning("versions", text, remedy)]
