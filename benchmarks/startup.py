"""How long a command takes to start, against a bare interpreter and an empty click program.

Compiles first, runs each command in turn, and prints the medians of whole processes in
milliseconds as JSON. ``publish --dry-run`` uses a temporary home with one connected account.
"""

from __future__ import annotations

import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import postkit
from postkit.accounts.keys import make_key_file
from postkit.emulator.server import EmulatorServer
from postkit.plugins import Plugins

RUNS = 21
CLICK = "import click; click.command()(lambda: None)(standalone_mode=False)"


def wall(command: list[str], env: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    compileall.compile_dir(str(Path(postkit.__file__).parent), quiet=2)
    program = str(Path(sys.executable).with_name("postkit"))
    with tempfile.TemporaryDirectory() as home:
        env["POSTKIT_HOME"] = home
        with EmulatorServer(Plugins().emulators()) as server, postkit.Kit(home) as kit:
            kit.home.ensure()
            make_key_file(kit.home)
            for account in server.accounts():
                kit.connect(account.network, account.credentials, endpoint=account.endpoint)
            networks = [kit.plugins.network(name) for name in kit.plugins.network_names()]
        names = [network.name for network in networks if network.limits.target != "required"]
        dry = [program, "publish", "--text", "Hello", "--dry-run", "--to"]
        commands = {
            "bare interpreter": [sys.executable, "-c", "pass"],
            "empty click program": [sys.executable, "-c", CLICK],
            "postkit --version": [program, "--version"],
            "postkit --help": [program, "--help"],
            **{f"publish --dry-run, {name}": [*dry, name] for name in names},
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for run in range(RUNS + 1):
            for name, command in commands.items():
                taken = wall(command, env)
                if run:
                    times[name].append(taken)
    rows = {name: round(statistics.median(values), 1) for name, values in times.items()}
    sys.stdout.write(json.dumps({"runs": RUNS, "median_ms": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
