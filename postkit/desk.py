"""What is known of publications, and what a person decides about them afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial as bind
from typing import TYPE_CHECKING

from .errors import InputError, NotDeleted, PostkitError, Refused, UnknownName
from .network import Account, Receipt, RenderedPart
from .report import GIVEN_UP, DeliveryReport, Report, report_of
from .roster import Roster
from .store.rows import DeliveryRow, HistoryRow, PartRow
from .suggest import did_you_mean

if TYPE_CHECKING:
    from .deliver.chain import Chain, Each
    from .deliver.chain import Watch as AuditWatch
    from .deliver.ledger import Ledger
    from .deliver.steps import Watch

SETTLED_ALREADY = frozenset({"LIVE", "FAILED", "CANCELLED"})
LONGEST_WAIT = 31_536_000.0
"""Seconds: a year."""
WAIT = 30.0
"""Seconds that a publish looks for the outcome; then the rest is a worker's, or ``finish``'s."""
NO_WORKER = "Nothing will send it until `postkit worker` runs."
TOLD = 2.0
"""Seconds that a publish waits for observers at its end; what is left is told later."""


class Desk(Roster):
    """Reports, and the changes that a person makes by the id of a publication or a delivery."""

    def finish(
        self,
        name: str,
        *,
        wait: float = WAIT,
        retry: bool = False,
        watch: Watch | None = None,
        confirmed: Collection[str] = (),
    ) -> Report:
        """Take a publication or a delivery as far as it goes: idempotent, never twice.

        ``retry`` sends again what was refused for good, with what is held behind it: what was
        wrong at the network has been mended. What is live is not sent again. With it, protected
        accounts are ``confirmed`` as in ``publish``; else what was confirmed goes on.
        """
        from .engine.threads import ThreadEngine

        check_wait(wait)
        publication, deliveries = self._named(name)
        if retry:
            self._check_deliveries(deliveries, confirmed)
            self._retry(name, deliveries)
        deadline = self.clock.now() + timedelta(seconds=wait)
        names = [delivery.id for delivery in deliveries]
        self._agenda().mend(names)
        self._agenda().wake(names)
        engine = ThreadEngine(self._courier(self._ledger()))
        try:
            engine.run(deliveries, deadline, watch)
        finally:
            self._tell_observers()
        return self._report(publication, deliveries)

    def _retry(self, name: str, deliveries: Sequence[DeliveryRow]) -> None:
        from .deliver.gates import not_removed

        ledger = self._ledger()
        failed = [
            part
            for delivery in deliveries
            for part in ledger.parts(delivery.id)
            if part.state == "FAILED"
        ]
        if not failed:
            raise InputError(f"{name} has nothing that was refused; `postkit show {name}` tells.")
        for delivery_id in dict.fromkeys(part.delivery_id for part in failed):
            self._opened.write(bind(not_removed, delivery_id=delivery_id))
        for part in failed:
            ledger.retry(part)

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

    def audit(
        self,
        accounts: Sequence[str] = (),
        *,
        since: datetime | None = None,
        each: Each | None = None,
        watch: AuditWatch | None = None,
    ) -> list[Chain]:
        """Prove that nothing of the history was changed, removed or added behind postkit's back.

        ``accounts`` are labels (``network:name``, of removed ones too), or ``everything`` for what
        is about no single account; none: all of it. ``each`` is given every line (from ``since``
        on) as JSON, and after the last one of an account its end; ``watch`` hears how many lines
        were read, of how many. Raises UnknownName.
        """
        from .deliver.chain import Chains, end_json, label_of

        chains = Chains(self._opened, self.tenant)
        labels = self._accounts.labels()
        known = {name: label_of(name, labels) for name in chains.names()}
        if accounts:
            unknown = [name for name in accounts if name not in known.values()]
            if unknown:
                raise UnknownName(
                    f"There is no history of {unknown[0]!r}."
                    f"{did_you_mean(unknown[0], known.values())}"
                )
            known = {name: label for name, label in known.items() if label in accounts}
        total = sum(chains.length(name) for name in known)
        done = 0

        def read(lines: int) -> None:
            nonlocal done
            done += lines
            if watch is not None:
                watch(done, max(done, total))

        found = []
        for name, label in known.items():
            chain = chains.read(name, label, since=since, each=each, read=read)
            if each is not None:
                each(end_json(chain))
            found.append(chain)
        return found

    def audited_apart(self) -> int:
        """How many tenants have histories that ``audit`` does not read: each is proved by its own
        Kit. Always 0 for a tenant's, which knows of no other."""
        from .deliver.chain import Chains

        return 0 if self.tenant else Chains(self._opened).others()

    def accounts_of(self, name: str) -> list[Account]:
        """The accounts that a publication or a delivery goes to."""
        _, deliveries = self._named(name)
        ids = dict.fromkeys(row.account_id for row in deliveries)
        return [self._accounts.by_id(account_id) for account_id in ids]

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
        confirmed: Collection[str] = (),
    ) -> Report:
        """Answer the question of an uncertain delivery, and go on from there; or give up one that
        waits or is in doubt.

        ``is_live`` is the link of the post that was found. To ``resend`` to a protected account,
        it is ``confirmed`` as in ``publish``. Raises InputError where there is no question, or
        several.
        """
        if sum((is_live is not None, resend, give_up)) != 1:
            raise InputError("Give one answer: --is-live URL, --resend or --give-up.")
        if is_live is not None and not is_live.strip():
            raise InputError("--is-live is empty; give the link of the post that was found.")
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
            self._check_deliveries([delivery], confirmed)
            ledger.resend(part, "A person says that it is not live.")
        else:
            self._give_up(ledger, delivery, part)
            self._tell_observers()
            return self._report(publication, deliveries)
        return self.finish(name, wait=wait, watch=watch)

    def _give_up(self, ledger: Ledger, delivery: DeliveryRow, part: PartRow) -> None:
        """Nothing was sent: cancelled, with the rest. It may be live: a person answers for it."""
        if part.state == "SCHEDULED" and part.doubt_at is not None:
            # A repeat: the first request may have made it live.
            part = ledger.expired(part)
        if part.state == "SCHEDULED":
            for waiting in ledger.parts(delivery.id):
                if waiting.state in ("SCHEDULED", "HELD"):
                    ledger.cancelled(waiting, "A person gave it up before it was sent.")
            return
        if part.state == "IN_DOUBT":
            part = ledger.ask(part, {"text": "Given up before it was known.", "links": []})
        gone = Refused("A person gave it up.", network=delivery.network, code=GIVEN_UP)
        ledger.failed(part, "give_up", gone)

    def delete(self, name: str, *, confirmed: Collection[str] = ()) -> Report:
        """Delete the live parts at their networks, the last first. Protected accounts are
        ``confirmed`` as in ``publish``."""
        from .remote import delete

        publication, deliveries = self._named(name)
        self._check_deliveries(deliveries, confirmed)
        ledger = self._ledger()
        problems: list[str] = []
        for delivery in deliveries:
            account = self._accounts.by_id(delivery.account_id)
            parts = ledger.parts(delivery.id)
            for part in [part for part in parts if part.state not in SETTLED_ALREADY]:
                if part.doubt_at is not None or part.state == "SENDING":
                    problems.append(
                        f"{delivery.address}: part {part.position} may be live or become so; "
                        f"`postkit resolve {delivery.id}` answers for it first."
                    )
                    continue
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
        self._tell_observers()
        report = self._report(publication, deliveries)
        if problems:
            raise NotDeleted(problems)
        return report

    # Inside

    def _check_deliveries(
        self, deliveries: Sequence[DeliveryRow], confirmed: Collection[str]
    ) -> None:
        accounts = [self._accounts.by_id(row.account_id) for row in deliveries]
        self._check_confirmed(accounts, confirmed)

    def _tell_observers(self) -> None:
        if self._observed:
            self._outbox.tell(TOLD)

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
        warnings = list(self._publications.publication(publication).warnings)
        if self._is_left_alone(reports):
            warnings.append(NO_WORKER)
        warnings += [
            f"{each.address}: the network lists more posts like it; look whether it is there "
            f"twice: {', '.join(each.copies)}"
            for each in reports
            if each.copies
        ]
        return Report(publication, tuple(reports), tuple(warnings))

    def _is_left_alone(self, reports: Sequence[DeliveryReport]) -> bool:
        """Whether something is to come, and nobody is there who would send it."""
        now = self.clock.now()
        to_come = any(d.state == "scheduled" and d.at is not None and d.at > now for d in reports)
        return to_come and not self._agenda().is_worked()

    def _kind(self, account: Account, parts: Sequence[PartRow]) -> str:
        try:
            network = self.plugins.network(account.network)
        except PostkitError:
            return "unknown"
        part = RenderedPart.from_json(parts[0].rendition, self._root.media)
        return network.guarantee(part, account).kind

    def _receipt_of(self, delivery: DeliveryRow, url: str, ledger: Ledger) -> Receipt:
        """The receipt of a post that a person found, from the account's own list."""
        from .remote import named_by, recent

        account = self._accounts.by_id(delivery.account_id)
        listed = self._with(account, bind(recent, count=40))
        for post in named_by(url, listed):
            if ledger.settled_by(account.id, [post.receipt.id]):
                raise InputError(f"{url} settles another post already; look for a second one.")
            return post.receipt
        raise InputError(
            f"{url} is not among the newest posts of {account.label}; check the link, or answer "
            "with --resend or --give-up."
        )


def _receipt(part: PartRow) -> Receipt:
    return Receipt(**part.receipt) if part.receipt else Receipt(part.remote_id or "", part.url)


def check_wait(wait: float) -> None:
    """Raises InputError unless ``wait`` is a number of seconds that somebody can wait."""
    if not 0 <= wait <= LONGEST_WAIT:
        raise InputError(f"wait: {wait!r} is no number of seconds from 0 to {LONGEST_WAIT:.0f}.")
