"""The vault's round trip, against a Fernet file of `cryptography` and a plain SQLite file.

Each holds ten accounts with a token of 200 letters. ``open`` finds the key and reads the entries'
names, ``get`` reads one account's fields, ``put`` keeps others, durably. Rounds are taken in turn;
prints the medians in microseconds as JSON. The Fernet file is written as carefully as the vault
(a new file, fsync, rename, fsync of the folder) and SQLite with synchronous=FULL in WAL; neither
takes a lock of its own, nor binds an entry to its account.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from postkit.accounts.keys import make_key_file
from postkit.accounts.opening import open_vault
from postkit.accounts.passphrase import Argon2Terms
from postkit.accounts.private_file import replace_private
from postkit.home import Home

ROUNDS = 201
ACCOUNTS = [f"a_{number:026d}" for number in range(10)]
FIELDS = {"access_token": "t" * 200, "expires_at": "1790000000"}
ONE = ACCOUNTS[4]
Steps = dict[str, Callable[[], object]]


def of_the_vault(folder: Path) -> Steps:
    home = Home(folder / "home").ensure()
    make_key_file(home)
    vault = open_vault(home, environ={})
    for name in ACCOUNTS:
        vault.put(name, FIELDS)
    return {
        "open": lambda: open_vault(home, environ={}).ids(),
        "get": lambda: vault.get(ONE),
        "put": lambda: vault.put(ONE, FIELDS),
    }


def of_fernet(folder: Path) -> Steps:
    key_path, path = folder / "fernet.key", folder / "fernet"
    key_path.write_bytes(Fernet.generate_key())
    fernet = Fernet(key_path.read_bytes())
    replace_private(path, fernet.encrypt(json.dumps(dict.fromkeys(ACCOUNTS, FIELDS)).encode()))

    def read(opened: Fernet) -> dict[str, dict[str, str]]:
        content: dict[str, dict[str, str]] = json.loads(opened.decrypt(path.read_bytes()))
        return content

    def put() -> None:
        content = {**read(fernet), ONE: FIELDS}
        replace_private(path, fernet.encrypt(json.dumps(content).encode()))

    return {
        "open": lambda: sorted(read(Fernet(key_path.read_bytes()))),
        "get": lambda: read(fernet)[ONE],
        "put": put,
    }


def of_sqlite(folder: Path) -> Steps:
    path = folder / "plain.db"

    def connected() -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    one = connected()
    one.execute("CREATE TABLE secrets (id TEXT PRIMARY KEY, fields TEXT NOT NULL)")
    text = json.dumps(FIELDS)
    one.executemany("INSERT INTO secrets VALUES (?, ?)", [(name, text) for name in ACCOUNTS])

    def opened() -> None:
        connection = connected()
        connection.execute("SELECT id FROM secrets ORDER BY id").fetchall()
        connection.close()

    def get() -> object:
        [row] = one.execute("SELECT fields FROM secrets WHERE id = ?", (ONE,))
        return json.loads(row[0])

    count = iter(range(10**9))

    def put() -> None:
        # Another text each time: SQLite would write nothing for the same one.
        fields = json.dumps({**FIELDS, "expires_at": str(next(count))})
        one.execute("UPDATE secrets SET fields = ? WHERE id = ?", (fields, ONE))

    return {"open": opened, "get": get, "put": put}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds = {
            "vault": of_the_vault(folder),
            "fernet file": of_fernet(folder),
            "sqlite, plain": of_sqlite(folder),
        }
        times: dict[str, dict[str, list[float]]] = {
            kind: {step: [] for step in steps} for kind, steps in kinds.items()
        }
        for _ in range(ROUNDS):
            for kind, steps in kinds.items():
                for step, act in steps.items():
                    times[kind][step].append(taken(act))
        rows = {
            kind: {step: round(statistics.median(each)) for step, each in steps.items()}
            for kind, steps in times.items()
        }
    for row in rows.values():
        row["round trip"] = sum(row.values())
    terms = Argon2Terms(os.urandom(16))
    argon = round(statistics.median(taken(lambda: terms.key("twelve words")) for _ in range(5)))
    answer = {"rounds": ROUNDS, "median_us": rows, "a passphrase adds to open_us": argon}
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


def taken(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1e6


if __name__ == "__main__":
    main()
