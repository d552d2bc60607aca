"""Connecting in the browser: the whole way through the emulator's consent page, and every way off
it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest
import requests

from postkit.accounts.connect import Declined
from postkit.accounts.oauth.apps import Apps
from postkit.accounts.oauth.flow import CHOICE, ChoiceNeeded
from postkit.accounts.oauth.terms import OAuth
from postkit.emulator.consent import loopback
from postkit.errors import InputError, NeedsLogin, NetworkError, PostkitError, Refused
from postkit.network import Account, CanRefresh, Identity

from ..browser import Refused as PageRefused
from ..browser import consented
from ..rig import Rig, story
from .bench import Bench


@dataclass
class Visit:
    """One connect under way."""

    rig: Rig
    terms: OAuth

    @property
    def redirect(self) -> str:
        """The redirect's address, as the network wants it spelt."""
        return loopback(self.rig.network.name, self.terms.host)

    @property
    def app(self) -> Mapping[str, str]:
        """The emulated app; the one that registered itself, once a connect has begun."""
        mine = self.rig.server.accounts()[0]
        apps = Apps(self.rig.kit.vault())
        return mine.app or apps.get(mine.network, mine.endpoint, self.redirect)

    def begin(self, **changed: str) -> tuple[str, str]:
        """The address of the consent page, with parts of its query changed, and the state."""
        mine = self.rig.server.accounts()[0]
        url, state = self.rig.kit.begin_connect(
            self.rig.network.name,
            redirect_uri=self.redirect,
            name="visited",
            endpoint=mine.endpoint,
            app=mine.app,
        )
        parts = urlsplit(url)
        query = {**dict(parse_qsl(parts.query)), **changed}
        return urlunsplit(parts._replace(query=urlencode(query))), state

    def finish(
        self,
        state: str,
        params: Mapping[str, str],
        confirm: Callable[[Identity], bool] | None = None,
    ) -> Account:
        kit = self.rig.kit
        try:
            return kit.finish_connect(state, params, confirm=confirm)
        except ChoiceNeeded as several:
            chosen = {CHOICE: several.choices[0].id}
            return kit.finish_connect(state, chosen, confirm=confirm)

    def labels(self) -> list[str]:
        return [account.label for account in self.rig.kit.accounts]

    def refused(self, state: str, params: Mapping[str, str]) -> PostkitError:
        """The error of an answer that must not be taken; nothing is kept of it."""
        before = self.labels()
        with pytest.raises(PostkitError) as caught:
            self.finish(state, params)
        assert self.labels() == before, "An answer that was refused left an account behind."
        return caught.value


