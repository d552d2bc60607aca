"""The emulator against the facts, with raw requests: no plugin, no praw."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from postkit_reddit.emulator import RedditEmulator
from postkit_reddit.emulator.markup import shown

from postkit.emulator.server import EmulatorServer

AGENT = "linux:emulator-test:1 (by /u/nobody)"


class Site:
    """Raw calls with a bearer token."""

    def __init__(self, server: EmulatorServer, emulator: RedditEmulator) -> None:
        self.server = server
        self.root = emulator.endpoint(server.url)
        self.credentials = emulator.credentials()
        self.http = requests.Session()
        self.http.headers["User-Agent"] = AGENT
        body = self.login(self.credentials["refresh_token"]).json()
        self.http.headers["Authorization"] = f"bearer {body['access_token']}"

    def login(self, refresh_token: str, secret: str | None = None) -> requests.Response:
        pair = (self.credentials["client_id"], secret or self.credentials["client_secret"])
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        headers = {"User-Agent": AGENT, "Authorization": ""}
        url = f"{self.root}/api/v1/access_token"
        return requests.post(url, form, headers=headers, auth=pair, timeout=5)

    def get(self, path: str, **query: str) -> requests.Response:
        return self.http.get(f"{self.root}{path}", params=query, timeout=5)

    def post(self, path: str, **form: str) -> requests.Response:
        return self.http.post(f"{self.root}{path}", data=form, timeout=5)

    def submit(self, **form: str) -> Any:
        base = {"api_type": "json", "kind": "self", "sr": "test", "title": "Hi", "text": "x"}
        return self.post("/api/submit/?raw_json=1", **{**base, **form}).json()["json"]


@pytest.fixture
def site(server: EmulatorServer, emulator: RedditEmulator) -> Iterator[Site]:
    site = Site(server, emulator)
    yield site
    site.http.close()


def test_a_login_answers_as_oauth_does(site: Site) -> None:
    body = site.login(site.credentials["refresh_token"]).json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 86_400)


def test_a_wrong_login_is_refused(site: Site) -> None:
    assert site.login("wrong").status_code == 400
    assert site.login(site.credentials["refresh_token"], "wrong").status_code == 401


def test_a_dead_token_is_a_401_of_the_api(site: Site, emulator: RedditEmulator) -> None:
    emulator.expire_tokens()
    answer = site.get("/api/v1/me")
    assert answer.status_code == 401
    assert answer.json() == {"message": "Unauthorized", "error": 401}
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_library_user_agent_is_throttled(site: Site) -> None:
    site.http.headers["User-Agent"] = "python-requests/2.34.2"
    answer = site.get("/api/v1/me")
    assert answer.status_code == 429
    assert answer.headers["content-type"].startswith("text/html")


def test_the_window_is_told_and_kept(site: Site) -> None:
    first = site.get("/api/v1/me").headers
    assert first["x-ratelimit-remaining"] == "999.0"
    assert first["x-ratelimit-used"] == "1"
    assert 0 < int(first["x-ratelimit-reset"]) <= 600
    site.server.set("reddit", "calls", 2)
    assert site.get("/api/v1/me").headers["x-ratelimit-remaining"] == "0.0"
    over = site.get("/api/v1/me")
    assert over.status_code == 429
    assert over.json() == {"message": "Too Many Requests", "error": 429}
    assert int(over.headers["retry-after"]) > 0


def test_a_text_post_answers_with_id_and_permalink(site: Site) -> None:
    answer = site.submit(title="Hello world", text="x")
    assert answer["errors"] == []
    data = answer["data"]
    assert data["name"] == f"t3_{data['id']}"
    assert data["drafts_count"] == 0
    assert data["url"].endswith(f"/r/test/comments/{data['id']}/hello_world/")
    assert site.http.get(data["url"], timeout=5).status_code == 200


@pytest.mark.parametrize("path", ["/api/submit", "/api/submit/"])
def test_both_spellings_of_a_path_work(site: Site, path: str) -> None:
    form = {"kind": "self", "sr": "test", "title": "t", "text": ""}
    assert site.post(path, **form).json()["json"]["errors"] == []


@pytest.mark.parametrize(
    ("form", "code", "field"),
    [
        ({"sr": "nosuchplace"}, "SUBREDDIT_NOEXIST", "sr"),
        ({"sr": "x"}, "SUBREDDIT_NOEXIST", "sr"),
        ({"title": ""}, "NO_TEXT", "title"),
        ({"title": "x" * 301}, "TOO_LONG", "title"),
        ({"text": "x" * 40_001}, "TOO_LONG", "text"),
        ({"sr": "linksonly"}, "NO_SELFS", "sr"),
        ({"kind": "link", "url": ""}, "NO_URL", "url"),
        ({"kind": "link", "url": "ftp://example.com"}, "BAD_URL", "url"),
        ({"kind": "image", "url": "https://example.com/a.png"}, "BAD_URL", "url"),
        ({"flair_id": "none"}, "BAD_FLAIR_TEMPLATE_ID", "flair"),
        ({"sr": "flaired"}, "SUBMIT_VALIDATION_FLAIR_REQUIRED", "flair"),
    ],
)
def test_errors_are_in_band(site: Site, form: dict[str, str], code: str, field: str) -> None:
    ((got, message, where),) = site.submit(**form)["errors"]
    assert (got, where) == (code, field)
    assert message
    assert site.server.posts("reddit") == []


@pytest.mark.parametrize("form", [{"title": "x" * 300}, {"text": "x" * 40_000}])
def test_the_maximum_itself_is_taken(site: Site, form: dict[str, str]) -> None:
    assert site.submit(**form)["errors"] == []


def test_a_known_link_is_refused_only_without_resubmit(site: Site) -> None:
    form = {"kind": "link", "url": "https://example.com/"}
    assert site.submit(**form)["errors"] == []
    assert site.submit(**form, resubmit="True")["errors"] == []
    assert site.submit(**form, resubmit="False")["errors"][0][0] == "ALREADY_SUB"
    assert site.submit(**form, sr="other", resubmit="False")["errors"] == []


def test_a_pause_is_asked_for_in_band(site: Site) -> None:
    site.server.set("reddit", "break_minutes", 7)
    code, message, field = site.submit()["errors"][0]
    assert (code, field) == ("RATELIMIT", "ratelimit")
    assert "Take a break for 7 minutes before trying again." in message


def test_a_refused_create_uses_up_no_fault(site: Site) -> None:
    site.server.add_fault("reddit", "status")
    assert site.submit(title="")["errors"]
    answer = site.post("/api/submit/", kind="self", sr="test", title="t", text="")
    assert answer.status_code == 503
    assert "<html>" in answer.text


def test_other_kinds_are_not_emulated_and_say_so(site: Site) -> None:
    answer = site.post("/api/submit/", kind="videogif", sr="test", title="t")
    assert answer.status_code == 501
    assert "videogif" in answer.json()["postkit_emulator"]
    assert site.get("/api/v1/me/karma").status_code == 501


def lease(site: Site, mime: str = "image/png") -> Any:
    return site.post("/api/media/asset.json", filepath="a.png", mimetype=mime).json()


def store(site: Site, leased: Any, data: bytes) -> requests.Response:
    fields = {field["name"]: field["value"] for field in leased["args"]["fields"]}
    files = {"file": ("a.png", data)}
    return requests.post(f"{site.root}/", data=fields, files=files, timeout=20)


def test_an_upload_is_a_lease_and_a_form(site: Site, picture: Any) -> None:
    leased = lease(site)
    assert leased["args"]["action"] == "//reddit-uploaded-media.s3-accelerate.amazonaws.com"
    answer = store(site, leased, picture().read())
    assert answer.status_code == 201
    root = ET.fromstring(answer.text)
    assert root.tag == "PostResponse"
    assert str(root.findtext("Location")).startswith("https://reddit-uploaded-media.")


def test_a_large_upload_is_refused_in_xml(site: Site) -> None:
    answer = store(site, lease(site), bytes(20_000_001))
    root = ET.fromstring(answer.text)
    assert answer.status_code == 400
    assert [child.tag for child in root] == ["Code", "Message", "ProposedSize", "MaxSizeAllowed"]
    assert root.findtext("Code") == "EntityTooLarge"


def test_an_upload_without_a_lease_is_refused(site: Site) -> None:
    assert requests.post(f"{site.root}/", data={"key": "x"}, timeout=5).status_code == 403
    wrong = site.post("/api/media/asset.json", filepath="a.txt", mimetype="text/plain")
    assert wrong.status_code == 400


@pytest.mark.parametrize(("good", "count"), [(True, 1), (False, 0)])
def test_a_picture_post_tells_no_id(site: Site, picture: Any, good: bool, count: int) -> None:
    leased = lease(site)
    store(site, leased, picture().read() if good else b"no picture")
    fields = {field["name"]: field["value"] for field in leased["args"]["fields"]}
    url = f"https:{leased['args']['action']}/{fields['key']}"
    answer = site.submit(kind="image", url=url)
    assert answer["errors"] == []
    assert set(answer["data"]) == {"user_submitted_page", "websocket_url"}
    children = site.get("/user/postkit_emulated/submitted").json()["data"]["children"]
    assert len(children) == count
    for child in children:
        assert child["data"]["post_hint"] == "image"
        assert leased["asset"]["asset_id"] in child["data"]["url"]


@pytest.mark.parametrize(("count", "code"), [(1, "BAD_GALLERY_SIZE"), (21, "BAD_GALLERY_SIZE")])
def test_a_gallery_has_two_to_twenty(site: Site, picture: Any, count: int, code: str) -> None:
    leased = lease(site)
    store(site, leased, picture().read())
    item = {"media_id": leased["asset"]["asset_id"], "caption": "", "outbound_url": ""}

    def gallery(number: int, caption: str = "") -> Any:
        items = [{**item, "caption": caption} for _ in range(number)]
        body = {"sr": "test", "title": "t", "items": items, "api_type": "json"}
        url = f"{site.root}/api/submit_gallery_post.json"
        return site.http.post(url, json=body, timeout=5).json()["json"]

    assert gallery(count)["errors"][0][0] == code
    assert gallery(2, "x" * 181)["errors"][0][0] == "TOO_LONG"
    data = gallery(20, "x" * 180)["data"]
    assert data["id"].removeprefix("t3_") in data["url"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"options": ["Tea"]}, "BAD_POLL_OPTIONS"),
        ({"options": list("abcdefg")}, "BAD_POLL_OPTIONS"),
        ({"options": ["Tea", " "]}, "NO_TEXT"),
        ({"options": ["Tea", "x" * 121]}, "TOO_LONG"),
        ({"duration": 0}, "BAD_POLL_DURATION"),
        ({"duration": 8}, "BAD_POLL_DURATION"),
        ({"duration": "3"}, "BAD_POLL_DURATION"),
        ({"title": ""}, "NO_TEXT"),
    ],
)
def test_a_poll_has_two_to_six_options_and_one_to_seven_days(
    site: Site, body: dict[str, Any], code: str
) -> None:
    whole = {"sr": "test", "title": "t", "text": "", "options": ["Tea", "Coffee"], "duration": 7}
    url = f"{site.root}/api/submit_poll_post"
    assert (
        site.http.post(url, json={**whole, **body}, timeout=5).json()["json"]["errors"][0][0]
        == code
    )
    answer = site.http.post(url, json=whole, timeout=5).json()["json"]
    assert answer["errors"] == []
    assert set(answer["data"]) == {"url", "id"}
    (child,) = site.get("/user/postkit_emulated/submitted").json()["data"]["children"]
    data = child["data"]
    assert data["name"] == answer["data"]["id"]
    assert data["is_self"] is True
    assert data["selftext"] == f"[View Poll](https://www.reddit.com/poll/{data['id']})"
    assert [option["text"] for option in data["poll_data"]["options"]] == ["Tea", "Coffee"]


def test_lists_escape_unless_raw_json_is_asked_for(site: Site) -> None:
    site.submit(title="a < b & c", text="x > y")
    path = "/user/postkit_emulated/submitted"
    (escaped,) = site.get(path).json()["data"]["children"]
    (raw,) = site.get(path, raw_json="1").json()["data"]["children"]
    assert escaped["data"]["title"] == "a &lt; b &amp; c"
    assert (raw["data"]["title"], raw["data"]["selftext"]) == ("a < b & c", "x > y")
    assert raw["kind"] == "t3"
    assert raw["data"]["created_utc"] == int(raw["data"]["created_utc"])


def test_lists_are_newest_first_and_paged(site: Site) -> None:
    for number in range(3):
        site.submit(title=f"number {number}")
    path = "/user/postkit_emulated/submitted/"
    page = site.get(path, limit="2").json()["data"]
    assert [child["data"]["title"] for child in page["children"]] == ["number 2", "number 1"]
    rest = site.get(path, limit="2", after=page["after"]).json()["data"]
    assert [child["data"]["title"] for child in rest["children"]] == ["number 0"]
    assert rest["after"] is None
    assert site.get("/user/somebody/submitted").status_code == 404


def test_info_comments_and_delete(site: Site) -> None:
    data = site.submit()["data"]
    (child,) = site.get("/api/info", id=data["name"]).json()["data"]["children"]
    assert child["data"]["num_comments"] == 0
    assert len(site.get(f"/comments/{data['id']}").json()) == 2
    for _ in range(2):
        assert site.post("/api/del/", id=data["name"]).json() == {}
    assert site.get(f"/comments/{data['id']}").status_code == 404
    assert site.get("/api/info", id=data["name"]).json()["data"]["children"] == []


def test_flairs_and_requirements(site: Site) -> None:
    choices = site.post("/r/postkit_demo/api/flairselector/", is_newlink="True").json()["choices"]
    assert [choice["flair_text"] for choice in choices] == ["News", "Release"]
    templates = site.get("/r/postkit_demo/api/link_flair_v2").json()
    assert [t["id"] for t in templates] == [c["flair_template_id"] for c in choices]
    assert site.get("/api/v1/test/post_requirements").json()["is_flair_required"] is False
    assert site.get("/api/v1/flaired/post_requirements").json()["is_flair_required"] is True
    assert site.get("/api/v1/nosuch/post_requirements").status_code == 404
    private = site.get("/api/v1/private_place/post_requirements")
    assert private.json() == {"message": "Forbidden", "error": 403, "reason": "private"}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain", "plain"),
        ("one\ntwo", "one two"),
        ("one  \ntwo", "one\ntwo"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("**bold** and *slanted*", "bold and slanted"),
        (r"\*kept\*", "*kept*"),
        ("# heading", "heading"),
        (r"\# no heading", "# no heading"),
        ("> said", "said"),
        ("snake_case_name", "snake_case_name"),
        ("_slanted_", "slanted"),
        ("https://example.com/_a_*b*", "https://example.com/_a_*b*"),
        ("[here](https://example.com/)", "here (https://example.com/)"),
        ("a &lt; b &amp;amp;", "a < b &amp;"),
        ("x^2", "x2"),
        ("---", ""),
    ],
)
def test_readers_see_markdown_resolved(source: str, text: str) -> None:
    assert shown(source) == text


@pytest.mark.parametrize("piece", ["\n", "*", "**x ", "[", "`", "~~", "_ ", "\\", "- ", "^"])
def test_long_runs_are_resolved_quickly(piece: str) -> None:
    started = time.perf_counter()
    shown(("x" + piece * 40_000)[:40_000])
    assert time.perf_counter() - started < 5


def test_a_picture_takes_its_time(site: Site, picture: Any) -> None:
    site.server.set("reddit", "processing", 0.3)
    leased = lease(site)
    store(site, leased, picture().read())
    key = next(field["value"] for field in leased["args"]["fields"] if field["name"] == "key")
    url = f"https:{leased['args']['action']}/{key}"
    assert site.submit(kind="image", url=url)["errors"] == []
    assert site.submit(title="Text")["errors"] == []
    assert [post.title for post in site.server.posts()] == ["Text"]
    time.sleep(0.35)
    assert [post.title for post in site.server.posts()] == ["Text", "Hi"]


def test_a_text_in_another_format_is_not_emulated(site: Site) -> None:
    answer = site.post("/api/submit", kind="self", sr="test", title="t", richtext_json="{}")
    assert answer.status_code == 501
    assert site.server.posts() == []
