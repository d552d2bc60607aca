"""The texts of the parts: the author's or a network's own, with link and tags, at their length."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..limits.model import Limits
from ..markup.escape import escape
from ..markup.markdown import markdown
from ..markup.plain import plain
from ..markup.tree import MAX_DEPTH, TooDeep
from ..network import CannotRender, RenderOptions
from ..post import Part, Post, Settings, is_blank
from .ledger import Draft, Ledger
from .split import counts, cut, excess

TOO_DEEP = f"text: lists and quotes are nested more than {MAX_DEPTH} deep; write it flatter."


RAGGED = "white space as in Markdown: no spaces at the end of a line, one blank line at most"
_RAGGED = re.compile(r"[ \t]$|^[ \t]|\n\n\n|\A\n|\n\Z", re.MULTILINE)


def normal(text: str) -> str:
    """``text`` with line ends as ``\\n``; nothing where readers would see nothing."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "" if is_blank(text) else text


def drafts_of(post: Post, settings: Settings, limits: Limits, ledger: Ledger) -> list[Draft]:
    """A draft for each part; one alone for a text of the network's own or without threads."""
    if settings.text is not None:
        everything = tuple(range(1, len(post.parts) + 1))
        every = [media for part in ledger.media for media in part]
        own = Draft(normal(settings.text), every, source=everything)
        if settings.text != post.text or len(post.parts) > 1:
            ledger.change("text", "this network's own text is sent instead", own)
        if limits.markup != "none" and _RAGGED.search(own.text):
            ledger.change("text", RAGGED, own)
        return [own]
    drafts = []
    show = _shown(post, limits)
    for number, part in enumerate(post.parts, 1):
        draft = show(part, number, ledger)
        draft.media = list(ledger.media[number - 1])
        if limits.markup != "none" and not part.markdown and _RAGGED.search(normal(part.text)):
            ledger.change("text", RAGGED, draft)
        if draft.text or draft.media or number == 1:
            drafts.append(draft)
        else:
            ledger.change("thread", f"part {number} is empty and is left out", items=(number,))
    if len(drafts) > 1 and not (drafts[0].text or drafts[0].media):
        ledger.change("thread", "part 1 is empty and is left out", items=(1,))
        del drafts[0]
    if len(drafts) > 1 and not limits.threads:
        joined = Draft(
            "\n\n".join(draft.text for draft in drafts if draft.text),
            [media for draft in drafts for media in draft.media],
            dict(drafts[0].fields),
            tuple(number for draft in drafts for number in draft.source),
        )
        line = f"{len(drafts)} parts are joined into one: no threads here"
        worded = [draft for draft in drafts if draft.text]
        # The text of one part among pictures stands as it was.
        changed = worded if len(worded) > 1 else [draft for draft in drafts if not draft.text]
        ledger.change("thread", line, joined, tuple(n for draft in changed for n in draft.source))
        return [joined]
    return drafts


def _shown(post: Post, limits: Limits) -> Callable[[Part, int, Ledger], Draft]:
    """What makes a draft of a part: in the network's Markdown where the post has any, else as
    plain text."""
    if limits.markup == "none" or not any(part.markdown for part in post.parts):
        return _as_plain

    def as_markdown(part: Part, number: int, ledger: Ledger) -> Draft:
        text = normal(part.text)
        try:
            text = (markdown if part.markdown else escape)(text, limits.rules)
        except TooDeep:
            ledger.refuse("text", TOO_DEEP)
        return Draft(normal(text), fields={"markup": limits.markup}, source=(number,))

    return as_markdown


