"""Uploads: sent once, waited for, and kept in the journal until a status attaches them."""

from __future__ import annotations

from typing import Any

import requests

from postkit.classify import message_of
from postkit.errors import Refused, Unavailable
from postkit.network import Attachment, Journal, RenderedPart
from postkit.processing import growing_pauses, wait_until_processed

from .client import Client


def upload_all(client: Client, part: RenderedPart, journal: Journal) -> None:
    """Upload what the server does not have, and wait until it can be attached.

    A server forgets an upload that no status attaches, so each is asked for before it is used.
    """
    waiting = []
    for number, attachment in enumerate(part.media):
        name = f"media_{number}"
        known = _known(client, attachment, journal, name) if name in journal else None
        if known is None:
            known = client.upload(attachment)
            journal[name] = str(known["id"])
        if known.get("url") is None:
            waiting.append((name, attachment))
    for name, attachment in waiting:
        _wait(client, attachment, journal, name)


def _wait(client: Client, attachment: Attachment, journal: Journal, name: str) -> None:
    pauses = growing_pauses()

    def seconds_left() -> float | None:
        known = _known(client, attachment, journal, name)
        if known is None:
            del journal[name]
            raise Unavailable(
                f"The server has lost {attachment.name}; it is uploaded again.", network="mastodon"
            )
        return next(pauses) if known.get("url") is None else None

    wait_until_processed("Mastodon", seconds_left)


def _known(client: Client, attachment: Attachment, journal: Journal, name: str) -> Any:
    """The upload; None where the server does not know it. What could not be processed is
    forgotten. Raises Refused."""
    try:
        return client.media(journal[name])
    except requests.HTTPError as error:
        if error.response.status_code != 422:
            raise
        del journal[name]
        why = _said(error.response) or "it gives no reason"
        raise Refused(
            f"Mastodon could not process {attachment.name}: {why}",
            network="mastodon",
            status=422,
            code="processing_failed",
        ) from error


def _said(response: requests.Response) -> str:
    try:
        return message_of(response.json())
    except ValueError:
        return ""
