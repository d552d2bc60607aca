"""Which of the declared rates a delivery draws on, and how often."""

from __future__ import annotations

from datetime import date

import pytest

from postkit.deliver.rates import Action, needed, scopes_of, understood, uploads_of
from postkit.limits.model import Rate, Source
from postkit.network import Account, RenderedPart
from postkit.plugins import Plugins
from postkit.rendition import Attachment
from postkit.store.budgets import Need

SOURCE = Source("a test", date(2026, 11, 23))


def rate(what: str, calls: int = 100, seconds: int = 900) -> Rate:
    return Rate(what, calls, seconds, SOURCE)


@pytest.mark.parametrize(
    ("what", "holder", "bucket", "count"),
    [
        ("posts of an account", "account", "posts/900", 1),
        ("posts of an account (2 points each)", "account", "posts/900", 1),
        ("posts of an app", "app", "posts/900", 1),
        ("messages", "account", "messages/900", 1),
        ("media uploads", "account", "media uploads/900", 3),
        ("uploads from an address", "address", "uploads/900", 3),
        ("alt texts", "account", "alt texts/900", 2),
        ("calls of a client", "app", "calls/900", 6),
        ("calls of a Page for each engaged user", "account", "calls/900", 6),
        ("all requests of an account", "account", "all requests/900", 6),
        ("all requests from an address", "address", "all requests/900", 6),
    ],
)
def test_what_a_rate_counts(what: str, holder: str, bucket: str, count: int) -> None:
    actions: dict[Action, int] = {"post": 1, "upload": 3, "alt": 2}
    (need,) = needed([rate(what)], actions)
    assert (need.holder, need.bucket, need.count) == (holder, bucket, count)
    assert (need.calls, need.seconds) == (100, 900)


def test_what_is_not_done_needs_nothing() -> None:
    rates = [rate(what) for what in ("deletions", "lists of own posts", "logins of an account")]
    assert needed(rates, {"post": 1, "upload": 4, "alt": 4}) == ()
    assert [need.bucket for need in needed(rates, {"delete": 1})] == ["deletions/900"]
    assert [need.bucket for need in needed(rates, {"list": 1})] == ["lists/900"]
    assert [need.bucket for need in needed(rates, {"login": 1})] == ["logins/900"]
    assert needed([rate("all requests")], {"upload": 0}) == ()
    assert needed([], {"post": 1}) == ()


def test_windows_of_two_lengths_are_two_budgets_and_doubled_rows_one() -> None:
    rates = [rate("posts", 100, 900), rate("posts", 300, 10_800), rate("posts", 50, 900)]
    assert needed(rates, {"post": 1}) == (
        Need("account", "posts/900", 50, 900),
        Need("account", "posts/10800", 300, 10_800),
    )


def test_more_than_a_whole_window_needs_the_whole_window() -> None:
    assert needed([rate("uploads", 3)], {"upload": 20}) == (
        Need("account", "uploads/900", 3, 900, 3),
    )


def test_words_that_are_not_known_are_not_counted() -> None:
    assert not understood(rate("likes of an account"))
    assert not understood(rate(""))
    assert needed([rate("likes of an account"), rate("")], {"post": 1}) == ()


def test_every_rate_of_the_networks_that_are_installed_is_understood() -> None:
    plugins = Plugins()
    networks = [plugins.network(name) for name in plugins.network_names()]
    assert len(networks) >= 5
    rates = [(n.name, r) for n in networks for r in n.limits.rates]
    assert [(name, r.what) for name, r in rates if not understood(r)] == []
    for network in networks:
        assert needed(network.limits.rates, {"post": 1, "upload": 1}), network.name


def test_what_preparing_a_part_costs() -> None:
    assert uploads_of(RenderedPart("text")) == {"upload": 0, "alt": 0}
    alts = {"a": "one", "b": "", "c": "two"}
    pictures = [Attachment(c, "image/png", 1, 1, 1, alt, c, bytes) for c, alt in alts.items()]
    assert uploads_of(RenderedPart("text", tuple(pictures))) == {"upload": 3, "alt": 2}


def test_whose_calls_are_counted_together() -> None:
    one, two = Account("a_1", "toy", "one"), Account("a_2", "toy", "two")
    assert scopes_of(one, "app-7") == {
        "account": "account:a_1",
        "app": "app:toy:app-7",
        "address": "address:toy",
    }
    assert scopes_of(one)["account"] != scopes_of(two)["account"]
    assert scopes_of(one, "7")["app"] == scopes_of(two, "7")["app"] != scopes_of(two, "8")["app"]
    away = Account("a_3", "toy", "three", endpoint="https://toy.example")
    assert scopes_of(away)["address"] == "address:toy:https://toy.example"
