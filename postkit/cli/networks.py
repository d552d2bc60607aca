"""``postkit networks``: the tables, as people read them."""

from __future__ import annotations

from typing import Any

import click

from ..errors import PluginError
from ..limits.describe import describe
from ..network import CanRegister, Network
from ..plugins import Plugins
from .output import emit, json_option, say, shown, shown_lines, table, wrapped


@click.command("networks")
@click.argument("name", required=False)
@json_option
def command(name: str | None, as_json: bool) -> None:
    """List the networks, or show what one allows and how to connect it."""
    plugins = Plugins()
    if name is not None:
        _one(plugins.network(name), as_json)
        return
    rows: list[dict[str, str | None]] = []
    for each in plugins.network_names():
        try:
            network = plugins.network(each)
        except PluginError as error:
            rows.append({"name": each, "title": "-", "error": error.message})
            continue
        rows.append({"name": each, "title": network.title, "error": None})
    if as_json:
        emit({"networks": rows})
        return
    table(
        ["network", "title", "problem"],
        [[str(row["name"]), str(row["title"]), str(row["error"] or "")] for row in rows],
    )


def _one(network: Network[Any], as_json: bool) -> None:
    facts = describe(network.limits)
    if as_json:
        emit(
            {
                "name": network.name,
                "title": network.title,
                "limits": [
                    {"what": f.what, "value": f.value, "source": f.source, "checked": f.checked}
                    for f in facts
                ],
                "credentials": [
                    {
                        "name": row.name,
                        "fields": [
                            {"name": f.name, "how": f.how, "optional": f.optional}
                            for f in row.fields
                        ],
                    }
                    for row in network.credentials
                ],
                "oauth": _terms(network),
                "options": [
                    {"name": o.name, "type": o.type, "choices": list(o.choices), "help": o.help}
                    for o in network.options
                ],
            }
        )
        return
    say(f"{network.title} ({network.name})\n")
    for fact in facts:
        print_row(fact.what, fact.value, 32)
    say("\nWhere this is from:")
    for source in dict.fromkeys((fact.source, fact.checked) for fact in facts):
        say(f"  {source[0]} (checked {source[1]})")
    if network.options:
        say(f"\nOptions (--set {network.name}.OPTION=VALUE):")
        for option in network.options:
            kind = "|".join(option.choices) or option.type
            print_row(f"{option.name} ({kind})", option.help, 32)
    endpoint = " --endpoint https://SERVER" if network.needs_endpoint else ""
    several = len(network.credentials) + (network.oauth is not None) > 1
    say("\nTo connect" + (", one of:" if several else ":"))
    if network.oauth is not None:
        app = "" if isinstance(network, CanRegister) else " --credential client_id=..."
        click.echo(f"  postkit connect {network.name}{endpoint}{app}")
        print_row("  in the browser", _registered(network), 24)
    for row in network.credentials:
        fields = " ".join(
            f"[--credential {f.name}=...]" if f.optional else f"--credential {f.name}=..."
            for f in row.fields
        )
        for line in wrapped(f"postkit connect {network.name}{endpoint} {fields}", "  ", "      "):
            click.echo(line)
        for field in row.fields:
            print_row(f"  {field.name}", field.how, 24)


def _terms(network: Network[Any]) -> dict[str, Any] | None:
    terms = network.oauth
    if terms is None:
        return None
    return {
        "app": [] if isinstance(network, CanRegister) else list(terms.app),
        "register": _registered(network),
        "redirect": redirect_of(network),
        "scopes": [
            {"name": scope.name, "why": scope.why, "optional": scope.optional}
            for scope in terms.scopes
        ],
    }


def _registered(network: Network[Any]) -> str:
    """What a person registers, and where."""
    assert network.oauth is not None  # noqa: S101 - for the type checker
    return network.oauth.register.format(redirect=redirect_of(network))


def redirect_of(network: Network[Any]) -> str:
    """Where the browser comes back to, if nobody asks for another port."""
    from ..accounts.oauth.loopback import PORT, path_of  # which imports a web server

    assert network.oauth is not None  # noqa: S101 - for the type checker
    server = "https://SERVER" if network.needs_endpoint else None
    return f"http://{network.oauth.host}:{PORT}{path_of(network.name, server)}"


def print_row(name: str, value: str, width: int) -> None:
    for line in wrapped(shown_lines(value), f"  {shown(name):{width}} "):
        click.echo(line)
