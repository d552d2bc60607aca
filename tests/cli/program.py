"""Three lines to test the whole program: a home, an emulator, and `run`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from postkit.cli.main import run
from postkit.emulator.server import EmulatorServer
from postkit.schemas import commands_schema, report_schema
from postkit.testing.canaries import leaks

_LOGIN = re.compile(r"token|[Ss]ession")


@dataclass(frozen=True, slots=True)
class Result:
    """What one run of the program left: exit status and both outputs."""

    status: int
    out: str
    err: str

    def __post_init__(self) -> None:
        # Standard output that a test has read is nowhere else for a later look at it.
        assert not (leaks("standard output", self.out) + leaks("standard error", self.err))

    @property
    def json(self) -> Any:
        """Standard output as exactly one JSON document."""
        return json.loads(self.out)

    @property
    def report(self) -> dict[str, Any]:
        """The same, held against the schema that ships with the wheel."""
        report: dict[str, Any] = self.json
        validator().validate(report)
        return report

    def answer(self, command: str) -> Any:
        """The same for a command whose answer is no report of one publication."""
        answer = self.json
        answer_validator(command).validate(answer)
        return answer

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(report_schema())


@cache
def answer_validator(command: str) -> Draft202012Validator:
    """Of the command's own definition, and so of the schema that names it."""
    report, commands = report_schema(), commands_schema()
    known = Registry().with_resources(
        [(schema["$id"], Resource.from_contents(schema)) for schema in (report, commands)]
    )
    own = {"$ref": f"{commands['$id']}#/$defs/{command}"}
    return Draft202012Validator({"allOf": [own, {"$ref": commands["$id"]}]}, registry=known)


@dataclass
class Program:
    """postkit with a home of its own and an emulator to talk to."""

    home: Path
    server: EmulatorServer
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __call__(self, *arguments: str | Path, stdin: bytes | None = None) -> Result:
        """Run a command in this process."""
        if stdin is not None:
            import io

            self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        self.capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        out, err = self.capsys.readouterr()
        if "--debug" not in arguments:
            assert "Traceback" not in out + err
        return Result(status, out, err)

    def fails(self, status: int, *arguments: str | Path, stdin: bytes | None = None) -> str:
        """Run what must fail with sentences alone and leave nothing at any network."""
        before = self.writes()
        result = self(*arguments, stdin=stdin)
        assert result.status == status, result
        assert result.out == "", result.out
        assert result.errors, result.err
        assert "\x1b" not in result.err
        assert self.writes() == before
        return "\n".join(line.removeprefix("error: ") for line in result.err.splitlines())

    # The real program

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "PYTHONWARNINGS": "error", **more}

    def process(
        self,
        *arguments: str | Path,
        stdin: str | None = None,
        before: Callable[[], None] | None = None,
        timeout: float = 60,
        **variables: str,
    ) -> Result:
        """Run a command in a process of its own, to its end."""
        done = subprocess.run(
            command(arguments),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            env=self.environment(**variables),
            preexec_fn=before,
            timeout=timeout,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command and leave it running."""
        process = subprocess.Popen(
            command(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
        )
        self.started.append(process)
        return process

    def interrupted(
        self, process: subprocess.Popen[str], until: Callable[[], bool], by: signal.Signals
    ) -> Result:
        """Wait until something is so, then send a signal and wait for the end."""
        wait_for(lambda: until() or process.poll() is not None)
        process.send_signal(by)
        out, err = process.communicate(timeout=20)
        return Result(process.returncode, out, err)

    # The networks

    def connect(self, *networks: str, name: str | None = None) -> None:
        """Connect the emulated account of each network, under the network's name."""
        for account in self.server.accounts():
            if account.network not in networks:
                continue
            given = [f"--credential={key}={value}" for key, value in account.credentials.items()]
            more = ["--name", name] if name else []
            endpoint = account.endpoint
            result = self("connect", account.network, "--endpoint", endpoint, *given, *more)
            assert result.status == 0, result.err

    def creates(self, network: str | None = None) -> int:
        """How many requests could have made a post."""
        return sum(entry.create for entry in self.server.requests(network))

    def writes(self) -> int:
        """How many requests could have left anything: uploads, posts, deletions."""
        return sum(
            entry.method not in ("GET", "HEAD") and not _LOGIN.search(entry.path)
            for entry in self.server.requests()
        )

    def texts(self, network: str | None = None) -> list[str]:
        return [post.text for post in self.server.posts(network)]

    def settle(self, text: str) -> None:
        """Write postkit.toml."""
        self.home.mkdir(exist_ok=True)
        (self.home / "postkit.toml").write_text(text, "utf-8")


def command(arguments: Sequence[str | Path]) -> list[str]:
    return [sys.executable, "-m", "postkit", *map(str, arguments)]


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def states(report: Mapping[str, Any]) -> dict[str, str]:
    """The state of each delivery by its network."""
    return {delivery["network"]: delivery["state"] for delivery in report["deliveries"]}
