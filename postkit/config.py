"""What a person sets in `postkit.toml`: groups, default addresses, settings."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from .errors import InputError, UnknownName
from .suggest import did_you_mean

Settings = Mapping[str, object]
"""The settings of one network or account, as TOML types them. Their owner knows their names."""

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})
_TABLES: Final = ("groups", "default", "networks", "accounts")
_GROUP: Final = re.compile(r"[\w.-]+")
_ADDRESS: Final = re.compile(r"[^\s:/@,]+(?::[^\s:/,]+)?(?:/[^\r\n]+)?")
_ACCOUNT: Final = re.compile(r"[^\s:/@,]+:[^\s:/,]+")
_SECRET: Final = re.compile(r"(?:token|secret|password|passphrase|api_?key|private_?key)$", re.I)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one installation. `default` holds addresses only, its groups written out."""

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _EMPTY)
    default: tuple[str, ...] = ()
    networks: Mapping[str, Settings] = field(default_factory=lambda: _EMPTY)
    accounts: Mapping[str, Settings] = field(default_factory=lambda: _EMPTY)

    def group(self, name: str) -> tuple[str, ...]:
        """The addresses of a group, named without its `@`. Raises `UnknownName`."""
        if name not in self.groups:
            raise UnknownName(
                f"There is no group @{name} in postkit.toml."
                + (did_you_mean(name, self.groups) or _known("Groups", self.groups))
            )
        return self.groups[name]

    def network(self, name: str) -> Settings:
        """The settings of a network; empty where there are none."""
        return self.networks.get(name, _EMPTY)

    def account(self, account: str) -> Settings:
        """The settings of an account (`network:name`); empty where there are none."""
        return self.accounts.get(account, _EMPTY)

    def for_tenants(self) -> Config:
        """What holds for tenants too: the settings of networks. Groups, default addresses, the
        chosen account of a network and the settings of an account are this installation's own."""
        networks = {
            name: MappingProxyType({key: each for key, each in own.items() if key != "account"})
            for name, own in self.networks.items()
        }
        return Config(networks=MappingProxyType(networks))


