"""What authors do wrong first: each gives one sentence that names the plugin."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import ModuleType
from typing import Any

import pytest

from postkit.contract import networks_of
from postkit.errors import PluginError
from postkit.network import Network, OAuth, Scope
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


TERMS = OAuth(
    authorize="https://chat.example/authorize",
    token="https://chat.example/token",
    scopes=(Scope("post", "publish"),),
    register="At chat.example; callback address {redirect}.",
    source="chat.example/docs",
    checked=date(2026, 11, 29),
    revoke="https://chat.example/revoke",
)
PATHS = replace(TERMS, authorize="/authorize", token="/token", revoke="/revoke")


class Registers:
    """With it, an app needs no person."""

    def register(self, session: Any, redirect_uri: str) -> dict[str, str]:
        return {"client_id": redirect_uri}


def checked(terms: Any, **changed: Any) -> list[Network[Any]]:
    declared = {"hosts": ("https://chat.example",), "oauth": terms, **changed}
    return networks_of(plugin([network_of(Plugins(), **declared)]), "chat", WHO)


OWN: dict[str, Any] = {"hosts": (), "needs_endpoint": True}


@pytest.mark.parametrize(
    ("terms", "changed"),
    [
        (TERMS, {}),
        (replace(TERMS, revoke=None), {}),
        (replace(TERMS, pkce=False, needs_secret=True), {}),
        (replace(TERMS, authorize="https://elsewhere.example/consent"), {}),
        (PATHS, OWN),
        (replace(PATHS, register="Nothing."), {**OWN, "register": Registers.register}),
    ],
    ids=range(6),
)
def test_terms_that_are_right(terms: OAuth, changed: dict[str, Any]) -> None:
    [network] = checked(terms, **changed)
    assert network.oauth == terms


@pytest.mark.parametrize(
    ("terms", "changed", "said"),
    [
        ({"token": "/token"}, {}, "Chat.oauth of type dict, not OAuth"),
        (None, {"register": Registers.register}, "Chat.register, which is of use with Chat.oauth"),
        (replace(TERMS, token="https://x.example/t"), {}, "oauth.token 'https://x.example/t'; a s"),
        (replace(TERMS, token="http://chat.example/t"), {}, "reaches https://chat.example alone"),
        (replace(TERMS, token=None), {}, "oauth.token None; a session reaches"),  # type: ignore[arg-type]
        (replace(TERMS, token="https://[/t"), {}, "oauth.token 'https://[/t'; a session"),
        (TERMS, {"hosts": None}, "Chat.hosts of type NoneType, not tuple"),
        (replace(TERMS, token="/token"), {}, "oauth.token '/token'; a session reaches"),
        (replace(TERMS, revoke="https://x.example/r"), {}, "oauth.revoke 'https://x.example/r'"),
        (replace(TERMS, authorize="http://chat.example/a"), {}, "an address with https"),
        (replace(TERMS, authorize="/authorize"), {}, "an address with https"),
        (TERMS, OWN, "oauth.token 'https://chat.example/token'; write a path"),
        (
            replace(PATHS, authorize="//evil.example/a"),
            OWN,
            "authorize '//evil.example/a'; write a",
        ),
        (replace(PATHS, token="//evil.example/a"), OWN, "token '//evil.example/a'; write a path"),
        (replace(TERMS, app=()), {}, "oauth.app (), without client_id"),
        (replace(TERMS, app=("client_secret",)), {}, "without client_id"),
        (replace(TERMS, app=("client_id",), needs_secret=True), {}, "no client_secret in its app"),
        (replace(TERMS, pkce=False), {}, "neither pkce nor needs_secret"),
        (replace(TERMS, scopes=()), {}, "oauth.scopes that are empty"),
        (replace(TERMS, register="At chat.example."), {}, "oauth.register without {redirect}"),
        (replace(TERMS, register="{redirect} {other}"), {}, "oauth.register without {redirect}"),
        (replace(TERMS, register="{redirect"), {}, "oauth.register without {redirect}"),
    ],
    ids=range(22),
)
def test_wrong_terms_are_named(terms: Any, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(PluginError) as caught:
        checked(terms, **changed)
    assert caught.value.message.startswith(WHO)
    assert said in caught.value.message


@pytest.mark.parametrize("given", [None, Network, [Network], ["chat"], "chat", []])
def test_a_wrong_answer_of_the_hook_is_named(given: Any) -> None:
    with pytest.raises(PluginError, match=WHO):
        networks_of(plugin(given), "chat", WHO)


def test_a_name_with_capitals_is_refused() -> None:
    with pytest.raises(PluginError, match="lower-case"):
        networks_of(plugin([network_of(Plugins(), name="Chat")]), "Chat", WHO)
