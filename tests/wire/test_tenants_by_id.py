"""A tenant who knows every id of another's finds nothing by it, and changes nothing."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.errors import InputError, UnknownName
from postkit.kit import Kit
from postkit.plan import Wishes
from postkit.post import Post

from .board import Board, HandClock, Server, serving
from .tenancy import ACME, BETA, NORTH, ONCE, SOUTH, Scene, fill, tenants

PUBLIC = sorted(name for name in dir(Kit) if not name.startswith("_"))
HIDDEN = {"media", "clients", "vault", "for_tenant"}
"""What a tenant's Kit hands out to nobody: ids of all tenants are good in there."""
SHARED = {"close", "plugins", "fetcher"}
"""What belongs to the installation, and knows no account and no post."""
WORKING = {"work", "worker"}
"""What sends, and shows nothing."""
NAMES = {
    *("name", "label", "labels", "delivery_id", "once", "to", "addresses", "network", "state"),
    *("accounts", "confirmed"),
}
"""The parameters that take an id, a name, an address, or a list of them."""
LISTS = {"to", "addresses", "labels", "accounts", "confirmed"}
FILLED: dict[str, Any] = {
    "post": Post("words of beta"),
    "wishes": Wishes(),
    "credentials": {"token": "pk_canary_none"},
    "redirect_uri": "http://127.0.0.1:8712/",
    "app": None,
    "each": None,
    "since": None,
    "params": {"choice": "1"},
    "confirm": None,
    "endpoint": None,
    "ca_bundle": None,
    "replace": False,
    "wait": 0.0,
    "watch": None,
    "retry": False,
    "is_live": None,  # a link, which is looked up in the account's own list at the network
    "resend": False,
    "give_up": False,
    "partial": False,
    "again": False,
    "send": False,
    "unconnected": True,
    "count": 100,
    "source": None,
    "due": None,
    "at": "in 3h",
    "zone": "Europe/Berlin",
    "expires": None,
    "reason": "beta's reason",
    "threads": None,
    "tenant": "tenant-gamma",
    "protected": True,
    "heard": None,
    "limit": None,
}
"""What every other parameter is given. A parameter that is neither here nor a name is new: say
which it is, and that no other tenant is reached by it."""
PLANS = {"plan"}
"""Takes what another method has made; see below."""


