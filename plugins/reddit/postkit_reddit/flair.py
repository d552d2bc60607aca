"""The flair that an author asked for, among those that the subreddit offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from postkit.errors import Refused
from postkit.suggest import did_you_mean


def chosen(choices: Iterable[Mapping[str, Any]], wanted: str, subreddit: str) -> dict[str, str]:
    """The template (``id``, ``text``) whose id or text is ``wanted``. Raises Refused."""
    offered = {
        str(choice.get("flair_template_id", "")): str(choice.get("flair_text") or "")
        for choice in choices
    }
    if wanted in offered:
        return {"id": wanted, "text": offered[wanted]}
    exact = [key for key, text in offered.items() if text == wanted]
    folded = [key for key, text in offered.items() if text.casefold() == wanted.casefold()]
    for found in (exact, folded):
        if len(found) == 1:
            return {"id": found[0], "text": offered[found[0]]}
    about = f"r/{subreddit}: option flair"
    if len(folded) > 1:
        raise Refused(
            f"{about}: {len(folded)} flairs read {wanted!r}; take the id of one: "
            f"{', '.join(sorted(folded))}.",
            network="reddit",
            code="flair",
        )
    texts = [text for text in offered.values() if text]
    raise Refused(
        f"{about}: there is no flair {wanted!r}.{did_you_mean(wanted, texts)} "
        f"It offers: {', '.join(texts) or 'none'}.",
        network="reddit",
        code="flair",
    )
