"""A distribution of somebody else, as pip leaves it, that tells when its code runs."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from .program import Program, Result

EXAMPLE = Path(__file__).parents[2] / "examples" / "postkit-chat" / "postkit_chat"
ENABLE = "`postkit plugins enable quill-chat`"
METADATA = """\
Metadata-Version: 2.1
Name: {name}
Version: 1.2.3
Author: Quill and Sons
Maintainer-email: mail@quill.example
Project-URL: Homepage, https://quill.example/chat
"""
RAN = """\
import pathlib
with pathlib.Path({mark!r}).open("a") as file:
    file.write(__name__ + "\\n")
"""
HOOKS = """
import click
from postkit import hookimpl

@hookimpl
def postkit_add_commands(cli):
    cli.add_command(click.Command("shout", callback=lambda: click.echo("HELLO")))
"""


@dataclass(frozen=True)
class Planted:
    """``site`` is for PYTHONPATH; each module of the distribution adds its name to ``mark``."""

    site: Path
    mark: Path
    info: Path

    @property
    def path(self) -> str:
        return os.pathsep.join([str(self.site), *filter(None, [os.environ.get("PYTHONPATH")])])

    @property
    def ran(self) -> list[str]:
        """The modules that were imported since this was asked last."""
        names = self.mark.read_text("utf-8").split() if self.mark.exists() else []
        self.mark.unlink(missing_ok=True)
        return sorted(set(names))


def plant(
    folder: Path, name: str = "quill-chat", network: str = "chat", *, hooks: bool = True
) -> Planted:
    """The example plugin with another publisher; with ``hooks``, also a command ``shout``."""
    package = name.replace("-", "_")
    site, mark = folder / "site", folder / f"{name} ran"
    shutil.copytree(
        EXAMPLE, site / package, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
    )
    for module in ("plugin", "emulator"):
        file = site / package / f"{module}.py"
        code = file.read_text("utf-8").replace('"chat"', f'"{network}"')
        future, line, rest = code.partition("from __future__ import annotations\n")
        file.write_text(future + line + RAN.format(mark=str(mark)) + rest, "utf-8")
    (site / package / "hooks.py").write_text(RAN.format(mark=str(mark)) + HOOKS, "utf-8")
    info = site / f"{package}-1.2.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA.format(name=name), "utf-8")
    groups = {"networks": (network, "plugin"), "emulators": (network, "emulator")}
    if hooks:
        groups["plugins"] = ("shout", "hooks")
    (info / "entry_points.txt").write_text(
        "".join(
            f"[postkit.{group}]\n{entry} = {package}.{module}\n"
            for group, (entry, module) in groups.items()
        ),
        "utf-8",
    )
    return Planted(site, mark, info)


def run(postkit: Program, planted: Planted, *arguments: str, **more: str) -> Result:
    variables = {"PYTHONPATH": planted.path, **more}
    result = postkit.process(*arguments, before=None, timeout=60, **variables)
    assert "Traceback" not in result.out + result.err, result.err
    return result


def rows(result: Result) -> dict[tuple[str, str, str], dict[str, str]]:
    listed = result.json["plugins"]
    return {(row["distribution"], row["group"][8:], row["name"]): row for row in listed}
