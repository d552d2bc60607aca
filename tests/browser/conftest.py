"""A page of the preview with all that may be on one, and a proxy that nobody should ask."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from postkit.preview.browser import Browser
from postkit.preview.screenshot import find_browser

DEMO = Path(__file__).parents[2] / "postkit" / "demo"
HARD = """\
---
title: "<script>window.ran = 1</script> <img src=x onerror='window.ran = 2'>"
link: https://example.com/launch
content_warning: "Spiders \\u202e and more"
lang: ar
tags: [launch]
media:
  - {file: launch.mp4, alt: "<img src='http://example.com/a.png'>"}
---
مرحبا بالعالم https://example.com/a @admin@example.social #tag

---

averyveryverylongwordaveryveryverylongwordaveryveryverylongwordaveryveryverylongword

![Four people behind a table](team.jpg)
"""
TO = "x,mastodon,bluesky:averyveryverylongnameaveryveryverylongname,reddit/python,facebook"


@dataclass
class Proxy:
    """Listens where a browser would bring its requests, and keeps the first line of each.

    A browser has business of its own (its start page, its clock), so tests look for their hosts.
    """

    server: socket.socket
    asked: list[bytes] = field(default_factory=list)

    @property
    def flags(self) -> tuple[str, ...]:
        """Of a browser that brings all its requests here."""
        # In place of the rule by which it finds nobody, not even this proxy.
        return *self.strict, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

    @property
    def strict(self) -> tuple[str, ...]:
        """The same with the rule by which a browser of postkit finds nobody."""
        host, port = self.server.getsockname()
        # A browser goes around its proxy for what is on the machine.
        return f"--proxy-server={host}:{port}", "--proxy-bypass-list=<-loopback>"

    def of_the_page(self) -> list[bytes]:
        """What was asked of the hosts that the tests' pages name."""
        return [line for line in self.asked if b"example" in line]

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            with client:
                client.settimeout(5)
                self.asked.append(client.recv(4096).partition(b"\r\n")[0])


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = Proxy(server)
        thread = threading.Thread(target=proxy.serve, daemon=True)
        thread.start()
        yield proxy
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@pytest.fixture
def browser(proxy: Proxy) -> Iterator[Browser]:
    with Browser(find_browser(), *proxy.flags) as browser:
        yield browser


@dataclass(frozen=True)
class Folder:
    """A folder of its own with the command line in it."""

    path: Path

    def preview(self, *arguments: str, status: int = 0) -> str:
        """Run it to its end, and return what it told on standard error."""
        done = subprocess.run(
            [sys.executable, "-m", "postkit", "preview", *arguments],
            cwd=self.path,
            env={**os.environ, "POSTKIT_HOME": str(self.path / "home"), "PYTHONWARNINGS": "error"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == status, done
        return done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    for name in ("launch.md", "launch.mp4", "rocket.jpg", "team.jpg"):
        shutil.copy(DEMO / name, tmp_path)
    (tmp_path / "hard.md").write_text(HARD, "utf-8")
    return Folder(tmp_path)


@pytest.fixture
def hard(folder: Folder) -> Path:
    """The page of a post that would do harm, at every network."""
    # Two of the addresses refuse a picture beside a video, and have to be drawn too.
    folder.preview("hard.md", "--to", TO, "--html", "hard.html", "--at", "in 2h", status=1)
    return folder.path / "hard.html"
