"""What may be the id of a tenant."""

from __future__ import annotations

from typing import Any

import pytest

from postkit.errors import InputError
from postkit.tenant import LONGEST, checked


@pytest.mark.parametrize(
    "tenant", ["a", "customer-17", "0b9e", "org/42", "me@example.org", "Ünïcode 7", "x" * LONGEST]
)
def test_an_id_stays_as_it_is(tenant: str) -> None:
    assert checked(tenant) == tenant


@pytest.mark.parametrize(
    ("tenant", "why"),
    [
        ("", "is empty"),
        ("x" * (LONGEST + 1), "129 characters; at most 128"),
        (" a", "no blank"),
        ("a ", "no blank"),
        (" ", "no blank"),
        ("a\nb", "printable"),
        ("a\x00b", "printable"),
        ("a\u202eb", "printable"),
        ("a\ud800", "printable"),
        ("a\u00a0", "printable"),
        (b"a", "not bytes"),
        (None, "not NoneType"),
        (17, "not int"),
    ],
)
def test_what_is_none_is_refused_in_one_sentence(tenant: Any, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        checked(tenant)
    assert len(caught.value.problems) == 1
    assert caught.value.message.isprintable()
