"""Connecting by a program: the consent page's address, and every answer that is none."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

import pytest

from postkit.accounts.oauth.terms import OAuth, Scope
from postkit.accounts.secret import _Known
from postkit.accounts.secrets import Secrets
from postkit.contract import NETWORKS_HOOK
from postkit.errors import (
    InputError,
    NeedsLogin,
    NetworkError,
    PostkitError,
    Refused,
    Unavailable,
    VaultError,
)
from postkit.kit import Kit
from postkit.network import Account, Credential, CredentialSet, Identity
from postkit.transport import Session

from .board import Board, HandClock
from .server import CLOSING, Answer, RawServer, close, cut, ok, reset

URI = "http://127.0.0.1:8712/"
TERMS = OAuth(
    authorize="/authorize",
    token="/token",
    revoke="/revoke",
    scopes=(Scope("read", "look"), Scope("write", "publish")),
    register="Register {redirect} there.",
    source="a test",
    checked=date(2026, 11, 29),
    parameters={"duration": "permanent"},
)
APP = {"client_id": "app &?=1", "client_secret": "pk_canary_app_secret"}
TOKEN = '{"access_token": "pk_canary_door_token", "expires_in": 60, "scope": "read write"}'


class Door(Board):
    """A board that is connected in the browser."""

    name = "door"
    title = "Door"
    oauth = TERMS
    needs_endpoint = True
    credentials = (CredentialSet("token", (Credential("access_token", "the door's settings"),)),)
    who: ClassVar[str] = "1"

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Session:
        secrets["access_token"]
        return session

    def identify(self, client: Session) -> Identity:
        if not self.who:
            raise Unavailable("Nobody answers.")
        return Identity(self.who, "doorkeeper")


def tokens(*bodies: str) -> Answer:
    """One token after the other for each code; everything else is answered with ``{}``."""
    left = list(bodies)

    def answer(connection: socket.socket, request: bytes) -> None:
        body = left.pop(0) if request.startswith(b"POST /token ") else "{}"
        ok(body)(connection, request)

    return answer


class Hall(Door):
    """A door that takes apps without a person."""

    name = "hall"
    title = "Hall"
    apps: int = 0

    def register(self, session: Session, redirect_uri: str) -> dict[str, str]:
        self.apps += 1
        return {**APP, "client_id": f"app-{self.apps}"}


class Bare(Board):
    """A board that is not."""

    name = "bare"


class Plugin:
    def __init__(self, *networks: Board) -> None:
        self._networks = networks

    def postkit_networks(self) -> list[Board]:
        return list(self._networks)


assert hasattr(Plugin, NETWORKS_HOOK)


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def kit(tmp_path: Path, door: Door, clock: HandClock) -> Iterator[Kit]:
    plugins = [Plugin(door, Bare(), Hall())]
    with Kit(home=tmp_path / "home", key=b"k" * 32, plugins=plugins, clock=clock) as kit:
        yield kit


def begin(kit: Kit, endpoint: str = "https://door.example", **more: object) -> tuple[str, str]:
    given: dict[str, object] = {
        "redirect_uri": URI, "endpoint": endpoint, "app": APP, **more,
    }  # fmt: skip
    return kit.begin_connect("door", **given)  # type: ignore[arg-type]


def query_of(url: str) -> dict[str, str]:
    pairs = parse_qsl(urlsplit(url).query, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_the_address_of_the_consent_page(kit: Kit) -> None:
    url, state = begin(kit, "https://door.example/below/")
    assert url.startswith("https://door.example/below/authorize?")
    query = query_of(url)
    challenge = query.pop("code_challenge")
    assert query == {
        "duration": "permanent",
        "response_type": "code",
        "client_id": APP["client_id"],
        "redirect_uri": URI,
        "scope": "read write",
        "state": state,
        "code_challenge_method": "S256",
    }
    assert len(base64.urlsafe_b64decode(challenge + "=")) == 32
    assert "pk_canary" not in url


def test_the_code_is_sent_with_its_verifier_and_the_apps_proof(kit: Kit) -> None:
    with RawServer(ok(TOKEN)) as server:
        url, state = begin(kit, server.url)
        account = kit.finish_connect(state, {"code": "pk_canary_code", "state": state})
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /token HTTP/1.1")
    form = dict(parse_qsl(body.decode(), strict_parsing=True))
    digest = hashlib.sha256(form.pop("code_verifier").encode()).digest()
    shown = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert shown == query_of(url)["code_challenge"]
    assert form == {
        "grant_type": "authorization_code",
        "code": "pk_canary_code",
        "redirect_uri": URI,
    }
    pair = base64.b64encode(f"{APP['client_id']}:{APP['client_secret']}".encode())
    assert b"Authorization: Basic " + pair in head
    assert account.state == "ok"
    assert account.identity == Identity("1", "doorkeeper")
    fields = kit.vault().get(account.id)
    assert fields["access_token"] == "pk_canary_door_token"
    assert fields["scopes"] == "read write"
    assert fields["client_secret"] == APP["client_secret"]
    grant = kit.plugins.network("door").grant(fields)
    assert grant.scopes == frozenset({"read", "write"})
    assert grant.expires_at is not None
    assert not grant.is_renewable
    assert grant.ends_at == grant.expires_at


def test_an_app_is_given_once(kit: Kit) -> None:
    with RawServer(ok(TOKEN)) as server:
        _, state = begin(kit, server.url)
        assert not kit.has_app("door", server.url), "It is not known yet whether it is right."
        kit.finish_connect(state, {"code": "c", "state": state})
        assert kit.has_app("door", server.url)
        url, _ = begin(kit, server.url, app=None, name="second")
        assert query_of(url)["client_id"] == APP["client_id"]
        with pytest.raises(InputError, match="client_id"):
            begin(kit, "https://other.example", app=None, name="third")


def test_secrets_are_in_the_form_where_the_network_wants_them_there(kit: Kit, door: Door) -> None:
    door.oauth = replace(TERMS, proof="form")  # type: ignore[misc]
    with RawServer(ok(TOKEN)) as server:
        _, state = begin(kit, server.url)
        kit.finish_connect(state, {"code": "c", "state": state})
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"Authorization" not in head
    assert dict(parse_qsl(body.decode())).items() >= APP.items()


def test_a_public_app_names_itself(kit: Kit) -> None:
    with RawServer(ok(TOKEN)) as server:
        _, state = begin(kit, server.url, app={"client_id": "public"})
        kit.finish_connect(state, {"code": "c", "state": state})
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"Authorization" not in head
    assert dict(parse_qsl(body.decode()))["client_id"] == "public"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"redirect_uri": "http://door.example/back"}, "must be https, or http on this machine"),
        ({"redirect_uri": "ftp://127.0.0.1/"}, "must be https"),
        ({"redirect_uri": "https://a.example/#x"}, "without a fragment"),
        ({"redirect_uri": "https://u:p@a.example/"}, "must be https"),
        ({"redirect_uri": "https://a.example/\n"}, "must be https"),
        ({"redirect_uri": "https://[a"}, "must be https"),
        ({"redirect_uri": "https://a.example:99999/"}, "must be https"),
        ({"redirect_uri": ""}, "must be https"),
        ({"app": {}}, rf"needs an app's client_id, .* Register {URI} there"),
        ({"app": {"client_secret": "pk_canary_x"}}, "needs an app's client_id"),
        ({"app": {"api_key": "pk_canary_x"}}, "client_id and client_secret, no 'api_key'"),
        ({"app": {"client_id": "caf\u00e9"}}, "client_id of the app at Door holds a character"),
        (
            {"app": {**APP, "client_secret": "pk_canary\u200b"}},
            "client_secret of the app .* copy it",
        ),
        ({"name": "a b"}, "an account's name has letters"),
        ({"endpoint": "http://door.example"}, "in the clear"),
        ({"endpoint": None}, "name yours with --endpoint"),
        ({"ca_bundle": "/no/such/file"}, "there is no such file"),
    ],
)
def test_what_cannot_be_begun(kit: Kit, given: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        begin(kit, **{"endpoint": "https://door.example", **given})  # type: ignore[arg-type]
    assert "pk_canary" not in caught.value.message
    assert kit.vault().ids() == ()


def test_a_network_that_is_not_connected_in_the_browser(kit: Kit) -> None:
    with pytest.raises(InputError, match="Board is not connected in the browser; `postkit netw"):
        kit.begin_connect("bare", redirect_uri=URI, endpoint="https://door.example")


def test_a_name_that_is_taken_is_told_before_anybody_logs_in(kit: Kit) -> None:
    with RawServer(ok(TOKEN)) as server:
        _, state = begin(kit, server.url)
        kit.finish_connect(state, {"code": "c", "state": state})
        with pytest.raises(InputError, match="is connected already"):
            begin(kit, server.url)


@pytest.mark.parametrize(
    ("params", "raised", "said"),
    [
        ({}, InputError, "answered without a code"),
        ({"code": ""}, InputError, "answered without a code"),
        ({"code": "x" * 5000}, InputError, "answered without a code"),
        ({"code": "a\nb"}, InputError, "answered without a code"),
        ({"code": "\u00e9"}, InputError, "answered without a code"),
        ({"error": "access_denied"}, Refused, "you or the network declined"),
        ({"error": "server_error", "error_description": "Sorry\nHTTP"}, Refused, "Sorry HTTP"),
        ({"code": "c", "error": "access_denied"}, Refused, "declined"),
        ({"code": "c", "iss": "https://evil.example"}, InputError, "another server"),
        ({"code": "c", "iss": "https://[evil"}, InputError, "another server"),
    ],
)
def test_answers_that_are_none(
    kit: Kit, params: dict[str, str], raised: type[PostkitError], said: str
) -> None:
    _, state = begin(kit)
    with pytest.raises(raised, match=said):
        kit.finish_connect(state, {**params, "state": state})
    assert kit.accounts == []
    with pytest.raises(InputError, match="used already"):
        kit.finish_connect(state, {"code": "c", "state": state})


@pytest.mark.parametrize("params", [None, "code=c", {"code": ["c"]}, {"choice": 1}, [("a", "b")]])
def test_a_query_that_is_no_mapping_of_text(kit: Kit, params: object) -> None:
    _, state = begin(kit)
    with pytest.raises(InputError, match="a mapping of names to text"):
        kit.finish_connect(state, params)  # type: ignore[arg-type]
    with pytest.raises(Refused):
        kit.finish_connect(state, {"error": "access_denied", "state": state})


def test_an_answer_that_comes_too_late(kit: Kit, clock: HandClock) -> None:
    _, state = begin(kit)
    clock.offset += timedelta(minutes=11)
    with pytest.raises(InputError, match="older than 10 minutes"):
        kit.finish_connect(state, {"code": "c", "state": state})


@pytest.mark.parametrize(
    ("answers", "raised"),
    [
        ([ok("<!doctype html><p>Hello", headers=CLOSING)], Unavailable),
        ([ok('{"error": "invalid_client"}', "401 Unauthorized")], Refused),
        ([ok('{"access_token": "pk_canary_t", "scope": "read"}')], NeedsLogin),
        ([ok("", "302 Found", f"Location: https://evil.example/\r\n{CLOSING}")], Unavailable),
        ([ok("", "302 Found", f"Location: https://[evil/\r\n{CLOSING}")], Unavailable),
        ([ok("{}", headers="Content-Encoding: gzip\r\n" + CLOSING)], Unavailable),
        ([ok("[" * 100_000, headers=CLOSING)], Unavailable),
        ([ok('{"access_token": "pk_canary_a\\r\\nX: y"}', headers=CLOSING)], Unavailable),
        ([ok('{"access_token": null, "error": null}', headers=CLOSING)], Unavailable),
        ([ok('{"error": {"message": ["x"]}}', "400 Bad Request", CLOSING)], Refused),
        ([ok("", "200 \x1b[31mOK", "X: \x1b[31m\r\n" + CLOSING)], Unavailable),
        ([ok("", "999 Odd")], Unavailable),
        ([close], Unavailable),
        ([reset], Unavailable),
        ([cut], Unavailable),
    ],
)
def test_token_answers_that_are_none(
    kit: Kit, answers: list[Answer], raised: type[NetworkError]
) -> None:
    with RawServer(*answers) as server:
        _, state = begin(kit, server.url)
        with pytest.raises(raised) as caught:
            kit.finish_connect(state, {"code": "pk_canary_code", "state": state})
        assert len(server.requests) == 1, "A code works once: it is sent once."
    assert "pk_canary" not in caught.value.message
    assert kit.accounts == []
    assert kit.vault().ids() == ()


@pytest.mark.parametrize("process", ["the same", "another"])
def test_an_apps_secret_that_a_server_repeats_is_not_shown(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, process: str
) -> None:
    secret = "pk_canary_repeated_by_a_server"
    monkeypatch.setattr("postkit.accounts.secret._known", _Known())
    answer = f'{{"error": "invalid_client", "error_description": "Nobody has {secret} here"}}'
    with RawServer(ok(answer, "401 Unauthorized")) as server:
        _, state = begin(kit, server.url, app={"client_id": "a", "client_secret": secret})
        if process == "another":
            monkeypatch.setattr("postkit.accounts.secret._known", _Known())
        with pytest.raises(Refused, match=r"Nobody has \*\*\* here"):
            kit.finish_connect(state, {"code": "c", "state": state})


def test_the_wrong_account_is_ended_at_the_network(kit: Kit) -> None:
    with RawServer(tokens(TOKEN)) as server:
        _, state = begin(kit, server.url)
        shown: list[Identity] = []

        def confirm(who: Identity) -> bool:
            shown.append(who)
            return False

        with pytest.raises(PostkitError, match="doorkeeper is not the account that was meant"):
            kit.finish_connect(state, {"code": "c", "state": state}, confirm=confirm)
        head, _, body = server.requests[-1].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /revoke ")
    assert dict(parse_qsl(body.decode()))["token"] == "pk_canary_door_token"
    assert shown == [Identity("1", "doorkeeper")]
    assert kit.accounts == []


def test_new_access_must_be_the_same_accounts(kit: Kit, door: Door) -> None:
    other = TOKEN.replace("door_token", "other_token")
    with RawServer(tokens(TOKEN, TOKEN, other)) as server:
        _, state = begin(kit, server.url)
        account = kit.finish_connect(state, {"code": "c", "state": state})
        _, state = begin(kit, server.url, replace=True)
        assert kit.finish_connect(state, {"code": "c", "state": state}).id == account.id
        Door.who = "2"
        try:
            _, state = begin(kit, server.url, replace=True)
            with pytest.raises(InputError, match="this access is doorkeeper's"):
                kit.finish_connect(state, {"code": "c", "state": state})
        finally:
            Door.who = "1"
    assert kit.vault().get(account.id)["access_token"] == "pk_canary_door_token"


def test_nothing_secret_is_written_outside_of_the_vault(kit: Kit, tmp_path: Path) -> None:
    with RawServer(ok(TOKEN)) as server:
        _, state = begin(kit, server.url)
        kit.finish_connect(state, {"code": "pk_canary_code", "state": state})
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"pk_canary" not in content, path
            assert json.dumps(state).encode() not in content, path


@pytest.mark.parametrize(
    "broken", [KeyboardInterrupt(), RuntimeError("aborted"), VaultError("The disk is full.")]
)
def test_access_that_is_not_kept_is_ended(kit: Kit, broken: BaseException) -> None:
    def confirm(_: Identity) -> bool:
        raise broken

    with RawServer(tokens(TOKEN)) as server:
        _, state = begin(kit, server.url)
        with pytest.raises(type(broken)):
            kit.finish_connect(state, {"code": "c", "state": state}, confirm=confirm)
        head, _, body = server.requests[-1].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /revoke ")
    assert dict(parse_qsl(body.decode()))["token"] == "pk_canary_door_token"
    assert kit.accounts == []


def test_access_that_cannot_be_ended_from_here_is_told(kit: Kit, door: Door) -> None:
    door.oauth = replace(TERMS, revoke=None)  # type: ignore[misc]
    with RawServer(tokens(TOKEN)) as server:
        _, state = begin(kit, server.url)
        with pytest.raises(PostkitError, match="The access lives on at the network: Door has no"):
            kit.finish_connect(state, {"code": "c", "state": state}, confirm=lambda _: False)


def test_new_access_for_whom_nobody_knows_yet_is_confirmed(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "door:door"
    with monkeypatch.context() as away:
        away.setattr(Door, "who", "")
        kit.connect("door", {"access_token": "pk_canary_old"}, endpoint="https://door.example")
    assert kit.account(name).identity is None
    with RawServer(tokens(TOKEN, TOKEN)) as server:
        _, state = begin(kit, server.url, replace=True)
        with pytest.raises(PostkitError, match="not the account that was meant"):
            kit.finish_connect(state, {"code": "c", "state": state}, confirm=lambda _: False)
        assert kit.vault().get(kit.account(name).id) == {"access_token": "pk_canary_old"}
        _, state = begin(kit, server.url, replace=True)
        kit.finish_connect(state, {"code": "c", "state": state}, confirm=lambda _: True)
    assert kit.account(name).identity == Identity("1", "doorkeeper")


@pytest.mark.parametrize(
    ("error", "apps"), [("invalid_client", 2), ("unauthorized_client", 2), ("invalid_grant", 1)]
)
def test_an_app_is_forgotten_where_its_server_does_not_know_it(
    kit: Kit, error: str, apps: int
) -> None:
    with RawServer(ok(f'{{"error": "{error}"}}', "400 Bad Request")) as server:
        _, state = kit.begin_connect("hall", redirect_uri=URI, endpoint=server.url)
        with pytest.raises(Refused):
            kit.finish_connect(state, {"code": "c", "state": state})
        url, _ = kit.begin_connect("hall", redirect_uri=URI, endpoint=server.url)
    assert query_of(url)["client_id"] == f"app-{apps}"


def test_access_that_is_renewed_while_its_account_is_removed(kit: Kit) -> None:
    with RawServer(tokens(TOKEN)) as server:
        _, state = begin(kit, server.url)
        account = kit.finish_connect(state, {"code": "c", "state": state})
        vault = kit.vault()
        with vault.lock(account.id):
            remover = threading.Thread(target=kit.remove_account, args=[account.label])
            remover.start()
            time.sleep(0.3)
            fields = vault.get(account.id)
            vault.rotate(account.id, {**fields, "access_token": "pk_canary_renewed"})
        remover.join(30)
        head, _, body = server.requests[-1].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /revoke ")
    assert dict(parse_qsl(body.decode()))["token"] == "pk_canary_renewed"
    assert account.id not in vault.ids()
    assert kit.accounts == []


def test_an_account_is_removed_while_its_network_is_away(kit: Kit) -> None:
    with RawServer(tokens(TOKEN)) as server:
        _, state = begin(kit, server.url)
        account = kit.finish_connect(state, {"code": "c", "state": state})
    _, problem = kit.remove_account(account.label)
    assert problem is not None
    assert problem.message == (
        "Door could not be asked to end the access (ConnectionError). End it in the network's "
        "settings."
    )
    assert account.id not in kit.vault().ids()


def test_an_account_whose_plugin_is_gone_is_removed(kit: Kit, tmp_path: Path) -> None:
    with RawServer(tokens(TOKEN)) as server:
        _, state = begin(kit, server.url)
        account = kit.finish_connect(state, {"code": "c", "state": state})
        with Kit(home=tmp_path / "home", key=b"k" * 32) as bare:
            _, problem = bare.remove_account(account.label)
            assert problem is not None
            assert "There is no network 'door'" in problem.message
            assert "End it in the network's settings" in problem.message
            assert bare.accounts == []
            assert account.id not in bare.vault().ids()
