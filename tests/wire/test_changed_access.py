"""Access that changes under a running process: the next post goes with the new one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.accounts.place import Place
from postkit.accounts.secrets import Secrets
from postkit.deliver.clients import Connection
from postkit.errors import NeedsLogin, NetworkError, Refused, Unavailable
from postkit.kit import Kit
from postkit.network import Account, Identity, Journal, Outgoing, Receipt, RenderedPart
from postkit.post import Post
from postkit.store.accounts import AccountRows
from postkit.transport import Session

from .board import TOKEN, Board, HandClock, Server, kit_of, send, serving, states

NEW = "pk_canary_board_token_2"
REVOKED: tuple[int, str, dict[str, str]] = (401, '{"error": "revoked"}', {})


class Gate(Board):
    """Shows its token, and can renew it."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[Session, Secrets] = {}
        self.breaks_at = ""

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Session:
        session.headers["Authorization"] = f"Bearer {secrets['token'].reveal()}"
        self.secrets[session] = secrets
        return session


class Renewing(Gate):
    def refresh(self, client: Session) -> None:
        secrets = self.secrets[client]
        with secrets.refreshing():
            secrets.rotate(token=NEW)
            if self.breaks_at == "rotated":
                raise Unavailable("The answer was cut.", network=self.name)
            client.headers["Authorization"] = f"Bearer {NEW}"


@pytest.fixture
def board() -> Board:
    return Renewing()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def fixed(tmp_path: Path, server: Server, gate: Gate, clock: HandClock) -> Iterator[Kit]:
    """A network that cannot renew its access."""
    with kit_of(tmp_path / "fixed", server, gate, clock) as kit:
        yield kit


@pytest.fixture
def other_server() -> Iterator[Server]:
    with serving() as server:
        yield server


def taken(kit: Kit) -> Connection:
    connection = kit.clients.take(kit.account("board"))
    kit.clients.give(connection)
    return connection


def replaced(kit: Kit, token: str = NEW, endpoint: str | None = None) -> None:
    """What `connect --replace` does in another process."""
    with kit_of(kit.home.path, Server(), Gate(), kit.clock) as other:
        _, problem = other.connect("board", {"token": token}, endpoint=endpoint, replace=True)
        assert problem is None


# Which connection is kept


def test_who_has_renewed_its_own_access_is_kept(kit: Kit) -> None:
    before = taken(kit)
    before.renew()
    after = taken(kit)
    assert after is before
    assert after.session is before.session
    assert kit.vault().get(before.account.id) == {"token": NEW}


def test_access_that_somebody_else_has_renewed_is_taken_up(kit: Kit) -> None:
    before = taken(kit)
    with kit_of(kit.home.path, Server(), Renewing(), kit.clock) as other:
        taken(other).renew()
    after = taken(kit)
    assert after is not before
    assert after.session.headers["Authorization"] == f"Bearer {NEW}"


def test_a_renewal_that_broke_half_way_does_not_count(kit: Kit, board: Renewing) -> None:
    """The vault has the new token, the client has the old one."""
    before = taken(kit)
    board.breaks_at = "rotated"
    with pytest.raises(Unavailable):
        before.renew()
    assert before.secrets is not None
    assert before.secrets.held == {"token": TOKEN}
    after = taken(kit)
    assert after is not before
    assert after.session.headers["Authorization"] == f"Bearer {NEW}"


def test_another_endpoint_is_another_connection(kit: Kit, other_server: Server) -> None:
    before = taken(kit)
    replaced(kit, TOKEN, other_server.url)
    after = taken(kit)
    assert after is not before
    assert after.session.base == other_server.url


# Under a worker


def test_a_running_worker_takes_up_new_access_and_endpoint(
    fixed: Kit, server: Server, other_server: Server
) -> None:
    worker = fixed.worker()
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        fixed.accept(fixed.plan("one", ["board"]))
        await_posts(server, 1)
        replaced(fixed, endpoint=other_server.url)
        fixed.accept(fixed.plan("two", ["board"]))
        await_posts(other_server, 1)
    finally:
        worker.stop()
        thread.join(10)
    assert (server.tokens, other_server.tokens) == ([TOKEN], [NEW])


