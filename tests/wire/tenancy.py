"""One installation with two tenants, one of which has a post in each state that a person meets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from postkit.accounts.oauth.pending import Pending, PendingConnects
from postkit.kit import Kit
from postkit.network import Guarantee
from postkit.post import Post

from .board import KEY, TOKEN, Board, HandClock, Plugin, Server, sql

ACME, BETA = "tenant-acme", "tenant-beta"
NORTH, SOUTH = "board:acme-in-the-north", "board:b7"
"""The account of each; so unlike that neither is suggested where the other one is asked for."""
ONCE = "acme-order-17"
TOKENS = {"": TOKEN, ACME: f"{TOKEN}_acme", BETA: f"{TOKEN}_beta"}


@dataclass
class Scene:
    whole: Kit
    acme: Kit
    beta: Kit
    server: Server
    clock: HandClock
    by_state: dict[str, str]
    """The delivery of acme in each state."""
    connecting: str = ""
    """The state of a connect that acme has begun."""

    def ids(self) -> list[str]:
        """Everything of acme that has an id or a name, the links of its posts included."""
        with reading(self.whole) as raw:
            found = [
                *raw.execute("SELECT id FROM account WHERE tenant = ?", (ACME,)),
                *raw.execute("SELECT id FROM publication WHERE tenant = ?", (ACME,)),
                *raw.execute("SELECT id FROM delivery WHERE tenant = ?", (ACME,)),
                *raw.execute("SELECT id FROM part WHERE tenant = ?", (ACME,)),
                *raw.execute("SELECT id FROM pause WHERE tenant = ?", (ACME,)),
                *raw.execute("SELECT url FROM part WHERE tenant = ? AND url <> ''", (ACME,)),
            ]
        return [*(row[0] for row in found), NORTH, ONCE, self.connecting]

    def words(self) -> list[str]:
        """What nobody else may be shown of acme's."""
        return [
            *self.ids(),
            ACME,
            "acme-in-the-north",
            "words of acme",
            "acme's reason",
            TOKENS[ACME],
        ]

    def dump(self) -> list[str]:
        """The whole store, with the bytes of the vault."""
        with reading(self.whole) as raw:
            return [*raw.iterdump(), self.whole.home.vault_path.read_bytes().hex()]

    def rows(self, tenant: str) -> dict[str, list[tuple[object, ...]]]:
        """All rows of a tenant, by table."""
        with reading(self.whole) as raw:
            tables = raw.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%tenant %'"
            ).fetchall()
            return {
                name: raw.execute(
                    f"SELECT * FROM {name} WHERE tenant = ? ORDER BY 1", (tenant,)
                ).fetchall()
                for (name,) in tables
            }


@contextmanager
def reading(kit: Kit) -> Iterator[sqlite3.Connection]:
    raw = sqlite3.connect(kit.home.store_path)
    try:
        yield raw
    finally:
        raw.close()


@contextmanager
def tenants(
    home: Path, server: Server, board: Board, clock: HandClock, *plugins: object
) -> Iterator[Scene]:
    """A Kit, and those of two tenants with an account each; nothing is published."""
    with Kit(home=home, key=KEY, plugins=[Plugin(board), *plugins], clock=clock) as whole:
        acme, beta = whole.for_tenant(ACME), whole.for_tenant(BETA)
        for kit, label in ((acme, NORTH), (beta, SOUTH)):
            kit.connect(
                "board",
                {"token": TOKENS[kit.tenant]},
                name=label.partition(":")[2],
                endpoint=server.url,
            )
        yield Scene(whole, acme, beta, server, clock, {})


def fill(scene: Scene, board: Board) -> None:
    """Publish for acme until it has a delivery in each state, and pause it."""
    acme, server = scene.acme, scene.server
    connects = PendingConnects(scene.whole.vault(), scene.clock, ACME)
    begun = Pending("board", "b8", "http://127.0.0.1:8712/", None, None, False, {}, "pk_canary_v")
    scene.connecting = connects.put(begun)

    def publish(number: int, once: str | None = None, wait: float = 10) -> str:
        text = f"words of acme {number}"
        found = acme.publish(Post(text), [NORTH], wait=wait, once=once).deliveries[0]
        scene.by_state[found.state] = str(found.id)
        return str(found.id)

    publish(1, ONCE)
    server.script = [(400, '{"error": "no"}', {})]
    publish(2)
    board.promise = Guarantee("blind")
    server.script = ["lose"]
    publish(3)
    later = acme.schedule("words of acme 4", [NORTH], at="in 2h", zone="Europe/Berlin")
    scene.by_state["scheduled"] = str(later.deliveries[0].id)
    acme.pause([NORTH], reason="acme's reason")
    publish(5)
    sql(acme, """UPDATE part SET copies = '["https://board.example/91"]' WHERE state = 'LIVE'""")
    assert set(scene.by_state) == {"live", "failed", "uncertain", "scheduled", "held"}
