"""The façade: everything that a program or the command line asks of postkit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from .desk import WAIT, check_wait
from .errors import InputError, PlanRefused
from .ids import new_id
from .plan import Plan, Wishes
from .post import Post
from .report import Report
from .store.publications import Due, NewDelivery
from .timetable import Timetable

if TYPE_CHECKING:
    from .deliver.steps import Watch


class Kit(Timetable):
    """One installation of postkit: its accounts, its store, its plugins.

    ``home`` is the folder of configuration, store, media and vault (default: POSTKIT_HOME, else
    the platform's data folder). ``plugins`` (modules or objects, which the program trusts) are
    added to the installed ones; of those, ``enabled`` names the distributions beside postkit's own
    whose code may run (None: what `postkit plugins enable` has listed). ``key`` (32 bytes)
    opens the vault where nothing else shall (POSTKIT_KEY, a key file, the system's keyring, ...);
    a program that keeps secrets out of core dumps calls
    ``postkit.core_dumps.disable_core_dumps`` before. ``fetcher`` (default: a
    ``postkit.fetch.fetcher.Fetcher``) fetches media that are named by a URL, and the pages of link
    cards; without one, no page is fetched for accounts on this machine. ``actor`` is who acts, as
    the history names it (default: the user of the operating system). Opens what it needs when
    it is needed; safe to use from several threads. Use it as a context manager, or call
    ``close``.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def for_tenant(self, tenant: str) -> Kit:
        """The same installation as one tenant sees it: with the tenant's accounts, posts, names
        (``once``), pauses, limits and events, and no others; an id of another tenant's is as
        unknown as one that there is not.

        There is no default account: an address names its own, such as ``x:acme``. Groups, default
        addresses and the settings of accounts in postkit.toml are not the tenant's; those of
        networks hold. Plugins, store, vault, media and clients are shared with this Kit, whose
        ``close`` closes them; the tenant's ``close`` does nothing. ``tenant`` is a text of at most
        128 printable characters. Raises InputError for any other, and where this is a tenant's.
        """
        kit = Kit.__new__(Kit)
        kit._narrow(self, tenant)
        return kit

    def plan(
        self,
        post: Post | str | Path,
        to: Sequence[str] | None = None,
        *,
        wishes: Wishes | None = None,
        source: str | None = None,
        due: Due | None = None,
        unconnected: bool = False,
    ) -> Plan:
        """What would be sent. Sends nothing and asks no network; media that are named by a URL
        are fetched, since their sizes decide, and so are the pages of link cards.

        ``post`` is a Post, a text, or the path of a post file; ``due`` is when (None: now).
        ``unconnected``: an address without a connected account is planned as well, by its
        network's usual limits; such a plan cannot be accepted. Raises InputError with every
        address, option or field that is wrong.
        """
        post, read_from = self._read(post)
        at = due.at if due is not None else None
        planner = self._planner(unconnected=unconnected)
        return planner.plan(post, to, wishes or Wishes(), source or read_from, at)

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
        confirmed: Collection[str] = (),
    ) -> Report:
        """Publish now. Returns when everything is settled, or after ``wait`` seconds of looking;
        a post that has a time of its own (``at``) is scheduled.

        With ``once`` a repeat of the same content returns the first report and sends nothing.
        Raises InputError or PlanRefused before anything is sent; unless ``partial`` is set, one
        address that refuses stops all. ``confirmed`` names the protected accounts (``x:acme``)
        that it may go to; NotConfirmed is raised where one is not named.
        """
        check_wait(wait)
        post, source = self._read(post)
        kept = self.published_once(once, post, to) if once is not None else None
        if kept is not None:
            return self.finish(kept, wait=wait, watch=watch)
        due = self.due(post)
        at = due.at if due is not None else None
        plan = self._planner().plan(post, to, wishes or Wishes(), source, at)
        publication = self.accept(
            plan, partial=partial, once=once, to=to, source=source, due=due, confirmed=confirmed
        )
        if at is not None and at > self.clock.now():
            return self.report(publication)
        return self.finish(publication, wait=wait, watch=watch)

    def schedule(
        self,
        post: Post | str | Path,
        to: Sequence[str] | None = None,
        *,
        at: str | datetime | None = None,
        zone: str | None = None,
        expires: str | timedelta | None = None,
        once: str | None = None,
        partial: bool = False,
        wishes: Wishes | None = None,
        confirmed: Collection[str] = (),
    ) -> Report:
        """Publish later: a worker sends it when it is due.

        ``at`` is an aware datetime, or a text such as ``2027-01-04T09:00``, ``tomorrow 9:00``,
        ``fri 18:30`` or ``in 2h``, in ``zone`` (IANA; default: the machine's); where it is None,
        the post's own. ``expires`` is how late it may be (``6h`` is the default, ``never``).
        Raises InputError, PlanRefused and NotConfirmed like ``publish``. ``warnings`` says so
        where no worker runs, and where the account's access will have ended by then.
        """
        post, source = self._read(post)
        kept = self.published_once(once, post, to) if once is not None else None
        if kept is None:
            due = self.due(post, at=at, zone=zone, expires=expires)
            if due is None:
                raise InputError("When? Give at='tomorrow 9:00', or publish to send it now.")
            plan = self._planner().plan(post, to, wishes or Wishes(), source, due.at)
            kept = self.accept(
                plan, partial=partial, once=once, to=to, source=source, due=due, confirmed=confirmed
            )
        return self.report(kept)

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
        confirmed: Collection[str] = (),
    ) -> Report:
        """``publish`` for asynchronous programs: runs in a thread, blocks no loop."""
        import asyncio  # a quarter of the start-up of a command that needs none of it

        return await asyncio.to_thread(
            lambda: self.publish(
                post,
                to,
                wait=wait,
                once=once,
                partial=partial,
                wishes=wishes,
                watch=watch,
                confirmed=confirmed,
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
        due: Due | None = None,
        confirmed: Collection[str] = (),
    ) -> str:
        """Write a plan down, whole and durably, and return the publication's id. ``due`` None: now.

        Where the name ``once`` was taken meanwhile for the same content, that publication's id.
        Raises PlanRefused where an address refuses (all of them, with ``partial``), and
        NotConfirmed.
        """
        try:
            return self._accept(plan, partial, once, to, source, due, confirmed)
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
        due: Due | None,
        confirmed: Collection[str],
    ) -> str:
        if once is not None and not _is_text(once):
            raise InputError(f"--once {once!r} is no text; choose another name.")
        sendable = [planned for planned in plan.deliveries if planned.rendition is not None]
        if plan.refused and not (partial and sendable):
            raise PlanRefused(plan.problems)
        missing = [planned.address for planned in sendable if not planned.is_connected]
        if missing:
            raise InputError([f"{address}: no account is connected." for address in missing])
        ids = dict.fromkeys(planned.place.account.id for planned in sendable)
        # As they are now: one may have been protected since the plan was made.
        self._check_confirmed(map(self._accounts.by_id, ids), confirmed)
        # A key that is missing or wrong is found out here, before anything is written down.
        for account_id in ids:
            self._root.vault().get(account_id)
        new = []
        for planned in sendable:
            rendition = planned.rendition
            if rendition is None:
                continue
            for part in rendition.parts:
                self._keep(part.media)
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
                    fields=planned.outcomes,
                    cost=planned.cost,
                    when=due,
                )
            )
        publication = new_id("p")
        warnings = [*plan.warnings, *(f"Not sent: {problem}" for problem in plan.problems)]
        self._publications.accept(
            publication,
            new,
            content=_content(plan.post, to),
            once=once,
            source=source,
            again=plan.again,
            warnings=warnings,
        )
        return publication

    # Inside

    def _read(self, post: Post | str | Path) -> tuple[Post, str | None]:
        if isinstance(post, Path):
            return Post.from_file(post), source_of(post)
        if isinstance(post, str):
            return Post(post), None
        return post, None


def source_of(path: Path) -> str:
    """What a post file is called in the store: its name is bytes, and the store holds text."""
    return str(path.resolve()).encode("utf-8", "backslashreplace").decode()


def _is_text(name: str) -> bool:
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in name)


def _content(post: Post, to: Sequence[str] | None) -> str:
    return f"{post.content_hash()}:{','.join(sorted(to or post.to))}"
