"""What is interrupted is finished: one live post, whatever ended the process."""

from __future__ import annotations

import signal
import time

import pytest

from .program import Program, states

FAULTS = [
    ("slow", {"seconds": 30.0}),
    ("hang", {"accepted": True}),
    ("hang", {"accepted": False}),
]


@pytest.mark.parametrize(("kind", "settings"), FAULTS)
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_a_process_that_ends_while_it_sends(
    mastodon: Program, kind: str, settings: dict[str, float], by: signal.Signals
) -> None:
    mastodon.server.add_fault("mastodon", kind, **settings)
    process = mastodon.start("publish", "One", "--to", "mastodon")
    began = time.monotonic()
    result = mastodon.interrupted(process, lambda: mastodon.creates() == 1, by)
    assert time.monotonic() - began < 15
    assert "Traceback" not in result.err
    if by is signal.SIGINT:
        assert result.status == 130
        assert "Interrupted. `postkit list` shows what was under way" in result.err
    else:
        assert result.status == -signal.SIGKILL
    [[name, _, address, state, _, text]] = [
        line.split("\t") for line in mastodon("list").out.splitlines()
    ]
    assert (address, state, text) == ("mastodon:mastodon", "sending", "One")
    assert name in result.err
    shown = mastodon("show", name)
    assert shown.status == 75
    delivery = mastodon("show", name, "--json").report["deliveries"][0]["id"]
    step = f"Next: `postkit finish {delivery}` goes on, or run `postkit worker`."
    assert shown.out.rstrip().endswith(step)
    done = mastodon("finish", name, "--json")
    assert done.status == 0, done
    assert states(done.report) == {"mastodon": "live"}
    assert mastodon.texts() == ["One"]


def test_a_process_that_ends_between_the_parts_of_a_thread(mastodon: Program) -> None:
    mastodon.server.add_fault("mastodon", "hang", accepted=False, skip=1)
    process = mastodon.start("publish", "Some words. " * 70, "--to", "mastodon")
    mastodon.interrupted(process, lambda: mastodon.creates() == 2, signal.SIGKILL)
    [name] = {line.split("\t")[0] for line in mastodon("list").out.splitlines()}
    done = mastodon("finish", name, "--json")
    assert done.status == 0, done
    first, second = mastodon.server.posts("mastodon")
    assert second.parent == first.id
    assert first.text.startswith("Some words.")


def test_what_was_accepted_and_never_begun_is_not_finished(
    mastodon: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    from postkit.kit import Kit

    def interrupted(_self: Kit, *_arguments: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Kit, "finish", interrupted)
        assert mastodon("publish", "One", "--to", "mastodon").status == 130
    [name] = [line.split("\t")[0] for line in mastodon("list").out.splitlines()]
    shown = mastodon("show", name, "--json")
    assert shown.status == 75
    assert states(shown.report) == {"mastodon": "scheduled"}
    assert mastodon("finish", name).status == 0
    assert mastodon.texts() == ["One"]
