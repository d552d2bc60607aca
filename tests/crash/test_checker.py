"""The checker itself: each kind of violation in a made-up history, and none in a true one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from postkit.deliver.states import TRANSITIONS

from .checker import Findings, check
from .facts import Accepted, Create, Facts, Line, PartFact, hash_of, read
from .killing import staged

Story = list[tuple[str, str, str | None, str]]
"""(part, event, state before, state after)"""
ACCOUNT = "a_1"


def story(part: str, *events: str, state: str = "SCHEDULED") -> Story:
    """What the table of states makes of these events."""
    found: Story = []
    for event in events:
        after = next(
            to for (before, name), to in TRANSITIONS.items() if (before, name) == (state, event)
        )
        found.append((part, event, state, after))
        state = after
    return found


def lines_of(told: Story, *, writers: Iterable[tuple[str, int]] = ()) -> list[Line]:
    """A history with a true chain; line n is of time 10 n. ``writers``: (process, fence) each."""
    by, lines, previous = list(writers), [], ""
    for number, (part, event, before, after) in enumerate(told, 1):
        raw: dict[str, Any] = {
            "id": number,
            "tenant": "",
            "account_id": ACCOUNT,
            "delivery_id": part.partition(".")[0],
            "part_id": part,
            "at": number * 10,
            "event": event,
            "before": before,
            "after": after,
            "attempt": 1,
            "reason": "A reason.",
            "previous": previous,
        }
        previous = hash_of(raw)
        line = Line({**raw, "hash": previous})
        if by:
            writer, fence = by[number - 1]
            line = replace(line, writer=writer, fences=(fence, 0))
        lines.append(line)
    return lines


def part_of(name: str = "d_1.1", state: str = "LIVE", **more: Any) -> PartFact:
    delivery, _, position = name.partition(".")
    given: dict[str, Any] = {"text": f"Text of {name}", **more}
    if state == "LIVE":
        given.setdefault("remote_id", f"remote {name}")
    return PartFact(name, delivery, ACCOUNT, int(position), state, **given)


def post_of(name: str = "d_1.1", at: int = 25, **more: Any) -> Accepted:
    given: dict[str, Any] = {
        "network": "net",
        "account": ACCOUNT,
        "text": f"Text of {name}",
        "parent": None,
        "remote_id": f"remote {name}",
        "at": at,
        **more,
    }
    return Accepted(**given)


SENT = ("claim", "send", "accepted")
ONE = lines_of(story("d_1.1", *SENT))


def verdict(
    parts: list[PartFact], lines: list[Line], posts: list[Accepted], **more: Any
) -> Findings:
    creates = [Create(post.account, post.at) for post in posts]
    return check(Facts(parts, lines, posts, creates), **more)


def only(found: Findings, kind: str, text: str = "") -> None:
    assert found.kinds() == {kind}, found.violations
    assert any(text in str(violation) for violation in found.violations), found.violations


# What is as it should be


def test_one_part_live_once() -> None:
    found = verdict([part_of()], ONE, [post_of()])
    assert found.violations == []
    (one,) = found.verdicts
    assert (one.part, one.state, one.accepted) == ("d_1.1", "LIVE", ("remote d_1.1",))
    assert one.explanation == "LIVE as remote d_1.1."


def test_a_thread_in_order() -> None:
    lines = lines_of([*story("d_1.1", *SENT), *story("d_1.2", *SENT)])
    posts = [post_of(), post_of("d_1.2", 55, parent="remote d_1.1")]
    assert verdict([part_of(), part_of("d_1.2")], lines, posts).violations == []


@pytest.mark.parametrize(
    ("events", "state"),
    [
        (("claim", "refuse"), "FAILED"),
        (("claim", "send", "rejected"), "FAILED"),
        (("cancel",), "CANCELLED"),
    ],
)
def test_what_was_never_accepted(events: tuple[str, ...], state: str) -> None:
    creates = [Create(ACCOUNT, 25)] if "send" in events else []
    facts = Facts([part_of(state=state)], lines_of(story("d_1.1", *events)), [], creates)
    found = check(facts)
    assert found.violations == []
    assert found.verdicts[0].explanation == f"{state} by {events[-1]}; nothing is live."


def test_a_person_gave_up_what_may_be_live() -> None:
    lines = lines_of(story("d_1.1", "claim", "send", "doubt", "ask", "give_up"))
    found = verdict([part_of(state="FAILED")], lines, [post_of()])
    assert found.violations == []
    assert "gave it up" in found.verdicts[0].explanation


def test_a_question_that_is_open() -> None:
    lines = lines_of(story("d_1.1", "claim", "send", "doubt", "ask"))
    found = verdict([part_of(state="UNCERTAIN", asked=True)], lines, [post_of()], may_ask={"d_1.1"})
    assert found.violations == []
    assert found.verdicts[0].accepted == ("remote d_1.1",)


def test_what_waits_for_later_is_not_lost() -> None:
    later = part_of(state="SCHEDULED", waits_until=1000)
    assert verdict([later], [], [], now=999).violations == []
    assert verdict([later], [], [], now=1000).kinds() == {"lost"}


def test_the_same_text_in_two_deliveries() -> None:
    """Each post goes to its own part: by its id, its key, or the time of its request."""
    told = [*story("d_1.1", *SENT), *story("d_2.1", *SENT)]
    parts = [part_of(text="Same", key="k1"), part_of("d_2.1", text="Same", key="k2")]
    posts = [
        post_of("d_1.1", 25, text="Same", remote_id="remote d_1.1"),
        post_of("d_2.1", 55, text="Same", remote_id="remote d_2.1"),
    ]
    assert verdict(parts, lines_of(told), posts).violations == []
    nameless = [replace(part, remote_id=None) for part in parts]
    assert verdict(nameless, lines_of(told), posts).violations == []
    found = verdict(nameless, lines_of(told), [replace(posts[1], key="k1"), posts[0]])
    assert {v.part: v.accepted for v in found.verdicts}["d_1.1"][0] == "remote d_2.1"


# Each violation


def test_duplicate() -> None:
    lines = lines_of(story("d_1.1", "claim", "send", "doubt", "absent", *SENT))
    posts = [post_of(at=25, remote_id="first"), post_of(at=75)]
    only(verdict([part_of()], lines, posts), "duplicate", "Accepted 2 times")


def test_duplicate_among_deliveries_of_the_same_text() -> None:
    """The third post belongs to the part that sent twice, and the other one stays clean."""
    told = [
        *story("d_1.1", *SENT),
        *story("d_2.1", "claim", "send", "doubt", "absent", *SENT),
    ]
    parts = [part_of(text="Same"), part_of("d_2.1", text="Same")]
    posts = [
        post_of("d_1.1", 25, text="Same"),
        post_of("d_2.1", 55, text="Same", remote_id="stray"),
        post_of("d_2.1", 95, text="Same"),
    ]
    found = verdict(parts, lines_of(told), posts)
    only(found, "duplicate")
    assert {violation.about for violation in found.violations} == {"d_2.1"}


def test_phantom() -> None:
    facts = Facts([part_of()], ONE, [], [Create(ACCOUNT, 25)])
    only(check(facts), "phantom", "nothing was accepted")


def test_phantom_with_a_wrong_id() -> None:
    only(verdict([part_of(remote_id="another")], ONE, [post_of()]), "phantom", "LIVE as another")


def test_phantom_with_the_post_of_another_text() -> None:
    told = [*story("d_1.1", *SENT), *story("d_2.1", *SENT)]
    parts = [part_of(remote_id="two"), part_of("d_2.1", remote_id="one")]
    posts = [post_of("d_1.1", 25, remote_id="one"), post_of("d_2.1", 55, remote_id="two")]
    found = verdict(parts, lines_of(told), posts)
    only(found, "phantom")
    assert len(found.violations) == 2


@pytest.mark.parametrize(
    ("events", "state"),
    [
        (("claim", "send", "rejected"), "FAILED"),
        (("claim", "send", "unsent", "cancel"), "CANCELLED"),
        (("claim", "send", "unsent", "hold"), "HELD"),
        (("claim", "send", "unsent", "miss"), "MISSED"),
    ],
)
def test_live_but_recorded_as_gone(events: tuple[str, ...], state: str) -> None:
    part = part_of(state=state, held_reason="pause" if state == "HELD" else None)
    found = verdict([part], lines_of(story("d_1.1", *events)), [post_of()])
    only(found, "recorded_failed", "live as remote d_1.1")


@pytest.mark.parametrize("events", [(), ("claim",), ("claim", "send"), ("claim", "send", "doubt")])
def test_lost(events: tuple[str, ...]) -> None:
    told = story("d_1.1", *events)
    state = told[-1][3] if told else "SCHEDULED"
    facts = Facts([part_of(state=state)], lines_of(told))
    only(check(facts), "lost", "nobody was asked")


def test_lost_without_a_question() -> None:
    lines = lines_of(story("d_1.1", "claim", "send", "doubt", "ask"))
    only(verdict([part_of(state="UNCERTAIN")], lines, []), "lost", "without a question")


def test_held_for_nothing() -> None:
    told = [*story("d_1.1", *SENT), *story("d_1.2", "hold")]
    held = part_of("d_1.2", "HELD", held_reason="earlier_part")
    only(verdict([part_of(), held], lines_of(told), [post_of()]), "lost", "all of them are live")


def test_question_of_a_class_that_needs_none() -> None:
    lines = lines_of(story("d_1.1", "claim", "send", "doubt", "ask", "is_live"))
    found = verdict([part_of()], lines, [post_of()], may_ask=frozenset())
    only(found, "question")


def test_a_line_was_changed() -> None:
    lines = [replace(ONE[0], raw={**ONE[0].raw, "reason": "Another one."}), *ONE[1:]]
    only(verdict([part_of()], lines, [post_of()]), "chain", "line 1")


def test_a_line_was_taken_out() -> None:
    told = story("d_1.1", "claim", "prepared", "send", "accepted")
    lines = lines_of(told)
    del lines[1]
    only(verdict([part_of()], lines, [post_of(at=35)]), "chain", "does not follow")


def test_the_last_line_is_missing() -> None:
    only(verdict([part_of()], ONE[:2], [post_of()]), "chain", "ends with SENDING")


def test_a_change_that_the_table_does_not_have() -> None:
    told: Story = [*story("d_1.1", "claim"), ("d_1.1", "accepted", "CLAIMED", "LIVE")]
    facts = Facts([part_of()], lines_of(told), [post_of()])
    assert "transition" in check(facts).kinds()


def test_a_change_from_a_state_that_it_was_not_in() -> None:
    told: Story = [
        *story("d_1.1", "claim", "send", "doubt"),
        ("d_1.1", "accepted", "SENDING", "LIVE"),
    ]
    only(verdict([part_of()], lines_of(told), [post_of()]), "transition", "but it was IN_DOUBT")


def test_a_request_before_any_sending() -> None:
    only(verdict([part_of()], ONE, [post_of(at=15)]), "unannounced")


def test_a_second_request_after_one_sending() -> None:
    """Seen even where the second one made no post."""
    facts = Facts([part_of()], ONE, [post_of()], [Create(ACCOUNT, 25), Create(ACCOUNT, 26)])
    only(check(facts), "unannounced", "Request 2")


def test_a_part_before_its_predecessor() -> None:
    told = [*story("d_1.1", "claim", "send"), *story("d_1.2", *SENT)]
    told += story("d_1.1", "accepted", state="SENDING")
    posts = [post_of(at=21), post_of("d_1.2", 45, parent="remote d_1.1")]
    found = verdict([part_of(), part_of("d_1.2")], lines_of(told), posts)
    only(found, "order", "before d_1.1 was live")


@pytest.mark.parametrize("parent", [None, "remote d_9.1"])
def test_a_wrong_parent(parent: str | None) -> None:
    lines = lines_of([*story("d_1.1", *SENT), *story("d_1.2", *SENT)])
    posts = [post_of(), post_of("d_1.2", 55, parent=parent)]
    only(verdict([part_of(), part_of("d_1.2")], lines, posts), "order", "answers")


TAKEN_OVER = story("d_1.1", "claim", "prepared", "release", "claim", "prepared", "send", "accepted")


def test_a_take_over_is_no_violation() -> None:
    writers = [("1", 1), ("1", 1), ("2", 2), ("2", 3), ("2", 3), ("2", 3), ("2", 3)]
    lines = lines_of(TAKEN_OVER, writers=writers)
    assert verdict([part_of()], lines, [post_of(at=65)]).violations == []


def test_a_write_by_a_fenced_owner() -> None:
    writers = [("1", 1), ("1", 1), ("2", 2), ("2", 3), ("1", 3), ("2", 3), ("2", 3)]
    lines = lines_of(TAKEN_OVER, writers=writers)
    found = verdict([part_of()], lines, [post_of(at=65)])
    only(found, "fenced", "prepared was written by 1; 2 held it")


def test_a_fence_that_goes_back() -> None:
    writers = [("1", 1), ("1", 1), ("2", 2), ("2", 3), ("1", 1), ("1", 1), ("1", 1)]
    lines = lines_of(TAKEN_OVER, writers=writers)
    only(verdict([part_of()], lines, [post_of(at=65)]), "fenced", "took the fence back")


def test_a_late_answer_is_no_fenced_write() -> None:
    told = story("d_1.1", "claim", "send", "doubt", "ask", "found")
    writers = [("1", 1), ("1", 1), ("2", 2), ("2", 2), ("1", 2)]
    assert verdict([part_of()], lines_of(told, writers=writers), [post_of()]).violations == []


def test_a_post_that_nobody_wrote() -> None:
    stray = post_of("d_9.1", 25)
    facts = Facts([part_of()], ONE, [post_of(), stray], [Create(ACCOUNT, 25)])
    only(check(facts), "unexplained", "Text of d_9.1")


def test_a_damaged_file() -> None:
    facts = Facts([part_of()], ONE, [post_of()], sound="row 1 missing from index")
    only(check(facts), "damaged")


# A real store


def test_a_real_history_and_what_a_hand_in_it_changes() -> None:
    with staged() as stage:
        scene = stage("mastodon")
        run = scene.begin()
        assert run.go().code == 0
        good = read(run.store, scene.server)
        assert check(good, may_ask=frozenset()).violations == []
        assert len(good.accepted) == len(good.creates) == len(good.parts) == 2
        assert {line.writer is None for line in good.lines if line.part} == {False}

        def changed(statement: str) -> set[str]:
            with sqlite3.connect(run.store) as raw:
                raw.execute("DROP TRIGGER IF EXISTS history_unchanged")
                raw.execute(statement)
            raw.close()
            return check(read(run.store, scene.server)).kinds()

        assert changed("UPDATE history SET reason = 'No.' WHERE id = 2") == {"chain"}
        assert "phantom" in changed("UPDATE part SET remote_id = 'x' WHERE position = 2")
        assert "recorded_failed" in changed("UPDATE part SET state = 'FAILED' WHERE position = 2")
