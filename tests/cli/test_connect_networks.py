"""`postkit connect` in the browser, for each network that has it, as a script does it."""

from __future__ import annotations

import json
import subprocess
from urllib.parse import urlsplit

import pytest

from postkit.testing.browser import consented

from .program import Program, command
from .test_connect import account_of, accounts

NETWORKS = ("x", "reddit", "mastodon", "facebook")


def started(program: Program, network: str, yes: str, *arguments: str) -> subprocess.Popen[str]:
    account = account_of(program, network)
    app = [f"--credential={name}={value}" for name, value in account["app"].items()]
    process = subprocess.Popen(
        command(
            [
                "connect", network, "--endpoint", str(account["endpoint"]), "--no-browser",
                "--yes", yes, "--json", *app, *arguments,
            ]
        ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=program.environment(),
    )  # fmt: skip
    program.started.append(process)
    return process


def answered(process: subprocess.Popen[str], *, agree: bool = True) -> tuple[int, str, str]:
    """Exit status and both outputs, after the shown address was opened and answered."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if line.startswith("http://127.0.0.1:"):
            break
    query = "&".join(
        f"{name}={value}" for name, value in consented(line.strip(), agree=agree).items()
    )
    out, err = process.communicate(f"http://127.0.0.1:8712/any?{query}\n", timeout=60)
    return process.returncode, out, "".join(seen) + err


@pytest.mark.parametrize(
    ("network", "yes", "who"),
    [
        ("x", "@emulated", "@emulated"),
        ("reddit", "u/postkit_emulated", "u/postkit_emulated"),
        ("mastodon", "emulated", "@emulated"),
        ("facebook", "Emulated Page", "Emulated Page"),
        ("facebook", "104857600000002", "Emulated Shop"),
    ],
)
def test_connected_by_the_name_of_the_account(
    postkit: Program, network: str, yes: str, who: str
) -> None:
    status, out, err = answered(started(postkit, network, yes))
    assert status == 0, err
    assert json.loads(out)["identity"]["name"] == who
    assert "pk_canary" not in out + err
    assert "***" not in err, "What is no secret is hidden."
    result = postkit("accounts", "remove", f"{network}:{network}", "--json")
    warnings = result.json["warnings"]
    # A Page's access is ended by hand; all others end here.
    assert bool(warnings) == (network == "facebook"), warnings
    assert accounts(postkit) == []


@pytest.mark.parametrize("network", NETWORKS)
def test_a_person_who_says_no(postkit: Program, network: str) -> None:
    status, _, err = answered(started(postkit, network, "whoever"), agree=False)
    assert status == 1
    assert "you or the network declined" in err
    assert accounts(postkit) == []


def test_a_page_that_is_none_of_theirs(postkit: Program) -> None:
    status, _, err = answered(started(postkit, "facebook", "Emulated Archive"))
    assert status == 2
    assert "Emulated Page (104857600000001), Emulated Shop (104857600000002)" in err
    assert "Name it with --yes NAME." in err
    assert accounts(postkit) == []


def test_an_app_without_a_secret_is_none_where_nothing_else_protects_the_code(
    postkit: Program,
) -> None:
    said = postkit.fails(
        2, "connect", "reddit", "--endpoint", f"{postkit.server.url}/reddit",
        "--no-browser", "--yes", "u/postkit_emulated", "--credential", "client_id=abc",
    )  # fmt: skip
    assert "Reddit needs an app's client_secret" in said
    assert "An installed app will not do" in said


@pytest.mark.parametrize("network", NETWORKS)
def test_networks_tells_what_to_register(postkit: Program, network: str) -> None:
    shown = postkit("networks", network)
    assert "in the browser" in shown.out
    terms = postkit("networks", network, "--json").json["oauth"]
    host = urlsplit(terms["redirect"]).hostname
    assert host == ("localhost" if network == "facebook" else "127.0.0.1")
    assert (terms["redirect"] in terms["register"]) == (network != "mastodon")
    assert terms["app"] == ([] if network == "mastodon" else ["client_id", "client_secret"])
    assert all(scope["why"] for scope in terms["scopes"])


def test_a_network_that_is_not_connected_in_the_browser(postkit: Program) -> None:
    assert "in the browser" not in postkit("networks", "bluesky").out
    assert postkit("networks", "bluesky", "--json").json["oauth"] is None
