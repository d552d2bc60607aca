"""Arguments as text: bytes that are none are refused at the program's edge, with a sentence."""

from __future__ import annotations

from typing import Any

import click
from click.types import StringParamType


class Text(StringParamType):
    """What the store and the networks can take. The system hands over bytes; those that are no
    UTF-8 arrive here as halves of surrogate pairs."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = super().convert(value, param, ctx)
        for position, character in enumerate(text, 1):
            if 0xD800 <= ord(character) <= 0xDFFF:
                self.fail(
                    f"character {position} is half of a surrogate pair (U+{ord(character):04X}): "
                    "these bytes are no text in UTF-8.",
                    param,
                    ctx,
                )
        return text


class AnyBytes(StringParamType):
    """The name of a file, which may be any bytes, or what is cleaned where it is used."""


def understand_text(command: click.Command) -> None:
    """Every plain argument and option of a command, and of those within it, is `Text`."""
    for param in command.params:
        if type(param.type) is StringParamType:
            param.type = Text()
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        understand_text(inner)
