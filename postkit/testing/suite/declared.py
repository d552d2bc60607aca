"""What a plugin declares: complete, and in the forms that the core relies on."""

from __future__ import annotations

import pytest

from postkit.errors import InputError
from postkit.network import NAME, Network

from ..rig import Rig
from .bench import Bench


class DeclaredConformance(Bench):
    """Names, credentials, limits and guarantee."""

    def test_name_and_title(self, rig: Rig) -> None:
        assert NAME.fullmatch(rig.network.name), f"{rig.network.name!r} is no network's name"
        assert rig.network.title, "The network has no title for people."

    def test_hosts_are_origins_over_tls(self, rig: Rig) -> None:
        for host in rig.network.hosts:
            assert host.startswith("https://"), f"{host}: a network is spoken to over TLS alone"
            assert host.count("/") == 2, f"{host}: an origin has no path"
        assert set(rig.network.services) <= set(rig.network.hosts), "A service is one of the hosts."
        assert rig.network.hosts or rig.network.needs_endpoint, (
            "A network without hosts must set needs_endpoint, else nobody can connect it."
        )

    def test_credentials_say_how_to_get_them(self, rig: Rig) -> None:
        assert rig.network.credentials, "The network declares no credentials."
        for row in rig.network.credentials:
            assert row.fields, f"The credential set {row.name!r} has no fields."
            assert any(field.secret for field in row.fields), f"{row.name!r} has no secret."
            for field in row.fields:
                assert field.how, f"{field.name}: `how` must say where to get it."

    def test_options_are_explained(self, rig: Rig) -> None:
        for option in rig.network.options:
            assert option.help, f"The option {option.name!r} has no help."
            assert (option.type == "choice") == bool(option.choices), (
                f"The option {option.name!r}: choices belong to the type `choice`."
            )

    def test_limits_name_their_sources(self, rig: Rig) -> None:
        limits = rig.limits
        assert limits.text, "The table has no limit for text."
        rows = [*limits.text, limits.image, limits.alt, limits.title, limits.poll, *limits.rates]
        for row in rows:
            if row is not None:
                assert row.source.text, f"{row} does not say where it is from."
        if limits.media_count:
            assert limits.image is not None, "Images are allowed, but the table has no ImageLimit."

    def test_the_guarantee_can_be_kept(self, rig: Rig) -> None:
        guarantee = rig.guarantee()
        assert guarantee.quiet >= 0
        if guarantee.kind == "blind":
            assert not guarantee.resend_when_absent, (
                "A blind network can never know that nothing is live, so nothing may be resent."
            )
        if guarantee.kind == "read_back":
            assert type(rig.network).find is not Network.find, (
                "The guarantee `read_back` needs an own `find`."
            )

    def test_an_account_is_identified(self, rig: Rig) -> None:
        assert rig.account.state == "ok"
        assert rig.account.identity is not None
        assert rig.account.identity.id, "identify() must tell the account's id at the network."
        assert rig.account.identity.name, "identify() must tell the account's name."

    def test_a_strange_option_is_refused(self, rig: Rig) -> None:
        from postkit.plan import Wishes

        wishes = Wishes(options={rig.network.name: {"no_such_option_anywhere": "1"}})
        with pytest.raises(InputError, match="no_such_option_anywhere"):
            rig.kit.plan(rig.post(), [rig.address], wishes=wishes)
