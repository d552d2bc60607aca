"""The texts of a delivery, read as readers do, and held against what the author wrote."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from markdown_it import MarkdownIt

from postkit.emulator.timeline import LivePost
from postkit.limits.model import Limits

from .posts import Given

Rows = Mapping[tuple[str, int | None], Mapping[str, Any]]

_NUMBER = re.compile(r"(?:^| )\((\d+)/(\d+)\)$")
NO_BREAK = "\ue000"
_READER = MarkdownIt("commonmark", {"breaks": True}).enable(["strikethrough", "table"])
_READER.disable(["html_block", "html_inline"])


def blank(text: str) -> bool:
    return not text.replace("\u200b", "").strip()


def lines(text: str) -> str:
    """``text`` with the line ends that networks have."""
    return re.sub(r"\r\n?", "\n", text)


def unlike_texts(limits: Limits, given: Given, live: list[LivePost], rows: Rows) -> Iterator[str]:
    """Texts that are delivered, and are not the text of exactly one post."""
    for number, part in enumerate(given.post.parts, 1):
        row = rows.get(("text", number))
        if row is None:
            continue
        opening = given.openings[number - 1]
        is_there = any(opening in post.text for post in live)
        if row["outcome"] == "lost" and (is_there or given.own_text is not None):
            yield f"text {number} is lost, and stands there or has another in its place"
        if row["outcome"] != "delivered":
            if limits.markup == "none" and lines(part.text) in [post.text for post in live]:
                yield f"text {number} stands as it was, and is {row['outcome']}: {row['how']}"
            continue
        if limits.markup == "none":
            same = [post for post in live if post.text == lines(part.text)]
        else:
            wanted = _as_html(part.text, markdown=part.markdown or _is_raw(given))
            same = [post for post in live if _html(post.extra["source"]) == wanted]
            if not part.markdown and not _is_raw(given) and _ragged(part.text):
                yield f"text {number} is delivered, but for its white space"
        if len(same) != 1:
            texts = [post.text for post in live]
            yield f"text {number} is delivered, and is not the text of one post: {texts}"


def unlike_whole(limits: Limits, given: Given, live: list[LivePost], rows: Rows) -> Iterator[str]:
    """Words that stand there and no row explains, or the other way round."""
    texts = [post.text for post in live]
    if given.numbering and len(texts) > 1:
        numbers = [_NUMBER.search(text) for text in texts]
        wanted = [(str(n), str(len(texts))) for n in range(1, len(texts) + 1)]
        if [found and found.groups() for found in numbers] != wanted:
            yield f"the posts are not numbered: {texts}"
        texts = [_NUMBER.sub("", text) for text in texts]
    source = live[0].extra.get("source", "")
    drafts = _drafts(limits, given, live)
    if limits.markup == "none":
        alike = any(_follow(texts, "\n\n".join(draft for draft, _ in d)) for d in drafts)
    elif _is_raw(given):
        alike = any(source == "\n\n".join(lines(draft) for draft, _ in d) for d in drafts)
    else:
        alike = any(
            _html(source) == "".join(_as_html(draft, markdown=how) for draft, how in d)
            for d in drafts
        )
    if not alike:
        yield f"{texts} is not what the author wrote: {[draft for draft, _ in drafts[0]]}"


def hashtags(limits: Limits, texts: Iterable[str]) -> set[str]:
    """The words that readers find as hashtags, without their sign."""
    rules = replace(limits.rules, hashtags=True)
    return {e.text[1:] for text in texts for e in rules.detect(text) if e.kind == "hashtag"}


def _added_tags(limits: Limits, given: Given) -> list[str]:
    """The tags that the author's texts do not have as hashtags yet."""
    has = {tag.lower() for tag in hashtags(limits, texts_of(given))}
    tags = list({tag.lower(): tag for tag in reversed(given.post.tags)}.values())[::-1]
    return [tag for tag in tags if tag.lower() not in has]


def texts_of(given: Given) -> list[str]:
    """The texts that the author wants to stand there."""
    return list(given.shown) if given.own_text is None else [given.own_text]


def _drafts(limits: Limits, given: Given, live: list[LivePost]) -> list[list[tuple[str, bool]]]:
    """What may stand there, piece by piece, and whether a piece is Markdown: the texts, the link
    behind one of them where it is nowhere else, the tags at the end."""
    pieces: list[tuple[str, bool]]
    if given.own_text is None:
        pieces = [
            ((part.text, True) if part.markdown and limits.markup != "none" else (shown, False))
            for part, shown in zip(given.post.parts, given.shown, strict=True)
            if not blank(part.text)
        ]
    else:
        pieces = [] if blank(given.own_text) else [(given.own_text, False)]
    pieces = [(lines(text), how) for text, how in pieces]
    own = given.settings
    link = given.post.link if own.link is None else own.link
    in_text = any(link and link in text.split() for text in map(lines, texts_of(given)))
    ways = [pieces]
    if link and not in_text and (limits.link == "text" or live[0].link is None):
        ways = [
            [*pieces[:place], (link, False), *pieces[place:]] for place in range(len(pieces) + 1)
        ]
    tags = _added_tags(limits, given) if limits.tags == "text" else []
    if tags:
        words = " ".join(f"#{tag}" for tag in tags)
        ways = [[*way, (words, False)] for way in ways]
    return ways


def _follow(texts: list[str], whole: str) -> bool:
    """Whether ``texts`` make up ``whole``, but for white space between two of them."""
    at = 0
    for text in texts:
        start = whole.find(text, at)
        if start < 0 or not blank(whole[at:start]):
            return False
        at = start + len(text)
    return blank(whole[at:])


def _is_raw(given: Given) -> bool:
    """Whether the author says that the text is Markdown already."""
    has_markdown = any(part.markdown for part in given.post.parts) and given.own_text is None
    return given.settings.options.get("markdown") is True and not has_markdown


def _as_html(text: str, *, markdown: bool) -> str:
    """What readers are to see: of Markdown its meaning, of plain text each letter."""
    if markdown:
        return _html(text)
    paragraphs = re.split(r"\n[ \t]*\n[ \t\n]*?(?=[ \t]*\S)", lines(text).rstrip().lstrip("\n"))
    return "".join(f"<p>{_literal(paragraph)}</p>\n" for paragraph in paragraphs)


def _literal(paragraph: str) -> str:
    def shown(line: str) -> str:
        indent = len(line) - len(line.lstrip(" "))
        return NO_BREAK * indent + html.escape(line.strip(" "), quote=True).replace("&#x27;", "'")

    return "<br />\n".join(shown(line) for line in paragraph.split("\n"))


def _html(source: str) -> str:
    # The reader trims this space at the ends of a paragraph, which sites do not.
    return str(_READER.render(lines(source).replace("\u00a0", NO_BREAK)))


def _ragged(text: str) -> bool:
    """White space that Markdown does not show as it is."""
    return bool(re.search(r"[ \t](?:\n|$)|^\s|\n[ \t]|\n\n\n|\n$", lines(text)))
