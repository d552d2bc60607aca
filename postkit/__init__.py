"""postkit publishes one post to many social networks, and can be trusted with it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import (
        InDoubt,
        InputError,
        NeedsLogin,
        NetworkError,
        PlanRefused,
        PostkitError,
        Refused,
        Throttled,
        Unavailable,
    )
    from .hookspecs import hookimpl
    from .kit import Kit
    from .network import Network, Outgoing, Receipt, Rendition
    from .plan import Plan, Wishes
    from .post import Media, Part, Poll, Post, Settings
    from .report import DeliveryReport, Report

__all__ = [
    "DeliveryReport",
    "InDoubt",
    "InputError",
    "Kit",
    "Media",
    "NeedsLogin",
    "Network",
    "NetworkError",
    "Outgoing",
    "Part",
    "Plan",
    "PlanRefused",
    "Poll",
    "Post",
    "PostkitError",
    "Receipt",
    "Refused",
    "Rendition",
    "Report",
    "Settings",
    "Throttled",
    "Unavailable",
    "Wishes",
    "hookimpl",
]

_HOMES = {
    "errors": (
        "InDoubt InputError NeedsLogin NetworkError PlanRefused PostkitError Refused Throttled "
        "Unavailable"
    ),
    "hookspecs": "hookimpl",
    "kit": "Kit",
    "network": "Network Outgoing Receipt Rendition",
    "plan": "Plan Wishes",
    "post": "Media Part Poll Post Settings",
    "report": "DeliveryReport Report",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used: ``import postkit`` alone costs nothing."""
    if name == "__version__":
        from importlib.metadata import version

        return version("postkit-social")
    if name not in _HOME:
        raise AttributeError(f"module 'postkit' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
