"""The emulated login of Facebook, and what the plugin makes of it: a person's login becomes the
token of one Page, and no token is ever in an address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from postkit_facebook.consent import OAUTH
from postkit_facebook.emulator import FacebookEmulator
from postkit_facebook.emulator.owners import ARCHIVE_ID, PAGE_ID, SHOP_ID
from postkit_facebook.emulator.params import params_of
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from postkit.accounts.oauth.flow import CHOICE, ChoiceNeeded
from postkit.emulator.base import Handler
from postkit.emulator.consent import loopback
from postkit.emulator.server import EmulatorServer
from postkit.errors import InputError, NeedsLogin, PostkitError, Refused, Unavailable
from postkit.network import Account
from postkit.testing.browser import consented
from postkit.testing.clock import MovableClock
from postkit.testing.rig import Rig
from postkit.testing.suite.bench import Bench

LOOPBACK = loopback("facebook")
REDIRECT = LOOPBACK.replace("127.0.0.1", "localhost")
SCOPES = "pages_show_list,pages_read_engagement,pages_manage_posts"
DAY = 86_400


class Door:
    """The endpoints as another program sees them."""

    def __init__(self, server: EmulatorServer, clock: MovableClock) -> None:
        self.clock = clock
        mine = server.accounts()[0]
        self.app = dict(mine.app)
        self.base = f"{mine.endpoint}/v26.0"

    def code(self, without: Sequence[str] = ()) -> str:
        query = {
            "client_id": self.app["client_id"],
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": SCOPES,
            "state": "s",
        }
        url = f"{self.base}/dialog/oauth?{urlencode(query)}"
        return consented(url, without=set(without))["code"]

    def token(self, method: str = "POST", **changed: str) -> requests.Response:
        given = {**self.app, **changed}
        where = "data" if method == "POST" else "params"
        url = f"{self.base}/oauth/access_token"
        return requests.request(method, url, timeout=10, **{where: given})  # type: ignore[arg-type]

    def redeem(self, code: str, **changed: str) -> requests.Response:
        return self.token(**{"code": code, "redirect_uri": REDIRECT, **changed})

    def person(self, without: Sequence[str] = ()) -> str:
        return str(self.redeem(self.code(without)).json()["access_token"])

    def long(self, token: str) -> requests.Response:
        return self.token(grant_type="fb_exchange_token", fb_exchange_token=token)

    def get(self, path: str, token: str, **query: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{self.base}/{path}", params=query, headers=headers, timeout=10)

    def pages(self, token: str, **query: str) -> dict[str, Any]:
        return {row["id"]: row for row in self.get("me/accounts", token, **query).json()["data"]}


@pytest.fixture
def door() -> Iterator[Door]:
    clock = MovableClock()
    with EmulatorServer([FacebookEmulator], clock=clock) as server:
        yield Door(server, clock)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_code_gives_a_person_a_short_token(door: Door, method: str) -> None:
    answer = door.token(method, code=door.code(), redirect_uri=REDIRECT)
    assert answer.status_code == 200
    got = answer.json()
    assert (got["token_type"], got["expires_in"]) == ("bearer", 7200)
    assert "scope" not in got
    me = door.get("me", got["access_token"]).json()
    assert me["name"] == "Emulated Person"
    door.clock.ahead += 7201
    error = door.get("me", got["access_token"]).json()["error"]
    assert (error["code"], error["error_subcode"]) == (190, 463)


@pytest.mark.parametrize(
    ("changed", "code", "subcode"),
    [
        ({"code": "pk_canary_wrong"}, 100, None),
        ({"redirect_uri": LOOPBACK}, 100, 36008),
        ({"client_secret": "pk_canary_wrong"}, 1, None),
        ({"client_id": "1"}, 101, None),
        ({"code": ""}, 1, None),
    ],
)
def test_a_code_that_is_refused(
    door: Door, changed: dict[str, str], code: int, subcode: int | None
) -> None:
    answer = door.redeem(**{"code": door.code(), **changed})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "OAuthException")
    assert (error["code"], error.get("error_subcode")) == (code, subcode)


def test_a_code_works_once_and_for_a_while(door: Door) -> None:
    code, old = door.code(), door.code()
    assert door.redeem(code).status_code == 200
    assert door.redeem(code).json()["error"]["error_subcode"] == 36009
    door.clock.ahead += 601
    assert door.redeem(old).json()["error"]["error_subcode"] == 36007


def test_a_long_token_is_given_for_a_living_one_of_a_person(door: Door) -> None:
    short = door.person()
    answer = door.long(short).json()
    assert answer["expires_in"] == 60 * DAY
    page = door.pages(short)[PAGE_ID]["access_token"]
    for wrong in (page, "pk_canary_wrong", ""):
        assert door.long(wrong).json()["error"]["code"] == 190
    door.clock.ahead += 7201
    assert door.long(short).json()["error"]["error_subcode"] == 463


def test_a_page_token_lives_as_long_as_its_login_was_made_for(door: Door) -> None:
    short = door.person()
    long = door.long(short).json()["access_token"]
    ends = door.pages(short)[PAGE_ID]["access_token"]
    stays = door.pages(long)[PAGE_ID]["access_token"]
    assert door.pages(long)[PAGE_ID]["access_token"] == stays
    door.clock.ahead += 61 * DAY
    assert door.get("me", stays).json()["name"] == "Emulated Page"
    assert door.get("me", ends).json()["error"]["error_subcode"] == 463
    assert door.get("me", long).json()["error"]["error_subcode"] == 463


def test_pages_are_listed_with_the_tasks_of_the_person(door: Door) -> None:
    token = door.person()
    rows = door.pages(token, fields="id,name,access_token,tasks")
    assert list(rows) == [PAGE_ID, SHOP_ID, ARCHIVE_ID]
    assert rows[SHOP_ID]["name"] == "Emulated Shop"
    assert "CREATE_CONTENT" in rows[SHOP_ID]["tasks"]
    assert rows[ARCHIVE_ID]["tasks"] == ["ANALYZE"]
    answer = door.get("me/accounts", token, limit="2").json()
    assert answer["paging"]["next"]
    rest = door.pages(token, limit="2", after=answer["paging"]["cursors"]["after"])
    assert list(rest) == [ARCHIVE_ID]
    assert door.get("me/accounts", token, limit="0").json()["error"]["code"] == 100


def test_a_page_has_no_pages_and_no_permissions(door: Door) -> None:
    page = door.pages(door.person())[PAGE_ID]["access_token"]
    for field in ("accounts", "permissions"):
        error = door.get(f"me/{field}", page).json()["error"]
        assert error["code"] == 100
        assert f"({field})" in error["message"]


def test_permissions_tell_what_became_of_each(door: Door) -> None:
    token = door.person(without=["pages_show_list"])
    rows = door.get("me/permissions", token).json()["data"]
    assert {row["permission"]: row["status"] for row in rows} == {
        "pages_show_list": "declined",
        "pages_read_engagement": "granted",
        "pages_manage_posts": "granted",
    }
    assert door.pages(token) == {}


def test_a_page_token_posts_with_what_was_granted_and_at_its_own_page(door: Door) -> None:
    def post(page: str, token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        form = {"message": "Hello"}
        return requests.post(f"{door.base}/{page}/feed", data=form, headers=headers, timeout=10)

    shop = door.pages(door.person())[SHOP_ID]["access_token"]
    assert post(SHOP_ID, shop).json()["id"].startswith(f"{SHOP_ID}_")
    assert post(PAGE_ID, shop).json()["error"]["code"] == 100
    listed = door.get(f"{SHOP_ID}/published_posts", shop).json()["data"]
    assert [row["message"] for row in listed] == ["Hello"]
    page = door.pages(door.person())[PAGE_ID]["access_token"]
    assert door.get(f"{PAGE_ID}/published_posts", page).json()["data"] == []
    poor = door.pages(door.person(without=["pages_manage_posts"]))[SHOP_ID]["access_token"]
    assert post(SHOP_ID, poor).status_code == 403


# The plugin


def begun(rig: Rig, name: str = "one") -> tuple[str, str]:
    mine = rig.server.accounts()[0]
    return rig.kit.begin_connect(
        "facebook", redirect_uri=REDIRECT, name=name, endpoint=mine.endpoint, app=mine.app
    )


def asked(rig: Rig) -> tuple[str, ChoiceNeeded]:
    """The state, and the choice that a person is asked for."""
    url, state = begun(rig)
    with pytest.raises(ChoiceNeeded) as caught:
        rig.kit.finish_connect(state, consented(url))
    return state, caught.value


def connected(rig: Rig, page: str = PAGE_ID) -> Account:
    state, _ = asked(rig)
    return rig.kit.finish_connect(state, {CHOICE: page})


class TestConnecting(Bench):
    network = "facebook"

    def test_pages_that_the_person_may_publish_at_are_offered(self, rig: Rig) -> None:
        state, choice = asked(rig)
        assert [each.id for each in choice.choices] == [PAGE_ID, SHOP_ID]
        assert "Emulated Page" in choice.message
        assert "Emulated Shop" in choice.message
        assert "pk_canary" not in f"{choice.message}{choice.choices!r}"
        for wrong in (ARCHIVE_ID, "", "1"):
            with pytest.raises(ChoiceNeeded):
                rig.kit.finish_connect(state, {CHOICE: wrong})
        account = rig.kit.finish_connect(state, {CHOICE: SHOP_ID})
        assert account.identity is not None
        assert (account.identity.id, account.identity.name) == (SHOP_ID, "Emulated Shop")
        with pytest.raises(InputError):
            rig.kit.finish_connect(state, {CHOICE: PAGE_ID})
        report = rig.kit.publish(rig.post("From the shop."), [account.label])
        assert report.deliveries[0].state == "live"
        assert rig.server.posts()[0].account == SHOP_ID

    def test_one_page_is_no_question(self, rig: Rig) -> None:
        rig.server.set("facebook", "tasks", {SHOP_ID: ["CREATE_CONTENT"]})
        url, state = begun(rig)
        account = rig.kit.finish_connect(state, consented(url))
        assert account.identity is not None
        assert account.identity.id == SHOP_ID

    def test_a_task_that_is_missing_everywhere_is_named(self, rig: Rig) -> None:
        rig.server.set("facebook", "tasks", {SHOP_ID: ["ANALYZE"], ARCHIVE_ID: ["ANALYZE"]})
        url, state = begun(rig)
        with pytest.raises(Refused) as caught:
            rig.kit.finish_connect(state, consented(url))
        for word in ("CREATE_CONTENT", "Emulated Shop", "Emulated Archive", "connect again"):
            assert word in caught.value.message

    def test_no_page_at_all(self, rig: Rig) -> None:
        rig.server.set("facebook", "tasks", {})
        url, state = begun(rig)
        with pytest.raises(Refused, match="given no Page"):
            rig.kit.finish_connect(state, consented(url))

    def test_every_page_of_a_long_list_is_offered(self, rig: Rig) -> None:
        rig.server.set("facebook", "accounts_listed", 1)
        _, choice = asked(rig)
        assert [each.id for each in choice.choices] == [PAGE_ID, SHOP_ID]
        paths = [entry.path for entry in rig.server.requests()]
        assert sum(path.endswith("/me/accounts") for path in paths) == 3

    def test_a_permission_that_is_declined_is_asked_for_again(self, rig: Rig) -> None:
        url, state = begun(rig)
        assert dict(parse_qsl(urlsplit(url).query))["auth_type"] == "rerequest"
        with pytest.raises(NeedsLogin, match="pages_manage_posts"):
            rig.kit.finish_connect(state, consented(url, without={"pages_manage_posts"}))

    def test_only_the_page_s_own_access_is_kept(self, rig: Rig) -> None:
        account = connected(rig)
        fields = rig.kit.vault().get(account.id)
        assert fields.keys() == {"client_id", "page_id", "access_token", "scopes", "expires_at"}
        assert fields["access_token"].startswith("pk_canary_facebook_page_")
        emulator = rig.server.emulators["facebook"]
        assert isinstance(emulator, FacebookEmulator)
        assert emulator.login.held(fields["access_token"]).ends is None, "It dies in two hours."
        grant = rig.network.grant(fields)
        assert grant.scopes == OAUTH.required
        assert (grant.expires_at, grant.ends_at, grant.is_renewable) == (None, None, False)

    @pytest.mark.parametrize(("days", "has_end"), [(1, True), (29, True), (60, False), (0, False)])
    def test_a_page_token_that_has_an_end_tells_it(
        self, rig: Rig, days: int, has_end: bool
    ) -> None:
        rig.server.set("facebook", "long_days", days)
        grant = rig.network.grant(rig.kit.vault().get(connected(rig).id))
        assert (grant.expires_at is not None) == has_end
        if grant.expires_at is not None:
            left = grant.expires_at - datetime.now(UTC)
            assert abs(left - timedelta(days=days)) < timedelta(minutes=1)

    def test_no_secret_is_in_an_address(self, rig: Rig) -> None:
        url, _ = begun(rig)
        assert "pk_canary" not in url
        account = connected(rig)
        rig.kit.recent(account.label)
        paths = set()
        for entry in rig.server.requests():
            named = {name for name, _ in parse_qsl(entry.query, keep_blank_values=True)}
            assert not named & {"access_token", "client_secret", "code", "fb_exchange_token"}
            paths.add(entry.path.rpartition("/")[2])
        assert paths >= {"access_token", "permissions", "accounts", "published_posts"}

    def test_removing_says_where_the_access_is_ended(self, rig: Rig) -> None:
        _, problem = rig.kit.remove_account(connected(rig).label)
        assert problem is not None
        assert "Business integrations" in problem.message


ANSWERS: dict[str, Response] = {
    "html": HTMLResponse("<h1>Sorry</h1>"),
    "502": HTMLResponse("<h1>Bad gateway</h1>", 502),
    "list": JSONResponse([]),
    "nothing": JSONResponse({}),
    "text": JSONResponse({"data": "none"}),
    "error": JSONResponse({"error": {"message": "Oh", "code": 190, "error_subcode": 460}}, 400),
    "no token": JSONResponse(
        {"data": [{"id": PAGE_ID, "name": "Page", "tasks": ["CREATE_CONTENT"]}]}
    ),
    "rows": JSONResponse({"data": [None, 1, "x", {}], "paging": []}),
}


class OtherEmulator(FacebookEmulator):
    """A network that answers one of the questions otherwise."""

    defaults: ClassVar[dict[str, Any]] = {**FacebookEmulator.defaults, "path": "", "answer": ""}

    def routes(self) -> Sequence[BaseRoute]:
        login = self.login
        odd: dict[str, Handler] = {
            "/{version}/oauth/access_token": self._odd("/access_token", login.token),
            "/{version}/me/permissions": self._odd("/permissions", login.permissions),
            "/{version}/me/accounts": self._odd("/accounts", login.accounts),
        }
        kept = [r for r in super().routes() if not (isinstance(r, Route) and r.path in odd)]
        made = [self.route(p, handler, methods=("GET", "POST")) for p, handler in odd.items()]
        return [*made, *kept]

    def _odd(self, path: str, handler: Handler) -> Handler:
        async def endpoint(request: Request) -> Response:
            # The first of the two questions for a token is about the code: it is asked as ever.
            is_first = "code" in await params_of(request)
            if path == self.settings["path"] and not is_first:
                return ANSWERS[self.settings["answer"]]
            return await handler(request)

        return endpoint


class TestOddAnswers(Bench):
    network = "facebook"

    def _emulator(self) -> type[OtherEmulator]:
        return OtherEmulator

    @pytest.mark.parametrize("path", ["/access_token", "/permissions", "/accounts"])
    @pytest.mark.parametrize("answer", ANSWERS)
    def test_nothing_is_kept_of_an_answer_that_is_none(
        self, rig: Rig, path: str, answer: str
    ) -> None:
        url, state = begun(rig)
        params = consented(url)
        rig.server.set("facebook", "path", path)
        rig.server.set("facebook", "answer", answer)
        with pytest.raises(PostkitError) as caught:
            rig.kit.finish_connect(state, params)
        assert isinstance(caught.value, NeedsLogin | Refused | Unavailable), caught.value
        assert "pk_canary" not in caught.value.message
        assert [account.label for account in rig.kit.accounts] == [rig.account.label]
