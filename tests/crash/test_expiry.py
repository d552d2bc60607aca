"""Access that runs out in the middle of a thread: renewed once, by one, and nothing is lost."""

from __future__ import annotations

import pytest

from postkit.deliver.steps import Progress
from postkit.post import Media
from postkit.testing.pictures import picture

from .expiring import ALL, CASES, PATIENT, WORDS, Desk, Open, desks, emulated, refuse

__all__ = ["desks", "emulated"]


def lake(number: int) -> Media:
    return Media(picture(number), "A lake", name="lake.png")


def uploads(desk: Desk) -> int:
    """Uploads that the network took."""
    ends = ("/2/media/upload", "/images", "uploadBlob", "media/asset.json")
    return sum(e.path.rstrip("/").endswith(ends) and e.status == 200 for e in desk.requests())


# The access runs out


@pytest.mark.parametrize("part", range(1, 6))
@pytest.mark.parametrize("name", ALL)
def test_before_any_part(open_desk: Open, name: str, part: int) -> None:
    desk = open_desk(name)
    desk.accept()
    desk.expire_before(part)
    desk.go(PATIENT)
    desk.is_whole()
    assert (desk.creates(), desk.refreshes()) == (6, 1), desk.story()


@pytest.mark.parametrize("name", ALL)
def test_before_every_part(open_desk: Open, name: str) -> None:
    desk = open_desk(name)
    desk.accept()
    desk.expire_before(1, 2, 3, 4, 5)
    desk.go(PATIENT)
    desk.is_whole()
    assert (desk.creates(), desk.refreshes()) == (10, 5), desk.story()


@pytest.mark.parametrize("name", ALL)
def test_between_upload_and_create(open_desk: Open, name: str) -> None:
    desk = open_desk(name)
    desk.accept(WORDS[:1], media=[lake(1)])
    desk.expire_before(1)
    desk.go(PATIENT)
    desk.is_whole(WORDS[:1])
    assert [len(post.media) for post in desk.server.posts(name)] == [1]
    assert (uploads(desk), desk.creates(), desk.refreshes()) == (1, 2, 1), desk.story()


@pytest.mark.parametrize("name", ALL)
def test_before_the_upload(open_desk: Open, name: str) -> None:
    desk = open_desk(name)
    desk.accept(WORDS[:1], media=[lake(2)])
    desk.emulator.expire_tokens()
    desk.go(PATIENT)
    desk.is_whole(WORDS[:1])
    assert (uploads(desk), desk.creates(), desk.refreshes()) == (1, 1, 1), desk.story()


# The renewal goes wrong


@pytest.mark.parametrize("media", [False, True], ids=["at_create", "at_upload"])
@pytest.mark.parametrize("name", ALL)
def test_a_network_error_disconnects_nobody(open_desk: Open, name: str, media: bool) -> None:
    desk = open_desk(name)
    words = WORDS[:1] if media else WORDS
    desk.accept(words, **({"media": [lake(3)]} if media else {}))
    if media:
        desk.emulator.expire_tokens()
    else:
        desk.expire_before(3)
    troubles = ["500", "502", "reset", "hang", "503"]
    for number, trouble in enumerate(troubles, 1):
        desk.emulator.troubles.append(trouble)
        # A patient Kit would wait for half a minute.
        kit = desk.opened(1.5) if trouble == "hang" else desk.kit
        report = desk.go(kit=kit)
        assert desk.state == "ok", desk.story()
        assert report.state == "scheduled", desk.story()
        assert set(desk.states()) <= {"LIVE", "SCHEDULED"}, desk.story()
        assert desk.refreshes() == number, desk.story()
        assert report.error is not None
        assert report.error["kind"] == "unavailable", desk.story()
        assert report.retry_at is not None
        assert report.retry_at > desk.clock.now(), desk.story()
        desk.clock.sleep(600)
        if kit is not desk.kit:
            kit.close()
    desk.go(PATIENT)
    desk.is_whole(words)
    assert desk.refreshes() == len(troubles) + 1, desk.story()


