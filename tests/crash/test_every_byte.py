"""A post of text whose request, or the answer to it, is cut at every byte there is.

Whatever is cut: never two posts, no LIVE without a post, no FAILED with one. What exactly becomes
of it is written down here by hand, for each network and each zone of request and answer.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from .cutting import Cut, Drip, End, Framing
from .severed import Outcome, Severed, severed

ENDS: tuple[End, ...] = ("reset", "close")
FULL = os.environ.get("POSTKIT_CRASH") == "full"
SHARES: list[tuple[int, End]] = [(0, "reset"), (1, "close")]
"""The even bytes and the odd ones. Every byte is met by one end, in the full size by both."""
if FULL:
    SHARES += [(0, "close"), (1, "reset")]
DENSE = 40
"""Bytes at the end of an answer in another form, of which each one is a cut in any size."""
THIN = 8
"""Of the bytes before, one in so many: their zones were met byte by byte in the usual form."""
PADDING = b" \r\n"


@dataclass(frozen=True, slots=True)
class Ending:
    """``live``: posts that readers see. ``sent``: create requests that left."""

    story: str
    state: str
    live: int
    sent: int


AT_ONCE = Ending("claim send accepted", "LIVE", 1, 1)
FOUND = Ending("claim send doubt found", "LIVE", 1, 1)
FOUND_SECOND = Ending("claim send doubt look found", "LIVE", 1, 1)
FOUND_THIRD = Ending("claim send doubt look look found", "LIVE", 1, 1)
RESENT = Ending("claim send doubt look look absent claim send accepted", "LIVE", 1, 2)
ASKED = Ending("claim send doubt look look ask", "UNCERTAIN", 0, 1)
LATER = Ending("claim send unsent claim send accepted", "LIVE", 1, 2)
UNSENT = Ending("claim send unsent claim send accepted", "LIVE", 1, 1)

Zones = Mapping[str, tuple[Ending, ...]]

ACTED: Zones = {
    "answer: nothing": (FOUND,),
    "answer: status line": (FOUND,),
    "answer: headers": (FOUND,),
    "answer: body": (FOUND,),
    "answer: last chunk, close": (AT_ONCE,),
    "answer: last chunk, reset": (FOUND, AT_ONCE),
    "answer: whole": (AT_ONCE,),
}
"""The server has acted, so that every network finds the post, at the first look."""

RESENDS: Zones = {
    "nobody there": (UNSENT,),
    "request: nothing": (RESENT,),
    "request: request line": (RESENT,),
    "request: headers": (RESENT,),
    "request: body": (RESENT,),
    # The server has it all, and may be faster or slower than the end of the connection.
    "request: whole": (FOUND, FOUND_SECOND, FOUND_THIRD, RESENT),
    **ACTED,
    "refusal: nothing": (RESENT,),
    "refusal: status line": (RESENT,),
    "refusal: headers": (RESENT,),
    "refusal: body": (RESENT,),
    "refusal: whole": (LATER,),
}
ASKS: Zones = {
    "nobody there": (UNSENT,),
    "request: nothing": (ASKED,),
    "request: request line": (ASKED,),
    "request: headers": (ASKED,),
    "request: body": (ASKED,),
    "request: whole": (FOUND, FOUND_SECOND, FOUND_THIRD, ASKED),
    **ACTED,
    "refusal: nothing": (ASKED,),
    "refusal: status line": (ASKED,),
    "refusal: headers": (ASKED,),
    "refusal: body": (ASKED,),
    "refusal: whole": (LATER,),
}
EXPECTED: dict[str, Zones] = {
    # Refuses the same text twice, so that a repeat is harmless.
    "x": RESENDS,
    # Nothing makes a repeat harmless: a person is asked.
    "facebook": ASKS,
    "reddit": ASKS,
    # An idempotency key.
    "mastodon": RESENDS,
    # A record key of our own choice.
    "bluesky": RESENDS,
}
UNLISTED = {
    # The repeat is refused, so that it is live; which one it is, nobody can tell.
    "x": Ending(
        "claim send doubt look look absent claim send doubt look look ask", "UNCERTAIN", 1, 2
    ),
    "facebook": Ending("claim send doubt look look ask", "UNCERTAIN", 1, 1),
    "reddit": Ending("claim send doubt look look ask", "UNCERTAIN", 1, 1),
    # The repeat with the same key is answered with the first post.
    "mastodon": RESENT,
    # It is asked for by its key and not looked for in a list.
    "bluesky": FOUND,
}
"""The server has acted, the answer is cut, and no list shows the post before the wait is over."""
NETWORKS = sorted(EXPECTED)
REAL_TIME = {"reddit"}
"""Its client keeps the window of a refusal by the real time, which is minutes."""


@pytest.fixture
def bench(network: str) -> Iterator[Severed]:
    with severed(network) as bench:
        yield bench


def told(outcome: Outcome) -> Ending:
    # What is prepared, and when, is no part of what a cut does.
    story = " ".join(event for event in outcome.story.split() if event != "prepared")
    return Ending(story, outcome.state, outcome.live, outcome.sent)


def check(network: str, zone: str, outcome: Outcome, where: str) -> None:
    __tracebackhide__ = True
    about = f"{network}, {zone}, {where}: {told(outcome)}, {outcome.reasons}"
    assert outcome.live <= 1, about
    assert outcome.created <= 1, about
    assert (outcome.state == "LIVE") <= (outcome.live == 1), about
    assert (outcome.state == "FAILED") <= (outcome.live == 0), about
    assert outcome.report.exit_status == (3 if outcome.state == "UNCERTAIN" else 0), about
    assert told(outcome) in EXPECTED[network][zone], about


def zone_of(message: bytes, after: int, first: str) -> str:
    """The zone of the last byte that passed."""
    if after == 0:
        return "nothing"
    if after >= len(message):
        return "whole"
    if after <= message.index(b"\r\n") + 2:
        return first
    return "headers" if after <= message.index(b"\r\n\r\n") + 4 else "body"


@pytest.mark.parametrize("network", NETWORKS)
def test_nobody_there_is_no_doubt(network: str, bench: Severed) -> None:
    for _ in range(3):
        check(network, "nobody there", bench.run(None, refused=True), "no connection")


@pytest.mark.parametrize(("begin", "end"), SHARES)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_request_that_is_cut(network: str, begin: int, end: End, bench: Severed) -> None:
    request = measured(bench).seen.request
    for after in range(begin, len(request) + 1, 2):
        outcome = bench.run(Cut("request", after, end))
        assert len(outcome.seen.request) == after
        zone = f"request: {zone_of(request, after, 'request line')}"
        check(network, zone, outcome, f"byte {after} of {len(request)}, {end}")


@pytest.mark.parametrize(("begin", "end"), SHARES)
@pytest.mark.parametrize("network", NETWORKS)
def test_an_answer_that_is_cut(network: str, begin: int, end: End, bench: Severed) -> None:
    whole = len(measured(bench).seen.answer)
    for after in range(begin, whole + 1, 2):
        outcome = bench.run(Cut("answer", after, end))
        assert (outcome.seen.sent, len(outcome.seen.answer)) == (after, whole)
        zone = f"answer: {zone_of(outcome.seen.answer, after, 'status line')}"
        check(network, zone, outcome, f"byte {after} of {whole}, {end}")


@pytest.mark.parametrize(("begin", "end"), SHARES)
@pytest.mark.parametrize("network", [name for name in NETWORKS if name not in REAL_TIME])
def test_a_refusal_that_is_cut(network: str, begin: int, end: End, bench: Severed) -> None:
    """Half a no is no no: the very same bytes could be the beginning of another answer."""
    refusal = bench.run(Cut("answer", 1_000_000), fault="rate_limit")
    check(network, "refusal: whole", refusal, "whole")
    whole = len(refusal.seen.answer)
    for after in thinned(whole, begin):
        outcome = bench.run(Cut("answer", after, end), fault="rate_limit")
        zone = f"refusal: {zone_of(outcome.seen.answer, after, 'status line')}"
        check(network, zone, outcome, f"byte {after} of {whole}, {end}")


@pytest.mark.parametrize("network", NETWORKS)
def test_an_answer_that_is_cut_while_lists_lag(network: str, bench: Severed) -> None:
    """Then absence proves nothing, and the network's class decides: still one post."""
    whole = len(measured(bench).seen.answer)
    for after, end in itertools.product((0, 9, 15, 100, whole - 60, whole - 1), ENDS):
        outcome = bench.run(Cut("answer", after, end), fault="index_lag")
        about = f"byte {after} of {whole}, {end}: {outcome.reasons}"
        assert told(outcome) == UNLISTED[network], about


