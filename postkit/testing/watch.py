"""A pytest plugin: a session fails that leaves a secret of an emulator anywhere.

``pytest -p postkit.testing.watch``, or ``pytest_plugins = ["postkit.testing.watch"]`` in the
outermost ``conftest.py``. While tests run, the temporary folder of the session is also that of
their programs; at the end everything below it is searched, and so are the names of the tests, what
they printed and logged, what their child programs printed, and the JUnit report. Only files that a
test hands to the fixture ``planted_secret`` may hold a secret. Works with pytest-xdist.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from .canaries import leaks, leaks_in_file

NAME = "postkit-watch"


@pytest.fixture(scope="session")
def planted_secret(request: pytest.FixtureRequest) -> Callable[[Path], Path]:
    """Says that this file or folder holds a secret on purpose, and returns it."""
    watch = request.config.pluginmanager.get_plugin(NAME)
    assert isinstance(watch, Watch), "it is registered when pytest is configured"
    return watch.plant


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.has_plugin(NAME):
        config.pluginmanager.register(Watch(config), NAME)


class Watch:
    """Of one process. With pytest-xdist the workers only tell what they saw, with each report."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.is_worker = hasattr(config, "workerinput")
        self.tests: dict[str, str] = {}
        self.planted: set[str] = set()
        self.found: list[str] = []
        self.searched = 0
        self._heard: list[str] = []
        self._scope = contextlib.ExitStack()

    def pytest_sessionstart(self) -> None:
        folder = self._folder() / "tmp"
        folder.mkdir(exist_ok=True)
        self._scope.enter_context(_temporary(folder))
        self._scope.enter_context(_listening(self._heard))

    def plant(self, path: Path) -> Path:
        self.planted.add(str(path.resolve()))
        return path

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.when == "teardown":
            own = getattr(item, "funcargs", {}).get("tmp_path")
            seen: Any = {
                "folder": str(own.resolve()) if isinstance(own, Path) else None,
                "planted": sorted(self.planted),
                "heard": [f"{item.nodeid}: {each}" for each in self._heard],
            }
            self._heard.clear()
            # Attributes of a report travel from a worker with it.
            report.__dict__["canaries"] = seen
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self.is_worker:
            return
        seen = report.__dict__.get("canaries")
        if seen:
            self.tests |= {seen["folder"]: report.nodeid} if seen["folder"] else {}
            self.planted |= set(seen["planted"])
            self.found += seen["heard"]
        self.found += leaks("the name of a test", report.nodeid)
        for title, text in (*report.sections, ("failure", report.longreprtext)):
            self.found += leaks(f"{report.nodeid}: {title}", text)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._scope.close()
        if self.is_worker:
            return
        self.found += self._heard
        for path in sorted(self._files()):
            self.searched += 1
            found = leaks("the name of the file", str(path))
            with contextlib.suppress(OSError):  # a file of a program that has not ended yet
                found += leaks_in_file(path)
            self.found += [f"{each} ({self._test_of(path)})" for each in found]
        if self.found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        found = list(dict.fromkeys(self.found))
        if found:
            terminalreporter.section("secrets came out", red=True)
        for each in found:
            terminalreporter.write_line(each)
        terminalreporter.write_line(f"canaries: {self.searched} files searched, {len(found)} hits")

    def _folder(self) -> Path:
        factory: pytest.TempPathFactory = self.config._tmp_path_factory  # type: ignore[attr-defined]
        return factory.getbasetemp()

    def _files(self) -> Iterator[Path]:
        for folder, folders, names in os.walk(self._folder()):
            # What pip installed is a program, and no output: its code knows the word.
            if "pyvenv.cfg" in names or folder in self.planted:
                folders.clear()
                continue
            for name in names:
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink() and str(path) not in self.planted:
                    yield path
        report = getattr(self.config.option, "xmlpath", None)
        if report and Path(report).is_file():
            yield Path(report)

    def _test_of(self, path: Path) -> str:
        for folder in path.parents:
            if str(folder) in self.tests:
                return self.tests[str(folder)]
        return "of no single test"


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[None]:
    """What asks for a temporary folder, here or in a child, gets one in `folder`."""
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        if variable is None:
            os.environ.pop("TMPDIR", None)
        else:
            os.environ["TMPDIR"] = variable


@contextlib.contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    """Looks at what child programs print into pipes that are read to their end."""
    communicate = subprocess.Popen.communicate

    def watched(process: subprocess.Popen[Any], *given: Any, **named: Any) -> tuple[Any, Any]:
        outputs: tuple[Any, Any] = communicate(process, *given, **named)
        for title, text in zip(("standard output", "standard error"), outputs, strict=True):
            heard.extend(leaks(f"{title} of a child program", text or ""))
        return outputs

    subprocess.Popen.communicate = watched  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        subprocess.Popen.communicate = communicate  # type: ignore[method-assign]
