"""One attempt: exactly one create request, and an outcome that the wire bears out."""

from __future__ import annotations

from typing import Any

from ..classify import classified
from ..errors import InDoubt, NetworkError, PluginError, Unavailable
from ..network import Failure, Network, Outgoing, Receipt
from ..transport import CreateScope, Exchange, Session, is_transport_error


def create(network: Network[Any], client: Any, session: Session, outgoing: Outgoing) -> Receipt:
    """Send it. Returns the receipt, or raises the next step.

    What the plugin says is held against what the wire saw: "nothing was sent" is not believed
    once a byte may have left and no refusal came back, and a receipt is not believed without a
    successful answer.
    """
    with session.create_scope() as scope:
        try:
            receipt = network.publish(client, outgoing)
        except NetworkError as error:
            raise _held_against(error, scope.create) from error
        except PluginError as error:
            raise _classified(network, error, scope) from error
        except Exception as error:
            raise _classified(network, error, scope) from error
    sent = scope.create
    if sent is None:
        raise PluginError(f"The plugin {network.name} gave a receipt but sent no request.")
    if sent.status is None or not 200 <= sent.status < 300:
        raise InDoubt(
            f"{network.title} answered HTTP {sent.status}, which is no success; it may have acted.",
            network=network.name,
            status=sent.status,
        )
    if not receipt.id:
        raise InDoubt(
            f"{network.title} accepted it without telling its id.",
            network=network.name,
            status=sent.status,
        )
    return receipt


def _classified(network: Network[Any], error: Exception, scope: CreateScope) -> Exception:
    sent = scope.create
    if sent is None and not is_transport_error(error):
        return PluginError(
            f"The plugin {network.name} failed before it sent anything "
            f"({type(error).__name__}: {error})."
        )
    return _held_against(classified(network, Failure(error, sent)), sent)


def _held_against(error: NetworkError, sent: Exchange | None) -> NetworkError:
    if sent is None or not sent.wrote or isinstance(error, InDoubt):
        return error
    answered = sent.status is not None and 200 <= sent.status < 500
    if isinstance(error, Unavailable) or not answered:
        return InDoubt(
            error.message,
            network=error.network,
            status=error.status,
            code=error.code,
            request_id=error.request_id,
        )
    return error