@pytest.mark.parametrize("name", ALL)
def test_a_renewal_that_is_throttled_waits_for_its_window(open_desk: Open, name: str) -> None:
    desk = open_desk(name)
    desk.accept()
    desk.expire_before(2)
    desk.emulator.troubles.append("429")
    report = desk.go()
    sent = len(desk.requests())
    assert report.error is not None
    assert report.error["kind"] == "throttled", desk.story()
    assert report.retry_at is not None
    assert 20 < (report.retry_at - desk.clock.now()).total_seconds() <= 30, desk.story()
    desk.go()
    desk.go()
    assert len(desk.requests()) == sent, desk.story()
    assert desk.state == "ok"
    desk.go(PATIENT)
    desk.is_whole()
    assert desk.refreshes() == 2, desk.story()


@pytest.mark.parametrize("grace", [False, True], ids=["", "grace"])
@pytest.mark.parametrize("name", ALL)
def test_a_renewal_whose_answer_is_lost(open_desk: Open, name: str, grace: bool) -> None:
    """X, and the ring without grace, burn a refresh token at its first use: a person is asked,
    once. Bluesky honours it again, Reddit never changes it: nobody notices."""
    desk = open_desk(name)
    if name == "ring":
        desk.server.set(name, "grace", grace)
    desk.accept()
    desk.expire_before(3)
    desk.emulator.troubles.append("lost")
    report = desk.go(PATIENT)
    if CASES[name].burns and not (name == "ring" and grace):
        assert desk.state == "needs_login", desk.story()
        assert desk.states() == ["LIVE"] * 2 + ["SCHEDULED"] * 3, desk.story()
        assert report.error is not None
        assert report.error["kind"] == "needs_login"
        remedy = f"postkit connect {name} --name main --replace"
        assert remedy in report.error["message"], desk.story()
        asked = desk.refreshes()
        assert asked == 2, desk.story()
        desk.go(PATIENT)
        assert desk.refreshes() - asked <= 1, desk.story()
        assert desk.texts() == list(WORDS[:2])
        desk.connect()
        desk.go(PATIENT)
    desk.is_whole()


@pytest.mark.parametrize("name", ALL)
def test_a_refused_renewal_waits_for_a_person(open_desk: Open, name: str) -> None:
    desk = open_desk(name)
    desk.accept()
    desk.expire_before(3)
    refuse(desk.emulator)
    report = desk.go(PATIENT)
    assert report.state == "scheduled", desk.story()
    assert desk.state == "needs_login", desk.story()
    assert desk.states() == ["LIVE"] * 2 + ["SCHEDULED"] * 3, desk.story()
    assert report.error is not None
    assert report.error["kind"] == "needs_login"
    sent = len(desk.requests())
    desk.go(PATIENT)
    # Somebody who asks again gets one more try of each kind, and no loop.
    assert len(desk.requests()) - sent <= 4, desk.story()
    assert desk.state == "needs_login"
    desk.connect()
    assert desk.state == "ok"
    asked = desk.refreshes()
    desk.go(PATIENT)
    desk.is_whole()
    assert desk.refreshes() == asked, desk.story()


@pytest.mark.parametrize("name", ALL)
def test_a_lost_post_is_found_after_the_access_ran_out(open_desk: Open, name: str) -> None:
    """The look renews the access; a network error while it does leaves the doubt as it is."""
    desk = open_desk(name)
    desk.accept()
    desk.server.add_fault(name, "lose_answer", skip=1)

    def expire(progress: Progress) -> None:
        if progress.state == "checking" and not desk.emulator.during.__doc__:
            desk.emulator.during = noted
            desk.emulator.expire_tokens()
            desk.emulator.troubles += ["500", "reset"]

    desk.go(PATIENT, watch=expire)
    desk.is_whole()
    # Bluesky lets anybody read: there it is the next create that finds the access out.
    expected = 8 if name == "bluesky" else 5
    assert (desk.creates(), desk.refreshes()) == (expected, 3), desk.story()


def noted() -> None:
    """The access has run out once."""
