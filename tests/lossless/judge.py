"""Holds a report against what stands at the network: each row is a claim, and each claim a test.

What the author gave is read here a second time, without the adapter's own code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from postkit.emulator.timeline import LivePost, ShownMedia
from postkit.limits.model import Limits
from postkit.network import Network

from .bench import Sent
from .likeness import unlike
from .posts import Given
from .reading import blank, hashtags, lines, texts_of, unlike_texts, unlike_whole

Row = Mapping[str, Any]
Key = tuple[str, int | None]


def mismatches(
    network: Network[Any], limits: Limits, given: Given, sent: Sent, bare: LivePost
) -> list[str]:
    """Everything that the report says and the network does not hold, or the other way round.
    ``bare`` is a post of one word: what the network says of every post."""
    return list(_Judge(network, limits, given, sent, bare).found())


class _Judge:
    def __init__(
        self, network: Network[Any], limits: Limits, given: Given, sent: Sent, bare: LivePost
    ) -> None:
        self._options_known = network.options
        self._limits = limits
        self._given = given
        self._post = given.post
        self._sent = sent
        self._bare = bare
        self._live = sent.live
        self._own = given.settings
        self._report = sent.report
        self._all = [dict(row) for row in sent.report.fields]
        self._rows: dict[Key, Row] = {(row["field"], row["item"]): row for row in self._all}

    def found(self) -> Iterator[str]:
        keys = [(row["field"], row["item"]) for row in self._all]
        if keys != (expected := list(self._fields())):
            yield f"rows for {keys}, and given were {expected}"
            return
        for row in self._all:
            if (row["outcome"] == "delivered") == bool(row["how"]):
                yield f"{row['field']} is {row['outcome']}, and its row says how: {row['how']!r}"
        outcomes = {row["outcome"] for row in self._all}
        if "refused" in outcomes or self._report.state != "live":
            yield from self._refused(outcomes)
            return
        if [dict(row) for row in self._sent.plan.fields] != self._all:
            yield f"the plan said {self._sent.plan.fields}, the delivery {self._all}"
        for name in ("title", "link"):
            own = getattr(self._own, name)
            if own not in (None, getattr(self._post, name)) and self._outcome(name) == "delivered":
                yield f"the {name} is delivered, and the network has one of its own"
            if own == "" and self._outcome(name) not in (None, "adapted"):
                yield f"the {name} is left out by its author, and is {self._outcome(name)}"
        if self._own.text not in (None, self._post.text):
            kept = [key for key, row in self._rows.items() if row["outcome"] == "delivered"]
            yield from (
                f"{key} is delivered, and has another text" for key in kept if key[0] == "text"
            )
        yield from self._threaded()
        yield from unlike_texts(self._limits, self._given, self._live, self._rows)
        yield from unlike_whole(self._limits, self._given, self._live, self._rows)
        yield from self._media()
        yield from self._title()
        yield from self._link()
        yield from self._tags()
        yield from self._poll()
        yield from self._warning()
        yield from self._everywhere("lang", "language")
        yield from self._everywhere("visibility", "visibility")
        yield from self._replies()
        yield from self._options()

    def _fields(self) -> Iterator[Key]:
        post, own = self._post, self._own
        worded = [n for n, part in enumerate(post.parts, 1) if not blank(part.text)]
        yield from (("text", number) for number in worded)
        if own.text is not None and not worded:
            yield "text", None
        for number, media in enumerate(post.media, 1):
            yield "media", number
            if not blank(media.alt):
                yield "alt", number
        for name in ("title", "link"):
            if not (blank(getattr(post, name) or "") and blank(getattr(own, name) or "")):
                yield name, None
        yield from (("tags", number) for number in range(1, len(post.tags) + 1))
        for name in ("poll", "content_warning", "lang", "visibility", "replies"):
            value = getattr(post, name)
            if value and not (isinstance(value, str) and blank(value)):
                yield name, None
        if any(value not in (None, "") for value in own.options.values()):
            yield "options", None

    def _refused(self, outcomes: set[str]) -> Iterator[str]:
        if outcomes != {"refused"}:
            yield f"nothing went out ({self._report.error}), and the rows say {outcomes}"
        if self._sent.creates or self._live:
            yield f"refused, after {self._sent.creates} requests ({self._report.error})"
        ground = "nothing is sent, for the sake of: "
        reasons = [row["how"] for row in self._all]
        fields = {name for why in reasons for name in why.removeprefix(ground).split(", ")}
        # Only for a field that is missing there is no row with the reason.
        if all(why.startswith(ground) for why in reasons) and fields & {f for f, _ in self._rows}:
            yield f"no row has a reason of its own: {reasons}"
        if self._report.error is None:
            yield "refused without an error"

    def _threaded(self) -> Iterator[str]:
        parents = [None, *(post.id for post in self._live)][: len(self._live)]
        if [post.parent for post in self._live] != parents:
            yield f"the posts answer {[post.parent for post in self._live]}, not {parents}"
        if self._limits.threads and self._own.text is None:
            order = [part for post in self._live if (part := self._part_of(post)) is not None]
            if order != sorted(order):
                yield f"the parts stand there in the order {[part + 1 for part in order]}"

    def _part_of(self, post: LivePost) -> int | None:
        """The part that a post begins, by its opening words or by its first medium."""
        openings = enumerate(self._given.openings)
        if begun := [n for n, opening in openings if opening and opening in post.text]:
            return begun[-1]
        kept = self._kept()
        shown = [one for each in self._live for one in each.media]
        if not post.media or len(kept) != len(shown):
            return None
        number = kept[next(n for n, one in enumerate(shown) if one is post.media[0])]
        return None if "next post" in self._how("media", number) else self._home(number)

    def _home(self, number: int) -> int:
        """The place of a medium's part; where there is one text, it is the one part."""
        if self._own.text is not None or not self._limits.threads:
            return 0
        return [n for n, part in enumerate(self._post.parts) for _ in part.media][number - 1]

    def _kept(self) -> list[int]:
        """The numbers of the media that are there, by their rows."""
        numbers = range(1, len(self._post.media) + 1)
        return [number for number in numbers if self._outcome("media", number) != "lost"]

    def _outcome(self, name: str, item: int | None = None) -> str | None:
        row = self._rows.get((name, item))
        return None if row is None else str(row["outcome"])

    def _how(self, name: str, item: int | None = None) -> str:
        return str(self._rows[name, item]["how"])

    # Media

    def _media(self) -> Iterator[str]:
        shown = [(media, post) for post in self._live for media in post.media]
        kept = [(number, self._post.media[number - 1]) for number in self._kept()]
        if len(shown) != len(kept):
            yield f"{len(shown)} media stand there, and {len(kept)} rows say that one does"
            return
        for (number, media), (there, post) in zip(kept, shown, strict=True):
            held = self._sent.media[there.sha256]
            if self._outcome("media", number) == "delivered":
                if held != media.read():
                    yield f"{media.name} is not delivered byte for byte"
            else:
                how = self._how("media", number)
                wrong = unlike(media.read(), held, how)
                yield from (f"{media.name}: {what}" for what in wrong)
            yield from self._alt(number, media.alt, there, post)
            yield from self._in_its_part(number, post)
        together: dict[int, str] = {}
        for (number, _), (_, post) in zip(kept, shown, strict=True):
            if "next post" in self._how("media", number):
                continue
            if together.setdefault(self._home(number), post.id) != post.id:
                yield f"medium {number} does not stand with the others of its part"
        for number, _ in enumerate(self._post.media, 1):
            alt = self._outcome("alt", number)
            if self._outcome("media", number) == "lost" and alt not in (None, "lost"):
                yield f"the alt text of medium {number} is {alt}, and the medium is lost"

    def _in_its_part(self, number: int, post: LivePost) -> Iterator[str]:
        """A medium stands in the post that begins its part, unless its row says otherwise."""
        if not self._limits.threads or self._own.text is not None:
            return
        openings = self._given.openings
        part = self._home(number)
        begun = [n for n, opening in enumerate(openings) if opening and opening in post.text]
        wanted = [part] if openings[part] else []
        if begun != wanted and "next post" not in self._how("media", number):
            yield f"medium {number} is of part {part + 1}, and stands in {[n + 1 for n in begun]}"

    def _alt(self, number: int, alt: str, there: ShownMedia, post: LivePost) -> Iterator[str]:
        outcome = self._outcome("alt", number)
        captions = post.extra.get("captions", ())
        expected = lines(alt) if outcome == "delivered" else ""
        if there.alt != expected:
            yield f"the alt text of medium {number} is {there.alt!r}, not {expected!r} ({outcome})"
        if outcome == "adapted" and lines(alt) not in captions:
            yield f"the alt text of medium {number} is no caption: {captions}"
        everywhere = "\n".join((*(one.text for one in self._live), *captions))
        if outcome == "lost" and lines(alt) in everywhere:
            yield f"the alt text of medium {number} is lost, and stands there"

    # Title, link, tags

    def _title(self) -> Iterator[str]:
        title = self._post.title if self._own.title is None else self._own.title
        titles = [post.title for post in self._live]
        row = self._outcome("title")
        words = " ".join((title or "").split()) or None
        if any(titles[1:]):
            yield f"the posts of a thread have the titles {titles}"
        if row in (None, "lost") and titles[0] is not None:
            yield f"the title {titles[0]!r} stands there, and its row is {row}"
        if row == "lost":
            if words and any(words in (post.title or "") + post.text for post in self._live):
                yield f"the title {title!r} is lost, and stands there"
        elif row is not None:
            expected = title if row == "delivered" else words
            written = any((expected or "\0") in post.text for post in self._live)
            if titles[0] != expected and not (titles[0] is None and written):
                yield f"the title is {titles[0]!r}, not {expected!r} ({row})"

    def _link(self) -> Iterator[str]:
        link = self._post.link if self._own.link is None else self._own.link
        links = [post.link for post in self._live]
        row = self._outcome("link")
        if any(links[1:]):
            yield f"the posts of a thread have the links {links}"
        if links[0] not in (None, link):
            yield f"the link {links[0]!r} was never given"
        if self._limits.cards and link and not links[0] and not self._live[0].media:
            yield f"the link {link!r} has no card"
        written = any(link and link in post.text.split() for post in self._live)
        if row in ("delivered", "adapted") and link and links[0] != link and not written:
            yield f"the link {link!r} stands nowhere ({row})"
        added = written and not any(link in text.split() for text in texts_of(self._given))
        if row == "delivered" and added:
            yield f"the link {link!r} is delivered, and was added to the text"
        if (row == "lost" or not link) and (links[0] or written):
            yield f"the link {link!r} is {row}, and stands there"

    def _tags(self) -> Iterator[str]:
        marked = hashtags(self._limits, (post.text for post in self._live))
        written = hashtags(self._limits, texts_of(self._given))
        listed = [*self._live[0].tags]
        if any(post.tags for post in self._live[1:]):
            yield "a later post of the thread has tags"
        if beyond := [tag for tag in listed if tag not in self._post.tags]:
            yield f"the tags {beyond} were never given"
        if len(listed) != len({*listed}):
            yield f"tags stand there twice: {listed}"
        there = marked if self._limits.tags != "field" else {*listed}
        folded = {tag.lower() for tag in there}
        for number, tag in enumerate(self._post.tags, 1):
            outcome = self._outcome("tags", number)
            if outcome == "delivered" and tag not in there:
                yield f"the tag {tag} is delivered, and stands nowhere"
            if outcome == "delivered" and self._limits.tags != "field" and tag not in written:
                yield f"the tag {tag} is delivered, and was added to the text"
            if outcome == "adapted" and tag.lower() not in folded:
                yield f"the tag {tag} is adapted, and stands nowhere"
            if outcome == "lost" and tag.lower() in folded:
                yield f"the tag {tag} is lost, and stands there"

    # What else a post has

    def _poll(self) -> Iterator[str]:
        poll, row = self._post.poll, self._outcome("poll")
        polls = [post.poll for post in self._live]
        if any(polls[1:]) or (polls[0] and row in (None, "lost")):
            yield f"polls {polls}, and the row is {row}"
        if poll is None or row == "lost":
            return
        options = poll.options if row == "delivered" else tuple(o.strip() for o in poll.options)
        there = polls[0]
        if there is None or (there.options, there.multiple) != (options, poll.multiple):
            yield f"the poll is {there}, not {poll} ({row})"
        elif there.ends_at is not None:
            late = there.ends_at - self._live[0].created_at - timedelta(minutes=poll.minutes)
            if abs(late) > timedelta(seconds=2):
                yield f"the poll ends {late} too late"

    def _warning(self) -> Iterator[str]:
        warning, row = self._post.content_warning, self._outcome("content_warning")
        # A network's own options may be shown as warnings too; those are checked with the options.
        optional = {str(value) for value in self._own.options.values()} | {*self._own.options}
        for post in self._live:
            there = post.content_warning
            labels = {*(there or "").split(", ")} - {""}
            if row == "delivered" and there != lines(warning or ""):
                yield f"the warning is {there!r}, not {warning!r}"
            elif row == "delivered" and not self._limits.content_warning:
                yield f"the warning {warning!r} is delivered, and there are no words for it here"
            elif row == "adapted" and (warning or "").strip() not in labels:
                yield f"the warning {warning!r} is not among {labels}"
            elif row == "adapted" and (more := labels - optional - {(warning or "").strip()}):
                yield f"the warnings {more} were never given"
            elif row in (None, "lost") and {label.lower() for label in labels} - optional:
                yield f"the warning {there!r} is {row or 'not given'}"

    def _everywhere(self, field: str, attribute: str) -> Iterator[str]:
        """A field that each post of the thread has."""
        value, row = getattr(self._post, field), self._outcome(field)
        default = getattr(self._bare, attribute)
        expected = {
            "delivered": value,
            # A language may go without its region; what all posts are needs no saying.
            "adapted": value.partition("-")[0].lower() if value and field == "lang" else default,
        }.get(row or "", default)
        found = {getattr(post, attribute) for post in self._live}
        # An audience is never lost: it is what all posts are, or nothing is sent.
        if found != {expected} or (row == "lost" and value in {*found, "public"}):
            yield f"{field}: {found}, not {expected!r} ({row or 'not given'})"

    def _replies(self) -> Iterator[str]:
        """Who may reply is said of the first post, and holds for those below it."""
        value, row = self._post.replies, self._outcome("replies")
        first, *others = [post.replies for post in self._live]
        usual = self._bare.replies
        if any(there != usual for there in others):
            yield f"those who may reply to the later posts are {others}"
        if row is None and self._own.options.get("reply_settings"):
            return  # the network's own word for it; seen with the options
        if first != (value if row == "delivered" else usual):
            yield f"those who may reply are {first!r}, not {value!r} ({row or 'not given'})"
        if row == "lost" or (row == "adapted" and value != "everyone"):
            yield f"replies from {value!r} are {row}, and open to everyone"

    def _options(self) -> Iterator[str]:
        if self._outcome("options") not in (None, "delivered"):
            yield f"options are {self._outcome('options')}"
        first = self._live[0]
        for option in self._options_known:
            if option.name in ("captions", "markdown") or (
                option.name == "resubmit" and first.link is None
            ):
                continue  # seen in the alternative texts and in the text; about links alone
            value = self._own.options.get(option.name)
            if option.name == "reply_settings" and not value and self._post.replies:
                continue  # seen with those who may reply
            there = _option_of(first, option.name)
            if value in (None, ""):
                if there != _option_of(self._bare, option.name):
                    yield f"option {option.name} is {there!r} and was not given"
            elif isinstance(value, bool):
                if bool(there) != value:
                    yield f"option {option.name} is {there!r}, not {value!r}"
            elif value != there and not all(
                value in (post.content_warning or "").split(", ") for post in self._live
            ):
                yield f"option {option.name} is {there!r}, not {value!r}"


def _option_of(post: LivePost, name: str) -> Any:
    asked = post.extra.get("asked", {})
    for place in (post.extra, asked):
        for spelling in (name, f"{name}_text", f"{name}_id"):
            if spelling in place:
                return place[spelling]
    return None
