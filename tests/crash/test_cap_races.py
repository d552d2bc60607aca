"""However many processes race to send, an account's cap lets exactly its number leave.

What is raced for is the transaction of SENDING itself: each process claims, writes SENDING and only
then appends a line to a file, which stands for the socket.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from postkit.clock import SystemClock
from postkit.deliver.chain import Chains
from postkit.network import Account, RenderedPart
from postkit.store.accounts import AccountRows
from postkit.store.database import Database
from postkit.store.publications import NewDelivery, PublicationRows

CAP = 10
PROCESSES = 4
SENDS = 10_000 if os.environ.get("POSTKIT_CRASH") == "full" else 300
SENDER = """
    import sys
    from datetime import date, datetime, timezone
    from pathlib import Path
    from postkit.clock import SystemClock
    from postkit.deliver.allowance import Allowance
    from postkit.deliver.caps import Caps
    from postkit.deliver.gates import Capped, NotYet
    from postkit.deliver.ledger import Fenced, Ledger
    from postkit.network import Account, Outgoing, Receipt, RenderedPart
    from postkit.store.database import Database
    from postkit.limits.entities import EntityRules
    from postkit.limits.model import Limits, Source

    store, sent, me, first, last = Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])
    database = Database(store)
    ledger = Ledger(database, SystemClock(), f"process {me}")
    account = Account("a_1", "toy", "one")
    limits = Limits(Source("a test", date(2026, 11, 29)), (), EntityRules(), True, 0)
    allowance = Allowance(account, limits, Caps(CAP, None, 5))
    file = open(sent, "ab", buffering=0)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(first, last):
        [part] = ledger.parts(f"d_{number}")
        while part.state == "SCHEDULED":
            try:
                part = ledger.claim(part, "key")
            except NotYet:
                continue
            body = RenderedPart(f"Post {number}")
            outgoing = Outgoing(body, {}, "key", datetime.now(timezone.utc))
            try:
                part = ledger.send(part, outgoing, allowance.create(part))
            except Capped as capped:
                ledger.hold(part, "cap", capped.message)
                break
            file.write(f"{part.id}\\n".encode())
            part = ledger.live(part, "accepted", Receipt(part.id), "The network accepted it.")
"""


def test_exactly_the_cap_leaves(tmp_path: Path) -> None:
    store, sent = tmp_path / "postkit.db", tmp_path / "sent"
    clock = SystemClock()
    with closing(Database(store)) as database:
        AccountRows(database, clock).add(Account("a_1", "toy", "one"))
        publications = PublicationRows(database, clock)
        new = [
            NewDelivery(
                f"d_{number}", "a_1", "toy:one", "toy", None, str(number),
                [RenderedPart(f"Post {number}")], (), (), None,
            )
            for number in range(SENDS)
        ]  # fmt: skip
        publications.accept("p_1", new, content="", again=True)
    share = SENDS // PROCESSES
    script = textwrap.dedent(SENDER).replace("CAP", str(CAP))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(store), str(sent), str(number),
             str(number * share), str((number + 1) * share)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(PROCESSES)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    patience = 60 + SENDS // 10
    with ThreadPoolExecutor(PROCESSES) as threads:
        list(threads.map(lambda process: process.communicate("\n", patience), processes))
    assert [process.returncode for process in processes] == [0] * PROCESSES
    left = sent.read_text("utf-8").split()
    assert len(left) == len(set(left)) == CAP
    with closing(Database(store)) as database:
        found = database.read("SELECT state, count(*) AS n FROM part GROUP BY state ORDER BY state")
        assert {row["state"]: row["n"] for row in found} == {"HELD": SENDS - CAP, "LIVE": CAP}
        assert Chains(database).read("a_1", "toy:one").broken is None, "by all of them together"
