"""What a plugin gives, held against its contract when it is loaded: one sentence for its author."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

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
