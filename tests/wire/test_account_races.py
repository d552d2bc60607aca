"""What is decided about an account while somebody else is at it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from postkit.errors import InputError, Unavailable, UnknownName
from postkit.kit import Kit
from postkit.network import Identity
from postkit.post import Post

from .board import Server, serving, states
from .test_identity import BRAND, MINE, Members, board, home, kit, kit_at

__all__ = ["board", "home", "kit"]


# A check beside a connect


def test_a_check_does_not_undo_a_move_to_another_server(
    tmp_path: Path, kit: Kit, board: Members, server: Server
) -> None:
    """The network answers the check slowly; meanwhile a person gives the account its new place."""
    kit._accounts.set_state(kit.account("board:mine").id, "unverified")
    honest = board.answer

    def slow(who: str) -> Identity:
        board.answer = honest
        with kit_at(tmp_path, board) as person:
            person.connect("board", {"token": MINE}, name="mine", endpoint=moved.url, replace=True)
        return honest(who)

    with serving() as moved:
        board.answer = slow
        [checked] = kit.check_accounts(["board:mine"])
        assert checked.answer == "ok"
        assert kit.account("board:mine").endpoint == moved.url
        assert kit.publish("Hello", ["board:mine"]).ok


def test_a_check_tells_who_it_is_and_of_no_new_access(
    tmp_path: Path, server: Server, board: Members
) -> None:
    def away(who: str) -> Identity:
        raise Unavailable("Away.", network="board")

    honest, board.answer = board.answer, away
    with kit_at(tmp_path, board) as kit:
        account, _ = kit.connect("board", {"token": MINE}, name="mine", endpoint=server.url)
        board.answer = honest
        kit.check_accounts()
        assert kit.account("board:mine").identity == Identity("id-me", "@me")
        lines: list[str] = []
        kit.audit(each=lambda line: lines.append(str(line.get("event"))))
        assert lines == ["connect", "identify", "None"]
        renewed = kit._accounts.renewed_at(account.id)
        kit._accounts.set_state(account.id, "needs_login")
        kit.check_accounts()
        assert kit.account("board:mine").state == "ok"
        assert kit._accounts.renewed_at(account.id) == renewed, "a look gives no new access"


@pytest.mark.parametrize("answer", [None, "me", Identity("", "nobody")])
def test_a_plugin_that_gives_no_identity_fails_its_check(
    kit: Kit, board: Members, answer: object
) -> None:
    board.answer = lambda _: answer  # type: ignore[assignment, return-value]
    [checked] = kit.check_accounts(["board:mine"])
    assert checked.answer == "failed"
    assert "plugin board gave" in checked.message
    assert kit.account("board:mine").identity == Identity("id-me", "@me")


# A removal beside a post


def test_nothing_is_accepted_for_an_account_that_was_removed_meanwhile(
    kit: Kit, server: Server
) -> None:
    plan = kit.plan(Post("Hello"), ["board:mine"])
    kit._accounts.remove(plan.deliveries[0].place.account.id)
    with pytest.raises(UnknownName, match="was removed"):
        kit.accept(plan)
    assert kit.publications() == []
    assert server.creates == 0


def test_an_account_with_a_post_that_came_meanwhile_is_not_removed(
    kit: Kit, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look for open posts and the removal somebody schedules one."""
    account = kit.account("board:mine")
    monkeypatch.setattr(kit._accounts, "has_open_parts", lambda _: False)
    report = kit.schedule("Hello", ["board:mine"], at="in 1h")
    with pytest.raises(InputError, match="meanwhile"):
        kit.remove_account("board:mine")
    assert kit.account("board:mine").id == account.id
    assert states(kit, report.publication or "") == ["SCHEDULED"]
    kit.connect("board", {"token": MINE}, name="mine", replace=True)
    assert kit.account("board:mine").state == "ok"


def test_a_removal_waits_for_a_renewal(kit: Kit, board: Members) -> None:
    """Else what was renewed would be written into the vault after its account is gone."""
    account = kit.account("board:mine")
    kit.publish("Hello", ["board:mine"])
    inside, on = threading.Event(), threading.Event()

    def renewing() -> None:
        assert board.secrets is not None
        with board.secrets.refreshing():
            inside.set()
            on.wait(20)
            board.secrets.rotate(token=MINE)

    worker = threading.Thread(target=renewing)
    remover = threading.Thread(target=kit.remove_account, args=["board:mine"])
    worker.start()
    assert inside.wait(20)
    remover.start()
    remover.join(0.5)
    assert remover.is_alive(), "it waits"
    on.set()
    worker.join(20)
    remover.join(20)
    assert account.id not in kit.vault().ids()
    assert [each.label for each in kit.accounts] == ["board:brand"]


def test_a_check_that_finds_another_account_is_remembered(kit: Kit) -> None:
    """Else the list would call it well, and only the next post would tell."""
    own = kit.vault().get(kit.account("board:mine").id)
    kit.vault().put(kit.account("board:mine").id, {"token": BRAND})
    for _ in range(2):
        [checked] = kit.check_accounts(["board:mine"])
        assert checked.answer == "another account"
        assert kit.account("board:mine").state == "needs_login"
    assert kit.account("board:mine").identity == Identity("id-me", "@me")
    kit.vault().put(kit.account("board:mine").id, own)
    kit.check_accounts()
    assert kit.account("board:mine").state == "ok"
