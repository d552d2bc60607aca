"""`postkit connect`, `accounts`: credentials in every form, endpoints of every kind."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .program import Program

HTML = b"<!doctype html><title>Welcome</title><p>It works!</p>"


def token_of(program: Program, network: str = "mastodon") -> str:
    return dict(account_of(program, network)["credentials"])["access_token"]


def account_of(program: Program, network: str) -> dict[str, dict[str, str]]:
    [found] = [a for a in program.server.accounts() if a.network == network]
    return found.to_json()


def endpoint_of(program: Program) -> str:
    return f"{program.server.url}/mastodon"


def accounts(program: Program) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = program("accounts", "--json").json["accounts"]
    return rows


def in_files(folder: Path, word: str) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and word.encode() in p.read_bytes()]


# Credentials


@pytest.mark.parametrize("form", ["value", "env", "file", "home", "dash"])
def test_each_form_of_a_credential(
    postkit: Program,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    planted_secret: Callable[[Path], Path],
    form: str,
) -> None:
    token = token_of(postkit)
    monkeypatch.setenv("MY_TOKEN", token)
    monkeypatch.setenv("HOME", str(tmp_path))
    planted_secret(Path("token.txt")).write_text(token + "\n", "utf-8")
    given = {
        "value": token, "env": "env:MY_TOKEN", "file": "file:token.txt",
        "home": "file:~/token.txt", "dash": "-",
    }[form]  # fmt: skip
    result = postkit(
        "connect", "mastodon", "--endpoint", endpoint_of(postkit),
        "--credential", f"access_token={given}", stdin=f"{token}\n".encode(),
    )  # fmt: skip
    assert result.status == 0, result.err
    assert result.out.startswith("Connected mastodon:mastodon: @emulated http")
    assert "Next: postkit publish" in result.out
    assert token not in result.out + result.err
    assert postkit("publish", "Hi", "--to", "mastodon").status == 0
    assert in_files(postkit.home, token) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("access_token", "--credential takes KEY=VALUE, KEY=env:VARIABLE"),
        ("=x", "--credential takes KEY=VALUE"),
        ("access_token=env:NOT_SET", "the environment variable NOT_SET is not set"),
        ("access_token=file:gone.txt", "gone.txt cannot be read (No such file or directory)"),
        ("access_token=file:.", "cannot be read (Is a directory)"),
        ("access_token=file:binary", "binary holds no secret"),
        ("access_token=file:empty", "empty holds no secret"),
        ("access_token=-", "standard input is empty"),
        ("access_token=", "access_token is empty; give its value"),
        ("acess_token=abcdefgh", "no credential 'acess_token'. Did you mean 'access_token'?"),
    ],
)
def test_a_credential_that_cannot_be_used(postkit: Program, given: str, said: str) -> None:
    Path("binary").write_bytes(b"\xff\xfe\x00")
    Path("empty").write_bytes(b"\n")
    result = postkit.fails(
        2, "connect", "mastodon", "--endpoint", endpoint_of(postkit), "--credential", given,
        stdin=b"",
    )  # fmt: skip
    assert said in result
    assert accounts(postkit) == []


def test_all_wrong_credentials_are_named_at_once(postkit: Program) -> None:
    given = ["--credential", "a", "--credential", "b=env:NO", "--credential", "c=1"]
    said = postkit.fails(2, "connect", "mastodon", *given, "--credential", "c=2")
    assert len(said.splitlines()) == 3
    assert "--credential c is given twice." in said


def test_without_credentials_and_without_a_terminal(postkit: Program) -> None:
    said = postkit.fails(2, "connect", "mastodon", "--endpoint", endpoint_of(postkit), stdin=b"")
    ways = "each as --credential KEY=VALUE or --no-browser --yes NAME."
    assert said.startswith(f"mastodon needs access_token, {ways}")
    assert "`postkit networks mastodon` tells where to get them" in said


def test_a_set_of_credentials_that_is_not_whole(postkit: Program) -> None:
    given = ("--credential", "client_id=abc", "--credential", "refresh_token=pk_canary_refresh")
    said = postkit.fails(2, "connect", "reddit", *given)
    assert "reddit needs client_id + client_secret" in said
    assert said.endswith("given: client_id, refresh_token.")


def test_a_wrong_token_keeps_nothing(postkit: Program) -> None:
    result = postkit(
        "connect", "mastodon", "--endpoint", endpoint_of(postkit),
        "--credential", "access_token=wrong-token-of-a-test",
    )  # fmt: skip
    assert result.status == 1
    [said] = result.errors
    assert "token" in said
    assert "wrong-token-of-a-test" not in result.err
    assert accounts(postkit) == []


def test_what_is_no_secret_stays_readable(postkit: Program) -> None:
    postkit.connect("bluesky")
    [account] = accounts(postkit)
    assert account["identity"] == "@emulated.test"
    assert "***" not in str(account)


def test_json_tells_the_account(postkit: Program) -> None:
    result = postkit(
        "connect", "mastodon", "--endpoint", endpoint_of(postkit), "--name", "acme",
        "--credential", f"access_token={token_of(postkit)}", "--json",
    )  # fmt: skip
    found = result.json
    assert (found["account"], found["state"], found["warnings"]) == ("mastodon:acme", "ok", [])
    assert found["identity"]["name"] == "@emulated"
    assert token_of(postkit) not in result.out


# Names


def test_an_unknown_network(postkit: Program) -> None:
    said = postkit.fails(2, "connect", "mastadon")
    assert said.startswith("There is no network 'mastadon'. Did you mean 'mastodon'?")


def test_two_accounts_named_alike(mastodon: Program) -> None:
    given = ["--endpoint", endpoint_of(mastodon), "--credential"]
    token = f"access_token={token_of(mastodon)}"
    said = mastodon.fails(2, "connect", "mastodon", *given, token)
    assert "mastodon:mastodon is connected already. Choose another --name" in said
    assert mastodon("connect", "mastodon", *given, token, "--replace").status == 0
    assert mastodon("connect", "mastodon", *given, token, "--name", "second").status == 0
    assert "there are 2 accounts; name one of mastodon:mastodon, mastodon:second" in mastodon.fails(
        2, "publish", "Hi", "--to", "mastodon"
    )
    mastodon.settle('[networks.mastodon]\naccount = "second"\n')
    result = mastodon("publish", "Hi", "--to", "mastodon", "--json")
    assert result.report["deliveries"][0]["account"] == "mastodon:second"


@pytest.mark.parametrize("name", ["a b", "a/b", "", "a:b", "é", "x" * 65, "-a", "a\n"])
def test_a_name_that_no_address_could_hold(postkit: Program, name: str) -> None:
    said = postkit.fails(
        2, "connect", "mastodon", "--endpoint", endpoint_of(postkit), f"--name={name}",
        "--credential", f"access_token={token_of(postkit)}",
    )  # fmt: skip
    assert "an account's name has letters, digits" in said
    assert accounts(postkit) == []


# Endpoints


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A loopback server that does with each connection what ``answer`` does."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for connection in held:
            connection.close()


def answering(head: str, body: bytes = b"") -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.recv(65_536)
        length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(f"HTTP/1.1 {head}\r\n{length}".encode() + body)
        connection.close()

    return answer


def connect_to(program: Program, endpoint: str) -> list[str]:
    result = program(
        "connect", "mastodon", "--endpoint", endpoint, "--credential", "access_token=abcdefgh-1234"
    )
    assert result.status == 0, result.err
    [account] = accounts(program)
    assert account["state"] == "unverified"
    assert account["endpoint"] == endpoint
    assert "abcdefgh-1234" not in result.out + result.err
    return result.out.splitlines()


def test_an_endpoint_that_refuses_is_kept_unverified(postkit: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said, hint = connect_to(postkit, f"http://127.0.0.1:{port}")
    assert said.startswith("Kept mastodon:mastodon, unverified: ")
    assert "connect it again under the same name" in hint
    result = postkit("publish", "Hi", "--to", "mastodon", "--wait", "0")
    assert result.status == 75
    assert "next     postkit finish d_" in result.out


def test_an_endpoint_that_hangs(postkit: Program) -> None:
    postkit.settle("[networks.mastodon]\nread_timeout = 0.2\n")
    with listening(lambda connection: None) as url:
        said, _ = connect_to(postkit, url)
    assert said.startswith("Kept mastodon:mastodon, unverified: ")


def test_an_endpoint_that_redirects_gets_no_second_request(postkit: Program) -> None:
    seen: list[socket.socket] = []
    with (
        listening(seen.append) as elsewhere,
        listening(answering(f"302 Found\r\nLocation: {elsewhere}/api")) as url,
    ):
        said, _ = connect_to(postkit, url)
    assert "redirect" in said.lower()
    assert seen == []


def test_an_endpoint_that_answers_html(postkit: Program) -> None:
    with listening(answering("200 OK\r\nContent-Type: text/html", HTML)) as url:
        said, _ = connect_to(postkit, url)
    assert said.startswith("Kept mastodon:mastodon, unverified: ")
    assert "answered HTTP 200, but not as its API does" in said
    assert "<" not in said
    assert "Expecting value" not in said


def test_what_a_server_says_cannot_steer_the_terminal(postkit: Program) -> None:
    body = json.dumps({"error": "\x1b[2J\x1b]0;owned\x07 no"}).encode()
    with listening(answering("422 Unprocessable\r\nContent-Type: application/json", body)) as url:
        result = postkit(
            "connect", "mastodon", "--endpoint", url, "--credential", "access_token=abcdefgh"
        )
    assert result.errors
    assert "\x1b" not in result.out + result.err
    assert "\x07" not in result.out + result.err


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://example.com", "http would send the token in the clear; use https."),
        ("http://127.0.0.1.example.com", "http would send the token in the clear; use https."),
        ("http://10.0.0.1", "http would send the token in the clear; use https."),
        ("example.com", "'example.com' is no web address; write https://SERVER."),
        ("ftp://example.com", "is no web address; write https://SERVER."),
        ("https://", "is no web address; write https://SERVER."),
        ("https://[::1", "is no web address; write https://SERVER."),
        ("https://example.com:99999", "is no web address; write https://SERVER."),
        ("https://exa mple.com", "is no web address; write https://SERVER."),
        ("https://me:pw@example.com", "takes scheme, host, port and path alone"),
        ("https://example.com/?token=1", "takes scheme, host, port and path alone"),
        ("https://example.com/?", "takes scheme, host, port and path alone"),
        ("https://example.com#", "takes scheme, host, port and path alone"),
        ("https://@example.com", "takes scheme, host, port and path alone"),
        ("https://*.example", "is no web address; write https://SERVER."),
        ("", "is no web address; write https://SERVER."),
    ],
)
def test_an_endpoint_that_cannot_be_one(postkit: Program, endpoint: str, said: str) -> None:
    found = postkit.fails(
        2, "connect", "mastodon", "--endpoint", endpoint, "--credential", "access_token=abcdefgh"
    )
    assert said in found
    assert "me:pw" not in found
    assert accounts(postkit) == []


def test_an_endpoint_in_capitals_is_the_same_server(postkit: Program) -> None:
    port = postkit.server.url.rpartition(":")[2]
    said = postkit(
        "connect", "mastodon", "--endpoint", f"HTTP://LocalHost:0{port}/mastodon",
        "--credential", f"access_token={token_of(postkit)}",
    )  # fmt: skip
    assert said.status == 0, said.err
    [row] = accounts(postkit)
    assert row["endpoint"] == f"http://localhost:{port}/mastodon"
    assert row["state"] == "ok"


def test_a_token_with_a_character_too_many_is_refused(postkit: Program) -> None:
    said = postkit.fails(
        1, "connect", "mastodon", "--endpoint", endpoint_of(postkit),
        "--credential", f"access_token={token_of(postkit)}\u200b",
    )  # fmt: skip
    assert "a character that no request can carry: copy it again" in said
    assert accounts(postkit) == []


def test_a_network_of_many_servers_needs_an_endpoint(postkit: Program) -> None:
    said = postkit.fails(2, "connect", "mastodon", "--credential", "access_token=abcdefgh")
    assert said == "mastodon has many servers; name yours with --endpoint https://SERVER."


def test_a_bundle_of_certificates_that_is_not_there(postkit: Program) -> None:
    said = postkit.fails(
        2, "connect", "mastodon", "--endpoint", "https://127.0.0.1:9", "--ca-bundle", "gone.pem",
        "--credential", "access_token=abcdefgh",
    )  # fmt: skip
    assert "gone.pem" in said
    assert accounts(postkit) == []


# The list


def test_accounts_are_listed_and_removed(mastodon: Program) -> None:
    row = mastodon("accounts").out.rstrip().split("\t")
    assert row[:3] == ["mastodon:mastodon", "@emulated", "-"]
    assert row[4:] == ["no end known", "-", "ok"]
    assert mastodon("accounts", "list").out.rstrip().split("\t") == row
    assert "Did you mean 'mastodon:mastodon'?" in mastodon.fails(
        2, "accounts", "remove", "mastodon:mastodn"
    )
    result = mastodon("accounts", "remove", "mastodon:mastodon")
    assert result.out == "Removed mastodon:mastodon and its secret.\n"
    assert "No account is connected. Next: postkit connect NETWORK" in mastodon("accounts").err
    said = mastodon.fails(2, "publish", "Hi", "--to", "mastodon")
    assert said == "mastodon: no account is connected; run `postkit connect mastodon`."


def test_an_account_with_an_open_post_is_not_removed(mastodon: Program) -> None:
    mastodon.server.add_fault("mastodon", "lose_answer", accepted=False)
    assert mastodon("publish", "Hi", "--to", "mastodon", "--wait", "0").status == 75
    said = mastodon.fails(2, "accounts", "remove", "mastodon:mastodon")
    assert "has posts that are not settled" in said
    assert len(accounts(mastodon)) == 1


def test_access_that_was_withdrawn_is_given_anew(mastodon: Program) -> None:
    mastodon.server.add_fault("mastodon", "expire_token")
    result = mastodon("publish", "Hi", "--to", "mastodon", "--wait", "0", "--json")
    assert result.status == 75
    [delivery] = result.report["deliveries"]
    assert (delivery["state"], delivery["error"]["kind"]) == ("scheduled", "needs_login")
    assert accounts(mastodon)[0]["state"] == "needs_login"
    assert "postkit connect mastodon --name mastodon" in mastodon("show", delivery["id"]).out
    mastodon.connect("mastodon")
    assert accounts(mastodon)[0]["state"] == "ok"
    assert mastodon("finish", delivery["id"]).status == 0
    assert mastodon.texts() == ["Hi"]


def test_an_account_is_not_given_to_another_person(postkit: Program) -> None:
    postkit.connect("mastodon")
    postkit.server.add_fault("mastodon", "expire_token")
    assert postkit("publish", "Hi", "--to", "mastodon", "--wait", "0").status == 75
    who = json.dumps({"id": "77", "acct": "mallory", "url": None}).encode()
    with listening(answering("200 OK\r\nContent-Type: application/json", who)) as url:
        said = postkit.fails(
            2, "connect", "mastodon", "--endpoint", url, "--credential", "access_token=abcdefgh"
        )
    assert said.startswith("mastodon:mastodon was @emulated, and this access is @mallory's.")
    [account] = accounts(postkit)
    assert (account["endpoint"], account["state"]) == (endpoint_of(postkit), "needs_login")


def test_an_unknown_word_after_accounts(postkit: Program) -> None:
    assert "Did you mean 'remove'?" in postkit.fails(2, "accounts", "remov", "x")
