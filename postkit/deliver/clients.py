"""Connected clients: one for an account and a thread, kept while the process lives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ..accounts.draft import Draft
from ..accounts.grant import LEARNT
from ..accounts.place import Place, is_loopback
from ..accounts.secret import Redactor
from ..accounts.secrets import Misplaced, Secrets
from ..accounts.vault import Vault
from ..classify import classified
from ..errors import InDoubt, NeedsLogin, PluginError, PostkitError, Refused, Unavailable
from ..logs import redact_logs
from ..network import Account, CanRefresh, Failure, Identity, Network
from ..plugins import Plugins
from ..transport import Session, is_transport_error
from .identity import Proofs
from .seconds import timeouts

T = TypeVar("T")
TRANSPORT_LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry")


@dataclass(frozen=True, slots=True)
class Access:
    """Where an account was reached, and with what."""

    place: Place
    fields: Mapping[str, str] = field(repr=False)


@dataclass(slots=True)
class Connection:
    """A client of one account, and the session that it talks over."""

    network: Network[Any]
    account: Account
    session: Session
    client: Any
    secrets: Secrets | None = field(default=None, repr=False)
    """What the client was handed, and has renewed since."""

    @property
    def access(self) -> Access | None:
        seen = self.secrets.seen if self.secrets is not None else None
        return None if seen is None else Access(self.account.place, seen)

    def ask(self, call: Callable[[], T], *, patient: bool = True) -> T:
        """Run a call that may be repeated; every failure becomes a next step.

        A repeatable call cannot leave anything in doubt, so what a create would have to doubt
        is Unavailable here, and is tried three times. Access that runs out, in whichever of the
        tries, is renewed once.
        """

        def once() -> T:
            return ask(self.network, self.session, call)

        is_asked = is_taken_over = False
        while True:
            try:
                try:
                    return once()
                except Unavailable as error:
                    if error.retry_at is not None or not patient:
                        raise
                    return repeatedly(once)
            except NeedsLogin:
                if is_asked or not isinstance(self.network, CanRefresh):
                    raise
                # What another process had left may have ended too: then we ask ourselves.
                is_asked = self.renew() or is_taken_over
                is_taken_over = True

    def close(self) -> None:
        self.session.close()

    def renew(self) -> bool:
        """Have new access. True where the network was asked for it, False where it was taken
        over from another thread or process, whose it may have ended since.

        Raises NeedsLogin for every no: it is about the access, and never about a post.
        """
        network = self.network
        if not isinstance(network, CanRefresh):
            raise NeedsLogin(
                f"{self.account.label} is not accepted any more; connect it again.",
                network=network.name,
            )
        before = self.session.calls
        try:
            ask(network, self.session, lambda: network.refresh(self.client))
        except (Refused, PluginError) as no:
            raise NeedsLogin(no.message, network=network.name) from no
        return self.session.calls > before


def repeatedly(call: Callable[[], T]) -> T:
    """Two more tries, a moment apart; never for a create."""
    import tenacity  # 32 ms that only a failure costs

    again = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Unavailable),
        wait=tenacity.wait_random_exponential(multiplier=0.1, max=1.0),
        stop=tenacity.stop_after_attempt(2),
        reraise=True,
    )
    return again(call)


def ask(network: Network[Any], session: Session, call: Callable[[], T]) -> T:
    session.last = None
    try:
        return call()
    except InDoubt as error:
        raise Unavailable(error.message, network=network.name, status=error.status) from error
    except (PostkitError, KeyboardInterrupt):
        raise
    except BaseException as error:
        if not isinstance(error, Exception):
            # A plugin may not end the program: SystemExit is its failure.
            raise PluginError(
                f"The plugin {network.name} raised {type(error).__name__}."
            ) from error
        if session.last is None and not is_transport_error(error):
            raise PluginError(
                f"The plugin {network.name} failed "
                f"({type(error).__name__}: {Redactor.redact(str(error))})."
            ) from error
        found = classified(network, Failure(error, session.last))
        if isinstance(found, InDoubt):
            raise Unavailable(
                found.message.replace("; it may have acted", ""),
                network=network.name,
                status=found.status,
            ) from error
        raise found from error


class Clients:
    """Makes and keeps connections. One that is taken serves one thread until it is given back."""

    def __init__(
        self,
        plugins: Plugins,
        vault: Callable[[], Vault | Draft],
        proofs: Proofs | None = None,
    ) -> None:
        self._proofs = proofs or Proofs()
        self._plugins = plugins
        self._vault = vault
        self._idle: dict[str, list[Connection]] = {}
        self._guard = threading.Lock()

    def network(self, account: Account) -> Network[Any]:
        return self._plugins.network(account.network)

    def take(self, account: Account) -> Connection:
        """A connection that nobody else uses. Raises NetworkError as a next step."""
        with self._guard:
            idle = self._idle.pop(account.id, [])
        kept = next((each for each in idle if self.is_current(each, account)), None)
        for each in idle:
            if each is kept:
                continue
            each.close()
        if kept is not None:
            return kept
        return self._connect(account)

    def trying(self, draft: Draft) -> Clients:
        """The same networks, reached with access that nobody else has yet."""
        return Clients(self._plugins, lambda: draft, self._proofs)

    def is_proved(self, connection: Connection, account: Account) -> bool:
        """Whether the network has told, to this process, that this access is the account's."""
        return self._proofs.hold(account, _access(connection))

    def told(self, connection: Connection, found: Identity) -> None:
        """The network has told whose access this is."""
        self._proofs.add(connection.account.id, _access(connection), found)

    def is_current(self, kept: Connection, account: Account) -> bool:
        """Whether nobody has given the account new access or another endpoint since. Raises
        VaultError."""
        if kept.account.place != account.place:
            return False
        if kept.secrets is None:
            return True
        fields, place = self._vault().access(account.id)
        return place in (None, account.place) and kept.secrets.held == fields

    def is_replaced(self, refused: Access, account: Account) -> bool:
        """Whether the account has other access by now, and all of it. Raises VaultError."""
        fields, place = self._vault().access(account.id)
        if place not in (None, account.place):
            return False  # a connect that was broken off
        return refused != Access(account.place, fields)

    def give(self, connection: Connection) -> None:
        with self._guard:
            self._idle.setdefault(connection.account.id, []).append(connection)

    def drop(self, account_id: str) -> None:
        """Close what is kept of an account: its access has changed."""
        with self._guard:
            idle = self._idle.pop(account_id, [])
        for connection in idle:
            connection.close()

    def close(self) -> None:
        with self._guard:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()

    def _connect(self, account: Account) -> Connection:
        network = self._plugins.network(account.network)
        session = session_of(network, account.place, **timeouts(account))
        fields = [field for row in network.credentials for field in row.fields]
        public = {field.name for field in fields if not field.secret} | LEARNT
        secrets = Secrets(self._vault(), account.id, account.label, public, account.place)
        try:
            client = ask(network, session, lambda: network.connect(account, secrets, session))
        except PostkitError as error:
            session.close()
            seen = {} if isinstance(error, Misplaced) else secrets.seen
            if isinstance(error, NeedsLogin) and seen is not None:
                error.access = Access(account.place, seen)
            raise
        return Connection(network, account, session, client, secrets)


def session_of(network: Network[Any], place: Place, **seconds: float) -> Session:
    """A session to the network's hosts, or to the account's own server."""
    redact_logs((*TRANSPORT_LOGGERS, *network.loggers))
    return Session(
        network.hosts,
        place.endpoint,
        services=() if _is_local(place.endpoint) else network.services,
        ca_bundle=place.ca_bundle,
        auth_paths=network.auth_paths,
        **seconds,
    )


def _access(connection: Connection) -> Access:
    """Also of a client that has asked for no secret."""
    return connection.access or Access(connection.account.place, {})


def _is_local(endpoint: str | None) -> bool:
    # A rehearsal leaves this machine for nothing.
    return endpoint is not None and is_loopback(urlsplit(endpoint).hostname or "")
