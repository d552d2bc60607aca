"""Writes each network's limits table into its README, from the data; --check only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from postkit.limits.describe import markdown
from postkit.plugins import Plugins

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- limits -->", "<!-- /limits -->"


def written(text: str, table: str) -> str:
    """``text`` with ``table`` between the marks. Raises ValueError where a mark is missing."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"no {BEGIN} and {END}")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    return f"{head}{BEGIN}\n{table}\n{END}{tail}"


def main(check: bool) -> int:
    plugins = Plugins()
    stale = []
    for path in sorted(ROOT.glob("plugins/*/README.md")):
        name = path.parent.name
        old = path.read_text("utf-8")
        new = written(old, markdown(plugins.network(name).limits))
        if new != old:
            stale.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(new, "utf-8")
    for name in stale:
        sys.stdout.write(f"{'stale' if check else 'written'}: {name}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