class ConsentConformance(Bench):
    """For networks with ``oauth``; the others are connected with what a person brings."""

    @pytest.fixture
    def visit(self, rig: Rig) -> Visit:
        terms = rig.network.oauth
        if terms is None:
            pytest.skip(f"{rig.network.title} is not connected in the browser")
        return Visit(rig, terms)

    def test_connected_through_the_consent_page(self, visit: Visit) -> None:
        rig = visit.rig
        url, state = visit.begin()
        shown: list[Identity] = []

        def confirm(identity: Identity) -> bool:
            shown.append(identity)
            return True

        account = visit.finish(state, consented(url), confirm)
        assert account.state == "ok", "The access that the consent gave cannot say who it is."
        assert account.identity is not None
        assert account.identity == rig.account.identity
        assert shown == [account.identity], "Nobody was asked whether this is the right account."
        fields = rig.kit.vault().get(account.id)
        grant = rig.network.grant(fields)
        assert grant.scopes is not None
        assert visit.terms.required <= grant.scopes
        report = rig.kit.publish(
            rig.post("Sent with access from the browser."),
            [
                rig.address.replace(":emulated", ":visited")
                if ":emulated" in rig.address
                else f"{rig.network.name}:visited"
            ],
        ).deliveries[0]
        assert report.state == "live", story(rig, report)

    def test_the_wrong_account_is_not_kept(self, visit: Visit) -> None:
        url, state = visit.begin()
        before = visit.labels()
        params = consented(url)
        with pytest.raises(Declined):
            visit.finish(state, params, lambda _: False)
        assert visit.labels() == before

    def test_an_answer_is_good_once(self, visit: Visit) -> None:
        url, state = visit.begin()
        params = consented(url)
        visit.finish(state, params)
        assert isinstance(visit.refused(state, params), InputError)

    def test_forged_missing_and_foreign_states(self, visit: Visit) -> None:
        url, state = visit.begin()
        params = consented(url)
        for given in ("", "forged", state[:-1], state + "A", "\udcff"):
            assert isinstance(visit.refused(state, {**params, "state": given}), InputError)
            assert isinstance(visit.refused(given, {**params, "state": given}), InputError)
        without = {name: value for name, value in params.items() if name != "state"}
        assert isinstance(visit.refused(state, without), InputError)
        # None of them used the real one up.
        assert visit.finish(state, params).state == "ok"

    def test_a_code_of_another_login(self, visit: Visit) -> None:
        """Somebody else's code, slipped into our answer, does not fit our verifier."""
        if not visit.terms.pkce:
            pytest.skip(
                f"{visit.rig.network.title} has no PKCE; the app's secret protects the code"
            )
        theirs, _ = visit.begin()
        code = consented(theirs)["code"]
        url, state = visit.begin()
        mine = consented(url)
        assert isinstance(visit.refused(state, {**mine, "code": code}), Refused)

    def test_a_person_who_says_no(self, visit: Visit) -> None:
        url, state = visit.begin()
        error = visit.refused(state, consented(url, agree=False))
        assert isinstance(error, Refused)
        assert "declined" in error.message

    def test_every_scope_that_is_left_out(self, visit: Visit) -> None:
        for scope in visit.terms.scopes:
            url, state = visit.begin()
            params = consented(url, without={scope.name})
            if scope.optional:
                account = visit.finish(state, params)
                fields = visit.rig.kit.vault().get(account.id)
                granted = visit.rig.network.grant(fields).scopes
                assert granted is not None
                assert scope.name not in granted
                visit.rig.kit.remove_account(account.label)
                continue
            error = visit.refused(state, params)
            assert isinstance(error, NeedsLogin | Refused), error
            assert scope.name in error.message, error.message

    def test_the_redirect_is_compared_whole(self, visit: Visit) -> None:
        mine = visit.redirect
        others = ["https://evil.example/", mine + "other", mine.replace("http", "https")]
        if visit.terms.redirects == "exact":
            others.append(mine.replace("8712", "8713"))
        for other in others:
            url, _ = visit.begin(redirect_uri=other)
            with pytest.raises(PageRefused):
                consented(url)

    def test_a_code_works_once_and_for_its_verifier(self, visit: Visit) -> None:
        """At the token endpoint itself, as a thief would use it."""
        rig, terms = visit.rig, visit.terms
        url, _ = visit.begin()
        code = consented(url)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": visit.redirect}
        answer = ask_for_token(visit, url, {**form, "code_verifier": "A" * 64})
        assert terms.pkce == (not has_token(answer)), answer.text
        answer = ask_for_token(visit, url, {**form, "code_verifier": "A" * 64})
        assert not has_token(answer), f"The code worked twice: {answer.text}"
        assert not rig.creates()

    def test_access_that_was_granted_is_renewed(self, visit: Visit) -> None:
        rig = visit.rig
        url, state = visit.begin()
        account = visit.finish(state, consented(url))
        if not isinstance(rig.network, CanRefresh):
            assert not rig.network.grant(rig.kit.vault().get(account.id)).is_renewable
            return
        before = rig.kit.vault().get(account.id)
        rig.server.emulators[rig.network.name].expire_tokens()
        try:
            rig.kit.recent(account.label)
        except NetworkError as error:
            raise AssertionError(f"Expired access was not renewed: {error.message}") from error
        after = rig.kit.vault().get(account.id)
        assert after != before, "The renewed access is not in the vault."

    def test_access_that_is_removed_is_ended_at_the_network(self, visit: Visit) -> None:
        rig = visit.rig
        url, state = visit.begin()
        account = visit.finish(state, consented(url))
        fields = rig.kit.vault().get(account.id)
        if visit.terms.revoke is None:
            pytest.skip(f"{rig.network.title} has no way to end access")
        rig.kit.remove_account(account.label)
        with pytest.raises((NeedsLogin, Refused)):
            rig.kit.connect(
                rig.network.name,
                {
                    name: value
                    for name, value in fields.items()
                    if name in {f.name for row in rig.network.credentials for f in row.fields}
                },
                name="stolen",
                endpoint=account.endpoint,
            )


def has_token(answer: requests.Response) -> bool:
    try:
        return bool(answer.json().get("access_token"))
    except (ValueError, AttributeError):
        return False


def ask_for_token(visit: Visit, url: str, form: Mapping[str, str]) -> requests.Response:
    query = dict(parse_qsl(urlsplit(url).query))
    mine = visit.rig.server.accounts()[0]
    address = mine.endpoint.rstrip("/") + urlsplit(visit.terms.token).path
    secret = visit.app.get("client_secret", "")
    auth = (query["client_id"], secret) if secret and visit.terms.proof == "basic" else None
    data = {
        **form,
        "client_id": query["client_id"],
        **({"client_secret": secret} if secret else {}),
    }
    headers = dict(visit.terms.headers)
    return requests.post(address, data=data, auth=auth, headers=headers, timeout=15)
