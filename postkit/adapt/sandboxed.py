"""The child of the sandbox: makes pictures fit. ``python -m postkit.adapt.sandboxed``."""

from __future__ import annotations

import sys
from datetime import date
from typing import Any

from ..errors import InputError
from ..limits.model import ImageLimit, Source
from ..rendition import CannotRender
from .fitted import fitted
from .sandbox import allow_cpu, confine, read_frame, wait_for_call, write_frame

_NOWHERE = Source("", date.min)


def answer(head: Any, data: bytes) -> tuple[Any, bytes]:
    """What became of one picture: the fields of Fitted and its bytes, or its problems."""
    given = {**head["limit"], "mime_types": tuple(head["limit"]["mime_types"])}
    limit = ImageLimit(**given, source=_NOWHERE)
    try:
        made = fitted(data, head["name"], limit, still=head["still"])
    except InputError as error:
        return {"input": list(error.problems)}, b""
    except CannotRender as error:
        return {"cannot": list(error.reasons)}, b""
    except MemoryError:
        return {"memory": True}, b""
    fields = {
        "sha256": made.sha256,
        "mime": made.mime,
        "width": made.width,
        "height": made.height,
        "changes": list(made.changes),
    }
    return fields, made.data


def main(memory: int, cpu: int, idle: float) -> None:
    # Loaded before the limits hold: it is our own code, and not what a stranger sends.
    from PIL import Image, ImageCms

    Image.init()
    _ = ImageCms
    confine(memory)
    while wait_for_call(idle):
        call = read_frame(sys.stdin.buffer)
        if call is None:
            return
        allow_cpu(cpu)
        write_frame(sys.stdout.buffer, *answer(*call))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
