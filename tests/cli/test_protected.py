"""A protected account: what is done with it is confirmed by its name, by every command."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable, Iterator

import pytest

from postkit.accounts.confirm import NotConfirmed
from postkit.kit import Kit

from .program import Program, command

ACME = "mastodon:acme"
FLAG = f"--yes {ACME}"


@pytest.fixture
def brand(postkit: Program) -> Program:
    """A protected account beside a personal one."""
    postkit.connect("mastodon", name="acme")
    postkit.connect("mastodon", name="me")
    assert postkit("accounts", "protect", ACME).status == 0
    return postkit


def sent(program: Program, *more: str) -> str:
    """Publish to the protected account; the delivery's id."""
    result = program("publish", "Hi", "--to", ACME, "--json", "--yes", ACME, *more)
    assert result.status == 0, result.err
    name: str = result.report["deliveries"][0]["id"]
    return name


def test_a_post_needs_its_name(brand: Program) -> None:
    said = brand.fails(2, "publish", "Hi", "--to", ACME)
    assert said.startswith(f"{ACME} is protected, so it is confirmed by its name: {FLAG} (")
    assert FLAG in brand.fails(2, "publish", "Hi", "--to", ACME, "--yes"), "a bare --yes names none"
    assert "nothing of this goes there. Did you mean 'mastodon:acme'?" in brand.fails(
        2, "publish", "Hi", "--to", ACME, "--yes", "mastodon:acm"
    )
    assert brand("publish", "Hi", "--to", ACME, "--yes", ACME).status == 0
    assert brand("publish", "Ho", "--to", ACME, f"--yes={ACME}").status == 0
    assert brand.texts() == ["Hi", "Ho"]


def test_the_flag_may_stand_before_the_post(brand: Program) -> None:
    assert brand("publish", "--yes", "Hi: there", "--to", "mastodon:me").status == 0
    assert brand("publish", "--yes", ACME, "Ho", "--to", ACME).status == 0
    assert brand("publish", "--to", "mastodon:me", "--yes", "--", ACME).status == 0
    assert brand.texts() == ["Hi: there", "Ho", ACME]


def test_a_personal_and_a_protected_account_share_no_post_by_accident(brand: Program) -> None:
    said = brand.fails(2, "publish", "Hi", "--to", f"{ACME},mastodon:me")
    assert "It goes to mastodon:me as well." in said
    assert brand.creates() == 0
    done = brand("publish", "Hi", "--to", f"{ACME},mastodon:me", "--yes", ACME)
    assert done.status == 0


def test_a_protected_account_is_no_default(brand: Program) -> None:
    assert "never a default" in brand.fails(2, "accounts", "default", ACME)
    brand("accounts", "remove", "mastodon:me")
    said = brand.fails(2, "publish", "Hi", "--to", "mastodon", "--yes", ACME)
    assert said == (
        "mastodon: mastodon:acme is protected, and so never a default; name it whole: "
        "mastodon:acme."
    )
    brand.settle('[networks.mastodon]\naccount = "acme"\n')
    brand.fails(2, "publish", "Hi", "--to", "mastodon", "--yes", ACME)
    assert brand("publish", "Hi", "--to", ACME, "--yes", ACME).status == 0


def test_to_protect_the_default_ends_that_it_is_one(postkit: Program) -> None:
    postkit.connect("mastodon", name="acme")
    postkit("accounts", "default", ACME)
    postkit.settle('[networks.mastodon]\naccount = "acme"\n')
    result = postkit("accounts", "protect", ACME)
    assert "postkit.toml:2" in result.err
    [row] = postkit("accounts", "--json").json["accounts"]
    assert (row["protected"], row["default"]) == (True, False)


def test_protection_is_ended_by_its_name(brand: Program) -> None:
    assert FLAG in brand.fails(2, "accounts", "unprotect", ACME)
    assert brand("accounts", "unprotect", ACME, "--yes", ACME).status == 0
    assert brand("publish", "Hi", "--to", ACME).status == 0


def scheduled(program: Program) -> str:
    return sent(program, "--at", "in 2h")


def held(program: Program) -> str:
    program("pause", ACME)
    name = sent(program, "--at", "in 1s")
    assert program("worker", "--drain", "--wait", "5").status == 4
    program("unpause", ACME)
    return name


def failed(program: Program) -> str:
    program.server.set("mastodon", "max_characters", 1)
    result = program("publish", "Hi", "--to", ACME, "--json", "--yes", ACME)
    program.server.set("mastodon", "max_characters", 500)
    name: str = result.report["deliveries"][0]["id"]
    return name


