"""The façade: everything that a program or the command line asks of postkit."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from functools import partial as bind
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .accounts.keys import find_key
from .accounts.vault import Vault
from .clock import Clock, SystemClock
from .config import Config, read_config
from .deliver.clients import Clients, Connection
from .deliver.courier import Courier
from .deliver.ledger import Ledger
from .deliver.owner import this_process
from .deliver.spool import Spool
from .deliver.steps import Watch
from .engine.threads import ThreadEngine
from .errors import (
    InputError,
    NetworkError,
    NotDeleted,
    PlanRefused,
    PostkitError,
    Refused,
    UnknownName,
)
from .home import Home
from .ids import new_id
from .network import Account, CanDelete, CanList, Receipt, RemotePost, RenderedPart
from .plan import Plan, Planner, Wishes
from .plugins import Plugins
from .post import Post
from .report import DeliveryReport, Report, report_of
from .store.accounts import AccountRows
from .store.database import BUSY_SECONDS, Database
from .store.media import MediaFiles
from .store.publications import NewDelivery, PublicationRows
from .store.rows import DeliveryRow, HistoryRow, PartRow

T = TypeVar("T")
LONGEST_WAIT = 31_536_000.0
"""Seconds: a year."""
WAIT = 30.0
"""Seconds that a publish looks for the outcome before it leaves the rest to ``finish``."""


if TYPE_CHECKING:
    _Opened = cached_property
else:

    class _Opened(cached_property):
        """A part that is opened at its first use, by one thread (Python does not see to that)."""

        def __get__(self, kit, owner=None):
            if kit is None:
                return self
            with kit._lock:
                return super().__get__(kit, owner)


class Kit:
    """One installation of postkit: its accounts, its store, its plugins.

    ``home`` is the folder of configuration, store, media and vault (default: POSTKIT_HOME, else
    the platform's data folder). ``plugins`` are added to the installed ones. ``key`` (32 bytes)
    opens the vault where neither POSTKIT_KEY nor a key file shall. Opens what it needs when it
    is needed; safe to use from several threads. Use it as a context manager, or call ``close``.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        store: str | Path | None = None,
        plugins: Iterable[object] = (),
        clock: Clock | None = None,
        key: bytes | None = None,
    ) -> None:
        self.home = Home.resolve(home)
        if store is not None:
            self.home = replace(self.home, store=Path(store))
        self.clock: Clock = clock or SystemClock()
        self._extra = tuple(plugins)
        self._lock = threading.RLock()
        self._key = key
        self._vault: Vault | None = None

    def __enter__(self) -> Kit:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections and the store. The Kit cannot be used afterwards."""
        if "clients" in self.__dict__:
            self.clients.close()
        if "_database" in self.__dict__:
            self._database.close()

    # What it is made of, opened when first used

    @_Opened
    def config(self) -> Config:
        return read_config(self.home.config_path)

    @_Opened
    def plugins(self) -> Plugins:
        plugins = Plugins(self._extra)
        plugins.manager.hook.postkit_configure.call_historic(kwargs={"config": self.config})
        return plugins

    @_Opened
    def _database(self) -> Database:
        self.home.ensure()
        return Database(self.home.store_path, busy=_busy_seconds())

    @_Opened
    def _accounts(self) -> AccountRows:
        return AccountRows(self._opened, self.clock, settings=self._settings)

    @_Opened
    def _publications(self) -> PublicationRows:
        return PublicationRows(self._opened, self.clock)

    @property
    def _opened(self) -> Database:
        with self._lock:
            return self._database

    @_Opened
    def media(self) -> MediaFiles:
        return MediaFiles(self.home.media_path)

    @_Opened
    def clients(self) -> Clients:
        return Clients(self.plugins, self.vault)

    def vault(self) -> Vault:
        """The vault. Raises VaultError with what to do where it cannot be opened."""
        with self._lock:
            if self._vault is None:
                self.home.ensure()
                self._vault = Vault(self.home.vault_path, self._key or find_key(self.home))
            return self._vault

    def _settings(self, account: Account) -> Mapping[str, Any]:
        """What postkit.toml says of an account, over what was learnt when it was connected."""
        config = self.config
        return {
            **account.settings,
            **config.network(account.network),
            **config.account(account.label),
        }

    def _ledger(self) -> Ledger:
        return Ledger(self._opened, self.clock, this_process())

    def _courier(self, ledger: Ledger) -> Courier:
        spool = Spool(self.home.store_path.with_name("receipts.jsonl"))
        return Courier(ledger, self.clients, self._accounts, self.media, spool, self.clock)

    # Accounts

    @property
    def accounts(self) -> list[Account]:
        """The accounts that are connected."""
        return self._accounts.all()

    def connect(
        self,
        network: str,
        credentials: Mapping[str, str],
        *,
        name: str | None = None,
        endpoint: str | None = None,
        ca_bundle: str | None = None,
        replace: bool = False,
    ) -> tuple[Account, NetworkError | None]:
        """Connect an account. The second value says why it could not be verified, if so.

        ``replace`` gives an account that is connected already its new access or endpoint.

        Raises InputError, VaultError, or Refused and NeedsLogin where the network says no.
        """
        from .accounts.connect import connect

        return connect(
            self.plugins.network(network),
            network if name is None else name,
            credentials,
            accounts=self._accounts,
            vault=self.vault(),
            clients=self.clients,
            endpoint=endpoint,
            ca_bundle=ca_bundle,
            replacing=replace,
        )

    def account(self, label: str) -> Account:
        """The account of that label (``network:name``). Raises UnknownName."""
        for account in self.accounts:
            if account.label == label:
                return account
        from .suggest import did_you_mean

        labels = [account.label for account in self.accounts]
        raise UnknownName(
            f"There is no account {label!r}.{did_you_mean(label, labels)} "
            f"Connected: {', '.join(labels) or 'none'}."
        )

    def remove_account(self, label: str) -> Account:
        """Forget an account and its secret. Refused while a post of it is not settled."""
        account = self.account(label)
        if self._accounts.has_open_parts(account.id):
            raise InputError(
                f"{label} has posts that are not settled; `postkit list` shows them. "
                "Finish or resolve them first."
            )
        # The secret first: a crash in between leaves an account that can be removed again, and
        # not a secret that nothing names any more.
        self.vault().delete(account.id)
        self._accounts.remove(account.id)
        self.clients.drop(account.id)
        return account

    def recent(self, label: str, count: int = 20) -> Sequence[RemotePost]:
        """The account's own newest posts, as the network lists them."""
        account = self.account(label)
        return self._with(account, bind(_recent, count=count))

    # Publishing

    def plan(
        self,
        post: Post | str | Path,
        to: Sequence[str] | None = None,
        *,
        wishes: Wishes | None = None,
        source: str | None = None,
    ) -> Plan:
        """What would be sent. Sends nothing and asks no network.

        ``post`` is a Post, a text, or the path of a post file. Raises InputError with every
        address, option or field that is wrong.
        """
        post, read_from = self._read(post)
        planner = Planner(self.plugins, self._accounts, self._publications, self.config)
        return planner.plan(post, to, wishes or Wishes(), source or read_from)

    def publish(
        self,
        post: Post | str | Path,
        to: Sequence[str] | None = None,
        *,
        wait: float = WAIT,
        once: str | None = None,
        partial: bool = False,
        wishes: Wishes | None = None,
        watch: Watch | None = None,
    ) -> Report:
        """Publish now. Returns when everything is settled, or after ``wait`` seconds of looking.

        With ``once`` a repeat of the same content returns the first report and sends nothing.
        Raises InputError or PlanRefused before anything is sent; unless ``partial`` is set, one
        address that refuses stops all.
        """
        _check_wait(wait)
        post, source = self._read(post)
        kept = self.published_once(once, post, to) if once is not None else None
        if kept is not None:
            return self.finish(kept, wait=wait, watch=watch)
        planner = Planner(self.plugins, self._accounts, self._publications, self.config)
        plan = planner.plan(post, to, wishes or Wishes(), source)
        try:
            publication = self.accept(plan, partial=partial, once=once, to=to, source=source)
        except (InputError, PlanRefused):
            # Another thread or program may have used the name since we looked.
            kept = self.published_once(once, post, to) if once is not None else None
            if kept is None:
                raise
            publication = kept
        return self.finish(publication, wait=wait, watch=watch)

    async def apublish(
        self,
        post: Post | str | Path,
        to: Sequence[str] | None = None,
        *,
        wait: float = WAIT,
        once: str | None = None,
        partial: bool = False,
        wishes: Wishes | None = None,
        watch: Watch | None = None,
    ) -> Report:
        """``publish`` for asynchronous programs: runs in a thread, blocks no loop."""
        return await asyncio.to_thread(
            lambda: self.publish(
                post, to, wait=wait, once=once, partial=partial, wishes=wishes, watch=watch
            )
        )

    def published_once(self, once: str, post: Post, to: Sequence[str] | None) -> str | None:
        """The publication under that name, or None. Raises InputError for other content."""
        if not _is_text(once):
            raise InputError(f"--once {once!r} is no text; choose another name.")
        kept = self._publications.by_once(once)
        if kept is None:
            return None
        if kept.content != _content(post, to):
            raise InputError(
                f"--once {once} was used for other content ({kept.id}); choose another name."
            )
        return kept.id

    def accept(
        self,
        plan: Plan,
        *,
        partial: bool = False,
        once: str | None = None,
        to: Sequence[str] | None = None,
        source: str | None = None,
    ) -> str:
        """Write a plan down, whole and durably, and return the publication's id.

        Raises PlanRefused where an address refuses (all of them, with ``partial``).
        """
        if once is not None and not _is_text(once):
            raise InputError(f"--once {once!r} is no text; choose another name.")
        sendable = [planned for planned in plan.deliveries if planned.rendition is not None]
        if plan.refused and not (partial and sendable):
            raise PlanRefused(plan.problems)
        # A key that is missing or wrong is found out here, before anything is written down.
        for account_id in {planned.place.account.id for planned in sendable}:
            self.vault().get(account_id)
        new = []
        for planned in sendable:
            rendition = planned.rendition
            if rendition is None:
                continue
            for part in rendition.parts:
                for attachment in part.media:
                    self.media.put(attachment.read())
            new.append(
                NewDelivery(
                    id=new_id("d"),
                    account_id=planned.place.account.id,
                    address=planned.address,
                    network=planned.network.name,
                    target=planned.place.target,
                    text_hash=planned.text_hash,
                    parts=rendition.parts,
                    changes=rendition.changes,
                    losses=rendition.losses,
                    cost=planned.cost,
                )
            )
        publication = new_id("p")
        self._publications.accept(
            publication,
            new,
            content=_content(plan.post, to),
            once=once,
            source=source,
            again=plan.again,
            warnings=[*plan.warnings, *(f"Not sent: {problem}" for problem in plan.problems)],
        )
        return publication

    def finish(self, name: str, *, wait: float = WAIT, watch: Watch | None = None) -> Report:
        """Take a publication or a delivery as far as it goes: idempotent, never twice."""
        _check_wait(wait)
        publication, deliveries = self._named(name)
        deadline = self.clock.now() + timedelta(seconds=wait)
        engine = ThreadEngine(self._courier(self._ledger()))
        engine.run(deliveries, deadline, watch)
        return self._report(publication, deliveries)

    # Looking back

    def report(self, name: str) -> Report:
        """What became of a publication (``p_...``) or a delivery (``d_...``)."""
        return self._report(*self._named(name))

    def publications(self, count: int = 20) -> list[Report]:
        """The newest publications."""
        return [
            self._report(row.id, self._publications.deliveries(row.id))
            for row in self._publications.newest(count)
        ]

    def history(self, delivery_id: str) -> list[HistoryRow]:
        """Everything that happened to a delivery, oldest first."""
        return self._publications.history(self._publications.delivery(delivery_id).id)

    # After the fact

    def resolve(
        self,
        name: str,
        *,
        is_live: str | None = None,
        resend: bool = False,
        give_up: bool = False,
        wait: float = WAIT,
        watch: Watch | None = None,
    ) -> Report:
        """Answer the question of an uncertain delivery, and go on from there.

        ``is_live`` is the link of the post that was found. Raises InputError where there is no
        question, or several.
        """
        if sum((is_live is not None, resend, give_up)) != 1:
            raise InputError("Give one answer: --is-live URL, --resend or --give-up.")
        publication, deliveries = self._named(name)
        ledger = self._ledger()
        asked = [
            (delivery, part)
            for delivery in deliveries
            for part in ledger.parts(delivery.id)
            if part.state == "UNCERTAIN"
        ]
        if not asked:
            raise InputError(f"{name} asks no question; `postkit show {name}` tells its state.")
        if len(asked) > 1:
            choices = ", ".join(delivery.id for delivery, _ in asked)
            raise InputError(
                f"{name} asks {len(asked)} questions; answer each by its id: {choices}."
            )
        delivery, part = asked[0]
        if is_live is not None:
            receipt = self._receipt_of(delivery, is_live, ledger)
            ledger.live(part, "is_live", receipt, "A person found it.")
        elif resend:
            ledger.resend(part, "A person says that it is not live.")
        else:
            gone = Refused("A person gave it up.", network=delivery.network)
            ledger.failed(part, "give_up", gone)
            return self._report(publication, deliveries)
        return self.finish(name, wait=wait, watch=watch)

    def delete(self, name: str) -> Report:
        """Delete the live parts at their networks, the last first."""
        publication, deliveries = self._named(name)
        ledger = self._ledger()
        problems: list[str] = []
        for delivery in deliveries:
            account = self._accounts.by_id(delivery.account_id)
            parts = ledger.parts(delivery.id)
            for part in [part for part in parts if part.state in ("SCHEDULED", "HELD")]:
                try:
                    ledger.cancelled(part, "The delivery is deleted.")
                except PostkitError as error:
                    problems.append(f"{delivery.address}: {error.message}")
            for part in [part for part in reversed(parts) if part.state == "LIVE"]:
                try:
                    self._with(account, bind(_delete, receipt=_receipt(part)))
                    ledger.deleted(part)
                except PostkitError as error:
                    problems.append(f"{delivery.address}: {error.message}")
                    break
        report = self._report(publication, deliveries)
        if problems:
            raise NotDeleted(problems)
        return report

    # Inside

    def _read(self, post: Post | str | Path) -> tuple[Post, str | None]:
        if isinstance(post, Path):
            # A file's name is bytes; the store holds text.
            name = str(post.resolve()).encode("utf-8", "backslashreplace").decode()
            return Post.from_file(post), name
        if isinstance(post, str):
            return Post(post), None
        return post, None

    def _named(self, name: str) -> tuple[str, list[DeliveryRow]]:
        if name.startswith("d_"):
            delivery = self._publications.delivery(name)
            return delivery.publication_id, [delivery]
        publication = self._publications.publication(name)
        return publication.id, self._publications.deliveries(publication.id)

    def _report(self, publication: str, deliveries: Sequence[DeliveryRow]) -> Report:
        ledger = self._ledger()
        reports: list[DeliveryReport] = []
        for delivery in deliveries:
            parts = ledger.parts(delivery.id)
            account = self._accounts.by_id(delivery.account_id)
            reports.append(
                report_of(
                    delivery, parts, account.label, self._kind(account, parts), self.clock.now()
                )
            )
        warnings = self._publications.publication(publication).warnings
        return Report(publication, tuple(reports), tuple(warnings))

    def _kind(self, account: Account, parts: Sequence[PartRow]) -> str:
        try:
            network = self.plugins.network(account.network)
        except PostkitError:
            return "unknown"
        part = RenderedPart.from_json(parts[0].rendition, self.media.get)
        return network.guarantee(part, account).kind

    def _receipt_of(self, delivery: DeliveryRow, url: str, ledger: Ledger) -> Receipt:
        """The receipt of a post that a person found, from the account's own list."""
        account = self._accounts.by_id(delivery.account_id)
        listed = self._with(account, bind(_recent, count=40))
        for post in _named_by(url, listed):
            if post.receipt.id in ledger.known_remote_ids(account.id):
                raise InputError(f"{url} settles another post already; look for a second one.")
            return post.receipt
        raise InputError(
            f"{url} is not among the newest posts of {account.label}; check the link, or answer "
            "with --resend or --give-up."
        )

    def _with(self, account: Account, call: Callable[[Connection], T]) -> T:
        connection = self.clients.take(account)
        try:
            return connection.ask(lambda: call(connection))
        finally:
            self.clients.give(connection)


