"""The wire between a process and the network, and what goes wrong on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from ..errors import NeedsLogin
from ..network import Outgoing
from ..transport import Exchange
from .clock import SECOND
from .faults import CreateFault, ReadFault
from .remote import Content, Request

if TYPE_CHECKING:
    from .network import Client
    from .world import World

TIMEOUT = 30.0
NO_CREATE = frozenset(
    {
        *("lost_before", "5xx_before", "429", "429_retry_after", "401", "400", "no_id_before"),
        *("redirect", "foreign_403"),
    }
)
SILENT = frozenset({"lost_before", "lost_after", "late", "too_late"})


class Wire:
    """One for a schedule. Draws each request's fault when the request is made."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._creates_left = world.schedule.create_most
        self._reads_left = world.schedule.read_most
        self.expired: set[str] = set()
        """Accounts whose access has run out."""
        self.quiet = world.schedule.quiet or world.schedule.kind.plain.quiet or 120.0

    def create(
        self, client: Client, exchange: Exchange, outgoing: Outgoing, content: Content
    ) -> Any:
        """The one create request. Returns what the network says, or raises."""
        world, process = self._world, client.process
        part = str(outgoing.part.fields["part"])
        fault = self._create_fault(client)
        world.note(process.owner, "request for {}: {}", part, fault or "no fault")
        if fault == "refused":
            process.sleep(0.05)
            raise requests.ConnectionError("refused")
        exchange.wrote = True
        world.watch.request(process, part)
        request = self._request(client, part, outgoing, content, fault)
        world.remote.receive(request)
        self._foreign(request)
        process.point("request written")
        process.sleep(self._until_answer(fault))
        world.remote.settle(world.time.now)
        process.point("answered")
        if fault in SILENT:
            raise requests.ReadTimeout("no answer")
        return self._answer(client, exchange, request, fault)

    def _request(
        self,
        client: Client,
        part: str,
        outgoing: Outgoing,
        content: Content,
        fault: CreateFault | None,
    ) -> Request:
        dice, now = self._world.dice, self._world.time.now
        delay = dice.uniform(0.005, 0.2)
        outside = False
        if fault == "late":
            delay = dice.uniform(1.0, 0.3 * self.quiet)
        elif fault == "too_late":
            delay = 1.2 * self.quiet + dice.uniform(0.0, 1500.0)
            outside = True
        lag = 0.0 if dice.random() < 0.7 else dice.uniform(0.0, 0.1 * self.quiet)
        acts = None if fault in NO_CREATE else now + int(delay * SECOND)
        return Request(
            part, client.account.id, content, outgoing.key, now, acts, int(lag * SECOND),
            outside=outside,
        )  # fmt: skip

    def _until_answer(self, fault: CreateFault | None) -> float:
        dice = self._world.dice
        if fault == "answer_late":
            return dice.choice((10.0, 29.0, 110.0))
        if fault in SILENT:
            # A reset comes at once, a silence ends with the timeout.
            return TIMEOUT if dice.random() < 0.5 else dice.uniform(0.01, 1.0)
        return 0.25

    def _answer(
        self, client: Client, exchange: Exchange, request: Request, fault: CreateFault | None
    ) -> Any:
        answer = client.session.answer
        match fault:
            case "5xx_before" | "5xx_after":
                return answer(exchange, 502)
            case "429":
                return answer(exchange, 429, {"error": "slow down"})
            case "429_retry_after":
                wait = self._world.dice.choice((1, 30, 600))
                return answer(exchange, 429, {"error": "slow down"}, {"retry-after": str(wait)})
            case "401":
                return answer(exchange, 401, {"error": "access"})
            case "400":
                self._world.watch.refused.add(request.part)
                return answer(exchange, 400, {"error": "no"})
            case "no_id_before" | "no_id_after":
                return answer(exchange, 200, {})
            case "redirect":
                return answer(exchange, 302)
            case "foreign_403":
                return answer(exchange, 403)
        if request.is_duplicate:
            return answer(exchange, 403, {"error": "duplicate", "code": 187})
        if request.post is None:
            raise RuntimeError("an answer without a post; a defect of the simulation")
        return answer(exchange, 201, {"id": request.post.id})

    def _create_fault(self, client: Client) -> CreateFault | None:
        schedule, dice = self._world.schedule, self._world.dice
        if client.account.id in self.expired:
            return "401"
        if not self._creates_left or dice.random() >= schedule.create_rate:
            return None
        self._creates_left -= 1
        fault = dice.choice(schedule.creates)
        if fault == "401":
            self._expire(client.account.id)
        return fault

    def _foreign(self, request: Request) -> None:
        """Somebody else posts the same, just before or after."""
        world = self._world
        dice = world.dice
        if dice.random() >= world.schedule.foreign_rate:
            return
        text, picture, parent = request.content
        if world.schedule.kind.kind not in ("read_back", "blind"):
            picture = None
        content = (text, picture, parent)
        if dice.random() < 0.4 and parent is None:
            at = max(0, world.time.now - int(dice.uniform(0.0, 100.0) * SECOND))
            world.remote.add(request.account, content, at)
            return
        world.time.at(
            world.time.now + int(dice.uniform(0.0, 400.0) * SECOND),
            lambda: world.foreign(request.account, content),
        )

    def read(self, client: Client, exchange: Exchange) -> int:
        """A request that may be repeated. Returns how old (microseconds) what it shows is."""
        world = self._world
        client.process.sleep(0.05)
        world.remote.settle(world.time.now)
        fault = self._read_fault(client)
        if fault is not None:
            world.note(client.process.owner, "{} {}: {}", exchange.method, exchange.url, fault)
        answer = client.session.answer
        match fault:
            case "refused":
                raise requests.ConnectionError("refused")
            case "timeout":
                exchange.wrote = True
                client.process.sleep(TIMEOUT)
                raise requests.ReadTimeout("no answer")
            case "5xx":
                answer(exchange, 503)
            case "429":
                answer(exchange, 429, {"error": "slow down"})
            case "401":
                answer(exchange, 401, {"error": "access"})
            case "forbidden":
                answer(exchange, 403, {"error": "no"})
        answer(exchange, 200, {})
        return int(world.dice.uniform(0, 0.2 * self.quiet) * SECOND) if fault == "stale" else 0

    def _read_fault(self, client: Client) -> ReadFault | None:
        schedule, dice = self._world.schedule, self._world.dice
        if client.account.id in self.expired:
            return "401"
        if not self._reads_left or dice.random() >= schedule.read_rate:
            return None
        self._reads_left -= 1
        fault = dice.choice(schedule.reads)
        if fault == "401":
            self._expire(client.account.id)
        return fault

    def _expire(self, account: str) -> None:
        self.expired.add(account)
        # Whoever it belongs to sees it in the end, whether or not postkit stops for it.
        self._world.person.hear("needs_login", account)

    def renew(self, client: Client, exchange: Exchange) -> None:
        """New access. Raises what a plugin's ``refresh`` does."""
        chance = self._world.dice.random()
        client.process.sleep(0.05)
        if chance < 0.15:
            raise requests.ConnectionError("refused")
        if chance < 0.25:
            client.session.answer(exchange, 503)
        if chance < 0.4:
            raise NeedsLogin("The access cannot be renewed.")
        client.session.answer(exchange, 200, {})
        self.expired.discard(client.account.id)
        self._world.note(client.process.owner, "renewed the access of {}", client.account.id)