@pytest.mark.parametrize(
    ("before", "given"),
    [
        (scheduled, ["publish", "Ho", "--to", ACME, "--at", "in 3h"]),
        (scheduled, ["edit", "ID", "--text", "Ho"]),
        (scheduled, ["reschedule", "ID", "--at", "in 3h"]),
        (held, ["release", "ID"]),
        (failed, ["finish", "ID", "--retry"]),
        (sent, ["delete", "ID"]),
    ],
    ids=["schedule", "edit", "reschedule", "release", "retry", "delete"],
)
def test_each_command_needs_its_name(
    brand: Program, before: Callable[[Program], str], given: list[str]
) -> None:
    name = before(brand)
    words = [name if word == "ID" else word for word in given]
    assert FLAG in brand.fails(2, *words)
    done = brand(*words, "--yes", ACME)
    assert done.status in (0, 75), done.err
    assert "error" not in done.err


def test_what_a_pause_has_held_is_not_sent_without_its_name(brand: Program) -> None:
    brand("pause", "mastodon")
    name = sent(brand, "--at", "in 1s")
    schedule_to_me(brand)
    assert brand("worker", "--drain", "--wait", "5").status == 4
    assert FLAG in brand.fails(2, "unpause", "mastodon", "--send")
    assert brand("pause", "--list").out, "it was not ended"
    assert brand("unpause", "mastodon", "--send", "--yes", ACME).status == 0
    assert brand("worker", "--drain").status == 0
    assert sorted(brand.texts()) == ["Hi", "Mine"]
    assert brand("show", name, "--json").report["deliveries"][0]["state"] == "live"


def schedule_to_me(program: Program) -> None:
    assert program("publish", "Mine", "--to", "mastodon:me", "--at", "in 1s").status == 0


def test_what_needs_no_name(brand: Program) -> None:
    """To stop, and to go on with what was confirmed."""
    name = scheduled(brand)
    assert brand("pause", ACME).status == 0
    assert brand("unpause", ACME).status == 0
    assert brand("cancel", name).status == 0
    brand.server.add_fault("mastodon", "lose_answer")
    lost = brand("publish", "Ho", "--to", ACME, "--wait", "0", "--json", "--yes", ACME).report
    assert brand("finish", lost["publication"]).status == 0
    assert brand("worker", "--drain").status == 0


def test_the_same_for_programs(brand: Program) -> None:
    with Kit() as kit:
        with pytest.raises(NotConfirmed, match=r'confirmed=\["mastodon:acme"\]'):
            kit.publish("Hi", [ACME])
        plan = kit.plan("Hi", [ACME])
        with pytest.raises(NotConfirmed):
            kit.accept(plan)
        with pytest.raises(NotConfirmed):
            kit.schedule("Hi", [ACME], at="in 2h")
        assert kit.publish("Hi", [ACME], confirmed=ACME).deliveries[0].state == "live"


def test_protected_after_the_plan_was_made(brand: Program) -> None:
    with Kit() as kit:
        plan = kit.plan("Hi", ["mastodon:me"])
        kit.protect_account("mastodon:me")
        with pytest.raises(NotConfirmed):
            kit.accept(plan)


def typing(program: Program, words: str, *arguments: str) -> Iterator[str]:
    main, side = pty.openpty()
    process = subprocess.Popen(
        command(arguments), stdin=side, stdout=side, stderr=side, close_fds=True,
        env=program.environment(TERM="dumb"),
    )  # fmt: skip
    os.close(side)
    os.write(main, words.encode())
    try:
        while data := os.read(main, 65_536):
            yield data.decode()
    except OSError:
        pass
    finally:
        os.close(main)
        process.wait(timeout=20)
        yield f"\nstatus {process.returncode}"


def test_on_a_terminal_the_name_is_typed(brand: Program) -> None:
    shown = "".join(typing(brand, f"{ACME}\n", "publish", "Hi", "--to", ACME))
    assert "part 1 of 1" in shown, "the plan is shown"
    assert f"{ACME} (@emulated) is protected." in shown
    assert shown.endswith("status 0")
    assert brand.texts() == ["Hi"]
    for answer in ("y\n", "mastodon:me\n", "\n"):
        shown = "".join(typing(brand, answer, "publish", "Ho", "--to", ACME))
        assert "That is not its name; nothing was done." in shown
        assert shown.endswith("status 1")
    assert brand.texts() == ["Hi"]


def test_a_rehearsal_has_accounts_of_its_own(brand: Program) -> None:
    assert brand("publish", "Hi", "--to", ACME, "--emulate").status == 0
