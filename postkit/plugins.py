"""Loading plugins: each on its own, so that a broken one breaks nothing else.

A plugin is code that runs with the rights of its user, so one of another distribution than
postkit's own is imported only after somebody has enabled that distribution (`allowed.py`).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import pluggy

from . import hookspecs
from .accounts import references
from .allowed import Allowed
from .contract import EMULATORS_HOOK, NETWORKS_HOOK, emulators_of, networks_of
from .errors import NotEnabled, PluginError, UnknownName
from .installed import ALWAYS, EMULATORS, GROUPS, NETWORKS, Installed, canonical, installed
from .suggest import did_you_mean

if TYPE_CHECKING:
    from .emulator.base import Emulator
    from .home import Home
    from .network import Network

Key = tuple[str, str]
"""The group and the name of an entry point."""


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one entry point: ``state`` is available, loaded, failed or not_enabled."""

    group: str
    name: str
    value: str
    distribution: str
    version: str
    state: str
    reason: str = ""


class Plugins:
    """The plugins that are installed. Nothing is imported before its network is named, and of
    other distributions than postkit's own nothing that is not enabled.

    ``extra`` are modules or objects of the program itself, which it trusts. ``enabled`` names
    distributions (None: those on the list of ``home`` and in POSTKIT_PLUGINS).
    """

    def __init__(
        self,
        extra: Iterable[object] = (),
        *,
        enabled: Iterable[str] | None = None,
        home: Home | None = None,
    ) -> None:
        self.manager = pluggy.PluginManager("postkit")
        self.manager.add_hookspecs(hookspecs)
        self.manager.register(references, name="postkit:references")
        if os.environ.get("POSTKIT_TRACE") == "1":
            self.manager.trace.root.setwriter(lambda text: sys.stderr.write(text))
            self.manager.enable_tracing()
        self._given = None if enabled is None else Allowed(frozenset(map(canonical, enabled)))
        self._home = home
        self._entries: dict[Key, EntryPoint] = {}
        self._strange: list[tuple[Installed, EntryPoint]] = []
        self._unreadable: list[Installed] = []
        self._lock = threading.RLock()
        self._failed: dict[Key, str] = {}
        self._loaded: set[Key] = set()
        self._kinds: dict[str, list[type[Emulator]]] = {}
        for found in installed():
            self._sort(found)
        self._networks: dict[str, Network[Any]] = {}
        self._extra = tuple(extra)
        for plugin in self._extra:
            self.manager.register(plugin)
            for network in _implementation(plugin, NETWORKS_HOOK):
                self._networks[network.name] = network
        for group, name in list(self._entries):
            if group == ALWAYS:
                self._load(group, name)

    @cached_property
    def allowed(self) -> Allowed:
        """What may be loaded of others."""
        return Allowed.read(self._home) if self._given is None else self._given

    def _sort(self, found: Installed) -> None:
        if found.problem:
            self._unreadable.append(found)
        # The list is read only where there is a stranger: most installations have none.
        elif not found.is_own and found.key not in self.allowed.names:
            self._strange += [(found, entry) for entry in found.entries]
        else:
            for entry in found.entries:
                key = entry.group, entry.name
                other = self._entries.setdefault(key, entry)
                if other is not entry:
                    # The order of folders must not decide who is handed an account's secrets.
                    self._failed[key] = (
                        f"Two plugins are named {entry.name!r}, in {_where(other)} and "
                        f"{_where(entry)}: uninstall one of them, or disable it with `postkit "
                        "plugins disable`."
                    )

    def network_names(self) -> list[str]:
        """The names of all networks that are installed, whether they load, or may, or not."""
        named = {name for group, name in self._entries if group == NETWORKS}
        named |= {entry.name for _, entry in self._strange if entry.group == NETWORKS}
        return sorted(named | set(self._networks))

    def network(self, name: str) -> Network[Any]:
        """The network of that name. Raises UnknownName, or PluginError with the remedy
        (NotEnabled where somebody has to say that its code may run)."""
        with self._lock:
            return self._network(name)

    def _network(self, name: str) -> Network[Any]:
        if name in self._networks:
            return self._networks[name]
        if (NETWORKS, name) not in self._entries:
            self._refuse_strangers(name)
            names = self.network_names()
            raise UnknownName(
                f"There is no network {name!r}.{did_you_mean(name, names)} "
                f"Installed: {', '.join(names) or 'none'}. A plugin adds one: "
                "see `postkit plugins`."
            )
        if self._load(NETWORKS, name) is None:
            raise PluginError(self._failed[NETWORKS, name])
        return self._networks[name]

    def _refuse_strangers(self, name: str) -> None:
        """Raises NotEnabled where a plugin that is not enabled names this network."""
        who = [
            found for found, entry in self._strange if (entry.group, entry.name) == (NETWORKS, name)
        ]
        if who:
            raise NotEnabled(
                f"The network {name!r} is of the plugin {' or '.join(map(str, who))}, which is not "
                f"enabled: run {' or '.join(map(_enabling, who))}."
                + (f" {self.allowed.problem}" if self.allowed.problem else ""),
                [found.name for found in who],
            )

    def emulators(self) -> list[type[Emulator]]:
        """The emulators of all installed networks that load."""
        found: list[type[Emulator]] = []
        for plugin in self._extra:
            found.extend(_implementation(plugin, EMULATORS_HOOK))
        for group, name in sorted(self._entries):
            if group == EMULATORS and self._load(group, name) is not None:
                found.extend(self._kinds[name])
        return found

    def records(self, *, load: bool = False) -> list[Record]:
        """The ledger. ``load=True`` tries every network first."""
        if load:
            for group, name in self._entries:
                self._load(group, name)
        rows = []
        for (group, name), entry in self._entries.items():
            state = "failed" if (group, name) in self._failed else "available"
            if (group, name) in self._loaded:
                state = "loaded"
            dist = entry.dist
            rows.append(
                Record(
                    group,
                    name,
                    entry.value,
                    dist.name if dist else "",
                    dist.version if dist else "",
                    state,
                    self._failed.get((group, name), ""),
                )
            )
        rows += [
            Record(
                entry.group, entry.name, entry.value, found.name, found.version,
                "not_enabled", f"Its code runs after {_enabling(found)}.",
            )
            for found, entry in self._strange
        ]  # fmt: skip
        rows += [
            Record(group, name, "", found.name, found.version, "failed", found.problem)
            for found in self._unreadable
            for group in GROUPS
            for name in found.names(group) or ([found.name] if group == ALWAYS else [])
        ]
        return sorted(rows, key=lambda row: (row.group, row.name, row.distribution))

    def _load(self, group: str, name: str) -> object | None:
        with self._lock:
            return self._loaded_once(group, name)

    def _loaded_once(self, group: str, name: str) -> object | None:
        key = (group, name)
        if key in self._failed:
            return None
        entry = self._entries[key]
        try:
            module: object = entry.load()
            if key not in self._loaded:
                self._take(group, name, module, f"The plugin {name} of {_where(entry)}")
        except KeyboardInterrupt:
            raise
        except PluginError as error:
            self._failed[key] = error.message
            return None
        except BaseException as error:  # noqa: BLE001 - a stranger's import may raise anything
            self._failed[key] = _why(entry, error)
            return None
        return module

    def _take(self, group: str, name: str, module: object, who: str) -> None:
        if group == NETWORKS:
            networks = networks_of(module, name, who)
            mine = [n for n in networks if self._may_give(NETWORKS, name, n.name)]
            self._networks |= {n.name: n for n in mine if n.name not in self._networks}
        elif group == EMULATORS:
            kinds = emulators_of(module, name, who)
            self._kinds[name] = [k for k in kinds if self._may_give(EMULATORS, name, k.network)]
        if not self.manager.is_registered(module):
            self.manager.register(module, name=f"{group}:{name}")
        self._loaded.add((group, name))

    def _may_give(self, group: str, name: str, network: str) -> bool:
        """A module gives the network of its entry point, and others that nobody else's names:
        what is asked for by its name must not be handed to whoever was loaded before."""
        return network == name or (group, network) not in self._entries


def _implementation(plugin: object, hook: str) -> Iterable[Any]:
    function = getattr(plugin, hook, None)
    return list(function()) if function is not None else []


def _enabling(found: Installed) -> str:
    return f"`postkit plugins enable {found.name}`"


def _where(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def _why(entry: EntryPoint, error: BaseException) -> str:
    dist = entry.dist
    if isinstance(error, ModuleNotFoundError) and error.name and dist is not None:
        package = (error.name or "").split(".")[0]
        extras = dist.metadata.get_all("Provides-Extra") or []
        extra = f"[{entry.name}]" if entry.name in extras else ""
        if entry.group == EMULATORS and "emulator" in extras:
            extra = f"[{entry.name},emulator]" if entry.name in extras else "[emulator]"
        if package != entry.value.split(".")[0]:
            return (
                f"{entry.name} needs the package {package}, which is not installed: "
                f"run `pip install '{dist.name}{extra}'`."
            )
    said = " ".join(str(error).split())
    return f"The plugin {entry.name} could not be loaded: {type(error).__name__}: {said}"