def await_posts(server: Server, count: int) -> None:
    end = threading.Event()
    for _ in range(500):
        if len(server.posts) == count:
            return
        end.wait(0.02)
    raise AssertionError(f"{len(server.posts)} posts came")


def test_the_next_part_of_a_thread_goes_with_the_new_access(
    fixed: Kit, server: Server, gate: Gate
) -> None:
    def sending(client: Session, outgoing: Outgoing) -> Receipt:
        receipt = send(client, outgoing)
        if outgoing.part.text == "one":
            replaced(fixed)
        return receipt

    gate.sending = sending
    assert fixed.publish(Post(["one", "two", "three"]), ["board"]).ok
    assert server.tokens == [TOKEN, NEW, NEW]


def test_a_no_to_the_old_access_does_not_disconnect_the_new_one(
    fixed: Kit, server: Server, gate: Gate
) -> None:
    """It was replaced while the request was on its way, and the old one was revoked."""

    def sending(client: Session, outgoing: Outgoing) -> Receipt:
        if server.creates == 0:
            replaced(fixed)
            server.script = [REVOKED]
        return send(client, outgoing)

    gate.sending = sending
    report = fixed.publish("Hello", ["board"], wait=5).deliveries[0]
    assert report.state == "live"
    assert server.tokens == [TOKEN, NEW]
    assert fixed.account("board").state == "ok"


def test_a_look_with_the_old_access_does_not_disconnect_the_new_one(
    fixed: Kit, server: Server, gate: Gate
) -> None:
    find = gate.finding

    def finding(client: Session, outgoing: Outgoing) -> object:
        if client.headers["Authorization"] == f"Bearer {TOKEN}":
            replaced(fixed)
            raise NeedsLogin("Revoked.", network="board")
        return find(client, outgoing)

    gate.finding = finding
    server.script = ["lose"]
    assert fixed.publish("Hello", ["board"], wait=10).ok
    assert fixed.account("board").state == "ok"


@pytest.mark.parametrize("hiccups", [1, 2])
def test_access_that_runs_out_after_a_hiccup_is_renewed(
    kit: Kit, server: Server, board: Renewing, hiccups: int
) -> None:
    calls: list[str] = []

    def preparing(client: Session, part: RenderedPart, journal: Journal) -> None:
        calls.append(str(client.headers["Authorization"]))
        if len(calls) <= hiccups:
            raise Unavailable("It was cut in the middle of an upload.")
        if calls[-1].endswith(TOKEN):
            raise NeedsLogin("The token has expired.")

    board.preparing = preparing
    assert kit.publish("Hello", ["board"], wait=0).ok
    assert kit.account("board").state == "ok"
    assert len(calls) == hiccups + 2


def test_a_renewal_that_is_out_of_reach_is_not_tried_again_at_once(
    kit: Kit, server: Server, board: Renewing
) -> None:
    """Of a renewal whose answer is lost nobody knows what it has ended."""
    renewals: list[int] = []

    def preparing(client: Session, part: RenderedPart, journal: Journal) -> None:
        raise NeedsLogin("The token has expired.")

    def refresh(client: Session) -> None:
        renewals.append(1)
        raise Unavailable("The answer was cut.")

    board.preparing = preparing
    board.refresh = refresh  # type: ignore[method-assign]  # one that cannot be reached
    report = kit.publish("Hello", ["board"], wait=0).deliveries[0]
    assert (report.state, len(renewals)) == ("scheduled", 1)
    assert kit.account("board").state == "ok"


def test_a_no_that_stays_a_no_is_asked_once_and_needs_a_login(fixed: Kit, server: Server) -> None:
    server.script = [REVOKED] * 9
    report = fixed.publish("Hello", ["board"], wait=5).deliveries[0]
    assert (report.state, server.creates) == ("scheduled", 1)
    assert fixed.account("board").state == "needs_login"


# New access that is wrong


