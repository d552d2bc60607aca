"""`postkit connect` in the browser: led through, answered, pasted, refused."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from postkit.emulator.consent import loopback
from postkit.testing.browser import consented

from .program import Program, command
from .test_connect import account_of, accounts, in_files

LOOPBACK = loopback("x")
ADDRESS = re.compile(r"https?://127\.0\.0\.1:\d+/x/i/oauth2/authorize\?\S+")


def app_of(program: Program) -> list[str]:
    app = account_of(program, "x")["app"]
    return [f"--credential={name}={value}" for name, value in app.items()]


def endpoint_of(program: Program) -> str:
    return f"{program.server.url}/x"


class Terminal:
    """The program at a terminal of its own, as a person sits in front of it."""

    def __init__(self, program: Program, *arguments: str, **variables: str) -> None:
        self._leader, follower = pty.openpty()
        self._process = subprocess.Popen(
            command(arguments),
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=program.environment(TERM="dumb", COLUMNS="400", **variables),
            start_new_session=True,
        )
        os.close(follower)
        self.text = ""

    def until(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        """Read on until it is shown."""
        end = time.monotonic() + seconds
        while (found := re.search(pattern, self.text)) is None:
            assert time.monotonic() < end, self.text
            self._read(0.2)
            assert self._process.poll() is None or re.search(pattern, self.text), self.text
        return found

    def type(self, text: str) -> None:
        os.write(self._leader, text.encode() + b"\n")

    def status(self, seconds: float = 60) -> int:
        end = time.monotonic() + seconds
        while self._process.poll() is None:
            assert time.monotonic() < end, self.text
            self._read(0.1)
        self._read(0.1)
        return self._process.returncode

    def _read(self, seconds: float) -> None:
        if select.select([self._leader], [], [], seconds)[0]:
            try:
                self.text += os.read(self._leader, 65_536).decode().replace("\r\n", "\n")
            except OSError:  # the other end is closed
                time.sleep(0.05)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._leader)


def come_back(url: str, **changed: str) -> requests.Response:
    """Agree on the page, and follow it back to the program."""
    params = {**consented(url), **changed}
    redirect = dict(parse_qsl(urlsplit(url).query))["redirect_uri"]
    return requests.get(f"{redirect}?{urlencode(params)}", timeout=20)


def free_port(program: Program) -> int:
    """A port that the emulated app has registered too."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
    program.server.set("x", "redirect_uri", f"http://127.0.0.1:{port}/x")
    return port


def test_a_person_is_led_through_it(postkit: Program) -> None:
    port = free_port(postkit)
    app = account_of(postkit, "x")["app"]
    terminal = Terminal(
        postkit, "connect", "x", "--name", "shop", "--endpoint", endpoint_of(postkit),
        "--port", str(port), BROWSER="",
    )  # fmt: skip
    try:
        terminal.until("client_id: ?$")
        assert "It needs an app of yours, once:" in terminal.text
        assert f"http://127.0.0.1:{port}/x" in terminal.text
        assert re.search(r"tweet\.write +to publish and delete your posts", terminal.text)
        terminal.type(app["client_id"])
        terminal.until(r"client_secret .*: ?$")
        terminal.type(app["client_secret"])
        url = terminal.until(ADDRESS.pattern)[0]
        terminal.until("Waiting for its answer, 5 minutes")
        forged = come_back(url, state="forged")
        assert forged.status_code == 400
        good = come_back(url)
        assert good.status_code == 200
        assert "Go back to the terminal" in good.text
        terminal.until(r"X says: this is @emulated ")
        terminal.until(r"Is this the right account\?")
        terminal.type("y")
        assert terminal.status() == 0, terminal.text
        assert "Connected x:shop: @emulated" in terminal.text
    finally:
        terminal.close()
    assert "pk_canary" not in terminal.text
    assert in_files(postkit.home, "pk_canary") == []
    assert postkit("publish", "Hi", "--to", "x:shop").status == 0
    # The app is known by now.
    second = Terminal(
        postkit, "connect", "x", "--name", "other", "--endpoint", endpoint_of(postkit),
        "--port", str(port), BROWSER="",
    )  # fmt: skip
    try:
        come_back(second.until(ADDRESS.pattern)[0])
        second.until(r"connected already, as x:shop: a post to both would appear twice")
        second.until(r"Is this the right account\?")
        second.type("n")
        assert second.status() == 1, second.text
        assert "not the account that was meant; nothing was kept" in second.text
    finally:
        second.close()
    assert [row["account"] for row in accounts(postkit)] == ["x:shop"]


def test_the_answer_is_pasted_where_there_is_no_browser(postkit: Program) -> None:
    terminal = Terminal(
        postkit, "connect", "x", "--endpoint", endpoint_of(postkit), "--no-browser",
        *app_of(postkit),
    )  # fmt: skip
    try:
        url = terminal.until(ADDRESS.pattern)[0]
        terminal.until("paste it here")
        terminal.type(f"{LOOPBACK}?{urlencode(consented(url))}")
        terminal.until(r"Is this the right account\?")
        terminal.type("y")
        assert terminal.status() == 0, terminal.text
    finally:
        terminal.close()
    assert [row["state"] for row in accounts(postkit)] == ["ok"]


