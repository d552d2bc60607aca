"""Access: wrong and expired tokens, throttling, and networks that do not answer."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from collections.abc import Mapping

import pytest

from postkit.errors import NeedsLogin, PlanRefused, Refused
from postkit.network import CanRefresh

from ..rig import Rig, story
from .bench import Bench


def wrong(rig: Rig) -> dict[str, str]:
    """The emulator's credentials with every secret spoiled."""
    secret = {f.name for row in rig.network.credentials for f in row.fields if f.secret}
    given = rig.server.accounts()[0].credentials
    return {name: f"{value}-wrong" if name in secret else value for name, value in given.items()}


class AccessConformance(Bench):
    """Whatever the network says about our access, nothing is lost and nothing is sent twice."""

    def test_a_wrong_token_is_refused_and_not_kept(self, rig: Rig) -> None:
        with pytest.raises((NeedsLogin, Refused)) as caught:
            rig.kit.connect(
                rig.network.name,
                wrong(rig),
                name="stranger",
                endpoint=rig.server.accounts()[0].endpoint,
            )
        assert caught.value.message
        assert [a.label for a in rig.kit.accounts] == [rig.account.label], (
            "An account with a wrong token was kept."
        )

    def test_an_endpoint_that_does_not_answer_is_kept_unverified(self, rig: Rig) -> None:
        account, problem = rig.kit.connect(
            rig.network.name, credentials(rig), name="later", endpoint=f"http://{closed_port()}"
        )
        assert problem is not None, "Nobody answered, but the account counts as verified."
        assert account.state == "unverified"
        assert account.label in [a.label for a in rig.kit.accounts]

    def test_access_of_another_account_sends_nothing(self, rig: Rig) -> None:
        """The access answers as somebody else than the account was connected as."""
        with contextlib.closing(sqlite3.connect(rig.kit.home.store_path)) as raw:
            raw.execute("UPDATE account SET identity = json_set(identity, '$.id', 'another')")
            raw.commit()
        report = rig.publish(rig.post())
        assert not rig.creates(), story(rig, report)
        assert not rig.live(), story(rig, report)
        assert report.state == "scheduled", story(rig, report)
        assert report.error is not None
        assert report.error["kind"] == "needs_login", story(rig, report)
        assert rig.kit.account(rig.account.label).state == "needs_login"

    def test_throttled_then_sent_once(self, rig: Rig) -> None:
        rig.fault("rate_limit", seconds=1)
        report = rig.publish(rig.post())
        assert report.state == "live", story(rig, report)
        assert len(rig.live()) == 1, story(rig, report)
        assert len(rig.creates()) == 2, (
            f"One request that is throttled and one that is taken.\n{story(rig, report)}"
        )

    def test_throttled_for_longer_than_we_wait(self, rig: Rig) -> None:
        rig.fault("rate_limit", seconds=2)
        report = rig.publish(rig.post(), wait=0.2)
        assert report.state == "scheduled", story(rig, report)
        assert report.exit_status == 75, "Scripts must learn that they have to come back."
        assert report.error is not None
        assert report.error["kind"] == "throttled", story(rig, report)
        assert report.retry_at is not None, "The report does not say when to come back."
        ahead = (report.retry_at - rig.now()).total_seconds()
        assert 0 < ahead < 60, f"retry_at is {ahead:.1f} s ahead; the network said 2 s."
        assert len(rig.creates()) == 1
        report = rig.finish(report)
        assert report.state == "live", story(rig, report)
        assert len(rig.live()) == 1, story(rig, report)
        assert len(rig.creates()) == 2, story(rig, report)

    def test_an_expired_token(self, rig: Rig) -> None:
        """Refreshed where that is possible; else the delivery waits for a person's login."""
        rig.fault("expire_token")
        report = rig.publish(rig.post())
        if isinstance(rig.network, CanRefresh) and report.state == "live":
            assert len(rig.live()) == 1, story(rig, report)
            return
        assert not rig.live(), story(rig, report)
        assert report.state == "scheduled", story(rig, report)
        assert report.exit_status == 75
        assert report.error is not None
        assert report.error["kind"] == "needs_login", story(rig, report)
        assert rig.kit.account(rig.account.label).state == "needs_login", (
            "The account does not show that it needs a login."
        )
        login_again(rig)
        report = rig.finish(report)
        assert report.state == "live", story(rig, report)
        assert len(rig.live()) == 1, story(rig, report)

    def test_a_refreshed_token_is_kept(self, rig: Rig) -> None:
        """The new access survives the process: the next one needs no refresh of its own."""
        if not isinstance(rig.network, CanRefresh):
            return
        rig.fault("expire_token")
        report = rig.publish(rig.post("The first post."))
        if report.state != "live":
            return  # this kind of credentials cannot be refreshed
        rig.kit.clients.close()
        report = rig.publish(rig.post("The second post."))
        assert report.state == "live", story(rig, report)
        assert len(rig.live()) == 2, story(rig, report)

    def test_an_unreachable_network_loses_nothing(self, rig: Rig) -> None:
        """Nothing was sent for certain, so the delivery stays scheduled."""
        rig.kit.clients.close()
        name = "unreachable"
        rig.kit.connect(
            rig.network.name, credentials(rig), name=name, endpoint=f"http://{closed_port()}"
        )
        address = f"{rig.network.name}:{name}" + (f"/{rig.target}" if rig.target else "")
        try:
            report = rig.kit.publish(rig.post(), [address], wait=0).deliveries[0]
        except PlanRefused as refused:
            raise AssertionError(f"Refused before it was tried: {refused}") from refused
        assert report.state == "scheduled", story(rig, report)
        assert report.exit_status == 75
        assert report.error is not None
        assert report.error["kind"] == "unavailable"


def credentials(rig: Rig) -> Mapping[str, str]:
    return rig.server.accounts()[0].credentials


def login_again(rig: Rig) -> None:
    """What a person does at `postkit connect`: new credentials for the same account."""
    account, problem = rig.kit.connect(
        rig.network.name,
        credentials(rig),
        name=rig.account.name,
        endpoint=rig.account.endpoint,
    )
    assert problem is None, f"The new login is not accepted: {problem}"
    assert account.id == rig.account.id, "The login made another account."
    assert account.state == "ok"


def closed_port() -> str:
    """A loopback address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