@pytest.mark.parametrize(
    "answer", [NeedsLogin("No.", network="board"), Refused("No."), Unavailable("Away."), None]
)
def test_access_that_does_not_work_is_never_anybody_elses(
    fixed: Kit, server: Server, answer: NetworkError | None
) -> None:
    """A worker that comes by while it is tried sends with the old one."""

    class Asking(Gate):
        def identify(self, client: Session) -> Identity:
            fixed.publish("meanwhile", ["board"])
            if answer is None:
                return Identity("2", "somebody else")
            raise answer

    with kit_of(fixed.home.path, server, Asking(), fixed.clock) as other:
        with pytest.raises(Exception, match=r"No\.|Away\.|another --name"):
            other.connect("board", {"token": NEW}, replace=True)
    assert server.tokens == [TOKEN]
    assert fixed.account("board").state == "ok"
    assert fixed.vault().get(fixed.account("board").id) == {"token": TOKEN}
    assert NEW not in json.dumps(fixed.vault().get(fixed.account("board").id))


def test_posts_that_waited_for_a_login_go_on(fixed: Kit, server: Server, clock: HandClock) -> None:
    server.script = [REVOKED]
    report = fixed.publish("Hello", ["board"], wait=0).deliveries[0]
    replaced(fixed)
    clock.offset += timedelta(seconds=2)
    fixed.work(wait=0)
    assert states(fixed, report.id or "") == ["LIVE"]
    assert server.tokens == [TOKEN, NEW]


# The token and the server that it is for


