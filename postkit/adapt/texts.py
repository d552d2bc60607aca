"""The texts of the parts: the author's or a network's own, with link and tags, at their length."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..limits.model import Limits
from ..markup.escape import escape
from ..markup.markdown import markdown
from ..markup.plain import plain
from ..markup.tree import MAX_DEPTH, TooDeep
from ..network import CannotRender, RenderOptions
from ..post import Part, Post, Settings, is_blank
from .ledger import Draft, Ledger
from .split import MAX_PARTS, counts, cut, excess

TOO_DEEP = f"text: lists and quotes are nested more than {MAX_DEPTH} deep; write it flatter."


def normal(text: str) -> str:
    """``text`` with line ends as ``\\n``; nothing where readers would see nothing."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "" if is_blank(text) else text


def drafts_of(post: Post, settings: Settings, limits: Limits, ledger: Ledger) -> list[Draft]:
    """A draft for each part; one alone for a text of the network's own or without threads."""
    if settings.text is not None:
        everything = tuple(range(1, len(post.parts) + 1))
        own = Draft(normal(settings.text), list(post.media), source=everything)
        if settings.text != post.text or len(post.parts) > 1:
            ledger.change("text", "this network's own text is sent instead", own)
        return [own]
    drafts = []
    show = _shown(post, limits)
    for number, part in enumerate(post.parts, 1):
        draft = show(part, ledger)
        draft.source = (number,)
        if draft.text or draft.media or number == 1:
            drafts.append(draft)
        else:
            ledger.change("thread", f"part {number} is empty and is left out")
    if len(drafts) > 1 and not (drafts[0].text or drafts[0].media):
        ledger.change("thread", "part 1 is empty and is left out")
        del drafts[0]
    if len(drafts) > 1 and not limits.threads:
        joined = Draft(
            "\n\n".join(draft.text for draft in drafts if draft.text),
            [media for draft in drafts for media in draft.media],
            dict(drafts[0].fields),
            tuple(number for draft in drafts for number in draft.source),
        )
        ledger.change("thread", f"{len(drafts)} parts are joined into one: no threads here", joined)
        return [joined]
    return drafts


def _shown(post: Post, limits: Limits) -> Callable[[Part, Ledger], Draft]:
    """What makes a draft of a part: in the network's Markdown where the post has any, else as
    plain text."""
    if limits.markup == "none" or not any(part.markdown for part in post.parts):
        return _as_plain

    def as_markdown(part: Part, ledger: Ledger) -> Draft:
        text = normal(part.text)
        try:
            text = (markdown if part.markdown else escape)(text, limits.rules)
        except TooDeep:
            ledger.refuse("text", TOO_DEEP)
        return Draft(normal(text), list(part.media), {"markup": limits.markup})

    return as_markdown


def _as_plain(part: Part, ledger: Ledger) -> Draft:
    draft = Draft(normal(part.text), list(part.media))
    if part.markdown:
        try:
            shown = plain(draft.text)
        except TooDeep:
            ledger.refuse("text", TOO_DEEP)
        else:
            draft.text = normal(shown.text)
            if shown.change:
                ledger.change("text", shown.change, draft)
    return draft


def add_link(
    post: Post, settings: Settings, limits: Limits, drafts: list[Draft], ledger: Ledger
) -> None:
    """The link as a field, in the text, or lost."""
    if settings.link is not None and settings.link != post.link:
        ledger.change("link", f"this network's own link: {settings.link or 'none'}")
    link = post.link if settings.link is None else settings.link
    if not link:
        return
    first = drafts[0]
    beside_poll = post.poll is not None and limits.poll is not None
    alone = not (first.media or beside_poll)
    written = any(_holds(draft.text, link) for draft in drafts)
    if limits.link == "field" and (limits.link_with_media or alone):
        first.fields["link"] = link
    elif written:
        return
    elif limits.link == "none":
        ledger.loss("link", f"{link} is not sent: links are not supported")
    else:
        first.text = f"{first.text}\n\n{link}" if first.text else link
        kind = "pictures" if first.media else "a poll"
        why = f"a post with {kind} has no link of its own: " if limits.link == "field" else ""
        ledger.change("link", f"{why}{link} is added to the text", first)


