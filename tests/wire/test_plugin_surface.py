"""What a plugin is handed: its own account's access, and no way from there to another's.

Python is no sandbox: whoever runs in the process can find anything in it. What is tested is that
nothing on the documented surface (names without an underscore) leads there.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from postkit.accounts.secret import Secret
from postkit.accounts.secrets import Secrets
from postkit.accounts.vault import Vault
from postkit.errors import NeedsLogin
from postkit.kit import Kit

from .board import TOKEN, Board, HandClock, Server, kit_of

OTHER = "pk_canary_of_another_account"
DEEPEST = 6
"""Steps from what was handed over: far more than a plugin's author goes."""


class Curious(Board):
    """Keeps what it is handed."""

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[str, tuple[Any, ...]] = {}

    def connect(self, account: Any, secrets: Any, session: Any) -> Any:
        self.given[account.name] = (account, secrets, session)
        return super().connect(account, secrets, session)


@pytest.fixture
def curious(tmp_path: Path, server: Server) -> Iterator[tuple[Curious, Kit]]:
    board = Curious()
    with kit_of(tmp_path, server, board, HandClock()) as kit:
        kit.connect("board", {"token": OTHER}, name="other", endpoint=server.url)
        for account in kit.accounts:
            kit.clients.give(kit.clients.take(account))
        yield board, kit


def test_it_gets_its_own_access_alone(curious: tuple[Curious, Kit]) -> None:
    board, kit = curious
    own: Secrets = board.given["board"][1]
    assert own["token"].reveal() == TOKEN
    assert own.held == {"token": TOKEN}
    for name in (*(account.id for account in kit.accounts), "board:other", "other", OTHER):
        assert name not in own
        assert own.get(name) is None
        with pytest.raises(NeedsLogin, match="board:board has no "):
            own[name]
        with pytest.raises(NeedsLogin):
            own.text(name)


def test_what_it_renews_is_its_own(curious: tuple[Curious, Kit]) -> None:
    board, kit = curious
    own: Secrets = board.given["board"][1]
    other = kit.account("board:other").id
    with own.refreshing():
        own.rotate(token="pk_canary_renewed", **{other: "pk_canary_smuggled", "account_id": other})
    assert kit.vault().get(other) == {"token": OTHER}
    assert own["token"].reveal() == "pk_canary_renewed"


def test_no_public_name_leads_to_the_vault_or_to_another(
    curious: tuple[Curious, Kit],
) -> None:
    board, _ = curious
    everything = list(reached(board.given["board"]))
    assert TOKEN in {text_of(thing) for thing in everything}, "the walk finds what is there"
    assert not [thing for thing in everything if isinstance(thing, (Vault, Kit))]
    assert not [thing for thing in everything if OTHER in text_of(thing)]


def text_of(thing: object) -> str:
    return thing.reveal() if isinstance(thing, Secret) else thing if isinstance(thing, str) else ""


def reached(start: object) -> Iterator[Any]:
    """Everything that public names, items and the keys of mappings lead to."""
    seen: dict[int, object] = {}
    steps = [(start, 0)]
    while steps:
        thing, depth = steps.pop()
        if id(thing) in seen or isinstance(thing, (type, types.ModuleType)):
            continue
        seen[id(thing)] = thing  # kept, so that no other thing gets its id
        yield thing
        if depth == DEEPEST or isinstance(thing, (str, bytes, int, float)):
            continue
        if isinstance(thing, dict):
            steps += [(each, depth + 1) for pair in thing.items() for each in pair]
        elif isinstance(thing, (list, tuple, set, frozenset)):
            steps += [(each, depth + 1) for each in thing]
        for name in dir(thing):
            if not name.startswith("_"):
                try:
                    steps.append((getattr(thing, name), depth + 1))
                except Exception:  # noqa: BLE001 - a property that has nothing to give now
                    continue