def _as_plain(part: Part, number: int, ledger: Ledger) -> Draft:
    draft = Draft(normal(part.text), source=(number,))
    if part.markdown:
        try:
            shown = plain(draft.text)
        except TooDeep:
            ledger.refuse("text", TOO_DEEP)
        else:
            draft.text = normal(shown.text)
            if shown.change:
                ledger.change("text", shown.change, draft)
            elif shown.text != normal(part.text):
                ledger.change("text", "its Markdown is shown as plain text", draft)
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
        videos = any(media.kind == "video" for media in first.media)
        kind = "a video" if videos else "pictures" if first.media else "a poll"
        why = f"a post with {kind} has no link of its own: " if limits.link == "field" else ""
        ledger.change("link", f"{why}{link} is added to the text", first, in_text=True)


def add_tags(post: Post, limits: Limits, drafts: list[Draft], ledger: Ledger) -> None:
    """The tags as a field, as hashtags in the text, or lost."""
    tags = list({tag.lower(): tag for tag in reversed(post.tags)}.values())[::-1]

    def numbers(some: Sequence[str]) -> tuple[int, ...]:
        folded = {tag.lower() for tag in some}
        return tuple(n for n, tag in enumerate(post.tags, 1) if tag.lower() in folded)

    if limits.max_tags is not None and limits.tags != "none" and len(tags) > limits.max_tags:
        more = tags[limits.max_tags :]
        del tags[limits.max_tags :]
        text = f"{_hashtags(more)} not sent: at most {limits.max_tags} tags"
        ledger.loss("tags", text, items=numbers(more))
    if not tags:
        return
    if limits.tags == "field":
        drafts[0].fields["tags"] = tags
        _tell_spellings(post, {tag.lower(): tag for tag in tags}, ledger)
        return
    written: dict[str, str] = {}
    for draft in drafts:
        # A sign that begins a line of Markdown has a backslash before it.
        is_plain = not draft.fields.get("markup")
        text = draft.text if is_plain else draft.text.replace("\\#", "#")
        written |= _tags_in(text, limits)
    missing = [tag for tag in tags if tag.lower() not in written]
    spelt = {tag.lower(): tag for tag in missing} if limits.tags == "text" else {}
    _tell_spellings(post, {**spelt, **written}, ledger)
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
    ledger.change("tags", f"{words} added to the text", last, numbers(missing), in_text=True)
    found = _tags_in(words, limits)
    if plain := [tag for tag in missing if tag.lower() not in found]:
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
                    draft.text,
                    limits.text,
                    limits.rules,
                    reserve=reserve,
                    distinct=limits.distinct_parts,
                )
            except CannotRender as error:
                for reason in error.reasons:
                    ledger.refuse("text", reason, draft.source)
                continue
            told = (
                f"{numbers}: split into {len(pieces)} posts"
                if len(pieces) > 1
                else f"{numbers}: the white space around it is left out"
            )
            ledger.change("text", told, draft)
            draft.text = pieces[0]
            fitted += [Draft(piece, source=draft.source) for piece in pieces[1:]]
    return fitted


def _holds(text: str, link: str) -> bool:
    """Whether readers find ``link`` in ``text``, and not merely in or as part of a longer one."""
    ending = r"(?=[.,;:!?)\]}>»”\"'…。、！？」）]*(?:\s|$))"
    return re.search(rf"(?<![\w/=?&%#]){re.escape(link)}{ending}", text) is not None


def _tell_spellings(post: Post, spelt: Mapping[str, str], ledger: Ledger) -> None:
    """Capitals make no other tag, so it stands there once; ``spelt`` is how, in small letters."""
    for number, tag in enumerate(post.tags, 1):
        there = spelt.get(tag.lower(), tag)
        if there != tag:
            ledger.change("tags", f"#{tag} stands there as #{there}", items=(number,))


def _tags_in(text: str, limits: Limits) -> dict[str, str]:
    """The hashtags that the network finds, without their sign, in small letters."""
    rules = replace(limits.rules, hashtags=True)
    found = [e.text[1:] for e in rules.detect(text) if e.kind == "hashtag"]
    return {tag.lower(): tag for tag in reversed(found)}


def _hashtags(tags: Sequence[str]) -> str:
    return " ".join(f"#{tag}" for tag in tags)
