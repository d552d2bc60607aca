"""Loading plugins: each on its own, so that a broken one breaks nothing else."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy

from . import hookspecs
from .accounts import references
from .contract import EMULATORS_HOOK, NETWORKS_HOOK, emulators_of, networks_of
from .errors import PluginError, UnknownName
from .suggest import did_you_mean

if TYPE_CHECKING:
    from .emulator.base import Emulator
    from .network import Network

NETWORKS = "postkit.networks"
EMULATORS = "postkit.emulators"
ALWAYS = "postkit.plugins"


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one entry point: ``state`` is available, loaded or failed."""

    group: str
    name: str
    value: str
    distribution: str
    version: str
    state: str
    reason: str = ""


class Plugins:
    """The plugins that are installed. Nothing is imported before its network is named."""

    def __init__(self, extra: Iterable[object] = ()) -> None:
        self.manager = pluggy.PluginManager("postkit")
        self.manager.add_hookspecs(hookspecs)
        self.manager.register(references, name="postkit:references")
        if os.environ.get("POSTKIT_TRACE") == "1":
            self.manager.trace.root.setwriter(lambda text: sys.stderr.write(text))
            self.manager.enable_tracing()
        self._entries: dict[tuple[str, str], EntryPoint] = {}
        self._lock = threading.RLock()
        self._failed: dict[tuple[str, str], str] = {}
        self._loaded: set[tuple[str, str]] = set()
        self._kinds: dict[str, list[type[Emulator]]] = {}
        for group in (NETWORKS, EMULATORS, ALWAYS):
            for entry in entry_points(group=group):
                key = group, entry.name
                other = self._entries.setdefault(key, entry)
                if other is not entry:
                    # The order of folders must not decide who is handed an account's secrets.
                    self._failed[key] = (
                        f"Two plugins are named {entry.name!r}, in {_where(other)} and "
                        f"{_where(entry)}: uninstall one of them."
                    )
        self._networks: dict[str, Network[Any]] = {}
        self._extra = tuple(extra)
        for plugin in self._extra:
            self.manager.register(plugin)
            for network in _implementation(plugin, NETWORKS_HOOK):
                self._networks[network.name] = network
        for group, name in list(self._entries):
            if group == ALWAYS:
                self._load(group, name)

    def network_names(self) -> list[str]:
        """The names of all networks that are installed, whether they load or not."""
        named = {name for group, name in self._entries if group == NETWORKS}
        return sorted(named | set(self._networks))

    def network(self, name: str) -> Network[Any]:
        """The network of that name. Raises UnknownName, or PluginError with the remedy."""
        with self._lock:
            return self._network(name)

    def _network(self, name: str) -> Network[Any]:
        if name in self._networks:
            return self._networks[name]
        if (NETWORKS, name) not in self._entries:
            names = self.network_names()
            raise UnknownName(
                f"There is no network {name!r}.{did_you_mean(name, names)} "
                f"Installed: {', '.join(names) or 'none'}. A plugin adds one: "
                "see `postkit plugins`."
            )
        if self._load(NETWORKS, name) is None:
            raise PluginError(self._failed[NETWORKS, name])
        return self._networks[name]

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
        for (group, name), entry in sorted(self._entries.items()):
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
        return rows

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
            self._networks |= {n.name: n for n in networks if n.name not in self._networks}
        elif group == EMULATORS:
            self._kinds[name] = emulators_of(module, name, who)
        if not self.manager.is_registered(module):
            self.manager.register(module, name=f"{group}:{name}")
        self._loaded.add((group, name))


def _implementation(plugin: object, hook: str) -> Iterable[Any]:
    function = getattr(plugin, hook, None)
    return list(function()) if function is not None else []


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
