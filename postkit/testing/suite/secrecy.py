"""Secrets: nowhere but in the vault, which is encrypted, and in the requests themselves."""

from __future__ import annotations

import contextlib
import json
import logging
import traceback
from collections.abc import Callable, Iterator

import pytest

from postkit.errors import PostkitError

from ..canaries import leaks, leaks_in_files
from ..pictures import picture
from ..rig import Rig
from .access import closed_port, credentials, wrong
from .bench import Bench


def published(rig: Rig) -> None:
    from postkit.post import Media

    media = [Media(picture(), "A picture", name="one.png")] if rig.limits.media_count else []
    rig.publish(rig.post(media=media))
    rig.kit.recent(rig.account.label)


def answer_lost(rig: Rig) -> None:
    rig.fault("lose_answer")
    rig.publish(rig.post())


def server_error(rig: Rig) -> None:
    rig.fault("status", status=500, accepted=True)
    rig.publish(rig.post())


def throttled(rig: Rig) -> None:
    rig.fault("rate_limit", seconds=60)
    rig.publish(rig.post(), wait=0)


def token_expired(rig: Rig) -> None:
    rig.fault("expire_token")
    rig.publish(rig.post(), wait=0)


def refused(rig: Rig) -> None:
    from dataclasses import replace

    part = rig.part(rig.post())
    most = max(limit.maximum for limit in rig.limits.text)
    rig.send_raw(replace(part, text="too long " * (most // 4)))


def wrong_token(rig: Rig) -> None:
    endpoint = rig.server.accounts()[0].endpoint
    rig.kit.connect(rig.network.name, wrong(rig), name="stranger", endpoint=endpoint)


def nobody_answers(rig: Rig) -> None:
    rig.kit.connect(
        rig.network.name, credentials(rig), name="later", endpoint=f"http://{closed_port()}"
    )


def shown(rig: Rig) -> None:
    with rig.connected() as connection:
        for thing in (connection, connection.client, connection.session, rig.account, rig.network):
            raise_if(leaks(f"repr of {type(thing).__name__}", repr(thing) + str(thing)))


SCENES: tuple[Callable[[Rig], None], ...] = (
    published,
    answer_lost,
    server_error,
    throttled,
    token_expired,
    refused,
    wrong_token,
    nobody_answers,
    shown,
)


class SecrecyConformance(Bench):
    """Each scene ends with a look at everything that somebody could read afterwards."""

    @pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
    def test_no_secret_comes_out(
        self,
        rig: Rig,
        scene: Callable[[Rig], None],
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        found: list[str] = []
        with every_logger(caplog):
            try:
                scene(rig)
            except PostkitError as error:
                found += leaks("the message of an error", f"{error} {error!r} {error.args}")
                found += leaks(
                    "a traceback", "".join(traceback.format_exception(error, chain=True))
                )
        out, err = capfd.readouterr()
        found += leaks("standard output", out)
        found += leaks("standard error", err)
        for record in caplog.records:
            where = f"a log record of {record.name}"
            found += leaks(where, record.getMessage())
            if record.exc_info:
                found += leaks(where, "".join(traceback.format_exception(record.exc_info[1])))
        found += leaks("the log", caplog.text)
        for report in rig.reports:
            found += leaks("the report", json.dumps(report.to_json()) + repr(report))
        for listed in rig.kit.publications():
            found += leaks("the report", json.dumps(listed.to_json()))
            for delivery in listed.deliveries:
                found += leaks("the history", repr(rig.kit.history(delivery.id or "")))
        # Twice: closing moves what is in the write-ahead log into the store.
        found += leaks_in_files(rig.kit.home.path)
        rig.kit.close()
        found += leaks_in_files(rig.kit.home.path)
        raise_if(found)


def raise_if(found: list[str]) -> None:
    assert not found, "Secrets came out:\n" + "\n".join(dict.fromkeys(found))


@contextlib.contextmanager
def every_logger(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """DEBUG for all loggers there are, also those with a level of their own."""
    caplog.set_level(logging.DEBUG)
    loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate = True
    try:
        yield
    finally:
        for logger, level, propagate in before:
            logger.setLevel(level)
            logger.propagate = propagate
