"""Connecting in a real Chromium: the consent page, the way back, and what another page can do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from postkit.emulator.server import EmulatorServer
from postkit.kit import Kit
from postkit.plugins import Plugins
from postkit.preview.browser import Browser
from postkit.preview.screenshot import find_browser

KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\S+\?\S*state=\S+")
AGREE = 'document.querySelector("button[value=allow]").click()'
CANCEL = 'document.querySelector("button[value=deny]").click()'


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(Plugins().emulators()) as server:
        yield server


@pytest.fixture
def browser() -> Iterator[Browser]:
    # In place of the rule by which it finds nobody.
    here = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
    with Browser(find_browser(), here) as browser:
        yield browser


class Tab:
    """One page of a browser that goes where it is led."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.ask("Target.attachToTarget", targetId=target, flatten=True)
        self.session = str(attached["sessionId"])
        browser.ask("Page.enable", self.session)

    def go(self, address: str) -> None:
        self._browser.ask("Page.navigate", self.session, url=address)

    def run(self, script: str) -> Any:
        answer = self._browser.ask(
            "Runtime.evaluate", self.session, expression=script, returnByValue=True,
            awaitPromise=True,
        )  # fmt: skip
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, script: str, seconds: float = 30) -> Any:
        end = time.monotonic() + seconds
        while not (found := self.run(script)):
            assert time.monotonic() < end, self.run("document.body.innerText.slice(0, 500)")
            time.sleep(0.05)
        return found


@contextmanager
def connecting(
    server: EmulatorServer, folder: Path, network: str, yes: str
) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """The program, waiting for the browser; the address it shows; its port."""
    [account] = [a for a in server.accounts() if a.network == network]
    port = free_port()
    if "redirect_uri" in server.emulators[network].defaults:
        host = Plugins().network(network).oauth.host  # type: ignore[union-attr]
        server.set(network, "redirect_uri", f"http://{host}:{port}/{network}")
    with subprocess.Popen(
        [
            sys.executable, "-m", "postkit", "connect", network, "--endpoint", account.endpoint,
            "--port", str(port), "--yes", yes,
            *(f"--credential={name}={value}" for name, value in account.app.items()),
        ],
        env={**os.environ, "POSTKIT_HOME": str(folder / "home"), "POSTKIT_KEY": KEY,
             "PYTHONWARNINGS": "error"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            seen = ""
            found = None
            while found is None:
                line = process.stderr.readline()
                assert line, seen
                seen += line
                found = ADDRESS.search(line)
            yield process, found[0], port
        finally:
            process.kill()


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def networks() -> list[str]:
    plugins = Plugins()
    return [name for name in plugins.network_names() if plugins.network(name).oauth is not None]


def name_of(server: EmulatorServer, network: str, folder: Path) -> str:
    """The account that is meant, as the emulated network shows it."""
    [mine] = [account for account in server.accounts() if account.network == network]
    with Kit(home=folder / "other", key=b"k" * 32) as kit:
        account, _ = kit.connect(network, mine.credentials, endpoint=mine.endpoint)
    assert account.identity is not None
    return account.identity.name


@pytest.mark.parametrize("network", networks())
def test_connected_in_a_browser(
    server: EmulatorServer, browser: Browser, tmp_path: Path, network: str
) -> None:
    name = name_of(server, network, tmp_path)
    with connecting(server, tmp_path, network, name) as (process, address, port):
        tab = Tab(browser)
        tab.go(address)
        tab.until('!!document.querySelector("button[value=allow]")')
        assert "wants to act for" in tab.run("document.body.innerText")
        tab.run(AGREE)
        tab.until("document.body?.innerText.includes('Go back to the terminal')")
        assert tab.run("location.port") == str(port)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.startswith(f"Connected {network}:{network}: "), out
    assert "pk_canary" not in out + err


def test_a_person_who_says_no(server: EmulatorServer, browser: Browser, tmp_path: Path) -> None:
    with connecting(server, tmp_path, "x", "@emulated") as (process, address, _):
        tab = Tab(browser)
        tab.go(address)
        tab.until('!!document.querySelector("button[value=deny]")')
        tab.run(CANCEL)
        tab.until("document.body?.innerText.includes('The network gave no access')")
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "X: you or the network declined" in err


@pytest.fixture
def evil() -> Iterator[str]:
    """A page of somebody else on this machine, under another name than postkit's."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<p>evil")

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as host:
        thread = threading.Thread(target=host.serve_forever, args=(0.1,))
        thread.start()
        yield f"http://localhost:{host.server_address[1]}/"
        host.shutdown()
        thread.join(10)


def test_another_page_cannot_answer(
    server: EmulatorServer, browser: Browser, tmp_path: Path, evil: str
) -> None:
    """Scripts, pictures, forms and frames of a page, with everything right but who sends it."""
    with connecting(server, tmp_path, "x", "@emulated") as (process, address, port):
        state = re.search(r"state=([^&\s]+)", address)
        assert state is not None
        target = f"http://127.0.0.1:{port}/x?code=stolen&state={state[1]}"
        blank = Tab(browser)
        blank.go(evil)
        blank.until("!!document.body && document.body.innerText === 'evil'")
        blank.run(f"fetch({target!r}, {{mode: 'no-cors'}}).then(() => 1, () => 1)")
        blank.run(
            f"new Promise(done => {{const i = new Image(); i.onload = i.onerror = () => done(1);"
            f" i.src = {target!r};}})"
        )
        blank.run(
            f"new Promise(done => {{const s = document.createElement('script');"
            f" s.onload = s.onerror = () => done(1); s.src = {target!r};"
            " document.body.append(s);})"
        )
        # None of them was taken for the answer: the program still waits for the real one.
        tab = Tab(browser)
        tab.go(address)
        tab.until('!!document.querySelector("button[value=allow]")')
        tab.run(AGREE)
        tab.until("document.body?.innerText.includes('Go back to the terminal')")
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
