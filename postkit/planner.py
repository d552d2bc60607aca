"""Makes plans: every address of a post adapted, counted and held against what was sent before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .account_settings import wrong_settings
from .address import Address, Place, expand, locate, stand_in
from .config import Config
from .contract import asked
from .deliver.caps import caps_of
from .errors import InputError, NotEnabled, PluginError
from .limits.model import Limits
from .network import (
    CannotRender,
    Change,
    Guarantee,
    Network,
    RenderedPart,
    RenderOptions,
    Rendition,
)
from .options import typed
from .outcomes import outcomes_of
from .plugins import Plugins
from .post import Post, Settings
from .store.accounts import AccountRows
from .store.publications import PublicationRows
from .suggest import did_you_mean

if TYPE_CHECKING:
    from .cards.card import Card
    from .fetch.fetcher import Fetches

from .plan import Plan, Planned, Wishes

MAX_REMOTE = 50
"""Media by URL of one post: more than a long thread has, and a bound for a hostile post file."""
MAX_FETCHING = 300.0
"""Seconds for all of them; a host that answers slowly for ever would take as long as it liked."""
NOBODY = (
    "Nobody to publish to: name addresses with --to, in the post file (`to:`), or as `default` in "
    "postkit.toml."
)
NOBODY_OF_TENANT = "Nobody to publish to: name addresses in the call, or in the post file (`to:`)."
NOT_HERE = "no page is fetched for an account on this machine"


class Planner:
    """Makes plans. Reads the store, fetches media that are named by a URL and the pages of link
    cards, asks no network. ``offline_here``: for an account on this machine, such as one at the
    emulator, a card is made of the link alone.

    ``unconnected``: an address whose account is not connected is planned by the usual limits of
    its network, to be looked at and not to be sent. Without a store (``accounts`` and
    ``publications`` None) none is connected. A ``tenant`` has no groups and no default account.
    """

    def __init__(
        self,
        plugins: Plugins,
        accounts: AccountRows | None,
        publications: PublicationRows | None,
        config: Config,
        fetcher: Fetches,
        *,
        offline_here: bool = False,
        unconnected: bool = False,
        tenant: str = "",
    ) -> None:
        self._plugins = plugins
        self._accounts = accounts
        self._publications = publications
        self._config = config
        self._fetcher = fetcher
        self._may_stay = offline_here
        self._unconnected = unconnected
        self._of_tenant = bool(tenant)
        self._cards: dict[tuple[str, bool], Card] = {}

    def plan(
        self,
        post: Post,
        to: Sequence[str] | None,
        wishes: Wishes,
        source: str | None = None,
        at: datetime | None = None,
    ) -> Plan:
        """``at`` is when it is due (None: now). Raises InputError with every address, option or
        setting that does not exist."""
        problems: list[str] = []
        names: list[str] = []
        for name in to or post.to or self._config.default:
            try:
                names += expand([name], self._config.groups, of_tenant=self._of_tenant)
            except InputError as error:
                problems.extend(error.problems)
        if not names and not problems:
            raise InputError(NOBODY_OF_TENANT if self._of_tenant else NOBODY)
        places = self._places(names, problems)
        self._read_media(post, problems)
        self._check_settings(post, wishes, places, problems)
        planned: list[Planned] = []
        for place in places:
            try:
                planned.append(self._one(post, place, wishes, source, at, problems))
            except NotEnabled:
                raise  # whoever asks may answer, and plan again
            except PluginError as error:
                problems.append(error.message)
        if problems:
            raise InputError(list(dict.fromkeys(problems)))
        warnings = [*self._strangers(places), *_capped(planned)]
        return Plan(post, tuple(planned), tuple(warnings), again=wishes.again)

    def _strangers(self, places: Iterable[Place]) -> Iterable[str]:
        """A name that is not connected beside names that are is likely a slip."""
        accounts = self._accounts.all() if self._unconnected and self._accounts is not None else []
        for account in (place.account for place in places if not place.account.id):
            names = [other.name for other in accounts if other.network == account.network]
            if names:
                yield (
                    f"{account.label} is not connected.{did_you_mean(account.name, names)} "
                    f"Connected: {', '.join(f'{account.network}:{name}' for name in names)}."
                )

    def _read_media(self, post: Post, problems: list[str]) -> None:
        """What is behind a URL is fetched here, once; its bytes are planned, and sent later."""
        remote = sum(media.remote is not None for media in post.media)
        if remote > MAX_REMOTE:
            problems.append(
                f"media: {remote} addresses; at most {MAX_REMOTE} are fetched for one post."
            )
            return
        until = monotonic() + MAX_FETCHING
        for media in post.media:
            left = until - monotonic()
            if media.remote is not None and left <= 0:
                problems.append(
                    f"media: its addresses take more than {MAX_FETCHING:.0f} seconds; "
                    "try again later, or give files."
                )
                return
            try:
                if media.remote is not None:
                    media.remote.fetch(self._fetcher, seconds=left)
                if media.kind != "video":
                    media.read()
            except InputError as error:
                problems.extend(error.problems)

    def _places(self, names: Iterable[str], problems: list[str]) -> list[Place]:
        accounts = self._accounts.all() if self._accounts is not None else []
        networks = self._plugins.network_names()
        defaults = {
            name: str(settings["account"])
            for name, settings in self._config.networks.items()
            if "account" in settings
        }
        places: dict[str, Place] = {}
        for name in names:
            try:
                address = Address.parse(name)
                known = accounts
                if self._unconnected and address.network in networks:
                    other = stand_in(address, accounts, defaults)
                    known = [*accounts, other] if other is not None else accounts
                place = locate(address, known, defaults, networks, of_tenant=self._of_tenant)
            except InputError as error:
                problems.extend(error.problems)
            else:
                places.setdefault(place.label, place)
        return list(places.values())

    def _check_settings(
        self, post: Post, wishes: Wishes, places: Sequence[Place], problems: list[str]
    ) -> None:
        used = {place.account.network for place in places}
        known = self._plugins.network_names()
        problems.extend(
            f"--set {name}: no address of this post goes to {name!r}.{did_you_mean(name, used)}"
            for name in wishes.options
            if name not in used
        )
        for name in post.networks:
            network = name.split(":")[0].split("/")[0]
            if network not in known:
                problems.append(
                    f"networks: {name}: there is no network {network!r}."
                    f"{did_you_mean(network, known)}"
                )

    def _one(
        self,
        post: Post,
        place: Place,
        wishes: Wishes,
        source: str | None,
        at: datetime | None,
        problems: list[str],
    ) -> Planned:
        network = self._plugins.network(place.account.network)
        settings = self._settings(post, place)
        try:
            values = typed(
                network, {**settings.options, **wishes.options.get(network.name, {})}, place.label
            )
        except InputError as error:
            problems.extend(error.problems)
            values = {}
        limits = asked(network, "limits_for", Limits, lambda: network.limits_for(place.account))
        problems.extend(wrong_settings(place.account, network, self._config))
        problems.extend(self._target_problems(place, limits.target, limits.target_name))
        problems.extend(f"{place.label}: {text}" for text in network.problems(place.target))
        if problems:
            return Planned(place, network, None)
        post = self._rewritten(post, place, settings)
        self._read_media(post, problems)
        if problems:
            return Planned(place, network, None)
        card = self._card(post, place, limits) if wishes.card else None
        try:
            how = RenderOptions(
                values,
                place.target,
                wishes.split,
                wishes.numbering,
                trim=wishes.trim,
                card=card,
            )
            rendition = asked(network, "adapt", Rendition, lambda: network.adapt(post, limits, how))
        except CannotRender as cannot:
            return self._cannot(post, place, network, settings, cannot.problems)
        except InputError as error:
            faults = [Change("post", problem) for problem in error.problems]
            return self._cannot(post, place, network, settings, faults)
        if wishes.strict and rendition.losses:
            strict = [replace(loss, text=f"{loss.text} (--strict)") for loss in rendition.losses]
            return self._cannot(post, place, network, settings, strict)
        reasons: list[str] = []
        rates = limits.rates
        planned = Planned(
            place,
            network,
            rendition,
            outcomes=outcomes_of(post, settings, rendition),
            cost=_total(network, rendition.parts),
            guarantee=asked(
                network,
                "guarantee",
                Guarantee,
                lambda: network.guarantee(rendition.parts[0], place.account),
            ).kind,
            quota=f"{rates[0].calls} {rates[0].what} in {rates[0].seconds} s" if rates else None,
        )
        if not wishes.again:
            reasons += self._repeated(planned, source, at)
        if reasons:
            repeated = [Change("post", reason) for reason in reasons]
            return self._cannot(post, place, network, settings, repeated)
        return planned

    def _cannot(
        self,
        post: Post,
        place: Place,
        network: Network[Any],
        settings: Settings,
        problems: Sequence[Change],
    ) -> Planned:
        reasons = tuple(problem.text for problem in problems)
        outcomes = outcomes_of(post, settings, problems)
        return Planned(place, network, None, reasons, outcomes=outcomes)

    def _card(self, post: Post, place: Place, limits: Limits) -> Card | None:
        """What the page of the link says of itself, where the network's clients build the card."""
        own = post.networks.get(place.account.network) or Settings()
        link = post.link if own.link is None else own.link
        if limits.cards is None or not link or place.account.settings.get("card") is False:
            return None
        from .cards.card import Card, make_card

        if post.parts[0].media:
            return Card(link, "")  # beside pictures there is none, and that is told
        from .accounts.place import is_loopback
        from .fetch.offline import Offline

        host = urlsplit(place.account.endpoint or "").hostname or ""
        near = self._may_stay and is_loopback(host)
        if (link, near) not in self._cards:
            fetcher = Offline(NOT_HERE) if near else self._fetcher
            self._cards[link, near] = make_card(link, fetcher)
        return self._cards[link, near]

    def _settings(self, post: Post, place: Place) -> Settings:
        """The network's settings, with those of the very address on top."""
        merged = Settings()
        for name in (place.account.network, place.account.label, place.label):
            own = post.networks.get(name)
            if own is not None:
                merged = Settings(
                    own.text if own.text is not None else merged.text,
                    own.title if own.title is not None else merged.title,
                    own.link if own.link is not None else merged.link,
                    {**merged.options, **own.options},
                )
        return merged

    def _rewritten(self, post: Post, place: Place, settings: Settings) -> Post:
        post = post.with_settings({place.account.network: settings})
        for implementation in self._plugins.manager.hook.postkit_rewrite.get_hookimpls():
            other: Any = implementation.function(
                *({"post": post, "address": place.label}[name] for name in implementation.argnames)
            )
            if isinstance(other, Post):
                post = other
        return post

    def _target_problems(self, place: Place, rule: str, noun: str) -> Iterable[str]:
        if rule == "required" and not place.target:
            yield f"{place.label} needs a {noun}: write {place.label}/NAME."
        if rule == "none" and place.target:
            label = place.account.label
            yield f"{place.label}: {place.account.network} takes no target; write {label}."

    def _repeated(self, planned: Planned, source: str | None, at: datetime | None) -> list[str]:
        if self._publications is None or not planned.is_connected:
            return []
        account = planned.place.account.id
        target = planned.place.target
        reason = self._publications.repeated(account, target, planned.text_hash, source, at)
        return [reason] if reason else []


def _capped(planned: Iterable[Planned]) -> Iterable[str]:
    """A thread that the account's own caps would slow down or stop half-way."""
    for each in planned:
        if each.rendition is not None:
            caps = caps_of(each.place.account)
            yield from caps.warnings(each.address, len(each.rendition.parts))


def _total(network: Network[Any], parts: Sequence[RenderedPart]) -> dict[str, Any] | None:
    costs = [cost for cost in (network.cost(part) for part in parts) if cost is not None]
    if not costs:
        return None
    return {"amount": round(sum(cost.amount for cost in costs), 4), "currency": costs[0].currency}
