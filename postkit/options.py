"""A network's own options: found by name and typed by their declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import InputError
from .network import Network, Option
from .suggest import did_you_mean

TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})


def given_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those with a value; an empty one stands for the network's own default."""
    return {
        name: value
        for name, value in options.items()
        if value is not None and value != "" and value != [] and value != ()
    }


def typed(network: Network[Any], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values as the plugin wants them. Raises InputError with every problem at once."""
    declared = {option.name: option for option in network.options}
    problems: list[str] = []
    values: dict[str, Any] = {}
    for name, value in given.items():
        option = declared.get(name)
        if option is None:
            known = ", ".join(declared) or "none"
            problems.append(
                f"{where}: {network.name} has no option {name!r}.{did_you_mean(name, declared)} "
                f"Its options: {known}."
            )
            continue
        try:
            values[name] = _value(option, value)
        except ValueError as error:
            problems.append(f"{where}: option {name}: {error}")
    if problems:
        raise InputError(problems)
    return values


def _value(option: Option, value: Any) -> Any:
    if option.type == "list":
        items = [value] if isinstance(value, str) or not isinstance(value, Sequence) else value
        return [str(item) for item in items]
    if isinstance(value, list | tuple):
        if len(value) != 1:
            raise ValueError(f"takes one value, not {len(value)}.")
        value = value[0]
    if option.type == "bool":
        if isinstance(value, bool):
            return value
        if str(value).lower() in TRUE:
            return True
        if str(value).lower() in FALSE:
            return False
        raise ValueError(f"{value!r} is neither yes nor no.")
    if option.type == "int":
        try:
            return int(str(value))
        except ValueError:
            raise ValueError(f"{value!r} is no whole number.") from None
    if option.type == "choice" and str(value) not in option.choices:
        raise ValueError(
            f"{value!r} is not one of {', '.join(option.choices)}."
            f"{did_you_mean(str(value), option.choices)}"
        )
    return str(value)
