"""Pictures over the parts: as many as each may carry, the rest in the parts that follow."""

from __future__ import annotations

from ..errors import InputError
from ..limits.model import Limits
from ..network import Attachment, CannotRender
from .ledger import Draft, Ledger
from .texts import can_show, normal


def drop_media(drafts: list[Draft], limits: Limits, ledger: Ledger) -> list[Draft]:
    """Where no pictures can be sent: each is a loss. Parts that are empty then are left out."""
    if can_show(limits) or not any(draft.media for draft in drafts):
        return drafts
    for draft in drafts:
        for media in draft.media:
            alt = f" (alt text: {media.alt})" if media.alt.strip() else ""
            ledger.loss(
                "media", f"{media.name} is not sent: pictures are not supported{alt}", draft
            )
        draft.media = []
    kept = [draft for draft in drafts if draft.text] or drafts[:1]
    if len(kept) < len(drafts):
        ledger.change("thread", f"{len(drafts) - len(kept)} parts without text are left out")
    return kept


def spread_media(drafts: list[Draft], limits: Limits, ledger: Ledger) -> list[Draft]:
    """Drafts with at most ``media_count`` pictures each, in order; new ones where allowed."""
    most = limits.media_count
    total = sum(len(draft.media) for draft in drafts)
    spread: list[Draft] = []
    waiting = list(drafts)
    while waiting:
        draft = waiting.pop(0)
        spread.append(draft)
        more = draft.media[most:] if most > 0 else []
        if not more:
            continue
        if not limits.threads or not (waiting or limits.empty_text):
            ledger.refuse(
                f"media: {total} pictures do not fit ({most} in a post); leave"
                f" {len(more)} out{' or add a part' if limits.threads else ''}."
            )
            continue
        draft.media = draft.media[:most]
        if not waiting:
            waiting.append(Draft(""))
        waiting[0].media = more + waiting[0].media
        moved = f"{len(more)} pictures go on" if len(more) > 1 else "1 picture goes on"
        ledger.change("media", f"{moved} in the next post ({most} in a post)", draft)
    return spread


def attach(draft: Draft, limits: Limits, ledger: Ledger) -> tuple[Attachment, ...]:
    """The pictures of ``draft`` made to fit; problems of each are collected."""
    limit = limits.image
    if limit is None:
        return ()
    from .images import fit

    attachments = []
    for media in draft.media:
        alt = normal(media.alt)
        if alt and limits.alt is None:
            ledger.loss("alt", f"{media.name}: alt text is not sent ({alt})", draft)
            alt = ""
        elif limits.alt and (count := limits.alt.counter.count(alt)) > limits.alt.maximum:
            ledger.refuse(
                f"{media.name}: its alt text has {count:,} of {limits.alt.maximum:,}"
                f" {limits.alt.counter.unit}; shorten it."
            )
        try:
            attachment, changes = fit(media.read(), media.name, alt, limit)
        except InputError as error:
            for problem in error.problems:
                ledger.refuse(problem)
        except CannotRender as error:
            for reason in error.reasons:
                ledger.refuse(reason)
        else:
            attachments.append(attachment)
            for line in changes:
                ledger.change("media", line, draft)
    return tuple(attachments)
