"""Before the first create of a process the network is asked whose access it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from postkit.accounts.secrets import Secrets
from postkit.errors import Refused, Throttled, Unavailable
from postkit.kit import Kit
from postkit.network import Account, Identity, Journal, RenderedPart
from postkit.transport import Session

from .board import KEY, Board, HandClock, Plugin, Server

MINE, BRAND, NEW = "pk_canary_mine", "pk_canary_brand", "pk_canary_mine_renewed"
PEOPLE = {MINE: "me", BRAND: "brand", NEW: "me"}


class Members(Board):
    """A board whose tokens are people's: what a token is decides who posts."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.answer: Callable[[str], Identity] = lambda who: Identity(f"id-{who}", f"@{who}")
        self.secrets: Secrets | None = None

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Session:
        session.headers["Authorization"] = f"Bearer {secrets['token'].reveal()}"
        self.secrets = secrets
        return session

    def identify(self, client: Session) -> Identity:
        who = PEOPLE[str(client.headers["Authorization"]).removeprefix("Bearer ")]
        self.asked.append(who)
        client.get(f"{client.base}/me").raise_for_status()
        return self.answer(who)


@pytest.fixture
def board() -> Members:
    return Members()


@pytest.fixture
def home(tmp_path: Path, server: Server, board: Members) -> Path:
    with kit_at(tmp_path, board) as kit:
        kit.connect("board", {"token": MINE}, name="mine", endpoint=server.url)
        kit.connect("board", {"token": BRAND}, name="brand", endpoint=server.url)
    board.asked.clear()
    return tmp_path


@pytest.fixture
def kit(home: Path, board: Members, clock: HandClock) -> Iterator[Kit]:
    """A new process: nobody has asked yet."""
    with kit_at(home, board, clock) as kit:
        yield kit


def kit_at(folder: Path, board: Members, clock: Any = None) -> Kit:
    return Kit(home=folder, key=KEY, plugins=[Plugin(board)], clock=clock)


def give(kit: Kit, name: str, token: str) -> None:
    """Behind postkit's back, as a hand or a wrong backup would."""
    kit.vault().put(kit.account(f"board:{name}").id, {"token": token})


def swap(kit: Kit) -> None:
    give(kit, "mine", BRAND)
    give(kit, "brand", MINE)


def publish(kit: Kit, text: str, name: str = "mine", wait: float = 5) -> Any:
    return kit.publish(text, [f"board:{name}"], wait=wait).deliveries[0]


def test_once_for_a_process_and_an_access(kit: Kit, home: Path, board: Members) -> None:
    for number in range(3):
        assert publish(kit, f"post {number}").state == "live"
    assert board.asked == ["me"]
    with kit_at(home, board) as other:
        assert publish(other, "again").state == "live"
    assert board.asked == ["me", "me"]
    assert publish(kit, "brand", "brand").state == "live"
    assert board.asked == ["me", "me", "brand"]


def test_who_has_just_connected_is_not_asked_again(
    tmp_path: Path, server: Server, board: Members
) -> None:
    with kit_at(tmp_path, board) as kit:
        kit.connect("board", {"token": MINE}, name="mine", endpoint=server.url)
        assert publish(kit, "one").state == "live"
        assert board.asked == ["me"]


def test_swapped_tokens_send_nothing(kit: Kit, server: Server) -> None:
    swap(kit)
    for name, own, other in (("mine", "@me", "@brand"), ("brand", "@brand", "@me")):
        report = publish(kit, "A secret party", name)
        assert (report.state, report.exit_status) == ("scheduled", 75)
        assert report.error is not None
        assert report.error["kind"] == "needs_login"
        assert f"was connected as {own}" in report.error["message"]
        assert f"now {other}'s" in report.error["message"]
        assert f"postkit connect board --name {name} --replace" in report.error["message"]
        assert kit.account(f"board:{name}").state == "needs_login"
    assert (server.creates, server.posts) == (0, [])
    story = kit.audit()
    assert all(chain.broken is None for chain in story)


def test_swapped_between_two_posts_of_one_process(kit: Kit, server: Server) -> None:
    assert publish(kit, "one").state == "live"
    swap(kit)
    assert publish(kit, "two").error["kind"] == "needs_login"
    assert server.creates == 1


