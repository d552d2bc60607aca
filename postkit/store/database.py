"""The SQLite store: durable by PRAGMA and by proof, with one writer and group commit.

Threads that write at the same moment share one transaction and so one fsync; each runs under
a savepoint of its own, so that the failure of one does not undo another.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from ..errors import StoreBusy, StoreError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BUSY_SECONDS = 30.0
NETWORK_FILE_SYSTEMS = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "sshfs", "fuse.sshfs", "afs", "ncpfs"),
        *("glusterfs", "fuse.glusterfs", "ceph", "lustre"),
    }
)


class Database:
    """One SQLite file. Safe for all threads of a process and for many processes.

    Raises StoreBusy (come back later) where it is locked for longer than ``busy`` seconds, full
    or read-only, and StoreError where it cannot be used at all.
    """

    def __init__(self, path: Path, *, busy: float = BUSY_SECONDS) -> None:
        self.path = path
        self._refuse_network_file_system()
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._queue_lock = threading.Lock()
        self._busy = busy
        self._reopen = False
        self._queue: list[tuple[Work[Any], Future[Any]]] = []
        try:
            self._connection = sqlite3.connect(
                path, timeout=busy, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise self._translated(error) from error
        try:
            self._prepare(busy)
        except sqlite3.Error as error:
            self._connection.close()
            raise self._translated(error) from error
        except StoreError:
            self._connection.close()
            raise

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def read(self, sql: str, values: Mapping[str, Any] | None = None) -> list[sqlite3.Row]:
        """All rows of a query."""
        self._refuse_fork()
        with self._lock:
            try:
                return self._connection.execute(sql, values or {}).fetchall()
            except sqlite3.Error as error:
                raise self._translated(error) from error

    def write(self, work: Work[T]) -> T:
        """Run ``work`` in a transaction; when this returns, its effect is on the disk.

        ``work`` may run in another thread and must only use the connection that it is given.
        """
        self._refuse_fork()
        future: Future[T] = Future()
        with self._queue_lock:
            self._queue.append((work, future))
        with self._lock:
            if not future.done():
                with self._queue_lock:
                    batch, self._queue = self._queue, []
                try:
                    self._commit(batch)
                finally:
                    # Whatever broke in here, no other thread may wait for ever.
                    for _, other in batch:
                        if not other.done():
                            other.set_exception(
                                StoreBusy(f"{self.path}: the write was broken off.")
                            )
        return future.result()

    def _commit(self, batch: list[tuple[Work[Any], Future[Any]]]) -> None:
        if self._reopen:
            self._open_again()
        connection = self._connection
        outcomes: list[tuple[Future[Any], Any, BaseException | None]] = []
        # Who is alone has the whole transaction for a savepoint.
        is_shared = len(batch) > 1
        try:
            connection.execute("BEGIN IMMEDIATE")
            for work, future in batch:
                if is_shared:
                    connection.execute("SAVEPOINT work")
                try:
                    result = work(connection)
                except BaseException as error:
                    if not is_shared or isinstance(error, sqlite3.OperationalError):
                        raise
                    connection.execute("ROLLBACK TO work")
                    outcomes.append((future, None, error))
                else:
                    outcomes.append((future, result, None))
                if is_shared:
                    connection.execute("RELEASE work")
            connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - every waiting thread must hear of it
            # A connection that is closed or broken can tell nothing; SQLite itself rolls back.
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            # SQLite opens read-only what it cannot write, and a connection stays so for ever.
            self._reopen = isinstance(error, sqlite3.Error) and "readonly" in str(error)
            failure = self._translated(error) if isinstance(error, sqlite3.Error) else error
            for _, future in batch:
                future.set_exception(failure)
            return
        for future, result, problem in outcomes:
            if problem is None:
                future.set_result(result)
            elif isinstance(problem, sqlite3.Error):
                future.set_exception(self._translated(problem))
            else:
                future.set_exception(problem)

    def _open_again(self) -> None:
        old = self._connection
        try:
            self._connection = sqlite3.connect(
                self.path, timeout=self._busy, isolation_level=None, check_same_thread=False
            )
            self._prepare(self._busy)
        except (sqlite3.Error, StoreError):
            self._connection.close()
            self._connection = old
        else:
            self._reopen = False
            old.close()

    def _prepare(self, busy: float) -> None:
        connection = self._connection
        connection.row_factory = sqlite3.Row
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        migrations = _migrations()
        if version > len(migrations):
            raise StoreError(
                f"{self.path} was written by a newer postkit (schema {version}, this one knows "
                f"{len(migrations)}). Update postkit, or name another store with POSTKIT_STORE."
            )
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        self._write_ahead(busy)
        connection.execute("PRAGMA synchronous=FULL")
        # What a statement puts aside need not survive, and a file for it costs more than the rest.
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA foreign_keys=ON")
        for pragma, value in wanted.items():
            got = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
            if got != value:
                raise StoreError(
                    f"{self.path}: SQLite answers {pragma}={got} where {value} was asked for, so a "
                    "commit could be lost. Put the store on a local disk (POSTKIT_STORE)."
                )
        if version < len(migrations):
            self._migrate(migrations)

    def _write_ahead(self, busy: float) -> None:
        # SQLite does not wait for others with this one, so two programs at a new store would
        # hinder each other.
        end = time.monotonic() + busy
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() >= end:
                    raise
                time.sleep(0.01)
            else:
                return

    def _migrate(self, migrations: list[str]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            for number, script in enumerate(migrations[version:], version + 1):
                for statement in statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _refuse_fork(self) -> None:
        if os.getpid() != self._pid:
            raise StoreError(
                f"{self.path} was opened before this process was forked, and cannot be shared so; "
                "open a Kit in each process."
            )

    def _refuse_network_file_system(self) -> None:
        kind = _file_system(self.path.parent)
        if kind in NETWORK_FILE_SYSTEMS:
            raise StoreError(
                f"{self.path} is on a network file system ({kind}), where SQLite can lose commits. "
                "Put it on a local disk: set POSTKIT_HOME or POSTKIT_STORE."
            )

    def _translated(self, error: sqlite3.Error) -> StoreError:
        text = str(error)
        if "locked" in text or "busy" in text:
            return StoreBusy(
                f"{self.path} is locked by another program; try again when it is done."
            )
        if "full" in text:
            return StoreBusy(
                f"The disk that holds {self.path} is full; make room and run it again."
            )
        if "readonly" in text or "read-only" in text:
            return StoreBusy(
                f"{self.path} cannot be written (read-only); check the disk and its rights."
            )
        if "disk I/O" in text:
            return StoreBusy(
                f"The disk that holds {self.path} failed ({text}); nothing more is sent. What was "
                "being written may be kept after all: `postkit list` shows it."
            )
        if "unable to open" in text and os.access(self.path, os.R_OK):
            return StoreBusy(
                f"{self.path} cannot be opened for writing (a disk that is full or read-only?); "
                "check the disk and its rights."
            )
        if "unable to open" in text:
            return StoreError(
                f"{self.path} cannot be opened; check that its folder exists and is yours."
            )
        if "not a database" in text or "malformed" in text:
            return StoreError(
                f"{self.path} is damaged or is no postkit store; restore a backup or move it away."
            )
        return StoreError(f"{self.path}: {text}")


def statements(script: str) -> list[str]:
    """The single statements of a script (``executescript`` would commit between them)."""
    found, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    return found


def _migrations() -> list[str]:
    folder = resources.files(__package__) / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [file.read_text("utf-8") for file in files]


def _file_system(folder: Path) -> str:
    """The type of the file system that holds ``folder``; "" where the system does not tell."""
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    place = str(folder.resolve())
    for mount in mounts:
        fields = mount.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind
