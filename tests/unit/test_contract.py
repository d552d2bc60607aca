"""What authors do wrong first: each gives one sentence that names the plugin."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from postkit.contract import networks_of
from postkit.errors import PluginError
from postkit.network import Network
from postkit.plugins import Plugins

WHO = "The plugin chat of postkit-chat 1.0"


def plugin(given: Any) -> ModuleType:
    module = ModuleType("postkit_chat_plugin")
    module.postkit_networks = lambda: given  # type: ignore[attr-defined]
    return module


def network_of(installed: Plugins, **changed: Any) -> Network[Any]:
    """An installed network under changed declarations; None takes one away."""
    base = type(installed.network("bluesky"))
    kind = type("Chat", (base,), {"name": "chat", "title": "Chat", **changed})
    made: Network[Any] = kind()
    return made


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"limits": {"text": 400}}, "Chat.limits of type dict, not Limits"),
        ({"hosts": "https://chat.example"}, "Chat.hosts of type str, not tuple"),
        ({"title": None, "credentials": []}, "Chat.title of type NoneType, not str; it has Chat.c"),
        ({"name": "Chat"}, "gives 'Chat'; the name of its entry point, 'chat'"),
    ],
)
def test_a_wrong_declaration_is_named(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(PluginError) as caught:
        networks_of(plugin([network_of(Plugins(), **changed)]), "chat", WHO)
    assert caught.value.message.startswith(WHO)
    assert said in caught.value.message


@pytest.mark.parametrize("given", [None, Network, [Network], ["chat"], "chat", []])
def test_a_wrong_answer_of_the_hook_is_named(given: Any) -> None:
    with pytest.raises(PluginError, match=WHO):
        networks_of(plugin(given), "chat", WHO)


def test_a_name_with_capitals_is_refused() -> None:
    with pytest.raises(PluginError, match="lower-case"):
        networks_of(plugin([network_of(Plugins(), name="Chat")]), "Chat", WHO)
