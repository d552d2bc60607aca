"""The classes of guarantee that are simulated, with the numbers that networks of today declare."""

from __future__ import annotations

from dataclasses import dataclass

from ..network import Guarantee, GuaranteeKind

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Class:
    """``plain`` is the guarantee of a part without pictures, ``pictured`` of one with them.

    ``may_ask``: whether a question to a person is a proper outcome. ``ttl``: seconds for which
    the network itself honours a key, or refuses the same text.
    """

    name: str
    plain: Guarantee
    pictured: Guarantee
    may_ask: bool
    proves: bool = False
    ttl: float | None = None

    @property
    def kind(self) -> GuaranteeKind:
        return self.plain.kind


_KEY = Guarantee("key", quiet=120.0, key_ttl=50 * 60.0, resend_when_absent=True)
_PROBE = Guarantee("probe", quiet=0.0, key_ttl=None, resend_when_absent=True)
_REFUSAL = Guarantee("duplicate_refusal", quiet=900.0, key_ttl=DAY, resend_when_absent=True)
_REFUSAL_PICTURED = Guarantee("duplicate_refusal", quiet=900.0)
_READ_BACK = Guarantee("read_back", quiet=900.0)
_CHOSEN = Guarantee("read_back", quiet=900.0, resend_when_absent=True)
_BLIND = Guarantee("blind")

CLASSES = {
    one.name: one
    for one in (
        Class("key", _KEY, _KEY, may_ask=True, ttl=HOUR),
        Class("probe", _PROBE, _PROBE, may_ask=False, proves=True),
        Class("duplicate_refusal", _REFUSAL, _REFUSAL_PICTURED, may_ask=True, ttl=1.25 * DAY),
        Class("read_back", _READ_BACK, _READ_BACK, may_ask=True),
        Class("blind", _BLIND, _BLIND, may_ask=True),
        Class("read_back_resend", _CHOSEN, _CHOSEN, may_ask=True),
    )
}
"""The last one is no plugin's: it is what a user would get who chose to send again on absence."""
DECLARED = tuple(name for name in CLASSES if name != "read_back_resend")
