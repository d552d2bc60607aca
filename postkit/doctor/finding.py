"""What the doctor has found: a problem or a warning, and the one command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Area = Literal[
    "clock", "settings", "store", "vault", "plugins", "accounts", "versions", "posts", "networks"
]
AREAS: tuple[Area, ...] = (
    "clock", "settings", "store", "vault", "plugins", "accounts", "versions", "posts", "networks",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """A ``problem`` keeps a post from being sent, now or when it is due; a ``warning`` may do so
    later. ``remedy`` is a command, or what a person has to do."""

    area: Area
    severity: Literal["problem", "warning"]
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """One area: what is fine about it in a few words, or why nobody could look (``skipped``)."""

    area: Area
    summary: str
    findings: tuple[Finding, ...] = ()
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Examination:
    """All areas."""

    areas: tuple[Examined, ...]

    @property
    def findings(self) -> list[Finding]:
        """What will stop a post first, each in the order of the areas."""
        found = [finding for area in self.areas for finding in area.findings]
        return sorted(found, key=lambda finding: finding.severity != "problem")

    @property
    def exit_status(self) -> int:
        """1 where something will stop a post; warnings change nothing."""
        return int(any(finding.severity == "problem" for finding in self.findings))


def problem(area: Area, text: str, remedy: str = "") -> Finding:
    return Finding(area, "problem", text, remedy)


def warning(area: Area, text: str, remedy: str = "") -> Finding:
    return Finding(area, "warning", text, remedy)
