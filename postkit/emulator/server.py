"""The emulator as one object: start it, ask it, break things on purpose, close it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from postkit.clock import Clock

from .app import App
from .base import Emulator
from .control import Control, change_setting, reset
from .faults import Fault
from .journal import Entry
from .timeline import LivePost
from .wire import Wire
from .world import World


@dataclass(frozen=True, slots=True)
class EmulatedAccount:
    """What ``postkit connect`` needs to use one emulated network; ``app`` is for the browser."""

    network: str
    endpoint: str
    credentials: Mapping[str, str] = field(repr=False)
    app: Mapping[str, str] = field(repr=False, default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """With the credentials, which are worth nothing elsewhere."""
        return {
            "network": self.network,
            "endpoint": self.endpoint,
            "credentials": dict(self.credentials),
            "app": dict(self.app),
        }


class EmulatorServer:
    """Emulators on a loopback port, in a thread; a context manager.

    ``port`` 0 takes a free one. It answers when the constructor returns. Raises OSError where
    the port is taken, ValueError where ``host`` is not a loopback address or two emulators
    have one name.
    """

    def __init__(
        self,
        emulators: Iterable[type[Emulator]],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        clock: Clock | None = None,
    ) -> None:
        if host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError(f"The emulator has no password, so it serves loopback, not {host!r}.")
        self.world = World(clock)
        self.emulators: dict[str, Emulator] = {}
        for kind in emulators:
            if kind.network in self.emulators:
                raise ValueError(f"Two emulators are named {kind.network!r}.")
            self.emulators[kind.network] = kind(self.world)
        self._wire = Wire(host, port)
        shown = f"[{host}]" if ":" in host else host
        self.world.base_url = f"http://{shown}:{self._wire.port}"
        control = Control(self.world, self.emulators)
        try:
            self._wire.start(App(self.world, self.emulators, control))
        except BaseException:
            self._wire.close()
            raise

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end; the page is there."""
        return self.world.base_url

    def accounts(self) -> list[EmulatedAccount]:
        """One account at each network."""
        return [
            EmulatedAccount(name, one.endpoint(self.url), dict(one.credentials()), dict(one.app()))
            for name, one in self.emulators.items()
        ]

    def add_fault(self, network: str, kind: str, **settings: Any) -> Fault:
        """Arm a fault; ``settings`` as in ``Fault``. Raises BadFault."""
        row = {"network": network, "kind": kind, **settings}
        fault = Fault.from_json(row, self.emulators)
        self.world.faults.add(fault)
        return fault

    def posts(self, network: str | None = None) -> list[LivePost]:
        """Every live post, oldest first."""
        return self.world.timeline.live(network)[::-1]

    def requests(self, network: str | None = None) -> list[Entry]:
        """The journal, oldest first."""
        return self.world.journal.list(network)

    def set(self, network: str, name: str, value: object) -> None:
        """Change a setting of an emulator. Raises UnknownSetting."""
        change_setting(self.emulators, network, name, value)

    def reset(self) -> None:
        """Forget posts, media, faults and journal; connected accounts go on working."""
        reset(self.world, self.emulators)

    def serve_forever(self) -> None:
        """Block until the server ends or Ctrl-C; then close."""
        try:
            # A join without a timeout would not let Ctrl-C through on every platform.
            while not self._wire.join(0.5):
                pass
        except KeyboardInterrupt:
            pass
        finally:
            self.close()

    def close(self) -> None:
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