def taken_over_by(kit: Kit, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`connect --replace` with another server, killed at the moment that its access is stored."""
    with kit_of(kit.home.path, Server(), Gate(), kit.clock) as other:

        def killed(_: AccountRows, __: Account) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(AccountRows, "renew", killed)
            with pytest.raises(KeyboardInterrupt):
                other.connect("board", {"token": NEW}, endpoint=endpoint, replace=True)


def test_a_new_token_never_goes_to_the_old_server(
    fixed: Kit,
    server: Server,
    other_server: Server,
    clock: HandClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken_over_by(fixed, other_server.url, monkeypatch)
    name = fixed.accept(fixed.plan("one", ["board"]))
    fixed.work(wait=0)
    report = fixed.report(name).deliveries[0]
    assert (report.state, fixed.account("board").state) == ("scheduled", "needs_login")
    assert report.error is not None
    assert "is for another server" in report.error["message"]
    assert "connect board --name board --replace" in report.error["message"]
    assert fixed.account("board").endpoint == server.url
    # The person does what it says.
    replaced(fixed, endpoint=other_server.url)
    clock.offset += timedelta(seconds=2)
    fixed.work(wait=0)
    assert states(fixed, name) == ["LIVE"]
    assert (server.tokens, other_server.tokens) == ([], [NEW])


def test_a_connection_of_before_takes_up_no_token_of_another_server(
    kit: Kit, server: Server, other_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would renew its access, and finds what somebody else has stored meanwhile."""
    before = taken(kit)
    taken_over_by(kit, other_server.url, monkeypatch)
    with pytest.raises(NeedsLogin, match="another server"):
        before.renew()
    assert before.session.headers["Authorization"] == f"Bearer {TOKEN}"
    assert before.secrets is not None
    before.secrets._fields = None
    with pytest.raises(NeedsLogin, match="another server"):
        before.secrets["token"]


def test_who_comes_between_token_and_server_waits_for_both(
    fixed: Kit, server: Server, other_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that has read the account, and then finds access for another server."""
    stored, sent = threading.Event(), threading.Event()
    renew = AccountRows.renew

    def late(rows: AccountRows, account: Account) -> None:
        stored.set()
        sent.wait(0.5)
        renew(rows, account)

    monkeypatch.setattr(AccountRows, "renew", late)
    told: list[str] = []
    thread = threading.Thread(target=replaced, args=(fixed, NEW, other_server.url))
    thread.start()
    assert stored.wait(10)
    report = fixed.publish(
        "one", ["board"], wait=10, watch=lambda progress: told.append(progress.state)
    )
    thread.join(10)
    assert report.ok
    assert (server.tokens, other_server.tokens) == ([], [NEW])
    assert fixed.account("board").state == "ok"


def test_other_certificates_are_another_place(fixed: Kit, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("certificates")
    account = fixed.account("board")
    fixed.vault().put(account.id, {"token": NEW}, Place(account.endpoint, str(bundle)))
    with pytest.raises(NeedsLogin, match="another server"):
        fixed.clients.take(account)


def test_access_of_before_there_were_places_is_used(fixed: Kit, server: Server) -> None:
    vault, name = fixed.vault(), fixed.account("board").id
    vault.delete(name)
    vault.put(name, {"token": TOKEN})
    assert fixed.publish("one", ["board"], wait=5).ok
    assert server.tokens == [TOKEN]


# Who sets the state last


def test_access_that_is_replaced_while_connecting_is_not_refused_with_it(
    tmp_path: Path, server: Server, clock: HandClock
) -> None:
    """A network that renews its access when it connects says no to what was there before."""

    class Revoking(Gate):
        kit: Kit | None = None

        def connect(self, account: Account, secrets: Secrets, session: Session) -> Session:
            if self.kit is not None and secrets["token"].reveal() == TOKEN:
                replaced(self.kit)
                raise NeedsLogin("Revoked.", network=self.name)
            return super().connect(account, secrets, session)

    board = Revoking()
    with kit_of(tmp_path / "revoking", server, board, clock) as kit:
        kit.clients.close()
        board.kit = kit
        report = kit.publish("one", ["board"], wait=5)
        assert report.ok
        assert server.tokens == [NEW]
        assert kit.account("board").state == "ok"


@pytest.mark.parametrize("step", ["create", "look"])
def test_access_that_is_replaced_at_the_last_moment_keeps_its_state(
    fixed: Kit, server: Server, gate: Gate, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """After the last look whether it was, and before the state is written down."""
    set_state = AccountRows.set_state

    def late(rows: AccountRows, account_id: str, state: str, *given: Any, **more: Any) -> bool:
        if state == "needs_login" and not server.tokens[1:]:
            replaced(fixed)
        return set_state(rows, account_id, state, *given, **more)

    monkeypatch.setattr(AccountRows, "set_state", late)
    if step == "create":
        server.script = [REVOKED]
    else:
        server.script = ["lose"]
        find = gate.finding

        def finding(client: Session, outgoing: Outgoing) -> object:
            if client.headers["Authorization"] == f"Bearer {TOKEN}":
                raise NeedsLogin("Revoked.", network="board")
            return find(client, outgoing)

        gate.finding = finding
    assert fixed.publish("one", ["board"], wait=10).ok
    assert fixed.account("board").state == "ok"
    assert len(server.posts) == 1


def test_a_renewal_that_is_refused_while_it_is_replaced(
    tmp_path: Path, server: Server, clock: HandClock
) -> None:
    """`connect --replace` waits for the account's lock while the old access is refused."""

    class Refusing(Renewing):
        def refresh(self, client: Session) -> None:
            with self.secrets[client].refreshing():
                inside.set()
                waiting.wait(0.3)
                raise NeedsLogin("invalid_grant", network=self.name)

    inside, waiting = threading.Event(), threading.Event()
    with kit_of(tmp_path / "refusing", server, Refusing(), clock) as kit:
        server.script = [REVOKED]
        reports: list[bool] = []
        thread = threading.Thread(
            target=lambda: reports.append(kit.publish("one", ["board"], wait=5).ok)
        )
        thread.start()
        assert inside.wait(10)
        replaced(kit)
        thread.join(20)
        clock.offset += timedelta(seconds=5)
        kit.work(wait=0)
        assert kit.account("board").state == "ok"
        assert server.tokens == [TOKEN, NEW]


def test_a_plugin_that_refuses_without_a_look_at_its_access_needs_a_login(
    tmp_path: Path, server: Server, clock: HandClock
) -> None:
    class Blind(Gate):
        refuses = False

        def connect(self, account: Account, secrets: Secrets, session: Session) -> Session:
            if self.refuses:
                raise NeedsLogin("No.", network=self.name)
            return super().connect(account, secrets, session)

    board = Blind()
    with kit_of(tmp_path / "blind", server, board, clock) as kit:
        kit.clients.close()
        board.refuses = True
        assert kit.publish("one", ["board"], wait=2).deliveries[0].state == "scheduled"
        assert kit.account("board").state == "needs_login"