@pytest.mark.parametrize(("begin", "end"), SHARES)
@pytest.mark.parametrize("network", NETWORKS)
def test_an_answer_without_a_length_that_is_cut(
    network: str, begin: int, end: End, bench: Severed
) -> None:
    """Its end is the connection's end, so that a cut looks like the end. The body tells: JSON is
    whole or is none. White space behind it is not missed."""
    whole = len(measured(bench, "until_close", PADDING).seen.answer)
    for after in thinned(whole, begin):
        outcome = bench.run(Cut("answer", after, end, "until_close", PADDING))
        answer = outcome.seen.answer
        zone = zone_of(answer, after, "status line")
        if end == "reset":
            # In place of the end comes an error, even where every byte has come.
            zone = "body" if zone == "whole" else zone
        elif after >= len(answer.rstrip()):
            zone = "whole"
        check(network, f"answer: {zone}", outcome, f"byte {after} of {whole}, {end}")


@pytest.mark.parametrize(("begin", "end"), SHARES)
@pytest.mark.parametrize("network", NETWORKS)
def test_an_answer_in_chunks_that_is_cut(
    network: str, begin: int, end: End, bench: Severed
) -> None:
    """Before its last chunk it is not whole (RFC 9112, section 8), even where its JSON is. Of that
    chunk the zero is enough: every byte of the body has come, and no other size begins so."""
    whole = len(measured(bench, "chunked").seen.answer)
    for after in thinned(whole, begin):
        outcome = bench.run(Cut("answer", after, end, "chunked"))
        zone = zone_of(outcome.seen.answer, after, "status line")
        if whole - len(b"\r\n\r\n") <= after < whole:
            zone = f"last chunk, {end}"
        check(network, f"answer: {zone}", outcome, f"byte {after} of {whole}, {end}")