def started(
    program: Program, *arguments: str, yes: str | None = "@emulated", endpoint: bool = True
) -> subprocess.Popen[str]:
    where = ["--endpoint", endpoint_of(program)] if endpoint else []
    named = ["--yes", yes] if yes is not None else []
    process = subprocess.Popen(
        command(
            ["connect", "x", *where, "--no-browser", *named, *app_of(program), *arguments],
        ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=program.environment(),
    )  # fmt: skip
    program.started.append(process)
    return process


def address_in(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if (found := ADDRESS.search(line)) is not None:
            return found[0]
    raise AssertionError("No address was shown.")


def test_a_script_names_the_account(postkit: Program) -> None:
    process = started(postkit, "--json")
    url = address_in(process)
    out, err = process.communicate(f"{LOOPBACK}?{urlencode(consented(url))}\n", timeout=60)
    assert process.returncode == 0, err
    assert '"account": "x:x"' in out
    assert '"state": "ok"' in out
    assert "pk_canary" not in out + err


def test_new_access_is_for_the_server_where_the_account_is(postkit: Program) -> None:
    """As each remedy says it: without the endpoint."""
    for arguments, endpoint in ((), True), (("--replace",), False):
        process = started(postkit, *arguments, endpoint=endpoint)
        url = address_in(process)
        _, err = process.communicate(f"{LOOPBACK}?{urlencode(consented(url))}\n", timeout=60)
        assert process.returncode == 0, err
        # Asked once, and on a line of its own.
        assert any(line.startswith("X says: this is ") for line in err.splitlines()) is endpoint
    [row] = accounts(postkit)
    assert row["endpoint"] == endpoint_of(postkit)


def test_nobody_was_asked_yet_whose_account_it_is(postkit: Program) -> None:
    given = account_of(postkit, "x")["credentials"]
    kept = postkit(
        "connect", "x", "--endpoint", "http://127.0.0.1:9/x",
        *(f"--credential={name}={value}" for name, value in given.items()),
    )  # fmt: skip
    assert "unverified" in kept.out
    for yes, said in (None, "Nobody can be asked here"), ("@brand", "not the account that was me"):
        process = started(postkit, "--replace", yes=yes)
        url = address_in(process)
        _, err = process.communicate(f"{LOOPBACK}?{urlencode(consented(url))}\n", timeout=60)
        assert said in err
        assert process.returncode in (1, 2)
    assert [row["state"] for row in accounts(postkit)] == ["unverified"]


def test_another_account_than_the_one_that_was_named(postkit: Program) -> None:
    process = started(postkit, yes="@brand")
    url = address_in(process)
    _, err = process.communicate(f"{LOOPBACK}?{urlencode(consented(url))}\n", timeout=60)
    assert process.returncode == 1, err
    assert "@emulated is not the account that was meant" in err
    assert accounts(postkit) == []


@pytest.mark.parametrize(
    "text",
    ["", "hello", "http://127.0.0.1:8712/", "http://127.0.0.1:8712/?a=1", "?code=1&code=2", "%ff=1",
     "code=x"],
)  # fmt: skip
def test_what_is_pasted_may_be_anything(postkit: Program, text: str) -> None:
    process = started(postkit)
    address_in(process)
    _, err = process.communicate(text + "\n", timeout=60)
    assert process.returncode == 2, err
    assert "Traceback" not in err
    assert err.count("error: ") == 1, err
    assert accounts(postkit) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--no-browser",), "Nobody can be asked here whether it is the right account"),
        (("--port", "0", "--yes", "@a"), "--port 0: X compares the redirect's address whole"),
        (("--port", "70000"), "70000 is not in the range"),
        (("--yes", "@a", "--credential", "access_token=abcdefgh"), "take[s]? --credential for cli"),
    ],
)
def test_what_cannot_be_begun(postkit: Program, arguments: tuple[str, ...], said: str) -> None:
    given = ["connect", "x", "--endpoint", endpoint_of(postkit), *arguments]
    if "access_token" not in "".join(arguments):
        given += app_of(postkit)
    assert re.search(said, postkit.fails(2, *given))


def test_an_app_that_is_not_given(postkit: Program) -> None:
    said = postkit.fails(
        2, "connect", "x", "--endpoint", endpoint_of(postkit), "--no-browser", "--yes", "@emulated"
    )
    assert "X needs an app's client_id" in said
    assert LOOPBACK in said


def test_a_network_without_it(postkit: Program) -> None:
    said = postkit.fails(
        2, "connect", "bluesky", "--endpoint", f"{postkit.server.url}/bluesky", "--no-browser",
        "--yes", "x",
    )  # fmt: skip
    assert "Bluesky is not connected in the browser" in said


def test_a_port_that_is_taken(postkit: Program) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = postkit.fails(
            1, "connect", "x", "--endpoint", endpoint_of(postkit), "--port", str(port),
            "--yes", "@emulated", *app_of(postkit),
        )  # fmt: skip
    assert f"Port {port} of 127.0.0.1 cannot be used" in said
    assert "--no-browser" in said


def test_ctrl_c_keeps_nothing(postkit: Program, tmp_path: Path) -> None:
    import signal

    process = started(postkit)
    address_in(process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert accounts(postkit) == []
    assert in_files(tmp_path, "pk_canary") == []