@pytest.fixture
def scene(tmp_path: Path, server: Server, board: Board, clock: HandClock) -> Iterator[Scene]:
    with tenants(tmp_path, server, board, clock) as scene:
        fill(scene, board)
        yield scene


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One scene for all calls that must not change it."""
    board = Board()
    with (
        serving() as server,
        tenants(tmp_path_factory.mktemp("home"), server, board, HandClock()) as scene,
    ):
        fill(scene, board)
        yield scene


def parameters(method: str) -> dict[str, inspect.Parameter]:
    found = getattr(Kit, method)
    if not inspect.isfunction(found):
        return {}
    return dict(inspect.signature(found).parameters)


def call(kit: Kit, method: str, /, **given: Any) -> Any:
    """Call it, with what is not given filled; a coroutine is run, a property is read."""
    found = getattr(kit, method)
    if not callable(found) or not inspect.ismethod(found):
        return found
    wanted = parameters(method)
    values = {
        name: given.get(name, FILLED.get(name))
        for name, each in wanted.items()
        if name in given or (name in FILLED and (each.default is each.empty or name == "wait"))
    }
    answer = found(**values)
    return asyncio.run(answer) if inspect.iscoroutine(answer) else answer


def outcome(kit: Kit, method: str, word: str, /, **given: Any) -> str:
    """What came of it, with ``word`` left out: two unknown names have the same."""
    try:
        answer: Any = call(kit, method, **given)
    except Exception as error:  # noqa: BLE001 - whatever it is, it has to be the same
        answer = f"{type(error).__name__}: {error}"
    shown = repr(answer)
    for each in (word, word.rpartition(":")[2]):
        shown = shown.replace(each, "NAME") if each else shown
    return shown


CASES = [
    (method, parameter)
    for method in PUBLIC
    if method not in HIDDEN | SHARED
    for parameter in parameters(method)
    if parameter in NAMES
]


@pytest.mark.parametrize("method", PUBLIC)
def test_every_parameter_of_a_kit_is_known(method: str) -> None:
    known = {"self", *NAMES, *FILLED, *PLANS}
    assert set(parameters(method)) <= known, f"Kit.{method}: what does it reach of other tenants?"


def test_a_kit_has_no_other_attribute(scene: Scene) -> None:
    for kit in (scene.whole, scene.beta):
        own = {name for name in vars(kit) if not name.startswith("_")} - set(PUBLIC)
        assert own == {"home", "clock"}, "what does it reach of other tenants?"


def unknown_like(name: str) -> str:
    """A name of the same form that nobody has."""
    kept = 2 if name[1:2] == "_" else name.find(":") + 1 if ":" in name else 0
    return name[:kept] + "".join("q" if c.isalnum() else c for c in name[kept:])


@pytest.mark.parametrize(("method", "parameter"), CASES)
def test_what_is_anothers_is_as_unknown_as_what_there_is_not(
    untouched: Scene, method: str, parameter: str
) -> None:
    scene = untouched
    before = scene.dump()
    tried = 0
    for name in scene.ids():
        for more in variants(method, parameter):
            found, missing = (
                outcome(
                    scene.beta,
                    method,
                    each,
                    **{parameter: [each] if parameter in LISTS else each},
                    **more,
                )
                for each in (name, unknown_like(name))
            )
            assert found == missing, f"Kit.{method}({parameter}={name!r}) tells what is another's"
            tried += 1
    assert tried >= 20
    assert scene.dump() == before, f"Kit.{method} has changed the store"


def variants(method: str, parameter: str) -> list[dict[str, Any]]:
    """What else decides the way that the call takes, and what cannot be left out."""
    if method == "resolve":
        return [{"resend": True}, {"give_up": True}, {"is_live": "https://board.example/1"}]
    if method == "accept":
        return [{"plan": _Nothing()}]
    if method == "connect" and parameter == "name":
        return [{"network": "nowhere"}]
    if method == "plan":
        return [{"unconnected": False}, {"unconnected": True}]
    if method == "finish":
        return [{"retry": False}, {"retry": True}]
    if method == "rename_account":
        return [{"name": "other"} if parameter == "label" else {"label": "board:nobody"}]
    if method == "unpause":
        return [{"send": False}, {"send": True}]
    return [{}]


class _Nothing:
    """A plan of no deliveries, in which no name is looked at."""

    deliveries = ()
    refused = True
    problems = ("Nothing is planned.",)
    post = Post("words of beta")
    warnings = ()
    again = False

    def __repr__(self) -> str:
        return "_Nothing()"


@pytest.mark.parametrize("method", sorted(set(PUBLIC) - HIDDEN - SHARED - WORKING))
def test_what_is_shown_is_ones_own(scene: Scene, method: str) -> None:
    mine = scene.beta.schedule("words of beta", [SOUTH], at="in 1h").deliveries[0].id
    scene.beta.pause([SOUTH])
    scene.server.posts.clear()  # a board that lists what anybody has sent
    given: dict[str, Any] = {"name": mine, "delivery_id": mine, "label": SOUTH}
    given |= {"labels": [SOUTH], "confirmed": [SOUTH]}
    given |= {"to": [SOUTH], "addresses": [], "network": "board", "once": "beta's", "wait": 0}
    if method == "accept":
        given["plan"] = scene.beta.plan("words of beta too", [SOUTH])
    text = outcome(
        scene.beta, method, "", **{k: given[k] for k in parameters(method) if k in given}
    )
    for word in scene.words():
        assert word not in text, f"Kit.{method} shows {word!r}: {text}"


def test_a_tenants_worker_leaves_what_is_anothers_alone(scene: Scene) -> None:
    scene.acme.unpause()
    scene.clock.offset += timedelta(hours=3)
    before, posts = scene.rows(ACME), list(scene.server.posts)
    assert before["part"]
    scene.beta.work(wait=0)
    scene.beta.worker().run(drain=True, wait=0)
    assert scene.rows(ACME) == before
    assert scene.server.posts == posts


@pytest.mark.parametrize("name", sorted(HIDDEN))
def test_what_answers_to_the_ids_of_all_is_not_handed_out(scene: Scene, name: str) -> None:
    with pytest.raises(InputError, match="came from"):
        call(scene.beta, name)
    assert call(scene.whole, name) is not None


# What another Kit has made


def test_a_plan_of_another_tenant_is_not_accepted(scene: Scene) -> None:
    plan = scene.acme.plan("words of acme 6", [NORTH])
    before = scene.dump()
    for kit in (scene.beta, scene.whole):
        with pytest.raises(UnknownName, match="There is no account a_"):
            kit.accept(plan)
    assert scene.dump() == before


def test_a_name_is_used_once_by_each(scene: Scene) -> None:
    assert scene.beta.published_once(ONCE, Post("words of acme 1"), [NORTH]) is None
    mine = scene.beta.publish("words of acme 1", [SOUTH], once=ONCE)
    assert mine.ok, "another's name and another's text are no repeat"
    assert scene.beta.publish("words of acme 1", [SOUTH], once=ONCE).publication == mine.publication
    theirs = scene.acme.publish("words of acme 1", [NORTH], once=ONCE)
    assert theirs.publication != mine.publication
    assert {row[1] for row in scene.rows(BETA)["publication"]} == {BETA}


def test_the_default_tenant_is_one_of_them(scene: Scene) -> None:
    """The Kit itself finds nothing of a tenant's by its id, and a tenant nothing of its."""
    delivery = scene.by_state["live"]
    with pytest.raises(UnknownName, match="There is no publication or delivery"):
        scene.whole.report(delivery)
    assert scene.whole.accounts == []
    assert scene.whole.queue() == []
    scene.whole.connect("board", {"token": "pk_canary_whole"}, endpoint=scene.server.url)
    mine = scene.whole.publish("words of all", ["board"]).deliveries[0].id
    for kit in (scene.acme, scene.beta):
        with pytest.raises(UnknownName):
            kit.report(str(mine))
