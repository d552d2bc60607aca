"""Posts that no person would write: every field, in every state that a network may stumble at."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from postkit.limits.model import Limits, TextLimit
from postkit.network import Network, Option
from postkit.post import REPLIES, Media, Part, Poll, Post, Settings
from postkit.testing.texts import exactly

from . import pictures, words

LINKS = ("https://example.com/launch", "https://example.org/a_b?c=d&e=f", "http://example.net/")
TAGS = (
    *("launch", "größe", "GRÖSSE", "日本語", "c++", "2027", "Launch", "a-b", "x" * 70),
    "open_source",
)
LANGS = ("en", "de", "pt-BR", "zh-TW", "DE", "tlh", "zh-Hant-TW")
VISIBILITIES = ("public", "unlisted", "private", "direct")
ALT_WORDS = "A picture of a rocket, größer als zuvor, 🚀 & <b>more</b>. "


@dataclass(frozen=True, slots=True)
class Given:
    """A post for one network.

    ``shown`` is what readers without markup would see of each part's text, ``openings`` are the
    words that no other part has ("" where the part is blank).
    """

    post: Post
    shown: tuple[str, ...]
    openings: tuple[str, ...]
    settings: Settings
    numbering: bool

    @property
    def own_text(self) -> str | None:
        return self.settings.text


def post_for(network: Network[Any], limits: Limits, seed: str, number: int) -> Given:
    """The post of that number; the same seed gives the same posts."""
    return _Author(random.Random(f"{seed} {network.name} {number}"), network, limits, number).post()


class _Author:
    def __init__(
        self, choose: random.Random, network: Network[Any], limits: Limits, number: int
    ) -> None:
        self._choose = choose
        self._network = network
        self._limits = limits
        self._number = number

    def post(self) -> Given:
        written = [self._text(position) for position in range(self._how_many_parts())]
        poll = self._poll() if self._chance(0.15) else None
        # Where both are allowed is rare, so most polls stand alone.
        media = self._media() if poll is None or self._chance(0.25) else []
        parts = []
        for position, (piece, markdown) in enumerate(written):
            mine = media if position == len(written) - 1 else media[: self._choose.randint(0, 4)]
            media = media[len(mine) :]
            parts.append(Part(piece.source, tuple(mine), markdown=markdown))
        own = self._own()
        # The link keeps a post without words and pictures from being none.
        empty = not any(part.text.strip(" \u200b\n\r") or part.media for part in parts)
        chance = self._chance
        post = Post(
            parts,
            title=self._title(),
            link=self._choose.choice(LINKS) if empty or chance(0.35) else None,
            tags=self._choose.sample(TAGS, self._choose.randint(1, 4)) if chance(0.35) else (),
            poll=poll,
            content_warning=self._warning() if chance(0.15) else None,
            lang=self._choose.choice(LANGS) if chance(0.3) else None,
            visibility=self._visibility() if chance(0.2) else None,
            replies=self._replies() if chance(0.25) else None,
            networks={} if own is None else {self._network.name: own},
        )
        shown = tuple(piece.shown for piece, _ in written)
        openings = tuple(
            self._opening(n) if piece.source.strip() not in ("", "\u200b") else ""
            for n, (piece, _) in enumerate(written)
        )
        return Given(post, shown, openings, own or Settings(), chance(0.12))

    def _chance(self, share: float) -> bool:
        return self._choose.random() < share

    def _how_many_parts(self) -> int:
        return self._choose.choice((1, 1, 1, 1, 2, 2, 3, 4, 5))

    def _text(self, position: int) -> tuple[words.Piece, bool]:
        draw = self._choose.random()
        if draw < 0.06:
            blank = self._choose.choice(("", " \n ", "\u200b", "\r\n"))
            return words.Piece(blank, blank), False
        markdown = self._chance(0.25)
        size = self._choose.choice((0, 0, 1, 1, 2, 3))
        if draw > 0.85:
            size = self._choose.randint(6, 16)
        piece = words.text(self._choose, self._opening(position), size, markdown=markdown)
        if not markdown and self._chance(0.1):
            ragged = self._choose.choice(
                (
                    f"{piece.source}  ",
                    f"{piece.source}\n",
                    f"  {piece.source}",
                    f"{piece.source} \n\n\n\nafter a gap",
                )
            )
            piece = words.Piece(ragged, ragged)
        return piece, markdown

    def _opening(self, position: int) -> str:
        return f"Post {self._number} part {position + 1}:"

    def _media(self) -> list[Media]:
        many = self._choose.choice((0, 0, 0, 1, 1, 2, 3, 4, 5, 6))
        named = dict(pictures.files())
        names = self._choose.sample([n for n in named if not n.endswith(".gif")], many)
        if self._chance(0.12):
            names.append(self._choose.choice(("moves.gif", "still.gif")))
        if self._chance(0.01):
            named["vast.png"] = pictures.vast()
            names.append("vast.png")
        if self._chance(0.08):
            named["film.mp4"] = pictures.film(self._number % 4)
            names.append("film.mp4")
        self._choose.shuffle(names)
        return [Media(named[name], self._alt(name), name=name) for name in names]

    def _alt(self, name: str) -> str:
        draw = self._choose.random()
        limit = self._limits.alt
        if draw < 0.3:
            return ""
        if draw < 0.35 and limit is not None:
            return _alt_of(limit, limit.maximum)
        if draw < 0.36 and limit is not None:
            return _alt_of(limit, limit.maximum + 1)
        if draw < 0.4:
            return self._choose.choice((f"Two lines of\r\n{name}", f" Spaces around {name} "))
        return f"{ALT_WORDS}({name})"

    def _title(self) -> str | None:
        if not self._chance(0.95 if self._limits.title_required else 0.3):
            return None
        opening = f"Title {self._number}"
        return self._choose.choice(
            (opening, f"{opening}: größer & *besser*", f" {opening} ", f"{opening}\nin two lines")
        )

    def _poll(self) -> Poll:
        options = ["Yes", "No", " Perhaps ", "日本"] + ["x" * 40] * self._chance(0.15)
        return Poll(
            tuple(self._choose.sample(options, self._choose.randint(2, 4))),
            1 if self._chance(0.1) else self._choose.choice((60, 1440, 10_080)),
            self._chance(0.15),
        )

    def _warning(self) -> str:
        return self._choose.choice(
            ("Spoilers", "sexual", " Spiders ", "x" * 600, "蜘蛛", " \u200b")
        )

    def _visibility(self) -> str:
        # Mostly what the network has: elsewhere the whole post is refused.
        offered = self._limits.visibility or ("public",)
        return self._choose.choice(VISIBILITIES if self._chance(0.2) else offered)

    def _replies(self) -> str:
        # As with the audience.
        offered = self._limits.replies or ("everyone",)
        return self._choose.choice((*REPLIES, "friends") if self._chance(0.2) else offered)

    def _own(self) -> Settings | None:
        if not self._chance(0.35):
            return None
        return Settings(
            text=f"An own text for post {self._number}, *as it is*." if self._chance(0.4) else None,
            title=self._choose.choice((f"Own title {self._number}", ""))
            if self._chance(0.3)
            else None,
            link=self._choose.choice(("https://own.example/", "")) if self._chance(0.3) else None,
            options={o.name: self._option(o) for o in self._network.options if self._chance(0.3)},
        )

    def _option(self, option: Option) -> Any:
        if option.type == "bool":
            return self._chance(0.7)
        if option.type == "choice":
            return self._choose.choice(option.choices)
        if option.type == "int":
            return self._choose.randint(1, 9)
        return self._choose.choice(("News", ""))


def _alt_of(limit: TextLimit, amount: int) -> str:
    text = exactly(limit, amount)
    assert text is not None
    return text
