"""One attempt: exactly one create request, and an outcome that the wire bears out."""

from __future__ import annotations

import json
from typing import Any

from ..accounts.secret import Redactor
from ..classify import classified
from ..errors import InDoubt, NetworkError, PluginError, Unavailable
from ..logs import logger
from ..network import Failure, Network, Outgoing, Receipt
from ..transport import CreateScope, Exchange, Session, is_transport_error

log = logger("deliver")


def create(
    network: Network[Any],
    client: Any,
    session: Session,
    outgoing: Outgoing,
    send_by: float = float("inf"),
) -> Receipt:
    """Send it. Returns the receipt, or raises the next step. After ``send_by`` (on the monotonic
    clock) nothing begins to leave: the claim may be another process's by then.

    What the plugin says is held against what the wire saw: "nothing was sent" is not believed
    once a byte may have left and no refusal came back, and a receipt is not believed without a
    successful answer.
    """
    with session.create_scope() as scope:
        scope.send_by = send_by
        try:
            receipt = network.publish(client, outgoing)
        except NetworkError as error:
            raise _held_against(error, scope.create) from error
        except PluginError as error:
            sent = scope.create
            if sent is not None and (sent.status is None or sent.status < 400):
                raise InDoubt(
                    f"The plugin {network.name} broke its contract after it had sent the post: "
                    f"{error.message}",
                    network=network.name,
                    status=sent.status,
                ) from error
            raise _classified(network, error, scope) from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # SystemExit too: an SDK that ends the program has still sent what it sent.
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
    given: object = receipt
    id_: object = given.id if isinstance(given, Receipt) else ""
    if not isinstance(given, Receipt) or not isinstance(id_, str):
        what = "an id that is " if isinstance(given, Receipt) else ""
        kind = type(id_ if what else given).__name__
        raise InDoubt(
            f"{network.title} accepted it, but the plugin {network.name} gave {what}{kind} and "
            "no receipt of it.",
            network=network.name,
            status=sent.status,
        )
    if not receipt.id:
        raise InDoubt(
            f"{network.title} accepted it without telling its id.",
            network=network.name,
            status=sent.status,
        )
    return _storable(network, receipt)


def _storable(network: Network[Any], receipt: Receipt) -> Receipt:
    """The receipt as the store can hold it: the id is what proves that a post is live, and must
    not be lost for what else the plugin says."""
    try:
        receipt.id.encode("utf-8")
    except UnicodeEncodeError:
        raise InDoubt(
            f"{network.title} accepted it with an id that is no text.", network=network.name
        ) from None
    url, data = receipt.url, receipt.data
    try:
        json.dumps(dict(data), allow_nan=False)
    except (TypeError, ValueError):
        log.error("%s: the data of receipt %s cannot be stored", network.name, receipt.id)
        data = {}
    if url is not None:
        url = url.encode("utf-8", "replace").decode() if isinstance(url, str) else None
    return Receipt(receipt.id, url, data)


def _classified(network: Network[Any], error: BaseException, scope: CreateScope) -> Exception:
    sent = scope.create
    if sent is None and not is_transport_error(error):
        return PluginError(
            f"The plugin {network.name} failed before it sent anything "
            f"({type(error).__name__}: {Redactor.redact(str(error))})."
        )
    if not isinstance(error, Exception):
        error = RuntimeError(type(error).__name__)
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
