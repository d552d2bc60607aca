"""The emulated consent page and token endpoint, against Reddit's own source; and how the plugin
keeps what they give."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
import requests
from postkit_reddit.consent import OAUTH
from postkit_reddit.emulator import RedditEmulator
from postkit_reddit.plugin import Reddit

from postkit.emulator.consent import loopback
from postkit.emulator.server import EmulatorServer
from postkit.errors import NeedsLogin
from postkit.testing.browser import Refused, consented
from postkit.testing.clock import MovableClock

if TYPE_CHECKING:
    from conftest import Link

LOOPBACK = loopback("reddit")
SCOPES = "identity read submit flair history edit"
AGENT = {"User-Agent": "linux:postkit-tests:1 (by /u/nobody)"}


class Door:
    """The endpoints as another program sees them."""

    def __init__(self, server: EmulatorServer, clock: MovableClock) -> None:
        self.clock = clock
        mine = server.accounts()[0]
        self.app = dict(mine.app)
        self.base = mine.endpoint
        self.emulator = server.emulators["reddit"]

    def page(self, **changed: str | None) -> str:
        query = {
            "client_id": self.app["client_id"],
            "response_type": "code",
            "state": "s",
            "redirect_uri": LOOPBACK,
            "duration": "permanent",
            "scope": SCOPES,
            **changed,
        }
        given = {name: value for name, value in query.items() if value is not None}
        return f"{self.base}/api/v1/authorize?{urlencode(given)}"

    def code(self, **changed: str | None) -> str:
        return consented(self.page(**changed))["code"]

    def ask(
        self, path: str = "access_token", secret: str | None = None, **form: str
    ) -> requests.Response:
        auth = (self.app["client_id"], secret or self.app["client_secret"])
        url = f"{self.base}/api/v1/{path}"
        return requests.post(url, data=form, auth=auth, headers=AGENT, timeout=10)

    def redeem(self, code: str, **changed: str) -> requests.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": LOOPBACK}
        return self.ask(**{**form, **changed})

    def renew(self, token: str) -> requests.Response:
        return self.ask(grant_type="refresh_token", refresh_token=token)

    def me(self, token: str) -> int:
        headers = {**AGENT, "Authorization": f"Bearer {token}"}
        return requests.get(f"{self.base}/api/v1/me", headers=headers, timeout=10).status_code


@pytest.fixture
def door() -> Iterator[Door]:
    clock = MovableClock()
    with EmulatorServer([RedditEmulator], clock=clock) as server:
        yield Door(server, clock)


def test_a_code_gives_access_and_a_refresh_token_that_stays(door: Door) -> None:
    answer = door.redeem(door.code())
    assert answer.status_code == 200
    got = answer.json()
    assert (got["token_type"], got["expires_in"], got["scope"]) == ("bearer", 86_400, SCOPES)
    assert door.me(got["access_token"]) == 200
    for _ in range(2):
        fresh = door.renew(got["refresh_token"]).json()
        assert "refresh_token" not in fresh
        assert fresh["scope"] == SCOPES
        assert door.me(fresh["access_token"]) == 200


def test_access_that_is_not_permanent_cannot_be_renewed(door: Door) -> None:
    for duration in ("temporary", None):
        assert "refresh_token" not in door.redeem(door.code(duration=duration)).json()
    assert OAUTH.parameters["duration"] == "permanent"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code": "pk_canary_wrong"}, "invalid_grant"),
        ({"redirect_uri": LOOPBACK + "x"}, "invalid_grant"),
        ({"code": ""}, "invalid_request"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_code_is_refused_with_the_status_of_a_success(
    door: Door, changed: dict[str, str], error: str
) -> None:
    answer = door.redeem(**{"code": door.code(), **changed})
    assert (answer.status_code, answer.json()) == (200, {"error": error})


def test_a_code_works_once_and_for_ten_minutes(door: Door) -> None:
    code = door.code()
    assert "access_token" in door.redeem(code).json()
    assert door.redeem(code).json() == {"error": "invalid_grant"}
    old = door.code()
    door.clock.ahead += 601
    assert door.redeem(old).json() == {"error": "invalid_grant"}


def test_the_app_proves_itself_by_its_header_alone(door: Door) -> None:
    for path, form in (
        ("access_token", {"grant_type": "authorization_code", "code": door.code()}),
        ("revoke_token", {"token": "any"}),
    ):
        answer = door.ask(path, "wrong", **form)
        assert (answer.status_code, answer.json()["error"]) == (401, 401)
        url = f"{door.base}/api/v1/{path}"
        in_form = requests.post(url, data={**form, **door.app}, headers=AGENT, timeout=10)
        assert in_form.status_code == 401


def test_a_refresh_token_that_is_revoked_takes_its_access_along(door: Door) -> None:
    first = door.redeem(door.code()).json()
    second = door.renew(first["refresh_token"]).json()
    other = door.redeem(door.code()).json()
    answer = door.ask("revoke_token", token=first["refresh_token"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert door.me(first["access_token"]) == door.me(second["access_token"]) == 401
    assert door.renew(first["refresh_token"]).status_code == 400
    assert door.me(other["access_token"]) == 200
    assert door.ask("revoke_token", token="pk_canary_unknown").status_code == 204


def test_an_access_token_that_is_revoked_leaves_the_refresh_token(door: Door) -> None:
    got = door.redeem(door.code()).json()
    assert door.ask("revoke_token", token=got["access_token"]).status_code == 204
    assert door.me(got["access_token"]) == 401
    assert door.renew(got["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "somebody"},
        {"redirect_uri": None},
        {"redirect_uri": "http://127.0.0.1:8713/reddit"},
        {"redirect_uri": "http://localhost:8712/reddit"},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    door: Door, changed: dict[str, str | None]
) -> None:
    with pytest.raises(Refused):
        consented(door.page(**changed))


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"scope": "identity everything"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"response_type": "magic"}, "unsupported_response_type"),
    ],
)
def test_a_wrong_question_comes_back_as_an_error(
    door: Door, changed: dict[str, str | None], error: str
) -> None:
    answer = consented(door.page(**changed))
    assert (answer["error"], answer["state"]) == (error, "s")


def test_granted_scopes_are_all_that_a_token_may(door: Door) -> None:
    got = door.redeem(consented(door.page(), without={"identity"})["code"]).json()
    assert got["scope"] == SCOPES.removeprefix("identity ")
    assert door.me(got["access_token"]) == 403


# What the plugin keeps


def test_the_end_of_the_access_is_kept_by_its_usual_name(link: Link) -> None:
    link.client.me()
    fields = link.vault.fields
    assert abs(int(fields["expires_at"]) - (time.time() + 86_400)) < 30
    assert fields["scopes"] == SCOPES
    grant = link.network.grant(fields)
    assert grant.is_renewable
    assert grant.ends_at is None
    assert grant.scopes == frozenset(SCOPES.split())


def test_access_from_the_browser_needs_no_login(link: Link) -> None:
    link.client.me()
    kept = dict(link.vault.fields)
    session, client = link.open()
    client.me()
    session.close()
    assert link.vault.fields == kept
    assert link.paths().count("POST /api/v1/access_token") == 1


@pytest.mark.parametrize("end", ["", "soon", "0", "SOON"])
def test_access_whose_end_is_near_or_unknown_is_renewed_first(link: Link, end: str) -> None:
    link.client.me()
    before = link.vault.fields["access_token"]
    link.vault.fields["expires_at"] = str(int(time.time()) + 60) if end == "SOON" else end
    session, client = link.open()
    client.me()
    session.close()
    assert link.vault.fields["access_token"] != before
    assert link.paths().count("POST /api/v1/access_token") == 2


def test_access_of_another_process_that_ends_soon_is_not_taken_over(link: Link) -> None:
    link.client.me()
    session, other = link.open()
    link.network.refresh(other)
    session.close()
    theirs = link.vault.fields["access_token"]
    link.vault.fields["expires_at"] = str(int(time.time()) + 60)
    link.network.refresh(link.client)
    assert link.vault.fields["access_token"] != theirs
    assert link.paths().count("POST /api/v1/access_token") == 3


def test_renewing_early_leaves_every_client_at_work(link: Link) -> None:
    link.client.me()
    refresh = link.vault.fields["refresh_token"]
    session, other = link.open()
    link.network.refresh(link.client)
    link.network.refresh(other)  # finds what the first one has got
    link.client.me()
    other.me()
    session.close()
    assert link.paths().count("POST /api/v1/access_token") == 2
    assert link.vault.fields["refresh_token"] == refresh


def test_a_password_renews_the_access_too(script: Link) -> None:
    script.client.me()
    grant = script.network.grant(script.vault.fields)
    assert grant.is_renewable
    assert grant.expires_at is not None
    assert not Reddit().grant({"access_token": "x"}).is_renewable


def test_a_consent_that_was_taken_back_needs_a_person(link: Link) -> None:
    link.client.me()
    access = link.emulator.access
    answer = requests.post(
        f"{link.account.endpoint}/api/v1/revoke_token",
        data={"token": access.refresh_token},
        auth=(access.client_id, access.client_secret),
        headers=AGENT,
        timeout=10,
    )
    assert answer.status_code == 204
    with pytest.raises(NeedsLogin, match="postkit connect reddit --name acme --replace"):
        link.network.refresh(link.client)
