"""Names to addresses, within a time: the system's resolver has none of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

Resolve = Callable[[str], list[str]]
"""All addresses of a host name. Raises OSError where there are none."""


def system_resolve(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def resolve_within(resolve: Resolve, host: str, seconds: float) -> list[str]:
    """``resolve(host)``, waited for at most ``seconds``. Raises OSError, TimeoutError."""
    answer: list[list[str]] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            answer.append(resolve(host))
        except OSError as error:
            failed.append(error)
        except UnicodeError as error:
            failed.append(OSError(str(error)))

    # A daemon: a resolver that never answers must not keep the program from ending.
    thread = threading.Thread(target=ask, name="postkit-resolve", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if answer:
        return answer[0]
    raise failed[0] if failed else TimeoutError("The name was not resolved in time.")
