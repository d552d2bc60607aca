"""Plugins with one mistake each; `test_suite.py` runs the suite on them and wants it to fail."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from starlette.requests import Request

from postkit.accounts.secrets import Secrets
from postkit.errors import Refused
from postkit.limits.model import Limits
from postkit.network import (
    Account,
    Candidate,
    Guarantee,
    Journal,
    Network,
    Outgoing,
    Receipt,
    RenderedPart,
    RenderOptions,
    Rendition,
)
from postkit.post import Post
from postkit.testing.conformance import NetworkConformance
from postkit.transport import Session

from .chat import Chat, Client, receipt_of
from .chat_emulator import ChatEmulator


def plugin(network: Network[Any], emulator: type[ChatEmulator] = ChatEmulator) -> SimpleNamespace:
    return SimpleNamespace(postkit_networks=lambda: [network], postkit_emulators=lambda: [emulator])


class Forgetful(Chat):
    """Another key for each try, and it cannot find what it sent."""

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        return super().publish(client, replace(outgoing, key=self.new_key(outgoing.part)))

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        return ()


class WithoutAlt(Chat):
    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        bare = tuple(replace(image, alt="") for image in part.media)
        super().prepare(client, replace(part, media=bare), journal)


class Chatty(Chat):
    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        print("connecting with", secrets["access_token"].reveal())  # noqa: T201
        return super().connect(account, secrets, session)


class Logging(Chat):
    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        logging.getLogger("stranger").debug("token %s", secrets["access_token"].reveal())
        return super().connect(account, secrets, session)


class Telling(Chat):
    """The token is in an error."""

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        try:
            return super().publish(client, outgoing)
        except Exception as error:
            token = client.secrets["access_token"].reveal()
            raise Refused(f"not with {token}", network=self.name) from error


class Writing(Chat):
    """The token is in a receipt, so it ends up in the store."""

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        receipt = super().publish(client, outgoing)
        return replace(receipt, data={"token": client.secrets["access_token"].reveal()})


class Cutting(Chat):
    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        short = replace(outgoing.part, text=outgoing.part.text[:80])
        return super().publish(client, replace(outgoing, part=short))


class Silent(Chat):
    """Changes and losses are kept from the author."""

    def adapt(self, post: Post, limits: Limits, options: RenderOptions) -> Rendition:
        return replace(super().adapt(post, limits, options), changes=(), losses=())


class Unchained(Chat):
    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        return super().publish(client, replace(outgoing, parent=None))


class Greedy(Chat):
    """Takes any post of the account for its own."""

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        return [
            Candidate(receipt_of(row), datetime.fromisoformat(row["at"]), proof=True)
            for row in client.call("GET", "/posts")
        ]


class Wasteful(Chat):
    """Uploads again what the journal has."""

    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        journal.clear()
        super().prepare(client, part, journal)


class Hopeful(Chat):
    """An answer without an id is a success."""

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        try:
            return super().publish(client, outgoing)
        except KeyError:
            return Receipt("unknown")


class Stubborn(Chat):
    """Deletes what is not there with an error of its own."""

    def delete(self, client: Client, receipt: Receipt) -> None:
        try:
            super().delete(client, receipt)
        except Exception as error:
            raise Refused("cannot be deleted", network=self.name) from error


class Presuming(Chat):
    """Says that absence proves nothing, but cannot look at all."""

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        return ()

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        return Guarantee("read_back", quiet=60)


class LaxEmulator(ChatEmulator):
    """Takes a text of any length."""

    async def wanted(self, request: Request) -> dict[str, Any]:
        data = await super().wanted(request)
        return {**data, "text": data["text"][:200]}


class OpenEmulator(ChatEmulator):
    """Lets everybody in."""

    async def enter(self, request: Request) -> None:
        return None


class KeylessEmulator(ChatEmulator):
    """Ignores the key, whatever the guarantee says."""

    async def wanted(self, request: Request) -> dict[str, Any]:
        data = await super().wanted(request)
        return {**data, "key": f"{data['key']}-{self.world.number()}"}


class TestForgetful(NetworkConformance):
    network = "chat"
    plugins = (plugin(Forgetful()),)


class TestWithoutAlt(NetworkConformance):
    network = "chat"
    plugins = (plugin(WithoutAlt()),)


class TestChatty(NetworkConformance):
    network = "chat"
    plugins = (plugin(Chatty()),)


class TestLogging(NetworkConformance):
    network = "chat"
    plugins = (plugin(Logging()),)


class TestTelling(NetworkConformance):
    network = "chat"
    plugins = (plugin(Telling()),)


class TestWriting(NetworkConformance):
    network = "chat"
    plugins = (plugin(Writing()),)


class TestCutting(NetworkConformance):
    network = "chat"
    plugins = (plugin(Cutting()),)


class TestSilent(NetworkConformance):
    network = "chat"
    plugins = (plugin(Silent()),)


class TestUnchained(NetworkConformance):
    network = "chat"
    plugins = (plugin(Unchained()),)


class TestGreedy(NetworkConformance):
    network = "chat"
    plugins = (plugin(Greedy()),)


class TestWasteful(NetworkConformance):
    network = "chat"
    plugins = (plugin(Wasteful()),)


class TestHopeful(NetworkConformance):
    network = "chat"
    plugins = (plugin(Hopeful()),)


class TestStubborn(NetworkConformance):
    network = "chat"
    plugins = (plugin(Stubborn()),)


class TestPresuming(NetworkConformance):
    network = "chat"
    plugins = (plugin(Presuming()),)


class TestLax(NetworkConformance):
    network = "chat"
    plugins = (plugin(Chat(), LaxEmulator),)


class TestOpen(NetworkConformance):
    network = "chat"
    plugins = (plugin(Chat(), OpenEmulator),)


class TestKeyless(NetworkConformance):
    network = "chat"
    plugins = (plugin(Chat(), KeylessEmulator),)