def read_config(path: Path) -> Config:
    """The settings in the file; without a file, none. Raises `InputError` with every problem."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path.name}: {path} is no plain file.")
        raw = path.read_bytes()
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise InputError(f"{path.name}: {path} cannot be read ({error.strerror}).") from error
    return parse_config(_decoded(raw, path.name), path.name)


def parse_config(text: str, name: str = "postkit.toml") -> Config:
    """The settings in the text of such a file; `name` begins each problem."""
    return _Reading(name).config(_parsed(text, name))


def _decoded(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{name}: line {line}: not UTF-8; save the file as UTF-8.") from None


def _parsed(text: str, name: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError(f"{name}: nested too deeply.") from None
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(
            r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error)
        )
        reason, number, column = found.groups() if found else (str(error), None, None)
        lines = text.splitlines()
        line = int(number) if number else max(1, len(lines))
        hint = ""
        if line <= len(lines) and re.match(r"\s*\[[^\"']*:", lines[line - 1]):
            hint = ' A name with a colon needs quotes: [accounts."network:name"].'
        where = f"line {line}" + (f", column {column}" if column else "")
        raise InputError(f"{name}: {where}: {reason}.{hint}") from None


class _Reading:
    """One pass over a parsed file, which collects what is wrong instead of stopping at it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._problems: list[str] = []

    def config(self, data: Mapping[str, Any]) -> Config:
        for key in data:
            if key not in _TABLES:
                near = did_you_mean(key, _TABLES) or _known("Known are", _TABLES)
                self._problem(key, f"not a known setting.{near}")
        groups = {
            group: self._addresses(f"groups.{group}", listed)
            for group, listed in self._table("groups", data.get("groups", {})).items()
            if self._is_group_name(group)
        }
        default = self._addresses("default", data.get("default", []), groups)
        networks = self._settings("networks", data.get("networks", {}))
        accounts = self._settings("accounts", data.get("accounts", {}))
        for account in accounts:
            if not _ACCOUNT.fullmatch(account):
                self._problem(
                    f"accounts.{account}", 'not an account; write [accounts."network:name"].'
                )
        if self._problems:
            raise InputError(self._problems)
        return Config(MappingProxyType(groups), default, networks, accounts)

    def _problem(self, place: str, sentence: str) -> None:
        self._problems.append(f"{self._name}: {place}: {sentence}")

    def _table(self, place: str, value: object) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._problem(place, f"must be a table, not {_kind(value)}.")
        return {}

    def _is_group_name(self, group: str) -> bool:
        if _GROUP.fullmatch(group):
            return True
        self._problem(
            f"groups.{group}", "a group's name has letters, digits, '-', '_' and '.' only."
        )
        return False

    def _addresses(
        self, place: str, listed: object, groups: Mapping[str, tuple[str, ...]] | None = None
    ) -> tuple[str, ...]:
        """The addresses in a list. Where `groups` are given, `@group` stands for its addresses."""
        if not isinstance(listed, list):
            self._problem(place, f"must be a list of addresses, not {_kind(listed)}.")
            return ()
        if not listed and groups is None:
            self._problem(place, "is empty; name at least one address or remove the group.")
        found: dict[str, None] = {}
        for position, address in enumerate(listed, start=1):
            if not isinstance(address, str):
                self._problem(
                    place, f"entry {position} must be an address in quotes, not {_kind(address)}."
                )
            elif listed.index(address) < position - 1:
                self._problem(place, f"{address!r} occurs twice.")
            elif address.startswith("@") and groups is not None:
                if address[1:] in groups:
                    found.update(dict.fromkeys(groups[address[1:]]))
                else:
                    near = did_you_mean(address[1:], groups) or _known("Groups", groups)
                    self._problem(place, f"there is no group {address}.{near}")
            elif address.startswith("@"):
                self._problem(
                    place, f"{address!r} is a group; a group holds addresses, list them instead."
                )
            elif not _ADDRESS.fullmatch(address):
                self._problem(
                    place, f"{address!r} is not an address; write network[:account][/target]."
                )
            else:
                found[address] = None
        return tuple(found)

    def _settings(self, place: str, value: object) -> Mapping[str, Settings]:
        return MappingProxyType(
            {
                owner: self._owned(f"{place}.{owner}", settings)
                for owner, settings in self._table(place, value).items()
            }
        )

    def _owned(self, place: str, value: object) -> Settings:
        settings = self._table(place, value)
        if "options" in settings:
            self._table(f"{place}.options", settings["options"])
        self._refuse_secrets(place, settings)
        return _frozen(settings)

    def _refuse_secrets(self, place: str, value: object) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                if _SECRET.search(key):
                    self._problem(
                        f"{place}.{key}",
                        "a secret does not belong in this file; give it to `postkit connect` "
                        "and remove it here.",
                    )
                else:
                    self._refuse_secrets(f"{place}.{key}", item)
        elif isinstance(value, list):
            for item in value:
                self._refuse_secrets(place, item)


def _frozen(settings: Mapping[str, Any]) -> Settings:
    return MappingProxyType({key: _frozen_value(value) for key, value in settings.items()})


def _frozen_value(value: object) -> object:
    if isinstance(value, dict):
        return _frozen(value)
    if isinstance(value, list):
        return tuple(_frozen_value(item) for item in value)
    return value


def _known(heading: str, names: Iterable[str]) -> str:
    listed = ", ".join(sorted(names))
    return f" {heading}: {listed}." if listed else ""


def _kind(value: object) -> str:
    kinds = {bool: "true or false", dict: "a table", list: "a list", str: "a text", int: "a number"}
    return kinds.get(type(value), "a number" if isinstance(value, float) else "a date or time")
