"""What a power cut leaves of the files that were being written."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from .vfs import Sync, Truncate, Write

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""
Files = dict[str, bytes]


def changed(content: bytes, change: Write | Truncate, pieces: Sequence[bool] | None) -> bytes:
    """``pieces``: which sectors of a write arrived; None for all."""
    if isinstance(change, Truncate):
        return content[: change.size].ljust(change.size, b"\0")
    new = bytearray(content)
    for number, (start, data) in enumerate(sectors(change)):
        if pieces is None or pieces[number]:
            new.extend(bytes(max(0, start + len(data) - len(new))))
            new[start : start + len(data)] = data
    return bytes(new)


def sectors(change: Write) -> list[tuple[int, bytes]]:
    found, start, end = [], change.offset, change.offset + len(change.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        found.append((start, change.data[start - change.offset : stop - change.offset]))
        start = stop
    return found


@dataclass
class Disk:
    """What is certain of each file, what would be there if the power held, and what is between."""

    certain: Files
    whole: Files
    pending: dict[str, list[Write | Truncate]] = field(default_factory=dict)

    def take(self, entry: Write | Truncate | Sync) -> None:
        if isinstance(entry, Sync):
            self.pending.pop(entry.name, None)
            self.certain[entry.name] = self.whole.get(entry.name, b"")
        else:
            self.pending.setdefault(entry.name, []).append(entry)
            self.whole[entry.name] = changed(self.whole.get(entry.name, b""), entry, None)

    def some(self, chance: random.Random, *, torn: bool) -> Files:
        """Any of the changes that are not certain; torn: any sectors of them."""
        files = dict(self.certain)
        for name, changes in self.pending.items():
            content = files.get(name, b"")
            for change in changes:
                pieces = None
                if torn and isinstance(change, Write):
                    pieces = [chance.random() < 0.5 for _ in sectors(change)]
                elif chance.random() < 0.5:
                    continue
                content = changed(content, change, pieces)
            files[name] = content
        return files