TIMEOUT = 1.0
LONGEST = 4 * TIMEOUT
"""Seconds: how long the session listens to one answer."""
SLACK = 2.5
"""Seconds for the rest of the work on a machine that is busy."""
LARGEST = 32 * 1024 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
ENDLESS = {
    "head, a byte at a time": Drip(pause=0.1),
    "body, a byte at a time": Drip(at_once=-30, pause=0.3),
    "100 Continue for ever": Drip(pause=0.01, piece=len(CONTINUE), endless=CONTINUE),
    "headers for ever": Drip(at_once=15, piece=8192, endless=b"X-More: of them\r\n" * 512),
    "one header for ever": Drip(at_once=15, piece=65_536, endless=b"X" * 65_536),
    "body for ever": Drip(piece=65_536, endless=b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 10**6),
}


@pytest.mark.parametrize("what", sorted(ENDLESS))
def test_an_answer_without_an_end_is_bound_in_time_and_size(what: str) -> None:
    with severed("facebook", read_timeout=TIMEOUT) as bench:
        outcome = bench.run(ENDLESS[what])
    check("facebook", "answer: body", outcome, what)
    assert outcome.seconds < LONGEST + SLACK
    assert outcome.seen.sent < 1.5 * LARGEST


def thinned(whole: int, begin: int) -> list[int]:
    """The bytes from ``begin`` on, every second one; in the small size fewer of the early."""
    return [
        after
        for after in range(begin, whole + 1, 2)
        if FULL or after > whole - DENSE or after // 2 % THIN == 0
    ]


def measured(bench: Severed, framing: Framing = "length", padding: bytes = b"") -> Outcome:
    """One run that is watched and not cut: how long request and answer are."""
    outcome = bench.run(Cut("answer", 1_000_000, "close", framing, padding))
    assert told(outcome) == AT_ONCE
    assert len(outcome.seen.request) > 200
    assert len(outcome.seen.answer) > 200
    return outcome
