"""From YAML to nodes.

YAML's safe string subset: every scalar is text. The tree is built from the parser's events, so
no tag is resolved, no alias is followed, and depth is limited without recursion.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .nodes import Bad, Empty, Entry, List, Map, Node, Text
from .problems import Problems, printable, quoted
from .syntax import sentence

if TYPE_CHECKING:
    import yaml

MAX_DEPTH = 10
"""Levels of lists and maps; the deepest that a post file can use is 5."""

MAX_NODES = 10_000
"""Values, keys, lists and maps of one front matter."""

_COMMENT = re.compile(r"[ \t]+#(?=\w|[ \t]*$)", re.MULTILINE)
_KEY = re.compile(r"([A-Za-z_-]{1,40}):[ \t]")
_COMMENT_ONLY = re.compile(r"[ \t]*#")


@dataclass(slots=True)
class _Open:
    """A list or map whose end was not seen yet; `key` waits for its value ("" for a bad key)."""

    node: List | Map
    key: str | None = None
    key_line: int = 0
    seen: dict[str, int] = field(default_factory=dict)


class _Stop(Exception):
    pass


class Builder:
    """Reads one front matter; `first_line` is the file's line of its first character."""

    def __init__(self, text: str, first_line: int, problems: Problems) -> None:
        self._text = text
        self._first_line = first_line
        self._problems = problems
        self._starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self._open: list[_Open] = []
        self._root: Node | None = None
        self._nodes = 0
        self.broken = False
        """True where the reading stopped before the end."""

    def build(self) -> Node | None:
        """The tree, or what could be read of it; None where there is nothing."""
        import yaml

        try:
            loader = yaml.SafeLoader(self._text)
        except yaml.reader.ReaderError as error:
            line = self._line(error.position)
            self._fail(line, f"The character U+{error.character:04X} is not allowed here.")
            return None
        try:
            while loader.check_event():
                event: yaml.Event = loader.get_event()  # type: ignore[no-untyped-call]
                self._take(event)
        except yaml.MarkedYAMLError as error:
            mark, words = sentence(error, self._text)
            self._fail(self._line(mark), words, self._key_at(mark))
        except (ValueError, OverflowError):
            # The scanner converts escapes such as "\UFFFFFFFF" without looking at their range.
            self._fail(self._line(loader.index), "An escape names no character; remove it.")
        except _Stop:
            self.broken = True
        finally:
            loader.dispose()
        root = self._open[0].node if self._open and self._root is None else self._root
        # Where something is wrong already, a wrong kind of root is only its consequence.
        return root if isinstance(root, Map) or not self.broken else None

    def _fail(self, line: int, words: str, key: str = "") -> None:
        self.broken = True
        self._problems.add(line, key or self._path() or "front matter", words)

    def _key_at(self, index: int) -> str:
        """The key at the beginning of a line, since the parser complains before it is taken."""
        start = self._text.rfind("\n", 0, index) + 1
        found = _KEY.match(self._text, start)
        return found[1] if found else ""

    def _line(self, index: int) -> int:
        # The marks' own lines also count U+2028 and its like, which editors do not.
        return bisect_right(self._starts, index) - 1 + self._first_line

    def _path(self) -> str:
        """The field that is being read, such as `poll.options`."""
        return ".".join(printable(o.key[:40]) for o in self._open if o.key)

    def _take(self, event: yaml.Event) -> None:
        import yaml

        if isinstance(event, yaml.AliasEvent | yaml.ScalarEvent | yaml.CollectionStartEvent):
            line = self._line(_index(event.start_mark))
            self._count(line)
            if isinstance(event, yaml.AliasEvent):
                words = "Aliases are not allowed; put text that begins with * in quotes."
                self._problems.add(line, self._path() or "front matter", words)
                self._attach(Bad(line))
                return
            refused = self._refuse_extras(event, line)
            if isinstance(event, yaml.ScalarEvent):
                self._attach(Bad(line) if refused else self._scalar(event))
                return
        if isinstance(event, yaml.CollectionStartEvent):
            line = self._line(_index(event.start_mark))
            is_map = isinstance(event, yaml.MappingStartEvent)
            self._open.append(
                _Open(Map(line, flow=bool(event.flow_style)) if is_map else List(line))
            )
            if len(self._open) > MAX_DEPTH:
                self._fail(line, f"Lists and maps are nested more than {MAX_DEPTH} deep.")
                raise _Stop
        elif isinstance(event, yaml.CollectionEndEvent):
            self._attach(self._open.pop().node)
        elif isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
            line = self._line(_index(event.start_mark))
            self._fail(line, "A second document begins here; a post has one front matter.")
            raise _Stop

    def _count(self, line: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._fail(line, f"The front matter has more than {MAX_NODES:,} values.")
            raise _Stop

    def _refuse_extras(
        self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, line: int
    ) -> bool:
        where = self._path() or "front matter"
        if event.anchor is not None:
            words = "Anchors are not allowed; put text that begins with & in quotes."
            self._problems.add(line, where, words)
        if event.tag is not None:
            words = "YAML tags are not allowed; put text that begins with ! in quotes."
            self._problems.add(line, where, words)
        return event.anchor is not None or event.tag is not None

    def _scalar(self, event: yaml.ScalarEvent) -> Text | Empty | Bad:
        line = self._line(_index(event.start_mark))
        after = _index(event.end_mark)
        if event.style in ("|", ">"):
            return Text(line, event.value.rstrip("\n"))
        if event.style is None or event.style == "":
            if not event.value:
                return Empty(line, bool(_COMMENT_ONLY.match(self._text, after)))
            if _COMMENT.match(self._text, after):
                words = (
                    "What follows # is a comment and would be lost; put the whole value in quotes, "
                    "or a space behind # where a comment is meant."
                )
                self._problems.add(self._line(after), self._path() or "front matter", words)
                return Bad(line)
        return Text(line, event.value)

    def _attach(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        top = self._open[-1]
        if isinstance(top.node, List):
            top.node.items.append(node)
        elif top.key is None:
            top.key, top.key_line = self._key(node, top), node.line
        else:
            if top.key:
                top.node.entries.append(Entry(top.key, top.key_line, node))
            top.key = None

    def _key(self, node: Node, top: _Open) -> str:
        where = self._path() or "front matter"
        if isinstance(node, Bad):
            return ""
        if not isinstance(node, Text) or not node.value:
            words = "A key must be a word; put a value that begins with { or [ in quotes."
            self._problems.add(node.line, where, words)
            return ""
        if node.value == "<<":
            self._problems.add(node.line, where, "Merge keys (<<) are not allowed.")
            return ""
        if node.value in top.seen:
            words = (
                f"{quoted(node.value)} is given twice; line {top.seen[node.value]} has it already."
            )
            key = ".".join(filter(None, (self._path(), printable(node.value[:40]))))
            self._problems.add(node.line, key, words)
            return ""
        top.seen[node.value] = node.line
        return node.value


def _index(mark: yaml.error.Mark | yaml._yaml.Mark | None) -> int:
    return mark.index if mark is not None else 0
