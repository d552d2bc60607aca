"""Identity, caps, protection, pauses and tenants at one account: each holds, none hides another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from postkit.accounts.confirm import NotConfirmed
from postkit.errors import Unavailable
from postkit.kit import Kit
from postkit.network import Identity

from .board import HandClock, Server
from .test_identity import BRAND, MINE, Members, board, kit_at

__all__ = ["board"]
CAPPED = "[networks.board]\ncap_per_day = 2\ncap_burst = 2\n"
LABEL = "board:shop"


@pytest.fixture
def kit(tmp_path: Path, server: Server, board: Members, clock: HandClock) -> Iterator[Kit]:
    """A tenant's account that could not be verified, protected, with caps of two."""
    (tmp_path / "postkit.toml").write_text(CAPPED)

    def away(who: str) -> Identity:
        raise Unavailable("Away.", network="board")

    honest, board.answer = board.answer, away
    with kit_at(tmp_path, board, clock) as kit:
        tenant = kit.for_tenant("north")
        account, _ = tenant.connect("board", {"token": MINE}, name="shop", endpoint=server.url)
        assert account.state == "unverified"
        tenant.protect_account(LABEL)
        board.answer = honest
        board.asked.clear()
        yield kit


def test_a_worker_of_all_binds_holds_and_goes_on(
    kit: Kit, server: Server, board: Members, clock: HandClock
) -> None:
    tenant = kit.for_tenant("north")

    with pytest.raises(NotConfirmed):
        tenant.schedule("a", [LABEL], at="in 1m")
    names = [
        tenant.schedule(text, [LABEL], at="in 1m", confirmed=[LABEL]).deliveries[0].id or ""
        for text in ("a", "b", "c")
    ]
    kit.pause(reason="hush")
    clock.sleep(120)
    kit.work(wait=0)
    assert (server.creates, board.asked) == (0, [])
    kit.unpause()
    with pytest.raises(NotConfirmed):
        tenant.unpause(send=True)
    tenant.unpause(send=True, confirmed=[LABEL])
    kit.work(wait=0)
    assert board.asked == ["me"], "once, by the worker"
    assert tenant.account(LABEL).identity == Identity("id-me", "@me")
    told = [tenant.report(name).deliveries[0] for name in names]
    assert [each.state for each in told] == ["live", "live", "held"]
    assert told[2].held_reason == "cap"
    # What a person lets go over the cap is still held against whose access it is.
    kit.vault().put(tenant.account(LABEL).id, {"token": BRAND})
    with pytest.raises(NotConfirmed):
        tenant.release(names[2])
    tenant.release(names[2], confirmed=[LABEL])
    kit.work(wait=0)
    assert server.creates == 2
    assert tenant.account(LABEL).state == "needs_login"
    tenant.connect("board", {"token": MINE}, name="shop", replace=True)
    kit.work(wait=0)
    assert tenant.report(names[2]).deliveries[0].state == "live"
    assert server.tokens == [MINE] * 3
    assert not any(chain.broken for chain in tenant.audit())
    assert kit.audit() == [] or not any(chain.broken for chain in kit.audit())


def test_two_workers_and_a_renamed_account(
    kit: Kit, tmp_path: Path, server: Server, board: Members, clock: HandClock
) -> None:
    tenant = kit.for_tenant("north")
    names = [
        tenant.schedule(text, [LABEL], at="in 1m", confirmed=[LABEL]).deliveries[0].id or ""
        for text in ("a", "b", "c", "d")
    ]
    clock.sleep(120)
    with kit_at(tmp_path, board, clock) as other:
        workers = [threading.Thread(target=each.work, kwargs={"wait": 1}) for each in (kit, other)]
        for worker in workers:
            worker.start()
        tenant.rename_account(LABEL, "store")
        for worker in workers:
            worker.join(60)
    told = [tenant.report(name).deliveries[0] for name in names]
    assert sorted(each.state for each in told) == ["held", "held", "live", "live"]
    assert sorted(post["text"] for post in server.posts) == ["a", "b"]
    assert {each.account for each in told} == {"board:store"}
    # The same name again, and the same words: what is protected stays so, what was sent is known.
    once = tenant.publish("e", ["board:store"], once="e", confirmed=["board:store"])
    assert once.deliveries[0].held_reason == "cap"
    again = tenant.publish("e", ["board:store"], once="e", confirmed=["board:store"])
    assert again.publication == once.publication
    assert server.creates == 2
