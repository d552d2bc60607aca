"""Field selection: ``id,attachments{media_type,target{id}}`` picks what an answer holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .answers import not_emulated, refusal

Tree = dict[str, "Tree"]

KNOWN: Mapping[str, frozenset[str]] = {
    "Page": frozenset({"id", "name", "category", "link"}),
    "PageAccess": frozenset({"id", "name", "category", "access_token", "tasks"}),
    "User": frozenset({"id", "name"}),
    "Photo": frozenset({"id", "alt_text_custom", "created_time", "link", "name"}),
    "Video": frozenset({"id", "status", "permalink_url", "post_id", "created_time", "published"}),
    "PagePost": frozenset(
        {"id", "message", "created_time", "permalink_url", "attachments", "from", "is_published"}
    ),
    "StoryAttachment": frozenset(
        {"media_type", "type", "target", "unshimmed_url", "url", "subattachments"}
    ),
    "StoryAttachmentTarget": frozenset({"id", "url"}),
}
"""The fields that are emulated, by node type."""

BEYOND: Mapping[str, frozenset[str]] = {
    "Page": frozenset(
        {"about", "access_token", "fan_count", "followers_count", "picture", "tasks"}
    ),
    "PageAccess": frozenset({"about", "category_list", "fan_count", "link", "picture"}),
    "User": frozenset({"accounts", "email", "first_name", "last_name", "permissions", "picture"}),
    "Photo": frozenset({"album", "from", "height", "icon", "images", "picture", "source", "width"}),
    "Video": frozenset(
        {
            *("ad_breaks", "captions", "content_category", "content_tags", "custom_labels"),
            *("description", "embed_html", "embeddable", "format", "from", "icon", "length"),
            *("live_status", "picture", "place", "privacy", "scheduled_publish_time", "source"),
            *("thumbnails", "title", "updated_time", "video_insights", "views"),
        }
    ),
    "PagePost": frozenset(
        {
            *("actions", "admin_creator", "application", "backdated_time", "call_to_action"),
            *("comments", "coordinates", "feed_targeting", "full_picture", "icon", "insights"),
            *("is_hidden", "likes", "message_tags", "parent_id", "picture", "place", "privacy"),
            *("promotable_id", "properties", "reactions", "scheduled_publish_time", "shares"),
            *("status_type", "story", "story_tags", "targeting", "to", "updated_time", "via"),
        }
    ),
    "StoryAttachment": frozenset({"description", "description_tags", "media", "title"}),
    "StoryAttachmentTarget": frozenset(),
}
"""Fields of the network that are not: asking for one is no mistake, so the answer is a 501.
Whatever is in neither table is refused as unknown."""

INNER = {
    "attachments": "StoryAttachment",
    "subattachments": "StoryAttachment",
    "target": "StoryAttachmentTarget",
}

_SIGN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[{},]|.")


def parse(text: str) -> Tree:
    """The selection as a tree. Refuses what cannot be read."""
    tree: Tree = {}
    stack = [tree]
    last: Tree | None = None
    for sign in _SIGN.findall(text.replace(" ", "")):
        if sign == "{" and last is not None:
            stack.append(last)
            last = None
        elif sign == "}" and len(stack) > 1:
            stack.pop()
            last = None
        elif sign == ",":
            last = None
        elif sign[0].isalpha() or sign[0] == "_":
            last = stack[-1].setdefault(sign, {})
        elif sign in ".()":
            raise not_emulated("A modifier in the list of fields")
        else:
            raise refusal(f"Syntax error in the field list at '{sign}'", 2500)
    if len(stack) != 1:
        raise refusal("Syntax error in the field list: a brace is not closed", 2500)
    return tree


def select(node: Mapping[str, Any], kind: str, tree: Tree) -> dict[str, Any]:
    """The chosen fields of ``node`` that have a value; nodes always show their id."""
    chosen: dict[str, Any] = {}
    for name, below in tree.items():
        if name in BEYOND[kind]:
            raise not_emulated(f"The field {name} of {kind}")
        if name not in KNOWN[kind]:
            raise refusal(
                f"(#100) Tried accessing nonexisting field ({name}) on node type ({kind})", 100
            )
        value = node.get(name)
        if value is None:
            continue
        inner = INNER.get(name)
        if inner is None or not below:
            chosen[name] = value
        elif "data" in value:
            chosen[name] = {"data": [select(row, inner, below) for row in value["data"]]}
        else:
            chosen[name] = select(value, inner, below)
    if "id" in node and kind in ("Page", "PageAccess", "User", "Photo", "Video", "PagePost"):
        chosen["id"] = node["id"]
    return chosen
