"""Apps, consent page and tokens of the emulated server, against its documentation (checked
2026-11-29); and what the plugin makes of servers that answer otherwise."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
import requests
from postkit_mastodon.consent import OAUTH
from postkit_mastodon.emulator import MastodonEmulator
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from postkit.accounts.connect import Declined
from postkit.emulator.consent import loopback
from postkit.emulator.server import EmulatorServer
from postkit.errors import NeedsLogin, PostkitError, Refused, Throttled
from postkit.network import Account
from postkit.testing.browser import Refused as PageRefused
from postkit.testing.browser import consented
from postkit.testing.clock import MovableClock
from postkit.testing.rig import Rig
from postkit.testing.suite.bench import Bench

LOOPBACK = loopback("mastodon")
SCOPES = "read:accounts read:statuses write:statuses write:media"
VERIFIER = "v" * 64


class Door:
    """The endpoints as another program sees them."""

    def __init__(self, server: EmulatorServer, clock: MovableClock) -> None:
        self.clock = clock
        self.base = server.accounts()[0].endpoint

    def ask(self, path: str, bearer: str | None = None, **form: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return requests.post(self.base + path, data=form, headers=headers, timeout=10)

    def register(self, **changed: str) -> requests.Response:
        form = {"client_name": "A test", "redirect_uris": LOOPBACK, "scopes": SCOPES}
        return self.ask("/api/v1/apps", **{**form, **changed})

    def app(self, **changed: str) -> dict[str, str]:
        answer = self.register(**changed).json()
        return {name: answer[name] for name in ("client_id", "client_secret")}

    def page(self, app: dict[str, str], **changed: str) -> str:
        digest = hashlib.sha256(VERIFIER.encode()).digest()
        query = {
            "client_id": app["client_id"],
            "response_type": "code",
            "redirect_uri": LOOPBACK,
            "scope": SCOPES,
            "state": "s",
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            **changed,
        }
        return f"{self.base}/oauth/authorize?{urlencode(query)}"

    def code(self, app: dict[str, str]) -> str:
        return consented(self.page(app))["code"]

    def redeem(self, app: dict[str, str], code: str, **changed: str) -> requests.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": LOOPBACK,
            "code_verifier": VERIFIER,
            **app,
        }
        return self.ask("/oauth/token", **{**form, **changed})

    def me(self, token: str) -> requests.Response:
        url = f"{self.base}/api/v1/accounts/verify_credentials"
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(url, headers=headers, timeout=10)


@pytest.fixture
def door() -> Iterator[Door]:
    clock = MovableClock()
    with EmulatorServer([MastodonEmulator], clock=clock) as server:
        yield Door(server, clock)


def test_an_app_is_told_its_secret(door: Door) -> None:
    answer = door.register(redirect_uris=f"{LOOPBACK}\nhttps://app.example/back")
    assert answer.status_code == 200
    app = answer.json()
    assert app["redirect_uris"] == [LOOPBACK, "https://app.example/back"]
    assert app["redirect_uri"] == f"{LOOPBACK}\nhttps://app.example/back"
    assert app["scopes"] == SCOPES.split()
    assert app["client_secret_expires_at"] == 0
    assert app["client_secret"].startswith("pk_canary_mastodon_")
    assert "X-RateLimit-Remaining" in answer.headers


def test_an_app_can_be_registered_with_json(door: Door) -> None:
    uris = [LOOPBACK, "https://app.example/back"]
    body = {"client_name": "A test", "redirect_uris": uris, "scopes": SCOPES}
    answer = requests.post(f"{door.base}/api/v1/apps", json=body, timeout=10)
    assert answer.json()["redirect_uris"] == uris


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"client_name": " "}, "Application name can't be blank"),
        ({"redirect_uris": ""}, "Redirect URI must be an absolute URI."),
        ({"redirect_uris": "/back"}, "Redirect URI must be an absolute URI."),
        ({"redirect_uris": "http://[::1"}, "Redirect URI must be an absolute URI."),
        ({"redirect_uris": LOOPBACK + "#x"}, "Redirect URI must be an absolute URI."),
        ({"scopes": "read:accounts everything"}, "Scopes doesn't match configured on the server."),
    ],
)
def test_an_app_that_is_none(door: Door, changed: dict[str, str], said: str) -> None:
    answer = door.register(**changed)
    assert (answer.status_code, answer.json()) == (422, {"error": f"Validation failed: {said}"})


def test_five_apps_in_ten_minutes(door: Door) -> None:
    assert [door.register().status_code for _ in range(6)] == [200] * 5 + [429]
    door.clock.ahead += 601
    assert door.register().status_code == 200


def test_a_code_gives_a_token_without_an_end(door: Door) -> None:
    app = door.app()
    answer = door.redeem(app, door.code(app))
    assert answer.status_code == 200
    got = answer.json()
    assert (got["token_type"], got["scope"]) == ("Bearer", SCOPES)
    assert got.keys() == {"access_token", "token_type", "scope", "created_at"}
    door.clock.ahead += 10 * 366 * 86_400
    assert door.me(got["access_token"]).status_code == 200


def test_the_same_app_and_person_get_the_same_token(door: Door) -> None:
    app = door.app()
    first, second = (door.redeem(app, door.code(app)).json()["access_token"] for _ in range(2))
    assert first == second
    other = door.app()
    assert door.redeem(other, door.code(other)).json()["access_token"] != first


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"code": "pk_canary_wrong"}, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:8713/mastodon"}, 400, "invalid_grant"),
        ({"code_verifier": "w" * 64}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
        ({"client_secret": "pk_canary_wrong"}, 401, "invalid_client"),
        ({"client_id": "somebody"}, 401, "invalid_client"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_token_that_is_not_given(
    door: Door, changed: dict[str, str], status: int, error: str
) -> None:
    app = door.app()
    answer = door.redeem(app, **{"code": door.code(app), **changed})
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_a_code_works_once_for_its_app_and_for_ten_minutes(door: Door) -> None:
    app, other = door.app(), door.app()
    code = door.code(app)
    assert door.redeem(app, code).status_code == 200
    assert door.redeem(app, code).json()["error"] == "invalid_grant"
    assert door.redeem(other, door.code(app)).json()["error"] == "invalid_grant"
    old = door.code(app)
    door.clock.ahead += 601
    assert door.redeem(app, old).json()["error"] == "invalid_grant"


def test_an_app_asks_for_no_more_than_it_registered(door: Door) -> None:
    app = door.app(scopes="read:accounts")
    answer = consented(door.page(app))
    assert (answer["error"], answer["state"]) == ("invalid_scope", "s")
    answer = consented(door.page(app, scope="read:accounts", code_challenge_method="plain"))
    assert answer["error"] == "invalid_request"


def test_the_redirect_is_one_that_this_app_registered(door: Door) -> None:
    app = door.app()
    door.app(redirect_uris="http://127.0.0.1:8713/mastodon")
    for uri in (
        "http://127.0.0.1:8713/mastodon",
        "http://localhost:8712/mastodon",
        LOOPBACK + "?x=1",
    ):
        with pytest.raises(PageRefused):
            consented(door.page(app, redirect_uri=uri))


def test_a_token_does_what_it_was_granted(door: Door) -> None:
    app = door.app()
    code = consented(door.page(app), without={"write:statuses"})["code"]
    token = door.redeem(app, code).json()["access_token"]
    assert door.me(token).status_code == 200
    answer = door.ask("/api/v1/statuses", token, status="Hello")
    said = {"error": "This action is outside the authorized scopes"}
    assert (answer.status_code, answer.json()) == (403, said)


def test_revoking(door: Door) -> None:
    app, other = door.app(), door.app()
    token = door.redeem(app, door.code(app)).json()["access_token"]
    for form in (
        {**other, "token": token},
        {**app, "client_secret": "pk_canary_wrong", "token": token},
        app,
    ):
        answer = door.ask("/oauth/revoke", **form)
        assert (answer.status_code, answer.json()["error"]) == (403, "unauthorized_client")
    assert door.me(token).status_code == 200
    for _ in range(2):
        answer = door.ask("/oauth/revoke", **app, token=token)
        assert (answer.status_code, answer.json()) == (200, {})
    assert door.me(token).status_code == 401


# The plugin


def begun(rig: Rig, name: str, redirect_uri: str = LOOPBACK) -> tuple[str, str]:
    return rig.kit.begin_connect(
        "mastodon",
        redirect_uri=redirect_uri,
        name=name,
        endpoint=rig.server.accounts()[0].endpoint,
    )


def connected(rig: Rig, name: str, redirect_uri: str = LOOPBACK) -> Account:
    url, state = begun(rig, name, redirect_uri)
    return rig.kit.finish_connect(state, consented(url))


def registrations(rig: Rig) -> int:
    return sum(entry.path == "/api/v1/apps" for entry in rig.server.requests())


class TestConnecting(Bench):
    network = "mastodon"

    def test_one_app_serves_all_accounts_of_a_server(self, rig: Rig) -> None:
        connected(rig, "one")
        connected(rig, "two")
        assert registrations(rig) == 1
        # It is good for one address; another one takes another app, at any port.
        connected(rig, "three", "http://127.0.0.1:50123/")
        assert registrations(rig) == 2

    def test_removing_one_leaves_another_with_the_same_token(self, rig: Rig) -> None:
        one, two = connected(rig, "one"), connected(rig, "two")
        _, problem = rig.kit.remove_account(one.label)
        assert problem is not None
        assert "mastodon:two has the same access" in problem.message
        assert rig.kit.recent(two.label) == []
        _, problem = rig.kit.remove_account(two.label)
        assert problem is None

    def test_a_wrong_account_that_is_connected_already_stays_connected(self, rig: Rig) -> None:
        one = connected(rig, "one")
        url, state = begun(rig, "two")
        with pytest.raises(Declined):
            rig.kit.finish_connect(state, consented(url), confirm=lambda _: False)
        assert rig.kit.recent(one.label) == []

    def test_a_token_that_a_person_made_is_ended_by_hand(self, rig: Rig) -> None:
        _, problem = rig.kit.remove_account(rig.account.label)
        assert problem is not None
        assert "Preferences, Account, Authorized apps" in problem.message

    def test_access_is_known_to_have_no_end(self, rig: Rig) -> None:
        grant = rig.network.grant(rig.kit.vault().get(connected(rig, "one").id))
        assert grant.scopes == OAUTH.required
        assert (grant.expires_at, grant.ends_at, grant.is_renewable) == (None, None, False)

    def test_an_app_that_the_server_forgot_is_registered_anew(self, rig: Rig) -> None:
        connected(rig, "one")
        emulator = rig.server.emulators["mastodon"]
        assert isinstance(emulator, MastodonEmulator)
        url, state = begun(rig, "two")
        params = consented(url)
        emulator.forget_apps()
        with pytest.raises(Refused):
            rig.kit.finish_connect(state, params)
        assert connected(rig, "two").state == "ok"
        assert registrations(rig) == 2

    def test_a_server_that_gives_no_more_apps(self, rig: Rig) -> None:
        for port in range(5):
            begun(rig, "one", f"http://127.0.0.1:{50_000 + port}/")
        with pytest.raises(Throttled):
            begun(rig, "one", "http://127.0.0.1:50010/")


class OtherEmulator(MastodonEmulator):
    """A server that answers a registration otherwise."""

    defaults: ClassVar[dict[str, Any]] = {**MastodonEmulator.defaults, "answer": ""}

    def routes(self) -> Sequence[BaseRoute]:
        kept = [r for r in super().routes() if isinstance(r, Route) and r.path != "/api/v1/apps"]
        return [*kept, self.route("/api/v1/apps", self.answered, methods=("POST",))]

    async def answered(self, _request: Request) -> Response:
        return {
            "404": JSONResponse({"error": "Not Found"}, 404),
            "html": HTMLResponse("<h1>Welcome</h1>"),
            "list": JSONResponse(["client_id"]),
            "no secret": JSONResponse({"client_id": "a"}),
            "numbers": JSONResponse({"client_id": 1, "client_secret": 2}),
            "500": JSONResponse({"error": "Oh"}, 500),
        }[self.settings["answer"]]


class TestOtherServers(Bench):
    network = "mastodon"

    def _emulator(self) -> type[OtherEmulator]:
        return OtherEmulator

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ("404", "is it a Mastodon server? Check --endpoint."),
            ("html", "told no client_id and client_secret"),
            ("list", "told no client_id and client_secret"),
            ("no secret", "told no client_id and client_secret"),
            ("numbers", "told no client_id and client_secret"),
            ("500", "HTTP 500"),
        ],
    )
    def test_a_registration_that_is_none(self, rig: Rig, answer: str, said: str) -> None:
        rig.server.set("mastodon", "answer", answer)
        with pytest.raises(PostkitError) as caught:
            begun(rig, "one")
        assert said in caught.value.message
        assert not isinstance(caught.value, NeedsLogin)
        assert [account.label for account in rig.kit.accounts] == [rig.account.label]
