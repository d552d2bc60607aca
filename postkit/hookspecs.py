"""Every hook: when it is called and what to return. Hooks register and observe; objects act.

A plugin marks its functions with ``hookimpl`` and is found by an entry point:
``postkit.networks`` (name = the network's name, loaded when that network is used),
``postkit.emulators`` (likewise), ``postkit.plugins`` (always loaded); of a distribution that
somebody has enabled.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from .config import Config
    from .deliver.states import DeliveryState
    from .emulator.base import Emulator
    from .network import Network
    from .post import Post

hookspec = pluggy.HookspecMarker("postkit")
hookimpl = pluggy.HookimplMarker("postkit")


@hookspec
def postkit_networks() -> Iterable[Network[Any]]:  # type: ignore[empty-body]
    """Called once per load. Return the networks; the only hook that a network must have."""


@hookspec
def postkit_emulators() -> Iterable[type[Emulator]]:  # type: ignore[empty-body]
    """Called by ``postkit emulate`` and the test kit. Return classes, not instances."""


@hookspec(historic=True)
def postkit_configure(config: Config) -> None:
    """Called once, with the configuration, before the first post."""


@hookspec(historic=True)
def postkit_add_commands(cli: Any) -> None:
    """Called once, before the arguments are parsed, with the click group."""


@hookspec(firstresult=True)
def postkit_secret(reference: str) -> str | None:
    """Called at each resolution of a reference (``SCHEME:REST``) to a secret. Return None to pass.

    The core comes first, and resolves ``env:NAME``, ``file:PATH`` and ``cmd:COMMAND``.
    """


@hookspec
def postkit_rewrite(post: Post, address: str) -> Post | None:
    """Called before adapting, one plugin after the other. Return a new post, or None."""


@hookspec
def postkit_changed(
    delivery: str, before: DeliveryState, after: DeliveryState, tenant: str
) -> None:
    """Called after a delivery (its id) shows another state, once that is durable: late rather
    than never, once more after a failure, in the order of the changes. What it raises is logged
    and changes nothing. ``tenant`` is whose delivery it is: "" where a program has no tenants."""


@hookspec
def postkit_account_needs_login(account: str, reason: str, tenant: str) -> None:
    """Called after a network has refused the access of an account (``network:name`` of
    ``tenant``), and a week before access ends that only a person can renew; likewise."""
