"""Tenants publish beside each other: one store, one wire, and nobody in another's way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from postkit.accounts.secrets import Secrets
from postkit.cli.state_lines import StateLines
from postkit.deliver.steps import Progress
from postkit.errors import InputError, PostkitError, UnknownName
from postkit.hookspecs import hookimpl
from postkit.kit import Kit
from postkit.limits.model import ImageLimit, Limits, Rate
from postkit.network import Account, Outgoing, Receipt
from postkit.plan import Plan
from postkit.post import Media, Post
from postkit.testing.pictures import picture
from postkit.transport import Session

from .board import KEY, SOURCE, TOKEN, Board, HandClock, Plugin, Server, send
from .tenancy import ACME, BETA, NORTH, SOUTH, TOKENS, Scene, tenants


class Signed(Board):
    """Sends its token with each request, as a real network's client does."""

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Session:
        session.headers["Authorization"] = f"Bearer {secrets['token'].reveal()}"
        return session


@pytest.fixture
def board() -> Board:
    return Signed()


@pytest.fixture
def scene(tmp_path: Path, server: Server, board: Board, clock: HandClock) -> Iterator[Scene]:
    with tenants(tmp_path, server, board, clock) as scene:
        yield scene


def both(scene: Scene) -> list[tuple[Kit, str]]:
    return [(scene.acme, NORTH), (scene.beta, SOUTH)]


# Accounts and addresses


def test_each_publishes_with_its_own_access(scene: Scene) -> None:
    for kit, label in both(scene):
        assert [account.label for account in kit.accounts] == [label]
        assert kit.publish(f"from {kit.tenant}", [label]).ok
    assert scene.server.tokens == [TOKENS[ACME], TOKENS[BETA]]
    assert [len(kit.publications()) for kit, _ in both(scene)] == [1, 1]


def test_the_same_name_is_another_account_for_each(scene: Scene) -> None:
    for kit, _ in both(scene):
        kit.connect("board", {"token": TOKENS[kit.tenant]}, name="shop", endpoint=scene.server.url)
    one, two = (kit.account("board:shop") for kit, _ in both(scene))
    assert one.id != two.id
    assert (one.tenant, two.tenant) == (ACME, BETA)
    for kit, _ in both(scene):
        assert kit.publish("the same words", ["board:shop"]).ok, "no repeat of another's"
    assert scene.server.tokens == [TOKENS[ACME], TOKENS[BETA]]
    scene.acme.remove_account("board:shop")
    assert scene.beta.account("board:shop").id == two.id
    assert scene.whole.vault().get(two.id) == {"token": TOKENS[BETA]}


def test_an_address_names_its_account_also_where_there_is_one(scene: Scene) -> None:
    sentence = f"board: a tenant has no default account; name one of {NORTH}."
    for call in (scene.acme.plan, scene.acme.publish):
        with pytest.raises(InputError) as caught:
            call("Hello", ["board"])
        assert caught.value.message == sentence
    with pytest.raises(UnknownName):
        scene.acme.account("board")
    with pytest.raises(UnknownName):
        scene.acme.remove_account("board")
    empty = scene.whole.for_tenant("tenant-empty")
    with pytest.raises(InputError, match=r"no default account; write board:NAME\."):
        empty.plan("Hello", ["board"])
    with pytest.raises(InputError, match="the tenant has no account there"):
        empty.plan("Hello", ["board:shop"])
    with pytest.raises(InputError, match="there is no network 'bord'"):
        empty.plan("Hello", ["bord"])
    scene.whole.connect("board", {"token": TOKEN}, endpoint=scene.server.url)
    assert scene.whole.publish("Hello", ["board"]).ok, "the default tenant has one"


CONFIG = f"""
default = ["{NORTH}"]

[groups]
launch = ["{NORTH}"]

[networks.board]
account = "acme-in-the-north"
read_timeout = 7

[accounts."{NORTH}"]
quiet = 3
"""


