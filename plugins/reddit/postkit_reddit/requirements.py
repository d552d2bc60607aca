"""What one subreddit asks of a post, as GET /api/v1/{subreddit}/post_requirements tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postkit.network import RenderedPart


def problems(rules: Mapping[str, Any], part: RenderedPart, subreddit: str) -> list[str]:
    """One sentence for each rule that the post breaks. Regular expressions are left to Reddit."""
    title = str(part.fields.get("title") or "")
    found: list[str] = []
    if rules.get("is_flair_required") and not (part.fields.get("options") or {}).get("flair"):
        found.append("it requires a flair; set the option flair.")
    for name, text in (("title", title), ("body", part.text)):
        least, most = (rules.get(f"{name}_text_{end}_length") for end in ("min", "max"))
        if isinstance(least, int) and len(text) < least:
            found.append(f"the {name} has {len(text)} characters, at least {least} are required.")
        if isinstance(most, int) and most and len(text) > most:
            found.append(f"the {name} has {len(text)} characters, at most {most} are allowed.")
        folded = text.casefold()
        wanted = [str(word) for word in rules.get(f"{name}_required_strings") or ()]
        if wanted and not any(word.casefold() in folded for word in wanted):
            found.append(f"the {name} must contain one of: {', '.join(wanted)}.")
        found += [
            f"the {name} must not contain {word!r}."
            for word in rules.get(f"{name}_blacklisted_strings") or ()
            if str(word).casefold() in folded
        ]
    policy = rules.get("body_restriction_policy")
    plain = not (part.media or part.fields.get("link") or part.fields.get("poll"))
    if policy == "required" and plain and not part.text.strip():
        found.append("a text post must have a body.")
    if policy == "notAllowed" and part.text.strip():
        found.append("a body is not allowed.")
    return [f"r/{subreddit}: {text}" for text in found]
