"""`connect --replace` while a worker runs in a process of its own."""

from __future__ import annotations

import signal

from postkit.emulator.server import EmulatorServer
from postkit.plugins import Plugins

from .program import Program, wait_for
from .test_worker import running


def test_a_running_worker_sends_the_next_post_to_the_new_server(mastodon: Program) -> None:
    process = running(mastodon)
    mastodon("publish", "Old", "--to", "mastodon", "--at", "in 1s")
    wait_for(lambda: mastodon.texts() == ["Old"])
    with EmulatorServer(Plugins().emulators()) as other:
        [given] = [each for each in other.accounts() if each.network == "mastodon"]
        credentials = [f"--credential={name}={value}" for name, value in given.credentials.items()]
        replaced = mastodon(
            "connect", "mastodon", "--replace", "--endpoint", given.endpoint, *credentials
        )
        assert replaced.status == 0, replaced.err
        asked = len(mastodon.server.requests("mastodon"))
        mastodon("publish", "New", "--to", "mastodon", "--at", "in 1s")
        wait_for(lambda: [post.text for post in other.posts("mastodon")] == ["New"])
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert out.count('"live"') >= 2
    assert mastodon.texts() == ["Old"]
    assert len(mastodon.server.requests("mastodon")) == asked, "the old one is asked no more"


def test_new_access_that_is_wrong_leaves_the_worker_the_old_one(mastodon: Program) -> None:
    process = running(mastodon)
    endpoint = next(e.endpoint for e in mastodon.server.accounts() if e.network == "mastodon")
    refused = mastodon(
        "connect", "mastodon", "--replace", "--endpoint", endpoint,
        "--credential=access_token=pk_canary_wrong",
    )  # fmt: skip
    assert refused.status != 0
    mastodon("publish", "Still", "--to", "mastodon", "--at", "in 1s")
    wait_for(lambda: mastodon.texts() == ["Still"])
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert mastodon("accounts", "--json").json["accounts"][0]["state"] == "ok"
