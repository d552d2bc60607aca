"""What is scheduled: listed, moved, changed, cancelled, held, released, paused, and sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .address import Address, expand, locate
from .deliver.states import delivery_state
from .desk import Desk
from .errors import InputError, PlanRefused, PostkitError, UnknownName
from .network import Attachment
from .plan import Wishes
from .post import Post
from .report import DeliveryReport, Report
from .store.publications import Due, NewDelivery, Standing
from .store.rows import DeliveryRow, PartRow

if TYPE_CHECKING:
    from .deliver.changes import Changes
    from .deliver.ledger import Ledger
    from .deliver.pauses import Pause, Pauses, Scope
    from .deliver.renewals import Renewals
    from .deliver.steps import Watch
    from .engine.worker import Worker

OVER = frozenset({"LIVE", "CANCELLED"})


class Timetable(Desk):
    """Deliveries that are not sent yet."""

    def queue(self, count: int = 100) -> list[DeliveryReport]:
        """What is not sent yet: what is due first, then what waits for a person, then what is to
        come; each in the order of their time."""
        return [
            self._report(row.publication_id, [row]).deliveries[0]
            for row in self._publications.waiting(count)
        ]

    def queue_length(self) -> int:
        """How many deliveries are not sent yet."""
        return self._publications.count_waiting()

    def standing(self) -> Standing:
        """How many deliveries that are not sent yet are overdue, to come, uncertain, held or
        missed: of all tenants, but for a tenant's Kit."""
        return self._publication_rows(self._served).standing()

    def own_standing(self) -> Standing:
        """The same without the tenants' of a Kit that serves them."""
        return self._publications.standing()

    def last_due(self) -> dict[str, datetime]:
        """When the last post that is scheduled to an account is due, by the account's id."""
        return self._publications.last_due()

    def copied(self) -> list[str]:
        """Ids of deliveries of which a late look found a second post in the last week."""
        return self._publications.copied()

    def next_due(self) -> Due | None:
        """When the next delivery is due; None where none is scheduled. Of all tenants, but for a
        tenant's Kit."""
        return self._publication_rows(self._served).next_due()

    def cancel(self, name: str) -> Report:
        """Cancel what is not sent. Raises InputError where nothing is left to cancel."""
        publication, deliveries = self._named(name)
        changes = self._changes()
        count = sum(changes.cancel(row, "A person cancelled it.") for row in deliveries)
        if not count:
            raise InputError(
                f"Nothing of {name} is left to cancel; `postkit show {name}` tells its state, and "
                f"`postkit delete {name}` removes what is live."
            )
        self._tell_observers()
        return self._report(publication, deliveries)

    def reschedule(
        self,
        name: str,
        *,
        at: str | datetime,
        zone: str | None = None,
        expires: str | timedelta | None = None,
        again: bool = False,
        confirmed: Collection[str] = (),
    ) -> Report:
        """Another time for what is not sent, or was missed: in the zone of the first one, and as
        late as before, unless they are given. Protected accounts are ``confirmed`` as in
        ``publish``. Raises InputError, whole."""
        _, deliveries = self._named(name)
        due = self.due(at=at, zone=zone, expires=expires)
        if due is None:
            raise InputError("When? Give a time such as 'tomorrow 9:00'.")
        before = {row.zone for row in deliveries}
        if due.local is not None and zone is None and len(before) == 1 and None not in before:
            # A wall time is meant where the post's first one was.
            due = self.due(at=at, zone=before.pop(), expires=expires) or due
        deliveries = self._unsent(name, deliveries, "rescheduled")
        self._check_deliveries(deliveries, confirmed)
        repeated = None if again else self._repeated
        self._changes().reschedule(deliveries, due, as_late=expires is None, repeated=repeated)
        self._tell_observers()
        return self.report(name)

    def edit(
        self,
        name: str,
        post: Post,
        *,
        wishes: Wishes | None = None,
        confirmed: Collection[str] = (),
    ) -> Report:
        """Other content for what is not sent. Every address is planned again first. Protected
        accounts are ``confirmed`` as in ``publish``.

        Raises InputError where something is on its way, PlanRefused where an address refuses.
        """
        _, deliveries = self._named(name)
        deliveries = self._unsent(name, deliveries, "edited")
        self._check_deliveries(deliveries, confirmed)
        wishes = wishes or Wishes()
        again = wishes.again
        wishes = replace(wishes, again=True)
        plan = self._planner().plan(post, [row.address for row in deliveries], wishes)
        if plan.refused:
            raise PlanRefused(plan.problems)
        by_address = {planned.address: planned for planned in plan.deliveries}
        wanted: list[tuple[DeliveryRow, NewDelivery]] = []
        for row in deliveries:
            planned = by_address[row.address]
            rendition = planned.rendition
            if rendition is None:
                continue
            for part in rendition.parts:
                self._keep(part.media)
            new = NewDelivery(
                row.id, row.account_id, row.address, row.network, row.target, planned.text_hash,
                rendition.parts, rendition.changes, rendition.losses, planned.cost,
                fields=planned.outcomes,
            )  # fmt: skip
            wanted.append((row, new))
        self._changes().edit(wanted, repeated=None if again else self._repeated)
        return self.report(name)

    def release(self, name: str, *, confirmed: Collection[str] = ()) -> Report:
        """Send what is held, at a person's word. Protected accounts are ``confirmed`` as in
        ``publish``. Raises InputError where nothing is held, or where the address is still
        paused."""
        publication, deliveries = self._named(name)
        ledger = self._ledger()
        held = [
            part
            for row in deliveries
            for part in ledger.parts(row.id)
            if part.state == "HELD" and part.held_reason != "earlier_part"
        ]
        if not held:
            raise InputError(
                f"Nothing of {name} is held for a person; `postkit show {name}` tells its state."
            )
        released = {part.delivery_id for part in held}
        self._check_deliveries([row for row in deliveries if row.id in released], confirmed)
        self._pauses().release(held)
        self._tell_observers()
        return self._report(publication, deliveries)

    def due(
        self,
        post: Post | None = None,
        *,
        at: str | datetime | None = None,
        zone: str | None = None,
        expires: str | timedelta | None = None,
    ) -> Due | None:
        """When a post is due, from what is given here or else in the post; None: now.

        Raises InputError with the right spelling, all problems at once.
        """
        from .due import due_at

        return due_at(post, self.clock.now(), at=at, zone=zone, expires=expires)

    def report(self, name: str) -> Report:
        """What became of a publication (``p_...``) or a delivery (``d_...``)."""
        report = super().report(name)
        return replace(report, warnings=(*report.warnings, *self._ends_before(report)))

    # The brake

    def pauses(self) -> list[Pause]:
        """What is paused now."""
        return self._pauses().all()

    def pause(self, addresses: Sequence[str] = (), *, reason: str = "") -> list[DeliveryReport]:
        """Send nothing more to these addresses (none given: to any). When it returns, no process
        lets a request go. Returned are deliveries whose requests have left already: they may be or
        become live. Where no account is named, all tenants' posts are held as well, unless this is
        a tenant's Kit."""
        from .deliver.history import storable

        # Whatever the reason is made of: it must not keep anybody from pausing.
        parts = self._pauses().add(self._scopes(addresses), storable(reason.strip()))
        return self._reports(parts)

    def unpause(
        self,
        addresses: Sequence[str] = (),
        *,
        send: bool = False,
        confirmed: Collection[str] = (),
    ) -> list[DeliveryReport]:
        """End these pauses (none given: all of them). Returned is what they have held: sent from
        now on with ``send`` (protected accounts are ``confirmed`` then, as in ``publish``), else
        held until ``release``. Raises InputError where none is."""
        from .accounts.confirm import names_of
        from .deliver.pauses import ALL

        there = {pause.scope.address: pause.scope for pause in self.pauses()}
        # What is paused is known by its address, whatever has become of its account.
        named = self._expand(addresses) if addresses else [*there, ALL.address]
        there.setdefault(ALL.address, ALL)
        new = [name for name in named if name not in there]
        scopes = [there[name] for name in named if name in there]
        scopes += self._scopes(new) if new else ()
        accounts = {account.id: account for account in self.accounts}

        def allow(held: Sequence[PartRow]) -> None:
            ids = {part.account_id for part in held} & set(accounts)
            freed = {accounts[name].label: accounts[name] for name in sorted(ids)}
            # Who ends many pauses may name accounts of which nothing was held.
            self._check_confirmed(freed.values(), names_of(confirmed) & set(freed))

        ended, parts = self._pauses().end(scopes, send=send, allow=allow)
        if not ended and not parts:
            if not addresses:
                raise InputError("Nothing is paused, and nothing is held by a pause.")
            paused = ", ".join(pause.scope.address for pause in self.pauses()) or "nothing"
            raise InputError(f"{', '.join(addresses)} is not paused; paused: {paused}.")
        self._tell_observers()
        return self._reports(parts)

    def count_scheduled(self, addresses: Sequence[str] = ()) -> int:
        """How many deliveries to these addresses (none given: to any) wait to be sent."""
        return self._pauses().count(self._scopes(addresses))

    def pause_of(self, delivery_id: str) -> str | None:
        """The address of the pause that a delivery falls under; None where it is not paused."""
        return self._pauses().covering(delivery_id)

    # Sending

    def is_worked(self) -> bool:
        """Whether a worker runs."""
        return self._agenda().is_worked()

    def worker(self, *, threads: int | None = None, watch: Watch | None = None) -> Worker:
        """Sends what is due: ``kit.worker().run()``. A tenant's worker sends the tenant's posts;
        any other one sends those of all tenants."""
        from .deliver.rules import ZoneRules
        from .engine.worker import THREADS, Worker
        from .store.sweep import Sweep

        served, actor = self._served, self._actor.working()
        ledger = self._ledger_of(served, actor)
        accounts = self._account_rows(served).acted_by(actor)
        return Worker(
            self._courier(ledger, accounts),
            ledger,
            self._agenda(actor),
            self._publication_rows(served),
            ZoneRules(self._opened, self.clock, ledger, served),
            self._outbox,
            self.clock,
            threads=threads or THREADS,
            watch=watch,
            sweep=Sweep(self._opened, self._root.media, self.clock).run,
            renewals=self._renewals(ledger).run,
        )

    def _renewals(self, ledger: Ledger) -> Renewals:
        from .deliver.renewals import Renewals

        root = self._root
        accounts = self._account_rows(self._served)
        return Renewals(accounts, root.clients, self.plugins, root.vault, ledger, self.clock)

    def work(self, *, wait: float = 30.0, watch: Watch | None = None) -> None:
        """Send everything that is due, and what will be due within ``wait`` seconds."""
        self.worker(watch=watch).run(drain=True, wait=wait)

    # Inside

    def _ends_before(self, report: Report) -> Iterator[str]:
        """Of what is scheduled for a time when the account's access will have ended."""
        from .accounts.survey import grant_in

        for each in report.deliveries:
            if each.state != "scheduled" or each.at is None or each.at <= self.clock.now():
                continue
            try:
                account = self.account(each.account)
                end = grant_in(self._root.vault(), self.plugins, account).ends_at
            except PostkitError:
                continue  # whoever asks what became of a post needs no vault
            if end is not None and end < each.at:
                yield (
                    f"{each.address}: the access of {account.label} ends before this post is due "
                    f"({end:%Y-%m-%d %H:%M} UTC); `postkit connect {account.network} --name "
                    f"{account.name} --replace` gives it new access."
                )

    def _report(self, publication: str, deliveries: Sequence[DeliveryRow]) -> Report:
        report = super()._report(publication, deliveries)
        found = tuple(
            replace(each, paused=self.pause_of(each.id))
            if each.id and each.state in ("scheduled", "held")
            else each
            for each in report.deliveries
        )
        warnings = [
            f"{each.address}: {each.paused} is paused, so it will be held when it is due; "
            f"`postkit unpause {'--all' if each.paused == 'everything' else each.paused}` ends "
            "the pause."
            for each in found
            if each.paused is not None and each.state == "scheduled"
        ]
        return replace(report, deliveries=found, warnings=(*report.warnings, *warnings))

    def _changes(self) -> Changes:
        from .deliver.changes import Changes
        from .deliver.owner import this_process

        return Changes(
            self._opened,
            self.clock,
            this_process(),
            self.tenant,
            actor=self._actor,
            observed=self._observed,
        )

    def _pauses(self) -> Pauses:
        from .deliver.owner import this_process
        from .deliver.pauses import Pauses

        return Pauses(
            self._opened,
            self.clock,
            this_process(),
            self.tenant,
            actor=self._actor,
            observed=self._observed,
        )

    def _expand(self, addresses: Sequence[str]) -> list[str]:
        return expand(addresses, self.config.groups, of_tenant=bool(self.tenant))

    def _keep(self, media: Sequence[Attachment]) -> None:
        store = self._root.media
        for attachment in media:
            # Tenants share the files: who names the hash of one must have its bytes.
            is_ours = not self.tenant or _is_whole(attachment)
            if is_ours and store.holds(attachment.sha256, attachment.size):
                continue
            if attachment.stream is None:
                kept = store.put(attachment.read())
            else:
                with attachment.open() as file:
                    kept = store.put_file(file)
            if kept != attachment.sha256:
                raise InputError(f"{attachment.name}: it was changed meanwhile; publish it again.")

    def _unsent(self, name: str, deliveries: Sequence[DeliveryRow], done: str) -> list[DeliveryRow]:
        """Those of which nothing is sent; of a publication without what is over. Raises InputError
        where one is on its way, or none is left."""
        from .deliver.changes import UNSENT

        ledger = self._ledger()
        found: list[DeliveryRow] = []
        problems: list[str] = []
        for row in deliveries:
            states = [part.state for part in ledger.parts(row.id)]
            if all(state in UNSENT for state in states):
                found.append(row)
            elif row.id == name or not all(state in OVER for state in states):
                state = delivery_state(states).replace("_", " ")
                problems.append(
                    f"{row.id} ({row.address}) cannot be {done}: it is {state}; "
                    f"`postkit show {row.id}` tells what can be done."
                )
        if problems:
            raise InputError(problems)
        if not found:
            raise InputError(f"Nothing of {name} is left to be {done}; `postkit show {name}`.")
        return found

    def _repeated(
        self, row: DeliveryRow, text_hash: str, at: datetime, connection: sqlite3.Connection
    ) -> str | None:
        """Why the text would be a repeat at the delivery's place; None where it is none."""
        return self._publications.repeated(
            row.account_id, row.target, text_hash, None, at, connection, row.id
        )

    def _reports(self, parts: Sequence[PartRow]) -> list[DeliveryReport]:
        owners = {part.delivery_id: part.tenant for part in parts}
        return [self._of(owner).report(name).deliveries[0] for name, owner in owners.items()]

    def _scopes(self, addresses: Sequence[str]) -> list[Scope]:
        from .deliver.pauses import ALL, Scope

        if not addresses:
            return [ALL]
        scopes: list[Scope] = []
        problems: list[str] = []
        networks = self.plugins.network_names()
        for name in self._expand(addresses):
            try:
                address = Address.parse(name)
                if address.account is None and address.network in networks:
                    # A whole network: whoever stops in a hurry means all its accounts.
                    scopes.append(Scope(name, address.network, None, address.target))
                    continue
                place = locate(address, self.accounts, {}, networks, of_tenant=bool(self.tenant))
            except (InputError, UnknownName) as error:
                problems.extend(error.problems)
            else:
                scopes.append(
                    Scope(place.label, place.account.network, place.account.id, place.target)
                )
        if problems:
            raise InputError(problems)
        return scopes


def _is_whole(attachment: Attachment) -> bool:
    from .store.media import sha256_of

    with attachment.open() as file:
        return sha256_of(file) == attachment.sha256
