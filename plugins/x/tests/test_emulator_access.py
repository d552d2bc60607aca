"""Who the emulator lets in, and how tokens end, rotate and sign."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import requests
from requests_oauthlib import OAuth1

if TYPE_CHECKING:
    from conftest import Api


def test_access(api: Api) -> None:
    def me(header: str) -> requests.Response:
        return api("GET", "/2/users/me", headers={"Authorization": header} if header else {})

    assert me(f"Bearer {api.token}").json()["data"]["username"] == "emulated"
    for header in ("", "Bearer ", "Bearer wrong", "Basic eDp5", "OAuth oauth_token=x"):
        assert api.refused(me(header), 401) == "Unauthorized"
    said = api.refused(
        me(f"Bearer {api.emulator.access.app_token}"), 403, "unsupported-authentication"
    )
    assert "Application-Only" in said
    api.emulator.expire_tokens()
    assert api.refused(me(f"Bearer {api.token}"), 401) == "Unauthorized"


def test_signatures_are_verified_and_work_once(api: Api) -> None:
    given = api.emulator.oauth1_credentials()

    def signed(secret: str = given["access_token_secret"], **more: str) -> dict[str, str]:
        auth = OAuth1(given["api_key"], given["api_secret"], given["access_token"], secret, **more)
        address = "https://api.x.com/2/users/me?user.fields=id%2Cname"
        prepared = requests.Request("GET", address, auth=auth).prepare()
        return {"Authorization": prepared.headers["Authorization"]}

    query = {"user.fields": "id,name"}
    headers = signed()
    assert api("GET", "/2/users/me", params=query, headers=headers).status_code == 200
    api.refused(api("GET", "/2/users/me", params=query, headers=headers), 401)
    api.refused(api("GET", "/2/users/me", headers=signed()), 401)
    api.refused(api("DELETE", "/2/tweets/1", params=query, headers=signed()), 401)
    api.refused(api("GET", "/2/users/me", params=query, headers=signed("wrong")), 401)
    for late in (-400, 400):
        headers = signed(timestamp=str(int(time.time()) + late))
        api.refused(api("GET", "/2/users/me", params=query, headers=headers), 401)


def test_refresh_tokens_work_once(api: Api) -> None:
    credentials = api.emulator.credentials()

    def renew(token: str, auth: Any = None, **more: str) -> requests.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, **more}
        url = api.base + "/2/oauth2/token"
        return requests.post(url, data=form, auth=auth, timeout=10)

    basic = (credentials["client_id"], credentials["client_secret"])
    first = renew(credentials["refresh_token"], basic)
    assert first.status_code == 200
    fresh = first.json()
    assert fresh["expires_in"] == 7200
    assert fresh["token_type"] == "bearer"
    assert fresh["refresh_token"] != credentials["refresh_token"]
    api.token = fresh["access_token"]
    assert api("GET", "/2/users/me").status_code == 200
    again = renew(credentials["refresh_token"], basic)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")
    wrong = renew(fresh["refresh_token"], (basic[0], "wrong"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "unauthorized_client")
    nobody = renew(fresh["refresh_token"], client_id=basic[0])
    assert (nobody.status_code, nobody.json()["error"]) == (401, "unauthorized_client")
    public = api.emulator.public_client_credentials()
    last = renew(public["refresh_token"], client_id=public["client_id"])
    assert last.status_code == 200


def test_access_lasts_two_hours(api: Api) -> None:
    end = api.emulator.access.tokens[api.token]
    assert timedelta(hours=2, seconds=-5) < end - datetime.now(UTC) <= timedelta(hours=2)


def test_credentials_are_canaries(api: Api) -> None:
    for given in (api.emulator.credentials(), api.emulator.oauth1_credentials()):
        for name, value in given.items():
            assert value.startswith("pk_canary_x_") == (name != "client_id")
