"""Networks whose access runs out, and whose answer to a renewal can be spoiled."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from postkit.emulator.base import Emulator, Handler
from postkit.emulator.server import EmulatorServer
from postkit.emulator.spoil import Dropped
from postkit.emulator.world import World
from postkit.kit import Kit
from postkit.plugins import Plugins
from postkit.post import Post
from postkit.report import DeliveryReport
from postkit.testing.canaries import leaks, leaks_in_files

from .checker import check
from .crew import KEY, TITLE
from .facts import read
from .ring import RingEmulator, RingPlugin

WORDS = ("one", "two", "three", "four", "five")


class LeapClock:
    """The real time, but a sleep takes none: it moves the clock, and the clock that it was made
    from. ``wrong`` is by how much this one alone is wrong."""

    def __init__(self, other: LeapClock | None = None) -> None:
        self.other = other
        self.moved = timedelta()
        self.wrong = timedelta()

    def now(self) -> datetime:
        base = datetime.now(UTC) if self.other is None else self.other.now()
        return base + self.moved + self.wrong

    def monotonic(self) -> float:
        base = time.monotonic() if self.other is None else self.other.monotonic()
        return base + self.moved.total_seconds()

    def sleep(self, seconds: float) -> None:
        if self.other is None:
            self.moved += timedelta(seconds=max(0.0, seconds))
        else:
            self.other.sleep(seconds)


ALL = ["x", "reddit", "bluesky", "ring"]
PATIENT = 60.0
"""Seconds on a clock that leaps: a wait costs nothing."""


# What goes wrong with a renewal


class Troubled(Emulator):
    """``troubles`` are met by the next renewals, one each: a status, or ``hang``, ``reset``
    (nothing renewed), ``lost`` (renewed, but without an answer)."""

    renewal: ClassVar[str]

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.troubles: list[str] = []
        self.during: Callable[[], None] = lambda: None

    def routes(self) -> Sequence[BaseRoute]:
        routes = super().routes()  # type: ignore[safe-super]
        return [
            self._troubled(route)
            if isinstance(route, Route) and route.path.rstrip("/").endswith(self.renewal)
            else route
            for route in routes
        ]

    def reset(self) -> None:
        super().reset()
        self.troubles.clear()
        self.during = lambda: None

    def _troubled(self, route: Route) -> Route:
        inner: Handler = route.endpoint

        async def endpoint(request: Request) -> Response:
            request.scope["endpoint"] = inner  # an emulator tells its endpoints apart by it
            trouble = self.troubles.pop(0) if self.troubles else ""
            self.during()
            if trouble == "429":
                return JSONResponse({"error": "slow_down"}, 429, {"Retry-After": "30"})
            if trouble.isdecimal():
                return Response("<html>away</html>", int(trouble), media_type="text/html")
            if trouble in ("hang", "reset"):
                return Dropped(seconds=30.0 * (trouble == "hang"), reset=trouble == "reset")
            answer = await inner(request)
            return Dropped() if trouble == "lost" else answer

        methods = sorted((route.methods or set()) - {"HEAD"})
        return Route(route.path, endpoint, methods=methods)


@dataclass(frozen=True, slots=True)
class Case:
    """One network. ``burns`` says that a refresh token is dead once it was used; ``clocks`` are
    the modules of the plugin that look at the wall clock."""

    name: str
    renewal: str
    target: str = ""
    joins: bool = False
    burns: bool = False
    clocks: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.name}:main"

    @property
    def address(self) -> str:
        return f"{self.label}/{self.target}" if self.target else self.label


CASES = {
    case.name: case
    for case in (
        Case(
            "x",
            "/2/oauth2/token",
            burns=True,
            clocks=("postkit_x.client", "postkit_x.renewal", "postkit_x.media"),
        ),
        Case(
            "reddit",
            "/api/v1/access_token",
            target="postkit_demo",
            joins=True,
            clocks=("postkit_reddit.client",),
        ),
        Case(
            "bluesky",
            "/xrpc/com.atproto.server.refreshSession",
            clocks=("postkit_bluesky.access",),
        ),
        Case("ring", "/token", burns=True),
    )
}


def emulators() -> list[type[Emulator]]:
    found: list[type[Emulator]] = [*Plugins().emulators(), RingEmulator]
    kinds = {kind.network: kind for kind in found}
    return [
        type(kinds[case.name].__name__, (Troubled, kinds[case.name]), {"renewal": case.renewal})
        for case in CASES.values()
    ]


@contextmanager
def serving() -> Iterator[EmulatorServer]:
    with EmulatorServer(emulators(), clock=LeapClock()) as server:
        yield server


def refuse(emulator: Any) -> None:
    """From now on nothing that was handed out renews any access: a person has to come."""
    if emulator.network == "x":
        emulator.access.refresh_tokens.clear()
    elif emulator.network == "reddit":
        emulator.access.refresh_token = emulator.canary("refresh_token")
    elif emulator.network == "bluesky":
        emulator.tokens.expire("refresh")
        emulator._password = emulator.canary("app_password")
    else:
        emulator.next.clear()


# One account, its Kit, and what the emulator saw


@dataclass
class Desk:
    """``accept`` and ``go`` publish five pieces: one thread, or five posts where the network
    has no threads."""

    case: Case
    server: EmulatorServer
    home: Path
    names: list[str] = field(default_factory=list)
    before: int = 0
    spared: frozenset[str] = frozenset()
    """Kinds of violation that the history checker may find."""

    def __post_init__(self) -> None:
        world = self.server.world.clock
        assert isinstance(world, LeapClock)
        world.moved = timedelta()  # plugins look at the real time, and must not be far from it
        self.clock = LeapClock(world)
        self.kit = self.opened()
        self.connect()
        self.before = len(self.server.requests(self.case.name))

    def opened(self, read_timeout: float = 30.0) -> Kit:
        """The same home, as another process would open it."""
        settings = f'[accounts."{self.case.label}"]\nread_timeout = {read_timeout}\n'
        (self.home / "postkit.toml").write_text(settings, "utf-8")
        return Kit(home=self.home, key=KEY, plugins=[RingPlugin()], clock=self.clock)

    @property
    def emulator(self) -> Any:
        return self.server.emulators[self.case.name]

    def connect(self) -> None:
        """What a person does, also after the access was lost."""
        given = self.emulator.credentials()
        endpoint = self.emulator.endpoint(self.server.url)
        again = bool(self.kit.accounts)
        _, problem = self.kit.connect(
            self.case.name, given, name="main", endpoint=endpoint, replace=again
        )
        assert problem is None, problem

    # Publishing

    def accept(self, words: Sequence[str] = WORDS, **fields: Any) -> None:
        posts = [[word] for word in words] if self.case.joins else [list(words)]
        for texts in posts:
            plan = self.kit.plan(Post(texts, title=TITLE, **fields), [self.case.address])
            self.names.append(self.kit.accept(plan))

    def go(self, wait: float = 0.0, kit: Kit | None = None, watch: Any = None) -> DeliveryReport:
        """Go on until something is not live; the last report."""
        for name in self.names:
            report = (kit or self.kit).finish(name, wait=wait, watch=watch).deliveries[0]
            if report.state != "live":
                break
        return report

    def expire_before(self, *parts: int) -> None:
        """The create of these parts, from 1, is answered with an expired access."""
        for nth, part in enumerate(parts):
            self.server.add_fault(self.case.name, "expire_token", skip=part - 1 + nth)

    # What is true

    @property
    def state(self) -> str:
        return self.kit.account(self.case.label).state

    def states(self) -> list[str]:
        reports = [self.kit.report(name).deliveries[0] for name in self.names]
        return [part.state for report in reports for part in report.parts]

    def requests(self) -> list[Any]:
        return self.server.requests(self.case.name)[self.before :]

    def refreshes(self) -> int:
        """Requests for new access, a login with a password among them."""
        paths = self.kit.plugins.network(self.case.name).auth_paths
        return sum(entry.path.rstrip("/").endswith(paths) for entry in self.requests())

    def creates(self) -> int:
        return sum(entry.create for entry in self.requests())

    def texts(self) -> list[str]:
        return [post.text.strip() for post in self.server.posts(self.case.name)]

    def story(self) -> str:
        lines = [f"account {self.state}"]
        for name in self.names:
            report = self.kit.report(name).deliveries[0]
            lines.append(f"{report.state}: {report.error}")
            lines += [
                f"  {entry.event}: {entry.before} -> {entry.after}: {entry.reason}"
                for entry in self.kit.history(report.id or "")
            ]
        lines += [f"  {e.method} {e.path} -> {e.status} {e.fault or ''}" for e in self.requests()]
        return "\n".join(lines)

    def is_whole(self, words: Sequence[str] = WORDS) -> None:
        """One post a piece, each under the one before it, and an account that is well."""
        assert self.texts() == list(words), self.story()
        posts = self.server.posts(self.case.name)
        ids = [None, *(post.id for post in posts)]
        parents = [None] * len(posts) if self.case.joins else ids[:-1]
        assert [post.parent for post in posts] == parents, self.story()
        assert set(self.states()) == {"LIVE"}, self.story()
        assert self.state == "ok", self.story()

    def violations(self) -> list[str]:
        """What the history checker says, in the end."""
        found = check(read(self.kit.home.store_path, self.server)).violations
        return [str(violation) for violation in found if violation.kind not in self.spared]

    def leaks(self) -> list[str]:
        found = leaks_in_files(self.home)
        for name in self.names:
            report = self.kit.report(name)
            found += leaks("the report", repr(report) + json.dumps(report.to_json()))
            found += leaks("the history", repr(self.kit.history(report.deliveries[0].id or "")))
        return found + leaks("the accounts", repr(self.kit.accounts))


# Fixtures; a test module that imports them has them

Open = Callable[[str], Desk]


@pytest.fixture(scope="module", name="server")
def emulated() -> Iterator[EmulatorServer]:
    with serving() as server:
        yield server


@pytest.fixture(name="open_desk")
def desks(
    tmp_path: Path,
    server: EmulatorServer,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Open]:
    """Desks; at the end no token, old or new, may stand in anything that was written, and the
    history must be true."""
    caplog.set_level("DEBUG")
    server.reset()
    made: list[Desk] = []

    def opened(name: str) -> Desk:
        home = tmp_path / name
        home.mkdir()
        made.append(Desk(CASES[name], server, home))
        return made[-1]

    yield opened
    written = capfd.readouterr()
    found = leaks("a log", caplog.text) + leaks("the output", written.out + written.err)
    for desk in made:
        found += desk.leaks() + desk.violations()
        desk.kit.close()
    assert found == [], "\n".join(found)