def _busy_seconds() -> float:
    """``POSTKIT_BUSY_TIMEOUT``: seconds to wait for a store that another process holds."""
    text = os.environ.get("POSTKIT_BUSY_TIMEOUT", "").strip()
    try:
        seconds = float(text) if text else BUSY_SECONDS
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise InputError(f"POSTKIT_BUSY_TIMEOUT: {text!r} is no number of seconds from 0 to 3600.")
    return seconds


def _check_wait(wait: float) -> None:
    if not 0 <= wait <= LONGEST_WAIT:
        raise InputError(f"wait: {wait!r} is no number of seconds from 0 to {LONGEST_WAIT:.0f}.")


def _is_text(name: str) -> bool:
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in name)


def _named_by(url: str, listed: Sequence[RemotePost]) -> list[RemotePost]:
    """The post of that very link; else of that link without what a browser or a share adds to
    it, where the network's own links have no query."""

    def bare(link: str) -> str:
        return link.partition("#")[0].partition("?")[0].rstrip("/")

    url = url.strip()
    linked = [(post.receipt.url or "", post) for post in listed if post.receipt.url]
    exact = [post for link, post in linked if link.rstrip("/") == url.rstrip("/")]
    return exact or [p for link, p in linked if "?" not in link and bare(link) == bare(url)]


def _content(post: Post, to: Sequence[str] | None) -> str:
    return f"{post.content_hash()}:{','.join(sorted(to or post.to))}"


def _receipt(part: PartRow) -> Receipt:
    return Receipt(**part.receipt) if part.receipt else Receipt(part.remote_id or "", part.url)


def _recent(connection: Connection, count: int) -> Sequence[RemotePost]:
    if not isinstance(connection.network, CanList):
        raise InputError(f"{connection.network.title} does not list an account's posts.")
    return connection.network.recent(connection.client, count)


def _delete(connection: Connection, receipt: Receipt) -> None:
    if not isinstance(connection.network, CanDelete):
        raise InputError(f"{connection.network.title} cannot delete; do it by hand: {receipt.url}")
    try:
        connection.network.delete(connection.client, receipt)
    except Refused as error:
        if error.status not in (404, 410):
            raise
    except Exception as error:
        from .classify import classified
        from .network import Failure

        found = classified(connection.network, Failure(error, connection.session.last))
        if not (isinstance(found, Refused) and found.status in (404, 410)):
            raise
