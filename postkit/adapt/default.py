"""From a post to what one network gets, by its table of limits: pure, and every change told."""

from __future__ import annotations

from collections.abc import Sequence

from ..limits.model import Limits
from ..network import CannotRender, RenderedPart, RenderOptions, Rendition
from ..post import Post, Settings
from .card import attach_card
from .fields import add_options, add_poll, add_replies, add_settings, add_title
from .flow import attach, drop_media, fitting, spread_media
from .ledger import Draft, Ledger
from .split import MAX_PARTS, excess, number
from .texts import add_link, add_tags, drafts_of, fit_lengths

_SHOWN = frozenset({"title", "link", "poll"})
"""Fields that are something to see without a text."""


def adapt(network: str, post: Post, limits: Limits, options: RenderOptions) -> Rendition:
    """What ``network`` gets of ``post`` under ``limits``.

    Fields of a part, where they are there: ``title``, ``link``, ``card``, ``tags``, ``poll``
    and ``replies`` on the first; ``content_warning``, ``lang``, ``visibility`` and ``options`` on
    each. Everything that is not as the author wrote it is a change or a loss. Reads the bytes of
    media, and nothing else. Raises CannotRender with every reason.
    """
    ledger = Ledger(post)
    settings = post.networks.get(network) or Settings()
    drafts = drafts_of(post, settings, limits, ledger)
    drafts = drop_media(drafts, limits, ledger)
    add_title(post, settings, limits, drafts, ledger)
    add_link(post, settings, limits, drafts, ledger)
    add_tags(post, limits, drafts, ledger)
    add_poll(post, limits, drafts, ledger)
    add_replies(post, limits, drafts, ledger)
    shared = add_settings(post, limits, ledger)
    own = add_options(settings, options, ledger)
    if own:
        shared["options"] = own
    drafts = _thread(drafts, limits, options, ledger)
    _refuse_empty(drafts, limits, ledger)
    thumbnail = attach_card(options.card, drafts[0], limits, ledger)
    media = [attach(draft, limits, ledger, trim=options.trim) for draft in drafts]
    media[0] += thumbnail
    parts = [
        RenderedPart(draft.text, attached, {**draft.fields, **shared})
        for draft, attached in zip(drafts, media, strict=True)
    ]
    if ledger.refusals:
        raise CannotRender(ledger.refusals)
    return Rendition(tuple(parts), ledger.changes(drafts), ledger.losses(drafts))


def _thread(
    drafts: list[Draft], limits: Limits, options: RenderOptions, ledger: Ledger
) -> list[Draft]:
    """The drafts at their lengths, with their pictures, and numbered where that is wanted."""
    if not options.numbering or not limits.threads:
        return _sized(drafts, limits, options, "", ledger)
    # How many posts there are decides how much room their numbers take, and the other way round.
    for digits in (1, 2):
        trial = _sized(_copies(drafts), limits, options, _reserve(drafts, digits, limits), Ledger())
        if len(trial) < 10**digits:
            break
    reserve = number(digits) if len(trial) > 1 else ""
    sized = _sized(drafts, limits, options, reserve, ledger)
    if len(sized) > 1:
        for position, draft in enumerate(sized, 1):
            draft.text = f"{draft.text} ({position}/{len(sized)})".lstrip(" ")
        ledger.change("text", f"numbered from (1/{len(sized)}) to ({len(sized)}/{len(sized)})")
    return sized


def _reserve(drafts: Sequence[Draft], digits: int, limits: Limits) -> str:
    # A single post that fits has no number.
    alone = len(drafts) == 1 and not excess(drafts[0].text, limits.text)
    crowded = fitting(drafts[0].media, limits) < len(drafts[0].media)
    return "" if alone and not crowded else number(digits)


def _sized(
    drafts: list[Draft], limits: Limits, options: RenderOptions, reserve: str, ledger: Ledger
) -> list[Draft]:
    sized = fit_lengths(drafts, limits, options, reserve, ledger)
    sized = spread_media(sized, limits, ledger)
    if len(sized) > MAX_PARTS:
        ledger.refuse(
            "thread",
            f"thread: {len(sized)} posts of at most {MAX_PARTS};"
            " shorten it, or publish it as several posts.",
        )
    return sized


def _copies(drafts: Sequence[Draft]) -> list[Draft]:
    return [Draft(draft.text, list(draft.media), source=draft.source) for draft in drafts]


def _refuse_empty(drafts: Sequence[Draft], limits: Limits, ledger: Ledger) -> None:
    for position, draft in enumerate(drafts, 1):
        if draft.text:
            continue
        where = f"part {position}" if len(drafts) > 1 else "post"
        if not draft.media and not draft.fields.keys() & _SHOWN:
            ask = f"{where}: nothing is left that can be sent here; give it a text."
            ledger.refuse("text", ask)
        elif not limits.empty_text:
            ask = f"{where}: this network takes nothing without a text; give it one."
            ledger.refuse("text", ask)
