"""A layer below SQLite: it counts the calls to the disk, makes them fail, and records them.

It is written with ctypes against the very library that Python's own module is linked with, and
becomes the default, so that the program under test is not changed. Calls that nobody watches stay
the pointers of the layer below. Names and layouts are those of SQLite's documentation of
``sqlite3_vfs`` and ``sqlite3_io_methods`` (checked 2026-11-23).
"""

from __future__ import annotations

import _sqlite3
import ctypes
import itertools
import os
import threading
from collections import Counter
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p, cast
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

OK = 0
CANTOPEN = 14
SHM_SIZE = 10 | 19 << 8
OPEN_READONLY, OPEN_READWRITE, OPEN_CREATE = 0x1, 0x2, 0x4
COMPANIONS = ("", "-wal", "-journal")
CHANGING = frozenset({"xWrite", "xTruncate", "xSync", "xShmMap", "xOpen", "xDelete"})


class Kind(Enum):
    """What the disk answers: SQLite's result codes."""

    FULL = 13
    WRITE = 10 | 3 << 8
    SYNC = 10 | 4 << 8
    READ_ONLY = 8

    def code(self, name: str) -> int:
        """For a call of that name. Shared memory answers as the layer below does on such a disk:
        its own "read-only" would mean memory that can be read."""
        if name == "xShmMap":
            return {Kind.FULL: SHM_SIZE, Kind.READ_ONLY: CANTOPEN}.get(self, self.value)
        return CANTOPEN if name == "xOpen" else self.value


@dataclass(slots=True)
class Fault:
    """The ``first`` changing call from now on fails (the first one is 1), or all from there on."""

    kind: Kind
    first: int
    lasting: bool = True
    seen: int = 0
    hits: int = 0

    def hit(self) -> bool:
        """Count one changing call; say whether it fails."""
        self.seen += 1
        fails = self.seen >= self.first if self.lasting else self.seen == self.first
        self.hits += fails
        return fails


@dataclass(frozen=True, slots=True)
class Write:
    name: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    name: str


@dataclass(frozen=True, slots=True)
class Delete:
    name: str
    synced: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """What a test noted at that moment."""

    what: Any


Entry = Write | Truncate | Sync | Delete | Mark


@dataclass
class Recorder:
    """All that changed the files, in order, with a test's marks in between."""

    entries: list[Entry] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, entry: Entry) -> None:
        with self.lock:
            self.entries.append(entry)

    def mark(self, what: Any) -> None:
        self.add(Mark(what))


class _Methods(Structure):
    """``sqlite3_io_methods``, version 3."""

    _fields_ = [("iVersion", c_int)] + [
        (name, c_void_p)
        for name in (
            *("xClose", "xRead", "xWrite", "xTruncate", "xSync", "xFileSize", "xLock", "xUnlock"),
            *("xCheckReservedLock", "xFileControl", "xSectorSize", "xDeviceCharacteristics"),
            *("xShmMap", "xShmLock", "xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch"),
        )
    ]


class _File(Structure):
    """``sqlite3_file``: what follows is the layer's below."""

    _fields_ = [("pMethods", c_void_p)]


class _Vfs(Structure):
    """``sqlite3_vfs``, version 3."""

    _fields_ = [
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        *(
            (name, c_void_p)
            for name in (
                *("pAppData", "xOpen", "xDelete", "xAccess", "xFullPathname", "xDlOpen"),
                *("xDlError", "xDlSym", "xDlClose", "xRandomness", "xSleep", "xCurrentTime"),
                *("xGetLastError", "xCurrentTimeInt64", "xSetSystemCall", "xGetSystemCall"),
                "xNextSystemCall",
            )
        ),
    ]


_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DELETE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_SLEEP = CFUNCTYPE(c_int, c_void_p, c_int)
_SIGNATURES = {
    "xRead": CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64),
    "xWrite": CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64),
    "xTruncate": CFUNCTYPE(c_int, c_void_p, c_int64),
    "xSync": CFUNCTYPE(c_int, c_void_p, c_int),
    "xLock": CFUNCTYPE(c_int, c_void_p, c_int),
    "xShmMap": CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_int, c_void_p),
    "xShmLock": CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_int),
}

_library = ctypes.CDLL(_sqlite3.__file__)
_library.sqlite3_vfs_find.restype = POINTER(_Vfs)
_library.sqlite3_vfs_find.argtypes = [c_char_p]
_library.sqlite3_vfs_register.argtypes = [POINTER(_Vfs), c_int]
_library.sqlite3_vfs_unregister.argtypes = [POINTER(_Vfs)]
_numbers = itertools.count(1)
_kept: list[Any] = []
"""What SQLite may still point to: a connection may outlive the layer that it was opened by."""


