"""The conformance suite: a plugin's whole test is a subclass of ``NetworkConformance``.

::

    class TestChat(NetworkConformance):
        network = "chat"
        address = "chat:emulated/general"    # only where a target is needed

It runs the plugin's own client against the plugin's own emulator over HTTP on loopback. What a
network cannot do is read from its limits, its guarantee and its capabilities; the suite names no
network. The other declarations are in ``suite/bench.py``. Needs the extra ``emulator`` and pytest.

A plugin that is not installed is handed over, its emulator with it::

    class TestChat(NetworkConformance):
        network = "chat"
        plugins = (postkit_chat.plugin, postkit_chat.emulator)

A failed assertion shows the report, its history and every request that the emulator saw.
"""

from __future__ import annotations

from .suite.access import AccessConformance
from .suite.consent import ConsentConformance
from .suite.declared import DeclaredConformance
from .suite.faults import FaultConformance
from .suite.fields import FieldConformance
from .suite.images import ImageConformance
from .suite.lengths import LengthConformance
from .suite.lookups import LookupConformance
from .suite.secrecy import SecrecyConformance
from .suite.threads import ThreadConformance
from .suite.videos import VideoConformance

__all__ = ["NetworkConformance"]


class NetworkConformance(
    # pytest runs inherited tests from the last base to the first: the plainest come first so.
    SecrecyConformance,
    LookupConformance,
    ConsentConformance,
    AccessConformance,
    ThreadConformance,
    FaultConformance,
    VideoConformance,
    ImageConformance,
    FieldConformance,
    LengthConformance,
    DeclaredConformance,
):
    """Everything that postkit promises, checked for one network."""
