"""Front matter as a tree of texts, lists and maps, each with its line in the file."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Text:
    line: int
    value: str


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing where a value should be; `comment` where a # hides what the author wrote."""

    line: int
    comment: bool


@dataclass(frozen=True, slots=True)
class Bad:
    """A value whose problem is reported already."""

    line: int


@dataclass(frozen=True, slots=True)
class List:
    line: int
    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    line: int
    value: Node


@dataclass(frozen=True, slots=True)
class Map:
    line: int
    entries: list[Entry] = field(default_factory=list)
    flow: bool = False


Node = Text | Empty | Bad | List | Map
