"""What a network is asked beside publishing: our posts, and to delete one."""

from __future__ import annotations

from collections.abc import Sequence

from .classify import classified
from .deliver.clients import Connection
from .errors import InputError, Refused
from .network import CanDelete, CanList, Failure, Receipt, RemotePost


def recent(connection: Connection, count: int) -> Sequence[RemotePost]:
    if not isinstance(connection.network, CanList):
        raise InputError(f"{connection.network.title} does not list an account's posts.")
    return connection.network.recent(connection.client, count)


def delete(connection: Connection, receipt: Receipt) -> None:
    if not isinstance(connection.network, CanDelete):
        raise InputError(f"{connection.network.title} cannot delete; do it by hand: {receipt.url}")
    try:
        connection.network.delete(connection.client, receipt)
    except Refused as error:
        if error.status not in (404, 410):
            raise
    except Exception as error:
        found = classified(connection.network, Failure(error, connection.session.last))
        if not (isinstance(found, Refused) and found.status in (404, 410)):
            raise


def named_by(url: str, listed: Sequence[RemotePost]) -> list[RemotePost]:
    """The post of that very link; else of that link without what a browser or a share adds to
    it, where the network's own links have no query."""

    def bare(link: str) -> str:
        return link.partition("#")[0].partition("?")[0].rstrip("/")

    url = url.strip()
    linked = [(post.receipt.url or "", post) for post in listed if post.receipt.url]
    exact = [post for link, post in linked if link.rstrip("/") == url.rstrip("/")]
    return exact or [p for link, p in linked if "?" not in link and bare(link) == bare(url)]