def add_tags(post: Post, limits: Limits, drafts: list[Draft], ledger: Ledger) -> None:
    """The tags as a field, as hashtags in the text, or lost."""
    tags = list({tag.casefold(): tag for tag in reversed(post.tags)}.values())[::-1]

    def numbers(some: Sequence[str]) -> tuple[int, ...]:
        folded = {tag.casefold() for tag in some}
        return tuple(n for n, tag in enumerate(post.tags, 1) if tag.casefold() in folded)

    if limits.max_tags is not None and limits.tags != "none" and len(tags) > limits.max_tags:
        more = tags[limits.max_tags :]
        del tags[limits.max_tags :]
        text = f"{_hashtags(more)} not sent: at most {limits.max_tags} tags"
        ledger.loss("tags", text, items=numbers(more))
    if not tags:
        return
    if limits.tags == "field":
        drafts[0].fields["tags"] = tags
        return
    written = {tag for draft in drafts for tag in _tags_in(draft.text, limits)}
    missing = [tag for tag in tags if tag.casefold() not in written]
    if not missing:
        return
    if limits.tags == "none":
        text = f"{_hashtags(missing)} not sent: tags are not supported"
        ledger.loss("tags", text, items=numbers(missing))
        return
    last = next((draft for draft in reversed(drafts) if draft.text), drafts[-1])
    words = _hashtags(missing)
    written_so = escape(words, limits.rules) if last.fields.get("markup") else words
    last.text = f"{last.text}\n\n{written_so}" if last.text else written_so
    ledger.change("tags", f"{words} added to the text", last, numbers(missing))
    found = _tags_in(words, limits)
    if plain := [tag for tag in missing if tag.casefold() not in found]:
        text = f"{_hashtags(plain)} sent as plain text: no hashtag here"
        ledger.loss("tags", text, last, numbers(plain))


def fit_lengths(
    drafts: list[Draft], limits: Limits, options: RenderOptions, reserve: str, ledger: Ledger
) -> list[Draft]:
    """Drafts that keep the text limits with ``reserve`` behind each; what is cut goes on behind."""
    fitted: list[Draft] = []
    for draft in drafts:
        fitted.append(draft)
        broken = excess(draft.text + (reserve if draft.text else ""), limits.text)
        if not broken:
            continue
        numbers = counts(excess(draft.text, limits.text) or broken)
        if not limits.threads:
            ledger.refuse(
                "text",
                f"text: {numbers} and there are no threads here; shorten it, or give this network"
                " a text of its own.",
                draft.source,
            )
        elif not options.split:
            ledger.refuse(
                "text", f"text: {numbers} and it must not be split; shorten it.", draft.source
            )
        else:
            try:
                pieces = cut(
                    draft.text, limits.text, limits.rules, reserve=reserve, max_parts=MAX_PARTS
                )
            except CannotRender as error:
                for reason in error.reasons:
                    ledger.refuse("text", reason, draft.source)
                continue
            ledger.change("text", f"{numbers}: split into {len(pieces)} posts", draft)
            draft.text = pieces[0]
            fitted += [Draft(piece, source=draft.source) for piece in pieces[1:]]
    return fitted


def _holds(text: str, link: str) -> bool:
    """Whether readers find ``link`` in ``text``, and not merely in or as part of a longer one."""
    ending = r"(?=[.,;:!?)\]}>»”\"'…。、！？」）]*(?:\s|$))"
    return re.search(rf"(?<![\w/=?&%#]){re.escape(link)}{ending}", text) is not None


def _tags_in(text: str, limits: Limits) -> set[str]:
    """The hashtags that the network finds, without their sign and casefolded."""
    rules = replace(limits.rules, hashtags=True)
    return {e.text[1:].casefold() for e in rules.detect(text) if e.kind == "hashtag"}


def _hashtags(tags: Sequence[str]) -> str:
    return " ".join(f"#{tag}" for tag in tags)
