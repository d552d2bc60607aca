"""What is installed beside postkit, read from metadata alone: nothing of it is imported here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Final

OWN: Final = "postkit-social"
"""The distribution that postkit itself comes from; its plugins are part of it."""
NETWORKS: Final = "postkit.networks"
EMULATORS: Final = "postkit.emulators"
ALWAYS: Final = "postkit.plugins"
GROUPS: Final = (NETWORKS, EMULATORS, ALWAYS)
_SECTION: Final = "[postkit."
_NAME: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]{0,126}[A-Z0-9])?", re.IGNORECASE)
"""Names of distributions, as the packaging specifications have them; the length is ours."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution that says of itself that it extends postkit. ``problem``: why it cannot."""

    name: str
    version: str
    entries: tuple[EntryPoint, ...]
    distribution: Distribution
    problem: str = ""

    @property
    def key(self) -> str:
        """The name that two spellings of one name share."""
        return canonical(self.name)

    @property
    def is_own(self) -> bool:
        return self.key == OWN

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()

    def names(self, group: str) -> list[str]:
        return sorted({entry.name for entry in self.entries if entry.group == group})


def canonical(name: str) -> str:
    """``Postkit_Chat`` and ``postkit.chat`` are one name, ``postkit-chat``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> tuple[Installed, ...]:
    """Every distribution with an entry point of postkit, each read on its own: what is broken in
    one hides no other. Of two with the same name Python knows the first on its path alone."""
    found: dict[str, Installed] = {}
    for distribution in distributions():
        one = _read(distribution)
        if one is not None:
            found.setdefault(one.key, one)
    return tuple(found[key] for key in sorted(found))


def leading_to(
    name: str, found: Iterable[Installed], groups: Sequence[str] = GROUPS
) -> list[Installed]:
    """Those of them that have an entry point of this name, such as a network's."""
    return [each for each in found if any(name in each.names(group) for group in groups)]


def _read(distribution: Distribution) -> Installed | None:
    entries: tuple[EntryPoint, ...] = ()
    name = text = None
    try:
        # Most distributions have nothing to do with postkit; of those no more is read than this.
        text = distribution.read_text("entry_points.txt")
        if not text or _SECTION not in text:
            return None
        name = _name_of(distribution)
        entries = tuple(entry for entry in distribution.entry_points if entry.group in GROUPS)
        if not entries:
            return None
        if _NAME.fullmatch(name) is None:
            raise ValueError("it has no name that can be used")
        return Installed(name, str(distribution.metadata["Version"] or ""), entries, distribution)
    except Exception as error:  # noqa: BLE001 - a stranger's files may make the parser raise anything
        if text is None and not _is_of_postkit(error):
            return None
        name = name or _name_of(distribution)
        said = " ".join(str(error).split()) or type(error).__name__
        problem = f"The metadata of {name} cannot be read ({said}): install it again."
        return Installed(name, "", entries, distribution, problem)


def _name_of(distribution: Distribution) -> str:
    try:
        name = distribution.metadata["Name"]
    except Exception:  # noqa: BLE001 - as above
        name = None
    # Without a name in the metadata, the folder's is what a person can look for.
    folder = getattr(getattr(distribution, "_path", None), "name", "")
    return str(name or folder or "a distribution without a name")


def _is_of_postkit(error: Exception) -> bool:
    """Whether entry points that are no text seem to be for postkit: only then they are told of."""
    return isinstance(error, UnicodeDecodeError) and _SECTION.encode() in error.object


def publisher(distribution: Distribution) -> Iterator[tuple[str, str]]:
    """What a distribution says of itself: ``("author", "...")`` and so on. Nobody checks it."""
    metadata = distribution.metadata
    for label in ("Author", "Maintainer"):
        names = [metadata[field] for field in (label, f"{label}-email")]
        if any(names):
            yield label.lower(), ", ".join(str(name) for name in names if name)
    if metadata["Home-page"]:
        yield "home page", str(metadata["Home-page"])
    for url in metadata.get_all("Project-URL") or []:
        label, _, target = str(url).partition(",")
        yield label.strip().lower(), target.strip()