class Vfs:
    """The layer, over the database at ``path`` and the files beside it; others pass untouched.

    The default from ``with`` on to its end. ``calls`` counts what reached it, by name; without
    ``counts_all`` only what changes a file, which is quicker. A connection that must not be
    disturbed goes past it by ``file:...?vfs=unix``.
    """

    def __init__(
        self, path: Path, recorder: Recorder | None = None, *, counts_all: bool = True
    ) -> None:
        self.recorder = recorder
        self.fault: Fault | None = None
        self.calls: Counter[str] = Counter()
        self.syncs = True
        """Whether a sync reaches the disk: False is quick, where a test cuts no real power."""
        self._watched = {os.fsencode(f"{path.resolve()}{end}"): end for end in COMPANIONS}
        self._counts_all = counts_all
        self._names: dict[int, str] = {}
        self._tables: dict[int, _Methods] = {}
        below = _library.sqlite3_vfs_find(b"unix")
        self._below = below
        self._below_address = ctypes.addressof(below.contents)
        self._vfs = _Vfs.from_buffer_copy(below.contents)
        self._vfs.zName = f"watched{next(_numbers)}".encode()
        self._vfs.pNext = None
        self._real_open = _OPEN(below.contents.xOpen)
        self._real_delete = _DELETE(below.contents.xDelete)
        self._real_sleep = _SLEEP(below.contents.xSleep)
        self._put(self._vfs, "xOpen", _OPEN(self._open))
        self._put(self._vfs, "xDelete", _DELETE(self._delete))
        self._put(self._vfs, "xSleep", _SLEEP(self._sleep))
        _kept.append(self)

    def __enter__(self) -> Self:
        _library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.heal()
        self.recorder = None
        _library.sqlite3_vfs_register(self._below, 1)
        _library.sqlite3_vfs_unregister(ctypes.byref(self._vfs))

    def fail(self, kind: Kind, first: int, *, lasting: bool = True) -> Fault:
        """Let the disk fail from the ``first`` changing call from now on, or only there."""
        self.fault = Fault(kind, first, lasting)
        return self.fault

    def heal(self) -> None:
        self.fault = None

    # Calls of the layer

    def _open(self, _vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        known = self._watched.get(ctypes.string_at(name)) if name else None
        fault = self.fault
        if known is not None and (code := self._fails("xOpen")):
            if fault is None or fault.kind is not Kind.READ_ONLY:
                _File.from_address(file).pMethods = None
                return code
            # As the layer below does it where the file system is read-only.
            flags = flags & ~(OPEN_READWRITE | OPEN_CREATE) | OPEN_READONLY
        answer = int(self._real_open(self._below_address, name, file, flags, out))
        head = _File.from_address(file)
        if known is not None and answer == OK and head.pMethods:
            self._names[file] = known
            head.pMethods = ctypes.addressof(self._table(head.pMethods))
        return answer

    def _delete(self, _vfs: int, name: int, sync: int) -> int:
        known = self._watched.get(ctypes.string_at(name))
        if known is not None and (code := self._fails("xDelete")):
            return code
        answer = int(self._real_delete(self._below_address, name, sync))
        if known is not None and answer == OK:
            self._record(Delete(known, bool(sync)))
        return answer

    def _sleep(self, _vfs: int, microseconds: int) -> int:
        self.calls["xSleep"] += 1
        return int(self._real_sleep(self._below_address, microseconds))

    # Calls of a file

    def _table(self, address: int) -> _Methods:
        """The methods of the layer below, with ours in place of those that are watched."""
        if address in self._tables:
            return self._tables[address]
        below = _Methods.from_address(address)
        table = _Methods.from_buffer_copy(below)
        for name, signature in _SIGNATURES.items():
            pointer = getattr(below, name)
            if pointer and (self._counts_all or name in CHANGING):
                self._put(table, name, signature(self._watching(name, signature(pointer))))
        self._tables[address] = table
        return table

    def _watching(self, name: str, real: Callable[..., Any]) -> Callable[..., int]:
        changes = name in CHANGING

        def call(file: int, *arguments: Any) -> int:
            if changes:
                if code := self._fails(name):
                    return code
            else:
                self.calls[name] += 1
            left_out = name == "xSync" and not self.syncs
            answer = OK if left_out else int(real(file, *arguments))
            if changes and answer == OK and self.recorder is not None:
                self._note(name, self._names[file], arguments)
            return answer

        return call

    def _note(self, name: str, file: str, arguments: tuple[Any, ...]) -> None:
        if name == "xWrite":
            data, size, offset = arguments
            self._record(Write(file, offset, ctypes.string_at(data, size)))
        elif name == "xTruncate":
            self._record(Truncate(file, arguments[0]))
        elif name == "xSync":
            self._record(Sync(file))

    def _fails(self, name: str) -> int:
        self.calls[name] += 1
        fault = self.fault
        return fault.kind.code(name) if fault is not None and fault.hit() else OK

    def _record(self, entry: Entry) -> None:
        recorder = self.recorder
        if recorder is not None:
            recorder.add(entry)

    def _put(self, table: Structure, name: str, function: Any) -> None:
        _kept.append(function)
        setattr(table, name, cast(function, c_void_p).value)
