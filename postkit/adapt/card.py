"""The card of a link, where the network leaves it to its clients to build one."""

from __future__ import annotations

from ..cards.card import Card
from ..errors import InputError
from ..limits.model import CardLimit, Limits
from ..network import Attachment, CannotRender
from .ledger import Draft, Ledger


def attach_card(
    card: Card | None, draft: Draft, limits: Limits, ledger: Ledger
) -> tuple[Attachment, ...]:
    """Sets ``card`` of the draft's fields; its picture, made to fit, is what is returned."""
    if card is None or limits.cards is None:
        return ()
    if draft.media:
        ledger.change("link", "no link card beside pictures", draft)
        return ()
    for note in card.notes:
        ledger.change("link", note, draft)
    draft.fields["card"] = {
        "url": card.url,
        "title": card.title,
        "description": card.description,
    }
    return _picture(card, draft, limits.cards, ledger)


def _picture(card: Card, draft: Draft, limit: CardLimit, ledger: Ledger) -> tuple[Attachment, ...]:
    if card.image is None or limit.image is None:
        return ()
    from .images import fit

    try:
        picture, _ = fit(card.image.read(), card.image.name, "", limit.image)
    except (InputError, CannotRender) as error:
        # A stranger's picture is no reason to refuse the author's post.
        ledger.change("link", f"link card without picture: {error}", draft)
        return ()
    return (picture,)
