"""What a plugin gives, held against its contract when it is loaded: one sentence for its author."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from .accounts.secret import Redactor
from .errors import PluginError, PostkitError

if TYPE_CHECKING:
    from .emulator.base import Emulator
    from .network import Network

T = TypeVar("T")
NETWORKS_HOOK = "postkit_networks"
EMULATORS_HOOK = "postkit_emulators"


def networks_of(module: object, name: str, who: str) -> list[Network[Any]]:
    """The networks that ``module`` gives, the one called ``name`` among them. Raises PluginError.

    ``who`` begins the sentences: the plugin and its distribution.
    """
    from .network import NAME, Network

    found = _given(module, NETWORKS_HOOK, who)
    problems: list[str] = []
    for network in found:
        if isinstance(network, type):
            problems.append(f"gives the class {network.__name__}; return an instance of it")
        elif not isinstance(network, Network):
            problems.append(f"gives a {type(network).__name__}, which is no Network")
        else:
            problems += _flaws(network)
    if problems:
        raise PluginError(f"{who} cannot be used: it {'; it '.join(problems)}.")
    names = [network.name for network in found]
    if name not in names:
        raise PluginError(
            f"{who} gives {', '.join(map(repr, names)) or 'no network'}; the name of its entry "
            f"point, {name!r}, must be the network's."
        )
    if not NAME.fullmatch(name):
        raise PluginError(
            f"{who} cannot be used: a network's name has lower-case letters, digits, '-' and '_', "
            "begins with a letter, and is at most 32 long."
        )
    return found


def emulators_of(module: object, name: str, who: str) -> list[type[Emulator]]:
    """The emulators that ``module`` gives, the one of ``name`` among them. Raises PluginError."""
    from .emulator.base import Emulator

    found = _given(module, EMULATORS_HOOK, who)
    for kind in found:
        if not (isinstance(kind, type) and issubclass(kind, Emulator)):
            raise PluginError(f"{who} gives {kind!r}; {EMULATORS_HOOK} returns Emulator classes.")
        lacking = [word for word in ("network", "title") if not hasattr(kind, word)]
        lacking += sorted(kind.__abstractmethods__)
        if lacking:
            raise PluginError(f"{who} cannot be used: {kind.__name__} lacks {', '.join(lacking)}.")
    if name not in [kind.network for kind in found]:
        raise PluginError(f"{who} gives no emulator whose network is {name!r}.")
    return found


def asked(network: Network[Any], method: str, kind: type[T], call: Callable[[], T]) -> T:
    """What a pure method of a plugin gives. Raises PluginError where it fails or gives another
    type; the errors that the contract allows pass."""
    from .network import CannotRender

    try:
        given = call()
    except (PostkitError, CannotRender):
        raise
    except Exception as error:
        said = Redactor.redact(str(error))
        raise PluginError(
            f"The plugin {network.name} failed in {method} ({type(error).__name__}: {said})."
        ) from error
    if not isinstance(given, kind):
        raise PluginError(
            f"The plugin {network.name} gave {type(given).__name__} from {method}, "
            f"which must be {kind.__name__}."
        )
    return given


def _given(module: object, hook: str, who: str) -> list[Any]:
    function = getattr(module, hook, None)
    if function is None:
        kind = getattr(module, "__name__", type(module).__name__)
        raise PluginError(
            f"{who} has no hook {hook}: its entry point must name the module that defines it, "
            f"and names {kind}."
        )
    given = function()
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise PluginError(f"{who} gives {type(given).__name__} from {hook}; return a list.")
    return list(given)


def _flaws(network: Network[Any]) -> Iterable[str]:
    from .limits.model import Limits
    from .network import CredentialSet

    kind = type(network).__name__
    wanted: dict[str, type] = {
        "name": str, "title": str, "hosts": tuple, "credentials": tuple, "limits": Limits,
    }  # fmt: skip
    lacking = [word for word in wanted if not hasattr(network, word)]
    if lacking:
        yield f"gives {kind}, which lacks {', '.join(lacking)}"
    for word, type_ in wanted.items():
        value = getattr(network, word, None)
        if word not in lacking and not isinstance(value, type_):
            yield f"has {kind}.{word} of type {type(value).__name__}, not {type_.__name__}"
    rows = getattr(network, "credentials", ())
    if isinstance(rows, tuple) and not all(isinstance(row, CredentialSet) for row in rows):
        yield f"has {kind}.credentials that are no tuple of CredentialSet"
    yield from _oauth_flaws(network, kind)


def _oauth_flaws(network: Network[Any], kind: str) -> Iterable[str]:
    """What a person would notice only in front of the consent page, or after it."""
    from .network import CanRegister, OAuth

    terms = getattr(network, "oauth", None)
    if terms is None:
        registers = [word for word in ("register", "choices") if hasattr(network, word)]
        if registers:
            yield f"has {kind}.{registers[0]}, which is of use with {kind}.oauth alone"
        return
    if not isinstance(terms, OAuth):
        yield f"has {kind}.oauth of type {type(terms).__name__}, not OAuth"
        return
    hosts = network.hosts if isinstance(getattr(network, "hosts", None), tuple) else ()
    own = bool(getattr(network, "needs_endpoint", False))
    for word in ("token", "revoke"):
        address = getattr(terms, word)
        is_optional = word == "revoke" and address is None
        if not is_optional and not _is_reached(address, hosts, own):
            where = (
                "write a path, which begins with /, since each account has a server of its own"
                if own
                else f"a session reaches {', '.join(hosts) or 'no host'} alone"
            )
            yield f"has {kind}.oauth.{word} {address!r}; {where}"
    if not (_is_path(terms.authorize) if own else _is_https(terms.authorize)):
        yield (
            f"has {kind}.oauth.authorize {terms.authorize!r}; write "
            + ("a path, which begins with /" if own else "an address with https")
        )
    if not terms.app or "client_id" not in terms.app:
        yield f"has {kind}.oauth.app {terms.app!r}, without client_id"
    if terms.needs_secret and "client_secret" not in terms.app:
        yield f"has {kind}.oauth.needs_secret, and no client_secret in its app"
    if not terms.pkce and not terms.needs_secret:
        yield f"has {kind}.oauth with neither pkce nor needs_secret, so nothing protects the code"
    if not terms.scopes:
        yield f"has {kind}.oauth.scopes that are empty; name what a person is asked for"
    if isinstance(network, CanRegister):
        return
    try:
        told = terms.register.format(redirect="REDIRECT")
    except (KeyError, IndexError, ValueError):
        told = ""
    if "REDIRECT" not in told:
        yield (
            f"has {kind}.oauth.register without {{redirect}}, which stands for the address that a "
            "person must register"
        )


def _is_reached(address: object, hosts: Iterable[str], own: bool) -> bool:
    """Whether a session of the network gets there."""
    if own:
        return _is_path(address)
    parts = _parts(address)
    return f"{parts.scheme}://{parts.netloc}" in hosts and parts.path.startswith("/")


def _is_path(address: object) -> bool:
    return isinstance(address, str) and address.startswith("/") and not address.startswith("//")


def _is_https(address: object) -> bool:
    parts = _parts(address)
    return parts.scheme == "https" and bool(parts.netloc)


def _parts(address: object) -> SplitResult:
    try:
        return urlsplit(address if isinstance(address, str) else "")
    except ValueError:
        return urlsplit("")
