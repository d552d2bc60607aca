"""A text in a network's own Markdown, as its readers see it; nothing in it leads anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..limits.entities import EntityRules
from ..markup.tree import TooDeep, parse
from ..pages.markup import Markup, escape
from .text import marked

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_TAGS = {
    "paragraph": "p",
    "heading": "h4",
    "blockquote": "blockquote",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "em": "em",
    "strong": "strong",
    "s": "s",
    **{name: name for name in ("table", "thead", "tbody", "tr", "th", "td")},
}
_SIGNS = {"hr": Markup("<hr>"), "hardbreak": Markup("<br>"), "softbreak": Markup(" ")}
_SET = {"text-align:center": "center", "text-align:right": "right"}
"""How a column is set, by the parser's style."""


def rich(source: str, rules: EntityRules) -> Markup:
    """The HTML of ``source``."""
    try:
        tree = parse(source)
    except TooDeep:
        return marked(source, rules)
    return _inside(tree, rules)


def _inside(node: SyntaxTreeNode, rules: EntityRules) -> Markup:
    return Markup("".join(_shown(child, rules) for child in node.children))


def _shown(node: SyntaxTreeNode, rules: EntityRules) -> Markup:
    if node.type in _SIGNS:
        return _SIGNS[node.type]
    if node.type in ("fence", "code_block"):
        return Markup(f"<pre><code>{escape(node.content)}</code></pre>")
    if node.type == "code_inline":
        return Markup(f"<code>{escape(node.content)}</code>")
    if node.type == "link":
        address = str(node.attrs["href"])
        words = _inside(node, rules) or escape(address)
        return Markup(f'<span class="url link" title="{escape(address)}">{words}</span>')
    if not node.children:
        return marked(node.content, rules) if node.type == "text" else Markup("")
    tag = _TAGS.get(node.type)
    if tag is None or node.hidden:
        return _inside(node, rules)
    start = f' start="{int(node.attrs["start"])}"' if "start" in node.attrs else ""
    column = _SET.get(str(node.attrs.get("style", "")), "")
    kind = f' class="{column}"' if column else ""
    return Markup(f'<{tag} dir="auto"{start}{kind}>{_inside(node, rules)}</{tag}>')