def test_the_settings_of_networks_are_everybodys_and_the_rest_is_the_installations(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    (tmp_path / "postkit.toml").write_text(CONFIG)
    with tenants(tmp_path, server, board, clock) as scene:
        [account] = scene.acme.accounts
        assert account.settings == {"read_timeout": 7}
        with pytest.raises(InputError) as caught:
            scene.acme.plan("Hello")
        assert "Nobody to publish to" in caught.value.message
        for to in (["@launch"], ["@other"]):
            with pytest.raises(InputError, match="a tenant has no groups") as caught:
                scene.acme.plan("Hello", to)
            assert "launch" not in caught.value.message.replace(to[0], "")
            with pytest.raises(InputError, match="a tenant has no groups"):
                scene.acme.pause(to)
        with pytest.raises(InputError, match="no default account"):
            scene.acme.plan("Hello", ["board"])
        # The worker of all reads the tenant's account as the tenant does.
        [row] = [scene.whole._account_rows(None).by_id(account.id)]
        assert row.settings == account.settings
        own, _ = scene.whole.connect(
            "board", {"token": TOKEN}, name="acme-in-the-north", endpoint=server.url
        )
        assert scene.whole.account(own.label).settings["quiet"] == 3


# Pauses and limits


def test_a_pause_is_its_tenants(scene: Scene) -> None:
    scene.acme.pause(reason="acme's reason")
    assert scene.beta.pauses() == scene.whole.pauses() == []
    assert scene.acme.publish("held", [NORTH]).deliveries[0].state == "held"
    assert scene.beta.publish("sent", [SOUTH]).ok
    scene.beta.pause(["board"])
    assert scene.beta.publish("held too", [SOUTH]).deliveries[0].state == "held"
    scene.beta.unpause(send=True)
    assert [pause.scope.address for pause in scene.acme.pauses()] == ["everything"]
    scene.whole.work(wait=0)
    assert [post["text"] for post in scene.server.posts] == ["sent", "held too"]


@pytest.mark.parametrize("to", [[], ["board"]])
def test_a_pause_of_the_whole_is_everybodys(scene: Scene, to: list[str]) -> None:
    later = scene.beta.schedule("later", [SOUTH], at="in 1h").deliveries[0].id or ""
    assert scene.whole.pause(to, reason="the whole's reason") == []
    assert scene.whole.count_scheduled(to) == 1
    report = scene.beta.publish("held", [SOUTH]).deliveries[0]
    assert (report.state, report.held_reason) == ("held", "paused")
    held = report.id or ""
    scene.clock.offset += timedelta(hours=2)
    scene.whole.work(wait=0)
    assert scene.beta.report(later).deliveries[0].state == "held"
    assert scene.server.creates == 0
    said = [row.reason for each in (held, later) for row in scene.beta.history(each)]
    assert "the whole's reason" not in str(said)
    # It is no pause of the tenant's, who can neither end it nor send past it.
    assert scene.beta.pauses() == []
    assert scene.beta.unpause(send=True)
    with pytest.raises(InputError, match="is paused"):
        scene.beta.release(held)
    scene.whole.work(wait=0)
    assert scene.server.creates == 0
    # What is let go is each tenant's own word.
    scene.whole.unpause(to, send=True)
    scene.whole.work(wait=0)
    assert scene.server.creates == 0
    assert len(scene.beta.unpause(send=True)) == 2
    scene.whole.work(wait=0)
    assert sorted(post["text"] for post in scene.server.posts) == ["held", "later"]
    for kit in (scene.whole, scene.acme, scene.beta):
        assert not any(chain.broken for chain in kit.audit())


def test_a_pause_of_the_wholes_account_is_no_tenants(scene: Scene) -> None:
    scene.whole.connect("board", {"token": TOKEN}, name="b7", endpoint=scene.server.url)
    scene.whole.pause([SOUTH])
    assert scene.beta.publish("sent", [SOUTH]).ok


def test_a_pause_of_the_whole_holds_what_nobody_came_to(scene: Scene) -> None:
    """No worker ran while it was due: it is not sent late once the pause is over."""
    later = scene.beta.schedule("later", [SOUTH], at="in 1h").deliveries[0].id or ""
    scene.whole.pause()
    scene.clock.offset += timedelta(hours=2)
    scene.whole.unpause()
    assert scene.beta.report(later).deliveries[0].state == "held"


def test_what_of_a_tenant_is_on_its_way_is_told_to_who_pauses(scene: Scene, board: Board) -> None:
    told: list[str | None] = []

    def sending(client: Session, outgoing: Outgoing) -> Receipt:
        told.extend(each.id for each in scene.whole.pause())
        return send(client, outgoing)

    board.sending = sending
    report = scene.beta.publish("on its way", [SOUTH])
    assert report.ok
    assert report.deliveries[0].id in told


class Strict(Board):
    """Takes two posts of an account in ten minutes, and three of the app."""

    limits: ClassVar[Limits] = Board.limits.changed(
        rates=(
            Rate("posts of an account", 2, 600, SOURCE),
            Rate("posts of an app", 3, 600, SOURCE),
        )
    )


def test_an_accounts_limit_is_its_own_and_an_apps_is_everybodys(
    tmp_path: Path, server: Server, clock: HandClock
) -> None:
    with tenants(tmp_path, server, Strict(), clock) as scene:
        assert scene.acme.publish("one", [NORTH], wait=0).ok
        assert scene.acme.publish("two", [NORTH], wait=0).ok
        assert scene.acme.publish("three", [NORTH], wait=0).deliveries[0].state == "scheduled"
        assert scene.beta.publish("four", [SOUTH], wait=0).ok
        assert scene.beta.publish("five", [SOUTH], wait=0).deliveries[0].state == "scheduled", (
            "the network counts three of the app, whoever they are for"
        )


# Workers


def due_soon(scene: Scene) -> None:
    for kit, label in both(scene):
        kit.schedule(f"from {kit.tenant}", [label], at="in 1s", expires="1d")
    scene.clock.offset += timedelta(seconds=2)


def test_a_tenants_worker_sends_the_tenants_posts(scene: Scene) -> None:
    due_soon(scene)
    scene.beta.work(wait=0)
    assert [post["text"] for post in scene.server.posts] == [f"from {BETA}"]
    assert [kit.queue_length() for kit, _ in both(scene)] == [1, 0]
    scene.acme.work(wait=0)
    assert scene.server.tokens == [TOKENS[BETA], TOKENS[ACME]]


def test_the_worker_of_all_sends_everybodys(scene: Scene) -> None:
    scene.whole.connect("board", {"token": TOKEN}, endpoint=scene.server.url)
    scene.whole.schedule("from all", ["board"], at="in 1s", expires="1d")
    due_soon(scene)
    scene.whole.work(wait=0)
    sent = dict(
        zip((post["text"] for post in scene.server.posts), scene.server.tokens, strict=True)
    )
    assert sent == {
        "from all": TOKEN,
        f"from {ACME}": TOKENS[ACME],
        f"from {BETA}": TOKENS[BETA],
    }


def test_a_tenant_is_told_whether_somebody_sends_its_posts(scene: Scene) -> None:
    def told(kit: Kit, label: str) -> bool:
        report = kit.schedule("later", [label], at="in 1h", wishes=None)
        kit.cancel(str(report.publication))
        return not report.warnings

    agenda = scene.acme._agenda()
    agenda.beat(scene.clock.now())
    assert [kit.is_worked() for kit in (scene.acme, scene.beta, scene.whole)] == [
        True,
        False,
        False,
    ]
    assert [told(kit, label) for kit, label in both(scene)] == [True, False]
    agenda.leave()
    scene.whole._agenda().beat(scene.clock.now())
    assert [kit.is_worked() for kit in (scene.acme, scene.beta, scene.whole)] == [True] * 3


def test_what_the_command_line_shows_of_the_worker_names_the_tenant(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    due_soon(scene)
    lines = StateLines(scene.clock, as_json=False)
    scene.whole.work(wait=0, watch=lines)
    assert lines.end(scene.whole) == 0, "its exit status is of all that it worked at"
    shown = capsys.readouterr()
    assert f"{NORTH} of {ACME}" in shown.out
    assert f"{SOUTH} of {BETA}" in shown.out
    assert "2 live" in shown.err


def test_progress_names_the_tenant(scene: Scene) -> None:
    seen: list[Progress] = []
    scene.acme.publish("Hello", [NORTH], watch=seen.append)
    assert {(each.address, each.tenant) for each in seen} == {(NORTH, ACME)}


# Observers


class Observer:
    """Hears of everything, and of whose it is."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    @hookimpl
    def postkit_changed(self, delivery: str, after: str, tenant: str) -> None:
        self.told.append((tenant, delivery, after))

    @hookimpl
    def postkit_account_needs_login(self, account: str, tenant: str) -> None:
        self.told.append((tenant, account, "needs_login"))


class Plain:
    """Written before there were tenants."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @hookimpl
    def postkit_changed(self, delivery: str, before: str, after: str) -> None:
        self.told.append(after)


def test_an_observer_is_told_whose_it_is(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    observer, plain = Observer(), Plain()
    with tenants(tmp_path, server, board, clock, observer, plain) as scene:
        scene.whole.connect("board", {"token": TOKEN}, endpoint=server.url)
        one = scene.acme.publish("Hello", [NORTH]).deliveries[0].id
        two = scene.whole.publish("Hello", ["board"]).deliveries[0].id
        server.script = [(401, '{"error": "token"}', {})] * 4
        three = scene.beta.publish("Hello", [SOUTH]).deliveries[0].id
    assert (ACME, one, "live") in observer.told
    assert ("", two, "live") in observer.told
    assert (BETA, SOUTH, "needs_login") in observer.told
    whose = {delivery: tenant for tenant, delivery, _ in observer.told}
    assert whose == {one: ACME, two: "", three: BETA, SOUTH: BETA}
    assert plain.told.count("live") == 2


# What is shared, and what is not handed out


class Gallery(Board):
    """Takes pictures."""

    limits: ClassVar[Limits] = Board.limits.changed(
        media_count=4, image=ImageLimit(("image/png",), 10**6, SOURCE)
    )


def test_a_hash_opens_nothing(tmp_path: Path, server: Server, clock: HandClock) -> None:
    """A plan that names the content hash of another's picture, without having its bytes."""
    with tenants(tmp_path, server, Gallery(), clock) as scene:
        secret = Post("acme's", media=[Media(picture(1), alt="A secret")])
        theirs = scene.acme.plan(secret, [NORTH]).deliveries[0].rendition
        scene.acme.publish(secret, [NORTH])
        assert theirs is not None
        named = theirs.parts[0].media[0]
        assert scene.whole.media.holds(named.sha256, named.size)

        def forged(plan: Plan) -> Plan:
            [planned] = plan.deliveries
            assert planned.rendition is not None
            part = planned.rendition.parts[0]
            media = (replace(part.media[0], sha256=named.sha256, size=named.size),)
            rendition = replace(planned.rendition, parts=(replace(part, media=media),))
            return replace(plan, deliveries=(replace(planned, rendition=rendition),))

        own = Post("beta's", media=[Media(picture(2), alt="My own")])
        before = scene.rows(BETA)
        with pytest.raises(InputError, match="changed meanwhile"):
            scene.beta.accept(forged(scene.beta.plan(own, [SOUTH])))
        assert scene.rows(BETA) == before
        assert scene.beta.publish(secret, [SOUTH]).ok, "who has the bytes shares the file"
        assert scene.beta.publish(own, [SOUTH]).ok


def test_a_vault_entry_is_opened_by_its_own_alone(scene: Scene) -> None:
    theirs, mine = scene.acme.account(NORTH), scene.beta.account(SOUTH)
    assert set(scene.whole.vault().ids()) == {theirs.id, mine.id}
    assert scene.beta.remove_account(SOUTH)[0].id == mine.id
    assert scene.whole.vault().get(theirs.id) == {"token": TOKENS[ACME]}


def test_to_close_a_tenants_kit_closes_nothing(scene: Scene) -> None:
    with scene.whole.for_tenant(ACME) as passing:
        assert passing.publish("one", [NORTH]).ok
    assert scene.acme.publish("two", [NORTH]).ok
    assert scene.whole.for_tenant(ACME).publish("three", [NORTH]).ok
    scene.whole.close()
    with pytest.raises(PostkitError):
        scene.acme.publish("four", [NORTH])


@pytest.mark.parametrize("tenant", ["", " x", "x" * 129, "a\nb", 7])
def test_what_is_no_tenant_is_refused(tmp_path: Path, tenant: Any) -> None:
    with Kit(home=tmp_path, key=KEY) as kit:
        with pytest.raises(InputError, match="tenant's id"):
            kit.for_tenant(tenant)
    assert not list(tmp_path.iterdir()), "nothing was opened for it"


def test_threads_of_many_tenants_open_everything_once(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    names = [f"tenant-{number}" for number in range(8)]
    gate = threading.Barrier(len(names))
    failures: list[BaseException] = []
    opened: set[int] = set()

    def run(kit: Kit) -> None:
        try:
            gate.wait(5)
            kit.connect("board", {"token": TOKEN}, name="shop", endpoint=server.url)
            assert kit.publish(f"from {kit.tenant}", ["board:shop"], once="one").ok
            opened.add(id(kit._database))
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    with whole(tmp_path, board, clock) as kit:
        threads = [threading.Thread(target=run, args=(kit.for_tenant(name),)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failures == []
        assert opened == {id(kit._database)}
        assert sorted(post["text"] for post in server.posts) == [f"from {name}" for name in names]


@contextmanager
def whole(home: Path, board: Board, clock: HandClock) -> Iterator[Kit]:
    with Kit(home=home, key=KEY, plugins=[Plugin(board)], clock=clock) as kit:
        yield kit
