"""What must hold of a crowd after every step, and once everything has had its turns."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from dataclasses import replace

from postkit.clock import micros, moment
from postkit.deliver.states import SETTLED
from postkit.errors import PostkitError

from .checker import check
from .crowd import Crowd
from .facts import Accepted, Create, read
from .toy import TOKEN

GONE = SETTLED - {"LIVE"}
TURNS = 200
BESIDE = ("It stays SCHEDULED", "edit begins it a second time")
"""What the checker reports and is proper here: a part behind one that is held (I8 has seen to
it), and a part that an edit has taken out and another has brought back. Nor does the time of a
line tell before from after where the clock goes back; I3 has looked at the moment itself."""


def problems(crowd: Crowd) -> list[str]:
    """Every invariant that does not hold now, with what breaks it."""
    rows = crowd.parts()
    return [
        *crowd.violations,
        *_once(crowd, rows),
        *_ready(crowd, rows),
        *_shown(crowd, rows),
        *_one_at_a_time(rows),
        *_silent(crowd.errors),
    ]


def _once(crowd: Crowd, rows: list[sqlite3.Row]) -> list[str]:
    """I1 and I2, and their reverse: what is over and done with is not live."""
    found: list[str] = []
    posts = defaultdict(list)
    for post in crowd.remote.posts:
        posts[post.part].append(post.id)
    for name, ids in posts.items():
        if len(ids) > 1:
            found.append(f"I1: {name} was accepted as {ids}")
    for row in rows:
        ids = posts[row["id"]]
        if row["state"] == "LIVE" and ids != [row["remote_id"]]:
            found.append(f"I2: {row['id']} is LIVE as {row['remote_id']}; accepted: {ids}")
        if row["state"] in GONE and ids:
            found.append(f"I2: {row['id']} is {row['state']}, and live as {ids}")
    return found


def _ready(crowd: Crowd, rows: list[sqlite3.Row]) -> list[str]:
    """I8: nobody is asleep. When to look at a part follows from its state, by words of our own."""
    found: list[str] = []
    is_open: set[str] = set()
    earliest: dict[str, int] = {}
    for row in rows:
        state, wanted = row["state"], None
        if state == "SCHEDULED" and row["delivery_id"] not in is_open:
            wanted = row["not_before"]
        elif state in ("CLAIMED", "SENDING"):
            wanted = row["lease_until"]
        elif state == "IN_DOUBT":
            wanted = row["not_before"] if row["lease_until"] is None else row["lease_until"]
        elif state == "LIVE":
            wanted = row["audit_at"]
        if state != "LIVE":
            is_open.add(row["delivery_id"])
        if row["ready_at"] != wanted:
            found.append(f"I8: {row['id']} is {state}, ready at {row['ready_at']}, not {wanted}")
        if wanted is not None:
            account = row["account_id"]
            earliest[account] = min(wanted, earliest.get(account, wanted))
    return found + [
        f"I8: {account['id']} is ready at {account['ready_at']}: {earliest}"
        for account in crowd.eye.execute("SELECT id, ready_at FROM account")
        if account["ready_at"] != earliest.get(account["id"])
    ]


def _shown(crowd: Crowd, rows: list[sqlite3.Row]) -> list[str]:
    """I8: what is not settled is in the queue, and what is overdue is at its head."""
    heads: dict[str, sqlite3.Row] = {}
    for row in rows:
        if row["state"] != "LIVE" and row["delivery_id"] not in heads:
            heads[row["delivery_id"]] = row
    for_a_person = ("HELD", "MISSED", "UNCERTAIN")
    now = micros(crowd.clock.now())
    wanted = [
        (
            1 if row["state"] in for_a_person else 0 if row["due_at"] <= now else 2,
            row["due_at"],
            name,
        )
        for name, row in heads.items()
        if row["state"] not in ("FAILED", "CANCELLED")
    ]
    shown = [delivery.id for delivery in crowd.publications.waiting(10_000)]
    if shown != [name for _, _, name in sorted(wanted)]:
        return [f"I8: the queue shows {shown}, not {sorted(wanted)}"]
    return []


def _one_at_a_time(rows: list[sqlite3.Row]) -> list[str]:
    busy = Counter(row["account_id"] for row in rows if row["state"] in ("CLAIMED", "SENDING"))
    return [f"I3: {account} is claimed {n} times" for account, n in busy.items() if n > 1]


def _silent(errors: list[PostkitError]) -> list[str]:
    """I7."""
    found = [f"I7: {error!r}"[:80] for error in errors if TOKEN in f"{error!r} {error}"]
    errors.clear()
    return found


def finished(crowd: Crowd, log: str) -> list[str]:
    """Nothing goes wrong any more, and every worker has its turns: what is left, and where?"""
    _calm(crowd)
    for number in range(TURNS):
        crowd.members[number % len(crowd.members)].turn()
        found = problems(crowd)
        if found:
            return found
        row = crowd.eye.execute(
            "SELECT min(max(part.ready_at, account.resume_at)) AS at FROM part JOIN account "
            "ON account.id = part.account_id WHERE part.state <> 'LIVE'"
        ).fetchone()
        if row["at"] is None:
            break
        wait = (moment(row["at"]) - crowd.clock.now()).total_seconds()
        crowd.clock.move(max(wait, 0.0) + 0.001)
    return [*_left(crowd), *_written(crowd, log), *_checked(crowd)]


def _calm(crowd: Crowd) -> None:
    crowd.remote.script.clear()
    crowd.remote.blind_until = None
    crowd.interlude = None
    crowd.shut = False
    for member in crowd.members:
        member.trouble = None
    for account in crowd.accounts.all():
        if account.state == "needs_login":
            crowd.accounts.set_state(account.id, "ok")


def _left(crowd: Crowd) -> list[str]:
    """I8: settled, or before a person, or behind such a part."""
    found: list[str] = []
    waits: set[str] = set()
    for row in crowd.parts():
        state = row["state"]
        if state == "LIVE":
            continue
        is_over = state in SETTLED or state in ("HELD", "UNCERTAIN")
        if not is_over and not (state == "SCHEDULED" and row["delivery_id"] in waits):
            found.append(f"I8: {row['id']} is still {state} after {TURNS} turns")
        if state == "UNCERTAIN" and row["question"] is None:
            found.append(f"I8: {row['id']} is UNCERTAIN without a question")
        waits.add(row["delivery_id"])
    return found


def _written(crowd: Crowd, log: str) -> list[str]:
    """I7: neither store nor log nor the values of the program show the secret."""
    found = ["I7: the log shows it"] if TOKEN in log else []
    for table in ("history", "part", "outbox", "delivery"):
        for row in crowd.eye.execute(f"SELECT * FROM {table}"):
            found += [f"I7: {table}.{name}" for name in list(row.keys()) if TOKEN in str(row[name])]
    for member in crowd.members:
        for connection in member.hall.idle():
            found += ["I7: a repr"] if TOKEN in repr(connection.session.last) else []
    return found


def _checked(crowd: Crowd) -> list[str]:
    """The history as the checker of all crash tests reads it."""
    posts, texts = crowd.remote.posts, crowd.texts
    accepted = [
        Accepted("toy", p.account, texts[p.part], p.parent, p.id, micros(p.at), p.key)
        for p in posts
    ]
    creates = [Create(account, micros(at)) for account, at in crowd.remote.requests]
    facts = replace(read(crowd.path), accepted=accepted, creates=creates)
    repeats = {
        row["id"] for row in crowd.parts() if row["state"] == "HELD" and row["doubt_at"] is not None
    }
    return [
        str(violation)
        for violation in check(facts).violations
        if violation.kind != "unannounced"
        and not violation.text.startswith(BESIDE)
        # A repeat that cannot make a second post was paused: a person has it before him, and once
        # it is released it finds the first one.
        and not (violation.kind == "recorded_failed" and violation.about in repeats)
    ]
