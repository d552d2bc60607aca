"""The emulated subreddits: any name exists, but for a few whose names say what they do.

``nosuch...`` does not exist, ``private...`` lets nobody in, ``textonly...`` takes no links,
``linksonly...`` no texts, ``flaired...`` requires a flair. Flairs are offered by ``flaired...``
and by ``postkit_demo``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .answers import USER, in_band

_NAME = re.compile(r"[A-Za-z0-9_]{2,21}|u_[A-Za-z0-9_-]{3,20}")


@dataclass(frozen=True, slots=True)
class Flair:
    id: str
    text: str
    editable: bool = False


FLAIRS = (
    Flair("6b1c3d9e-0000-11ef-8000-000000000001", "News"),
    Flair("6b1c3d9e-0000-11ef-8000-000000000002", "Release"),
)


@dataclass(frozen=True, slots=True)
class Community:
    name: str

    @property
    def path(self) -> str:
        """``r/name``, or ``user/name`` for a profile."""
        return f"user/{self.name[2:]}" if self.name.startswith("u_") else f"r/{self.name}"

    @property
    def exists(self) -> bool:
        lower = self.name.lower()
        if lower.startswith("u_"):
            return lower == f"u_{USER}".lower()
        return bool(_NAME.fullmatch(self.name)) and not lower.startswith("nosuch")

    @property
    def private(self) -> bool:
        return self.name.lower().startswith("private")

    @property
    def flairs(self) -> tuple[Flair, ...]:
        lower = self.name.lower()
        return FLAIRS if lower == "postkit_demo" or lower.startswith("flaired") else ()

    @property
    def flair_required(self) -> bool:
        return self.name.lower().startswith("flaired")

    def check(self, kind: str) -> None:
        """Raises Refusal where a submission of that kind is not possible here."""
        if not self.exists:
            raise in_band("SUBREDDIT_NOEXIST", "that subreddit doesn't exist", "sr")
        if self.private:
            raise in_band("SUBREDDIT_NOTALLOWED", "you aren't allowed to post there.", "sr")
        lower = self.name.lower()
        if kind == "self" and lower.startswith("linksonly"):
            raise in_band("NO_SELFS", "that subreddit doesn't allow text posts", "sr")
        if kind == "link" and lower.startswith("textonly"):
            raise in_band("NO_LINKS", "that subreddit only allows text posts", "sr")

    def requirements(self) -> dict[str, Any]:
        """GET /api/v1/{subreddit}/post_requirements; the keys are those of praw's docs."""
        return {
            "title_regexes": [],
            "title_text_min_length": None,
            "title_text_max_length": None,
            "title_required_strings": [],
            "title_blacklisted_strings": [],
            "body_restriction_policy": "none",
            "body_regexes": [],
            "body_text_min_length": None,
            "body_text_max_length": None,
            "body_required_strings": [],
            "body_blacklisted_strings": [],
            "domain_blacklist": [],
            "domain_whitelist": [],
            "link_repost_age": None,
            "link_restriction_policy": "none",
            "guidelines_text": None,
            "guidelines_display_policy": None,
            "is_flair_required": self.flair_required,
        }

    def flair(self, flair_id: str) -> Flair | None:
        """The flair of that id. Raises Refusal where there is none, or one is missing."""
        if not flair_id:
            if self.flair_required:
                raise in_band(
                    "SUBMIT_VALIDATION_FLAIR_REQUIRED",
                    "Your post must contain post flair.",
                    "flair",
                )
            return None
        for flair in self.flairs:
            if flair.id == flair_id:
                return flair
        raise in_band(
            "BAD_FLAIR_TEMPLATE_ID", "Subreddit does not have the selected flair.", "flair"
        )
