"""One address: its posts, and beside them what becomes of the post there."""

from __future__ import annotations

from collections.abc import Iterator

from ..guarantees import SAYS, own_quiet, what_remains
from ..pages.markup import Markup, escape, isolated
from ..plan import Planned
from ..rendition import RenderedPart
from ..terms import IN_DOUBT, money, options_of, quota
from .fate import fate, icon
from .lengths import lengths
from .pictures import Pictures
from .thread import address_of, thread

NOT_CONNECTED = "not connected: the network's usual limits"


def section(planned: Planned, number: int, pictures: Pictures) -> Markup:
    """The HTML of one address; ``number`` makes its id, since names may hold anything."""
    stranger = "" if planned.is_connected else f'<p class="stranger">{NOT_CONNECTED}</p>'
    body = _refused(planned) if planned.rendition is None else _sent(planned, pictures)
    return Markup(
        f'<section class="address" id="a{number}" aria-labelledby="a{number}-title">'
        f'<header><h2 id="a{number}-title">{escape(planned.network.title)}</h2>'
        f'<p class="label">{isolated(address_of(planned))}</p>{stranger}</header>'
        f'<div class="panes">{body}</div></section>'
    )


def _sent(planned: Planned, pictures: Pictures) -> str:
    return (
        f'<div class="reading">{thread(planned, pictures)}</div>'
        f'<div class="beside">{fate(planned)}<div>{lengths(planned)}{_terms(planned)}</div></div>'
    )


def _refused(planned: Planned) -> str:
    reasons = "".join(f'<li dir="auto">{escape(reason)}</li>' for reason in planned.reasons)
    return (
        f'<div class="reading"><div class="refusal"><h3>{icon("refused")} Refused: nothing can be '
        f'sent here</h3><ul>{reasons}</ul></div></div><div class="beside">{fate(planned)}</div>'
    )


def _terms(planned: Planned) -> str:
    rows = "".join(f"<div><dt>{term}</dt><dd>{words}</dd></div>" for term, words in _rows(planned))
    return f'<section class="terms"><h3>Terms</h3><dl>{rows}</dl></section>'


def _rows(planned: Planned) -> Iterator[tuple[str, str]]:
    """Term and HTML of what is sent beside the post, what it costs, and what is promised."""
    parts = planned.rendition.parts if planned.rendition is not None else ()
    for name, value in options_of(parts).items():
        yield "option", f"{isolated(name)}: {isolated(value)}"
    tags = [str(tag) for part in parts for tag in part.fields.get("tags") or ()]
    if tags:
        yield "tags", f"{isolated(', '.join(tags))}, beside the text"
    yield "cost", escape(money(planned.cost)) if planned.cost else "nothing that is known of"
    words = quota(planned)
    if words:
        yield "quota", escape(words)
    if parts:
        yield "guarantee", _guarantee(planned, parts[0])


def _guarantee(planned: Planned, part: RenderedPart) -> str:
    account = planned.place.account
    promise = own_quiet(planned.network.guarantee(part, account), account)
    doubt = IN_DOUBT.get(promise.kind, promise.kind)
    return (
        f"<b>{escape(SAYS.get(promise.kind, promise.kind))}</b>. If an answer is lost, "
        f"{escape(doubt)}. <i>What can remain uncertain:</i> {escape(what_remains(promise))}"
    )
