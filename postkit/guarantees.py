"""What postkit can promise at a network, for each kind of post, and what can remain uncertain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from .network import Account, Attachment, Guarantee, MediaKind, Network, RenderedPart

PostKind = Literal["text", "pictures", "video", "animation", "poll"]
SAYS = {
    "key": "key",
    "probe": "probe",
    "duplicate_refusal": "duplicate refusal",
    "read_back": "read back",
    "blind": "blind",
}
"""The class of a guarantee, as people read it."""


@dataclass(frozen=True, slots=True)
class Promise:
    """The guarantee of one kind of post, at a network or through one of its accounts.

    ``account`` is None where no account was asked about. The guarantee's times are in seconds.
    """

    network: str
    account: str | None
    kind: PostKind
    guarantee: Guarantee

    @property
    def name(self) -> str:
        """What it is about: the account's label, else the network's name."""
        return self.account or self.network

    @property
    def uncertain(self) -> str:
        return what_remains(self.guarantee)

    def to_json(self) -> dict[str, Any]:
        return {
            "network": self.network,
            "account": self.account,
            "post": self.kind,
            "class": self.guarantee.kind,
            "quiet": self.guarantee.quiet,
            "key_ttl": self.guarantee.key_ttl,
            "repeats": repeats(self.guarantee),
            "uncertain": self.uncertain,
        }


def promises(network: Network[Any], account: Account | None = None) -> Iterator[Promise]:
    """The promises for each kind of post; one that the network lacks is left out, as is an
    animation that is sent as a video or as a still picture."""
    asked = account or Account(id="", network=network.name, name=network.name)
    limits = network.limits_for(asked) if account is not None else network.limits
    samples: dict[PostKind, RenderedPart] = {"text": RenderedPart("Hello", (), {})}
    if limits.media_count > 0:
        samples["pictures"] = RenderedPart("Hello", (_medium("image", "image/png"),), {})
    if limits.video is not None:
        samples["video"] = RenderedPart("Hello", (_medium("video", "video/mp4"),), {})
    if limits.animation is not None:
        samples["animation"] = RenderedPart("Hello", (_medium("animation", "image/gif"),), {})
    if limits.poll is not None:
        poll = {"options": ["Yes", "No"], "minutes": limits.poll.min_minutes, "multiple": False}
        samples["poll"] = RenderedPart("Hello", (), {"poll": poll})
    label = account.label if account is not None else None
    for kind, part in samples.items():
        yield Promise(network.name, label, kind, own_quiet(network.guarantee(part, asked), asked))


def own_quiet(guarantee: Guarantee, account: Account) -> Guarantee:
    """The guarantee with the account's own quiet window (seconds), where it has one."""
    quiet = account.settings.get("quiet")
    return replace(guarantee, quiet=float(quiet)) if quiet is not None else guarantee


def repeats(guarantee: Guarantee) -> bool:
    """Whether postkit sends again by itself what the network does not show."""
    return guarantee.kind != "blind" and guarantee.resend_when_absent


def what_remains(guarantee: Guarantee) -> str:
    """What can remain uncertain, in one sentence."""
    if guarantee.kind == "blind":
        return "Every answer that is lost is a question to you."
    if not guarantee.resend_when_absent:
        return (
            "A post that is not listed after the quiet window is a question to you, since it may "
            "still appear."
        )
    if guarantee.kind == "read_back":
        return (
            "A post that is not listed after the quiet window is sent again; one that the network "
            "accepts later than that would be there twice."
        )
    within = f" within {spoken(guarantee.key_ttl)}" if guarantee.key_ttl is not None else ""
    if guarantee.kind == "duplicate_refusal":
        return (
            "A post whose repeat is refused and that is still not listed is a question to you, and "
            f"so is a lost answer that cannot be settled{within or ' within a day'}."
        )
    if not within:
        return "Nothing, unless the network cannot be asked for a day: then you are."
    return (
        f"Only a lost answer that cannot be settled{within}, for as long as the network knows a "
        "repeat, is a question to you."
    )


def spoken(seconds: float) -> str:
    """``15 minutes``, ``24 hours``, ``90 seconds``."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        number = seconds / length
        if number >= 1 and number == int(number):
            return f"{int(number)} {unit}{'' if number == 1 else 's'}"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


def _medium(kind: MediaKind, mime: str) -> Attachment:
    """A picture or a video that is asked about and never sent."""
    return Attachment("0" * 64, mime, 1, 1, 1, "", kind, bytes, kind=kind)
