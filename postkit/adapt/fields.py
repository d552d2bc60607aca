"""What a post has beside texts and pictures: title, warning, language, audience, poll, options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..limits.model import Limits, PollLimit
from ..network import Json, RenderOptions
from ..options import given_options
from ..post import REPLIES, Poll, Post, Settings
from .ledger import Draft, Ledger
from .texts import normal

PUBLIC = "public"
EVERYONE = "everyone"

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
"""ISO 639 with subtags as in BCP 47; its longer language names have never been given out."""


def add_title(
    post: Post, settings: Settings, limits: Limits, drafts: Sequence[Draft], ledger: Ledger
) -> None:
    """The title as a field; refused where it is too long, since a cut title is a lost one."""
    if settings.title is not None and settings.title != (post.title or ""):
        ledger.change("title", f"this network's own title: {settings.title or 'none'}")
    given = normal((post.title if settings.title is None else settings.title) or "")
    title = " ".join(given.strip().splitlines())
    if title and title != given and limits.title is not None:
        broken = title != given.strip()
        ledger.change(
            "title", "its line breaks became spaces" if broken else "the spaces around it are gone"
        )
    limit = limits.title
    if not title:
        if limits.title_required:
            ledger.refuse("title", "title: this network needs one; give it with --title.")
    elif limit is None:
        whole = re.compile(rf"(?<!\w){re.escape(title)}(?!\w)")
        if not any(whole.search(draft.text) for draft in drafts):
            ledger.loss(
                "title", f"{title!r} is not sent: there are no titles here; write it into the text"
            )
    elif (count := limit.counter.count(title)) > limit.maximum:
        numbers = f"{count:,} of {limit.maximum:,} {limit.counter.unit}"
        ledger.refuse("title", f"title: {numbers}; shorten it.")
    else:
        drafts[0].fields["title"] = title


def add_poll(post: Post, limits: Limits, drafts: Sequence[Draft], ledger: Ledger) -> None:
    """The poll as a field of the first part."""
    poll = post.poll
    if poll is None:
        return
    options = [normal(option).strip() for option in poll.options]
    if options != list(poll.options):
        ledger.change("poll", "the spaces around its options are gone")
    if limits.poll is None:
        asked = " / ".join(options)
        ledger.loss("poll", f"not sent: there are no polls here; ask in the text ({asked})")
        return
    problems = list(_poll_problems(poll, options, limits.poll))
    if drafts[0].media and not limits.poll.with_media:
        problems.append("it cannot be together with pictures; leave one out")
    for problem in problems:
        ledger.refuse("poll", f"poll: {problem}.")
    drafts[0].fields["poll"] = {
        "options": list(options),
        "minutes": poll.minutes,
        "multiple": poll.multiple,
    }


def add_replies(post: Post, limits: Limits, drafts: Sequence[Draft], ledger: Ledger) -> None:
    """Who may reply, as a field of the first part: it holds for the whole thread."""
    wanted = post.replies
    if not wanted:
        return
    if wanted in limits.replies:
        drafts[0].fields["replies"] = wanted
    elif wanted == EVERYONE:
        ledger.change("replies", f"{EVERYONE} who sees it, as with every post here")
    elif wanted not in REPLIES:
        words = ", ".join(REPLIES)
        ledger.refuse("replies", f"replies: {wanted!r} is unknown; give one of: {words}.")
    else:
        # No loss that could be waved through: what was closed would be open to all.
        offered = ", ".join(limits.replies)
        ledger.refuse(
            "replies",
            f"replies: {wanted!r} is not possible here (there is: {offered}); leave this address "
            "out, or choose another."
            if offered
            else f"replies: {wanted!r} is not possible here, since replies cannot be limited; "
            "leave this address out.",
        )


def add_settings(post: Post, limits: Limits, ledger: Ledger) -> dict[str, Json]:
    """What every part carries: content warning, language, visibility."""
    fields: dict[str, Json] = {}
    warning = normal(post.content_warning or "")
    if warning and limits.content_warning:
        fields["content_warning"] = warning
    elif warning:
        ledger.loss(
            "content_warning",
            f"{warning!r} is not sent: there are no warnings here; write it into the text",
        )
    if post.lang and not _LANGUAGE.fullmatch(post.lang):
        ledger.refuse(
            "lang",
            f"lang: {post.lang!r} is no language code; write en, de or pt-BR, or leave it out.",
        )
    elif post.lang and limits.languages > 0:
        fields["lang"] = post.lang
    elif post.lang:
        ledger.loss("lang", f"{post.lang} is not sent: posts have no language here")
    if post.visibility and post.visibility in limits.visibility:
        fields["visibility"] = post.visibility
    elif post.visibility == PUBLIC:
        ledger.change("visibility", f"{PUBLIC}, as every post is here")
    elif post.visibility:
        # No loss that could be waved through: what was meant for a few would be seen by all.
        offered = ", ".join(limits.visibility) or PUBLIC
        ledger.refuse(
            "visibility",
            f"visibility {post.visibility!r} is not possible here (there is: {offered}); leave "
            "this address out, or choose another visibility.",
        )
    return fields


def add_options(
    settings: Settings, options: RenderOptions, ledger: Ledger
) -> dict[str, Json] | None:
    """The network's own options, those of the call first; ``None`` where there are none."""
    given = given_options({**settings.options, **options.values})
    plain: dict[str, Json] = {}
    for name, value in given.items():
        try:
            plain[name] = _plain(value)
        except TypeError:
            ledger.refuse(
                "options",
                f"option {name}: {type(value).__name__} cannot be sent; give text or a number.",
            )
    return plain or None


def _poll_problems(poll: Poll, options: Sequence[str], limit: PollLimit) -> Sequence[str]:
    problems = []
    if not limit.min_options <= len(options) <= limit.max_options:
        allowed = f"{limit.min_options} to {limit.max_options}"
        problems.append(f"{len(options)} options; give {allowed}")
    for number, option in enumerate(options, 1):
        if not option:
            problems.append(f"option {number} is empty; give it a text")
        elif len(option) > limit.max_option_length:
            problems.append(
                f"option {number}: {len(option)} of {limit.max_option_length} characters;"
                " shorten it"
            )
    if not limit.min_minutes <= poll.minutes <= limit.max_minutes:
        allowed = f"{limit.min_minutes:,} to {limit.max_minutes:,}"
        problems.append(f"open for {poll.minutes:,} minutes; give {allowed}")
    elif poll.minutes % limit.step_minutes:
        step = f"a multiple of {limit.step_minutes:,}"
        problems.append(f"open for {poll.minutes:,} minutes; give {step}")
    if poll.multiple and not limit.multiple:
        problems.append("only one answer can be chosen here; give multiple: false")
    return problems


def _plain(value: object) -> Json:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    raise TypeError
