"""The façade: everything that a program or the command line asks of postkit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial as bind
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .errors import (
    InputError,
    NetworkError,
    NotDeleted,
    PlanRefused,
    PostkitError,
    Refused,
    UnknownName,
)
from .ids import new_id
from .installation import Installation
from .network import Account, Receipt, RemotePost, RenderedPart
from .plan import Plan, Planner, Wishes
from .post import Post
from .report import DeliveryReport, Report, report_of
from .store.publications import NewDelivery
from .store.rows import DeliveryRow, HistoryRow, PartRow

if TYPE_CHECKING:
    from .deliver.clients import Connection
    from .deliver.ledger import Ledger
    from .deliver.steps import Watch

T = TypeVar("T")
LONGEST_WAIT = 31_536_000.0
"""Seconds: a year."""
WAIT = 30.0
"""Seconds that a publish looks for the outcome before it leaves the rest to ``finish``."""


class Kit(Installation):
    """One installation of postkit: its accounts, its store, its plugins.

    ``home`` is the folder of configuration, store, media and vault (default: POSTKIT_HOME, else
    the platform's data folder). ``plugins`` are added to the installed ones. ``key`` (32 bytes)
    opens the vault where neither POSTKIT_KEY nor a key file shall. Opens what it needs when it
    is needed; safe to use from several threads. Use it as a context manager, or call ``close``.
    """

    def __enter__(self) -> Kit:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

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
        """The account of that label (``network:name``, or ``network`` where it has one account).
        Raises UnknownName."""
        same = [a for a in self.accounts if label in (a.label, a.network)]
        if len(same) == 1:
            return same[0]
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
                f"{label} has posts that are not settled; `postkit list` shows them. Run "
                "`postkit finish ID`, or `postkit resolve ID --give-up`, first."
            )
        # The secret first: a crash in between leaves an account that can be removed again, and
        # not a secret that nothing names any more.
        self.vault().delete(account.id)
        self._accounts.remove(account.id)
        self.clients.drop(account.id)
        return account

    def recent(self, label: str, count: int = 20) -> Sequence[RemotePost]:
        """The account's own newest posts, as the network lists them."""
        from .remote import recent

        return self._with(self.account(label), bind(recent, count=count))

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
        publication = self.accept(plan, partial=partial, once=once, to=to, source=source)
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
        import asyncio  # a quarter of the start-up of a command that needs none of it

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

        Where the name ``once`` was taken meanwhile for the same content, that publication's id.
        Raises PlanRefused where an address refuses (all of them, with ``partial``).
        """
        try:
            return self._accept(plan, partial, once, to, source)
        except (InputError, PlanRefused):
            kept = self.published_once(once, plan.post, to) if once is not None else None
            if kept is None:
                raise
            return kept

    def _accept(
        self,
        plan: Plan,
        partial: bool,
        once: str | None,
        to: Sequence[str] | None,
        source: str | None,
    ) -> str:
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

    def finish(
        self, name: str, *, wait: float = WAIT, retry: bool = False, watch: Watch | None = None
    ) -> Report:
        """Take a publication or a delivery as far as it goes: idempotent, never twice.

        ``retry`` sends again what was refused for good, with what is held behind it: what was
        wrong at the network has been mended. What is live is not sent again.
        """
        from .engine.threads import ThreadEngine

        _check_wait(wait)
        publication, deliveries = self._named(name)
        if retry:
            self._retry(name, deliveries)
        deadline = self.clock.now() + timedelta(seconds=wait)
        engine = ThreadEngine(self._courier(self._ledger()))
        engine.run(deliveries, deadline, watch)
        return self._report(publication, deliveries)

    def _retry(self, name: str, deliveries: Sequence[DeliveryRow]) -> None:
        ledger = self._ledger()
        failed = [
            part
            for delivery in deliveries
            for part in ledger.parts(delivery.id)
            if part.state == "FAILED"
        ]
        if not failed:
            raise InputError(f"{name} has nothing that was refused; `postkit show {name}` tells.")
        for part in failed:
            ledger.retry(part)

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
        """Answer the question of an uncertain delivery, and go on from there; or give up one that
        waits or is in doubt.

        ``is_live`` is the link of the post that was found. Raises InputError where there is no
        question, or several.
        """
        if sum((is_live is not None, resend, give_up)) != 1:
            raise InputError("Give one answer: --is-live URL, --resend or --give-up.")
        publication, deliveries = self._named(name)
        ledger = self._ledger()
        # Giving up needs no question: what waits or is in doubt can be given up as well.
        open_states = ("UNCERTAIN", "IN_DOUBT", "SCHEDULED") if give_up else ("UNCERTAIN",)
        asked = []
        for delivery in deliveries:
            first = next((p for p in ledger.parts(delivery.id) if p.state != "LIVE"), None)
            if first is not None and first.state in open_states:
                asked.append((delivery, first))
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
            self._give_up(ledger, delivery, part)
            return self._report(publication, deliveries)
        return self.finish(name, wait=wait, watch=watch)

    def _give_up(self, ledger: Ledger, delivery: DeliveryRow, part: PartRow) -> None:
        """Nothing was sent: cancelled, with the rest. It may be live: a person answers for it."""
        if part.state == "SCHEDULED":
            for waiting in ledger.parts(delivery.id):
                if waiting.state in ("SCHEDULED", "HELD"):
                    ledger.cancelled(waiting, "A person gave it up before it was sent.")
            return
        if part.state == "IN_DOUBT":
            part = ledger.ask(part, {"text": "Given up before it was known.", "links": []})
        gone = Refused("A person gave it up.", network=delivery.network)
        ledger.failed(part, "give_up", gone)

    def delete(self, name: str) -> Report:
        """Delete the live parts at their networks, the last first."""
        from .remote import delete

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
                    self._with(account, bind(delete, receipt=_receipt(part)))
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
        from .remote import named_by, recent

        account = self._accounts.by_id(delivery.account_id)
        listed = self._with(account, bind(recent, count=40))
        for post in named_by(url, listed):
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


def _check_wait(wait: float) -> None:
    if not 0 <= wait <= LONGEST_WAIT:
        raise InputError(f"wait: {wait!r} is no number of seconds from 0 to {LONGEST_WAIT:.0f}.")


def _is_text(name: str) -> bool:
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in name)


def _content(post: Post, to: Sequence[str] | None) -> str:
    return f"{post.content_hash()}:{','.join(sorted(to or post.to))}"


def _receipt(part: PartRow) -> Receipt:
    return Receipt(**part.receipt) if part.receipt else Receipt(part.remote_id or "", part.url)