def test_its_own_access_sends_what_waited(kit: Kit, server: Server) -> None:
    swap(kit)
    report = publish(kit, "one")
    with pytest.raises(Exception, match="this access is @brand's"):
        kit.connect("board", {"token": BRAND}, name="mine", replace=True)
    kit.connect("board", {"token": MINE}, name="mine", replace=True)
    assert kit.finish(report.id, wait=5).ok
    assert server.tokens == [MINE]


def test_swapped_while_it_is_prepared(kit: Kit, board: Members, server: Server) -> None:
    """A renewal takes over what is in the vault by then: it is asked about before SENDING."""
    assert publish(kit, "one").state == "live"

    def preparing(client: Session, part: RenderedPart, journal: Journal) -> None:
        give(kit, "mine", BRAND)
        assert board.secrets is not None
        with board.secrets.refreshing():
            client.headers["Authorization"] = f"Bearer {board.secrets['token'].reveal()}"

    board.preparing = preparing
    report = publish(kit, "two")
    assert report.error["kind"] == "needs_login"
    assert server.creates == 1
    assert [row.event for row in kit.history(report.id)] == ["publish", "claim", "release"]


def test_a_renewed_token_is_asked_about(kit: Kit, board: Members, server: Server) -> None:
    assert publish(kit, "one").state == "live"
    give(kit, "mine", NEW)
    assert publish(kit, "two").state == "live"
    assert board.asked == ["me", "me"]
    assert server.tokens == [MINE, NEW]


@pytest.mark.parametrize(
    "failure", [Unavailable("Away.", network="board"), Throttled("Slow.", network="board")]
)
def test_who_cannot_be_asked_is_asked_later(
    kit: Kit, board: Members, server: Server, failure: Exception
) -> None:
    def away(who: str) -> Identity:
        raise failure

    honest, board.answer = board.answer, away
    report = publish(kit, "one", wait=0)
    assert (report.state, server.creates) == ("scheduled", 0)
    assert report.error["kind"] == failure.kind  # type: ignore[attr-defined]
    assert kit.account("board:mine").state == "ok", "out of reach is not out of access"
    board.answer = honest
    assert kit.finish(report.id, wait=60).ok
    assert server.creates == 1


@pytest.mark.parametrize("answer", [Identity("", "nobody"), None, "me"])
def test_a_plugin_that_gives_no_identity_is_asked_later(
    kit: Kit, board: Members, server: Server, answer: Any
) -> None:
    board.answer = lambda _: answer
    report = publish(kit, "one", wait=0)
    assert (report.state, server.creates) == ("scheduled", 0)
    assert "plugin board gave" in report.error["message"]


def test_a_no_is_about_the_access_and_not_about_the_post(
    kit: Kit, board: Members, server: Server
) -> None:
    def no(who: str) -> Identity:
        raise Refused("This token may not read.", network="board")

    board.answer = no
    report = publish(kit, "one")
    assert (report.state, report.error["kind"]) == ("scheduled", "needs_login")
    assert server.creates == 0


def test_an_unverified_account_becomes_known_and_stays_who_it_is(
    tmp_path: Path, server: Server, board: Members, clock: HandClock
) -> None:
    def away(who: str) -> Identity:
        raise Unavailable("Away.", network="board")

    honest, board.answer = board.answer, away
    with kit_at(tmp_path, board, clock) as kit:
        account, problem = kit.connect("board", {"token": MINE}, name="mine", endpoint=server.url)
        assert problem is not None
        assert (account.state, account.identity) == ("unverified", None)
        board.answer = honest
        assert publish(kit, "one").state == "live"
        known = kit.account("board:mine")
        assert (known.state, known.identity) == ("ok", Identity("id-me", "@me"))
    with kit_at(tmp_path, board, clock) as kit:
        give(kit, "mine", BRAND)
        assert publish(kit, "two").error["kind"] == "needs_login"
    assert server.creates == 1


def test_two_processes_at_an_unverified_account_agree(
    tmp_path: Path, server: Server, board: Members
) -> None:
    """Who comes second finds who was written down first."""

    def away(who: str) -> Identity:
        raise Unavailable("Away.", network="board")

    honest, board.answer = board.answer, away
    with kit_at(tmp_path, board) as one, kit_at(tmp_path, board) as two:
        one.connect("board", {"token": MINE}, name="mine", endpoint=server.url)
        board.answer = honest
        stale = two.account("board:mine")
        assert stale.identity is None
        assert publish(one, "one").state == "live"
        found = two._accounts.identified(stale.id, Identity("id-brand", "@brand"))
        assert found.identity == Identity("id-me", "@me")
