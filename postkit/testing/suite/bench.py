"""What every part of the suite shares: the declarations of a subclass, and the rig."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from postkit.testing.rig import Rig

if TYPE_CHECKING:
    from postkit.emulator.base import Emulator
    from postkit.testing.fixtures import Serve

MakeRig = Callable[..., Rig]
PATIENCE = 15.0
"""Seconds for one answer: long enough for a busy machine."""


class Bench:
    """Declarations, all but ``network`` optional.

    ``address``: where to publish (default: the network, with the emulator's sample target).
    ``title``: for networks that need one. ``options``: the network's own, for every post.
    ``settings``: of the emulator. ``plugins``: plugin modules or objects that are not installed.
    ``short_timeout``: seconds after which a hanging network is given up.
    """

    network: ClassVar[str]
    address: ClassVar[str | None] = None
    title: ClassVar[str] = "A title of the conformance suite"
    options: ClassVar[Mapping[str, Any]] = {}
    settings: ClassVar[Mapping[str, Any]] = {}
    plugins: ClassVar[Sequence[object]] = ()
    short_timeout: ClassVar[float] = 1.0

    @pytest.fixture
    def make_rig(self, tmp_path: Path, _postkit_serve: Serve) -> Iterator[MakeRig]:
        """Makes the rig of a test; ``connect=False`` leaves the account out."""
        from postkit.kit import Kit

        emulator = self._emulator()
        server = _postkit_serve([emulator])
        for name, value in self.settings.items():
            server.set(self.network, name, value)
        kits: list[Kit] = []

        def make(read_timeout: float = PATIENCE) -> Rig:
            home = tmp_path / "home"
            home.mkdir()
            (home / "postkit.toml").write_text(
                f'[networks."{self.network}"]\nread_timeout = {read_timeout}\n', encoding="utf-8"
            )
            kit = Kit(home=home, key=os.urandom(32), plugins=self.plugins, enabled=self._enabled())
            kits.append(kit)
            mine = server.accounts()[0]
            account, problem = kit.connect(
                self.network, mine.credentials, name="emulated", endpoint=mine.endpoint
            )
            assert problem is None, f"{self.network} could not be connected: {problem}"
            return Rig(
                server,
                kit,
                account,
                self._address(emulator),
                title=self.title,
                options=self.options,
            )

        yield make
        for kit in kits:
            kit.close()

    @pytest.fixture
    def rig(self, make_rig: MakeRig) -> Rig:
        """The emulator, a Kit in a temporary home, and one connected account."""
        return make_rig()

    def _enabled(self) -> list[str]:
        """Whoever names a network here wants the code to run that brings it."""
        from postkit.installed import EMULATORS, NETWORKS, installed, leading_to

        found = leading_to(self.network, installed(), (NETWORKS, EMULATORS))
        return [each.name for each in found]

    def _emulator(self) -> type[Emulator]:
        from postkit.plugins import Plugins

        for kind in Plugins(self.plugins, enabled=self._enabled()).emulators():
            if kind.network == self.network:
                return kind
        raise AssertionError(
            f"There is no emulator of {self.network!r}: the plugin needs one, as the entry point "
            "`postkit.emulators` or through the hook `postkit_emulators`."
        )

    def _address(self, emulator: type[Emulator]) -> str:
        if self.address is not None:
            return self.address
        if emulator.sample_target is not None:
            return f"{self.network}:emulated/{emulator.sample_target}"
        return self.network
