"""A text as X gives it back: links through t.co, three characters escaped for HTML."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from ..limits import RULES

SHORTENER = "https://t.co/"


@dataclass(frozen=True, slots=True)
class Echo:
    """``text`` as listed, and the ``urls`` of its ``entities``."""

    text: str
    urls: tuple[dict[str, Any], ...]


def echoed(text: str, post_id: str, username: str, media_keys: tuple[str, ...]) -> Echo:
    """Pictures add one more link at the end, which leads to themselves."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    shown = ""
    urls: list[dict[str, Any]] = []
    end = 0
    for url in RULES.urls_in(text):
        shown += _escaped(text[end : url.start])
        full = url.text if re.match(r"https?://", url.text, re.IGNORECASE) else f"http://{url.text}"
        urls.append(_entity(len(shown), _short(post_id, len(urls)), _host_in_lower_case(full)))
        shown += urls[-1]["url"]
        end = url.end
    shown += _escaped(text[end:])
    if media_keys:
        shown += " " if shown else ""
        short = _short(post_id, len(urls))
        for number, key in enumerate(media_keys, 1):
            address = f"https://x.com/{username}/status/{post_id}/photo/{number}"
            urls.append({**_entity(len(shown), short, address), "media_key": key})
        shown += short
    return Echo(shown, tuple(urls))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _short(post_id: str, number: int) -> str:
    slug = hashlib.sha256(f"{post_id}/{number}".encode()).hexdigest()[:10]
    return SHORTENER + slug


def _entity(start: int, short: str, full: str) -> dict[str, Any]:
    return {
        "start": start,
        "end": start + len(short),
        "url": short,
        "expanded_url": full,
        "display_url": full.split("://", 1)[1][:26],
    }


def _host_in_lower_case(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host = re.split("[/?#]", rest, maxsplit=1)[0]
    return f"{scheme.lower()}://{host.lower()}{rest[len(host) :]}"
