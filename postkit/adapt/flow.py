"""Media over the parts: what each may carry, the rest in the parts that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import InputError
from ..limits.model import Limits
from ..network import Attachment, CannotRender
from ..post import Media
from ..rendition import MediaKind
from .kinds import WORDS, in_words, sent_as
from .ledger import Draft, Ledger
from .texts import normal


def drop_media(drafts: list[Draft], limits: Limits, ledger: Ledger) -> list[Draft]:
    """Media of a kind that cannot be sent are losses. Parts that are empty then are left out."""
    lost = False
    for draft in drafts:
        kept = []
        for media in draft.media:
            kind = media.kind
            if sent_as(kind, limits) is not None:
                kept.append(media)
                continue
            lost = True
            alt = f" (alt text: {media.alt})" if media.alt.strip() else ""
            text = f"{media.name} is not sent: {WORDS[kind][1]} are not supported{alt}"
            ledger.loss("media", text, draft, ledger.numbers(media))
        draft.media = kept
    if not lost:
        return drafts
    remaining = [draft for draft in drafts if draft.text or draft.media] or drafts[:1]
    if len(remaining) < len(drafts):
        gone = [n for draft in drafts if draft not in remaining for n in draft.source]
        ledger.change("thread", f"{len(gone)} parts without text are left out", items=tuple(gone))
    return remaining


def spread_media(drafts: list[Draft], limits: Limits, ledger: Ledger) -> list[Draft]:
    """Drafts with as many media as each may carry, in order; new ones where allowed."""
    total = [media.kind for draft in drafts for media in draft.media]
    spread: list[Draft] = []
    waiting = list(drafts)
    while waiting:
        draft = waiting.pop(0)
        spread.append(draft)
        together = fitting(draft.media, limits)
        more = draft.media[together:]
        if not more:
            continue
        rule = _rule(draft.media[: together + 1], limits)
        if not limits.threads or not (waiting or limits.empty_text):
            ledger.refuse(
                "media",
                f"media: {in_words(total)} do not fit ({rule}); leave"
                f" {len(more)} out{' or add a part' if limits.threads else ''}.",
                ledger.numbers(*more),
            )
            continue
        draft.media = draft.media[:together]
        if not waiting:
            waiting.append(Draft(""))
        waiting[0].media = more + waiting[0].media
        go = "goes" if len(more) == 1 else "go"
        moved = in_words([media.kind for media in more])
        text = f"{moved} {go} on in the next post ({rule})"
        ledger.change("media", text, draft, ledger.numbers(*more))
    return spread


def fitting(media: Sequence[Media], limits: Limits) -> int:
    """How many of ``media``, from the first on, can be together in one part."""
    kinds: list[MediaKind] = []
    for one in media:
        kinds.append(sent_as(one.kind, limits) or "image")
        if not _together(kinds, limits):
            return len(kinds) - 1
    return len(kinds)


def _together(kinds: Sequence[MediaKind], limits: Limits) -> bool:
    images, videos = kinds.count("image"), kinds.count("video")
    if "animation" in kinds:
        return len(kinds) == 1
    if videos == 0:
        return images <= limits.media_count
    if limits.video is None or videos > limits.video.count:
        return False
    return images == 0 or (limits.video.beside_images and images + videos <= limits.media_count)


def _rule(media: Sequence[Media], limits: Limits) -> str:
    """Why ``media`` cannot all be together, in words."""
    kinds: set[MediaKind] = {sent_as(one.kind, limits) or "image" for one in media}
    if kinds == {"image"}:
        return f"{limits.media_count} in a post"
    if kinds == {"video"} and limits.video is not None:
        return f"{limits.video.count} in a post"
    return f"{'a video' if 'video' in kinds else 'an animated picture'} stands alone in a post"


def attach(
    draft: Draft, limits: Limits, ledger: Ledger, *, trim: bool = False
) -> tuple[Attachment, ...]:
    """The media of ``draft`` made to fit; problems of each are collected."""
    attachments = []
    for media in draft.media:
        kind = None
        try:
            kind = sent_as(media.kind, limits)
            attachment, changes, losses = _fit(media, kind, limits, trim)
        except (InputError, CannotRender) as error:
            reasons = error.problems if isinstance(error, InputError) else error.reasons
            for reason in reasons:
                ledger.refuse("media", reason, ledger.numbers(media))
            if kind is not None:
                _alt(media, kind, limits, draft, ledger)
        else:
            # An animated picture that is too large may have become a video.
            alt = _alt(media, attachment.kind, limits, draft, ledger)
            attachments.append(replace(attachment, alt=alt))
            for line in changes:
                ledger.change("media", line, draft, ledger.numbers(media))
            for line in losses:
                ledger.loss("tracks", line, draft, ledger.numbers(media))
    return tuple(attachments)


def _alt(media: Media, kind: MediaKind, limits: Limits, draft: Draft, ledger: Ledger) -> str:
    alt = normal(media.alt)
    limit = limits.alt_limit(kind)
    if alt and limit is None:
        text = f"{media.name}: alt text is not sent ({alt})"
        ledger.loss("alt", text, draft, ledger.numbers(media))
        return ""
    if limit and (count := limit.counter.count(alt)) > limit.maximum:
        ledger.refuse(
            "alt",
            f"{media.name}: its alt text has {count:,} of {limit.maximum:,}"
            f" {limit.counter.unit}; shorten it.",
            ledger.numbers(media),
        )
    return alt


def _fit(
    media: Media, kind: MediaKind | None, limits: Limits, trim: bool
) -> tuple[Attachment, tuple[str, ...], tuple[str, ...]]:
    if kind == "video" and limits.video is not None:
        from .videos import fit_video

        return fit_video(media, "", limits.video, trim=trim)
    from .images import fit

    if kind == "animation" and limits.animation is not None:
        try:
            return *fit(media.read(), media.name, "", limits.animation, kind="animation"), ()
        except CannotRender:
            if limits.video is None:
                raise
        from .videos import fit_video

        return fit_video(media, "", limits.video, trim=trim)
    if limits.image is None:
        raise CannotRender(f"{media.name}: pictures are not supported here.")
    return *fit(media.read(), media.name, "", limits.image), ()
