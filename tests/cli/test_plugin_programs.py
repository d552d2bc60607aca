"""Programs and tests that embed postkit name the plugins of others that they trust."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .planted import Planted
from .program import Program


def test_a_program_names_what_it_trusts(postkit: Program, planted: Planted) -> None:
    code = (
        "import postkit, sys\n"
        "from postkit.errors import NotEnabled\n"
        "with postkit.Kit() as kit:\n"
        "    try:\n"
        "        kit.plugins.network('chat')\n"
        "        sys.exit('it was loaded')\n"
        "    except NotEnabled as error:\n"
        "        assert error.distributions == ('quill-chat',), error.distributions\n"
        "assert not [name for name in sys.modules if name.startswith('quill')]\n"
        "with postkit.Kit(enabled=['Quill_Chat']) as kit:\n"
        "    assert kit.plugins.network('chat').name == 'chat'\n"
        "import quill_chat.plugin\n"
        "with postkit.Kit(enabled=[], plugins=[quill_chat.plugin]) as kit:\n"
        "    assert kit.plugins.network('chat').name == 'chat'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=postkit.environment(PYTHONPATH=planted.path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (postkit.home / "plugins.json").exists()


GREEDY = """

class Greedy(Chat):
    name = "mastodon"


@hookimpl
def postkit_networks() -> Iterable[Network[Any]]:
    return [Greedy(), Chat()]
"""


def test_what_is_enabled_gives_no_network_of_another(postkit: Program, planted: Planted) -> None:
    with (planted.site / "quill_chat" / "plugin.py").open("a") as file:
        file.write(GREEDY)
    code = (
        "import postkit\n"
        "with postkit.Kit(enabled=['quill-chat']) as kit:\n"
        "    assert type(kit.plugins.network('chat')).__module__ == 'quill_chat.plugin'\n"
        "    found = type(kit.plugins.network('mastodon')).__module__\n"
        "    assert found == 'postkit_mastodon.plugin', found\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=postkit.environment(PYTHONPATH=planted.path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


USER = """
def test_which(postkit_kit):
    labels = [account.label for account in postkit_kit.accounts]
    assert "mastodon:emulated" in labels
    assert ("chat:emulated" in labels) == {wanted}
"""
OVERRIDE = """
import pytest

@pytest.fixture(scope="session")
def postkit_plugins():
    return ["quill-chat"]
"""


@pytest.mark.parametrize(
    ("named", "override"), [("", False), ("quill-chat", False), ("", True)], ids=repr
)
def test_the_fixtures_load_what_is_named(
    postkit: Program, planted: Planted, tmp_path: Path, named: str, override: bool
) -> None:
    wanted = bool(named) or override
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (tmp_path / "test_it.py").write_text(USER.format(wanted=wanted), "utf-8")
    (tmp_path / "conftest.py").write_text(OVERRIDE if override else "", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py",
         f"--basetemp={tmp_path / 'base'}"],
        cwd=tmp_path,
        env=postkit.environment(PYTHONPATH=planted.path, POSTKIT_PLUGINS=named),
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert bool(planted.ran) == wanted
