"""A person's answer that sends again is confirmed by the name of a protected account."""

from __future__ import annotations

import pytest

from postkit.accounts.confirm import NotConfirmed
from postkit.kit import Kit
from postkit.network import Guarantee

from .board import Board, Server, publish


def test_to_resend_needs_its_name_and_to_settle_does_not(
    kit: Kit, server: Server, board: Board
) -> None:
    board.promise = Guarantee("blind")
    server.script = ["drop"]
    report = publish(kit)
    assert report.state == "uncertain"
    kit.protect_account("board:board")
    with pytest.raises(NotConfirmed, match="--yes board:board"):
        kit.resolve(report.id, resend=True)
    assert kit.report(report.id).deliveries[0].state == "uncertain"
    done = kit.resolve(report.id, resend=True, confirmed=["board:board"])
    assert done.deliveries[0].state == "live"
    assert server.creates == 2


def test_to_give_up_needs_no_name(kit: Kit, server: Server, board: Board) -> None:
    board.promise = Guarantee("blind")
    server.script = ["drop"]
    report = publish(kit)
    kit.protect_account("board:board")
    assert kit.resolve(report.id, give_up=True).deliveries[0].state == "failed"
