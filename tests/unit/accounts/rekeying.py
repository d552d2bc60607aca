"""Kills a re-keying at each thing it asks of the system, and opens what is left.

``python rekeying.py FOLDER KIND`` re-keys a vault with a key file to another KIND (``again``: to a
file, where a re-keying was killed before its last step already), in a child that is killed at its
first, second, ... event (a file opened, renamed or removed, a process started, a folder read),
until one comes to its end. Prints which key opened the vault after each kill.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from postkit.accounts import opening
from postkit.accounts.key import Key
from postkit.accounts.keyring import Keyring
from postkit.accounts.keys import find_key, make_key_file, new_key_path
from postkit.accounts.passphrase import Argon2Terms
from postkit.accounts.private_file import create_private
from postkit.accounts.rekey import rekey
from postkit.accounts.vault import Vault
from postkit.home import Home

FIELDS = {"token": "pk_canary_rekey"}
WORDS = "pk_canary words for a vault"
WATCHED = ("open", "os.rename", "os.remove", "os.scandir", "os.mkdir", "subprocess.Popen")


def new_key(kind: str) -> Key:
    if kind == "passphrase":
        return Key.of_passphrase(WORDS, Argon2Terms(bytes(16), 1, 1, 8))
    return Key.new("keyring" if kind == "keyring" else "key file")


def struck(home: Home, kind: str, at: int) -> bool:
    """Re-key in a child that is killed at the event of that number; whether it was."""
    child = os.fork()
    if child == 0:
        key = new_key(kind)
        vault = Vault(home.vault_path, find_key(home, {}))
        seen = 0

        def hook(event: str, _arguments: object) -> None:
            nonlocal seen
            if event in WATCHED:
                seen += 1
                if seen == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        rekey(home, vault, key, Keyring())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit("the re-keying failed")
    return False


def main(folder: Path, kind: str) -> None:
    start = Home(folder / "start").ensure()
    old = make_key_file(start)
    if kind == "again":
        old = Key.new("key file")
        create_private(new_key_path(start), old.text().encode())
    Vault(start.vault_path, old).put("a_one", FIELDS)
    environ = {"POSTKIT_PASSPHRASE": WORDS}
    opened = []
    for at in range(1, 1000):
        home = Home(folder / f"home{at}")
        shutil.copytree(start.path, home.path)
        was_struck = struck(home, kind, at)
        vault = opening.open_vault(home, environ=environ)
        if vault.get("a_one") != FIELDS:
            raise SystemExit("the entry is another one")
        opened.append("old" if find_key(home, environ).mark == old.mark else "new")
        # And it can be re-keyed once more, after which one key is left.
        rekey(home, vault, Key.new("key file"), Keyring())
        names = sorted(path.name for path in home.path.iterdir() if not path.name.endswith("lock"))
        if names != ["key", "vault"] or opening.open_vault(home).get("a_one") != FIELDS:
            raise SystemExit(f"left over: {names}")
        if not was_struck:
            break
    sys.stdout.write(json.dumps(opened))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
