from __future__ import annotations

import base64
import copy
import html
import io
import json
import logging
import pickle
import re
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import asdict, dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postkit.accounts import secret as module
from postkit.accounts.secret import RedactingFilter, Redactor, Secret

CANARY = "pk_canary/7f+3a=&\"q'é"


def test_shows_nothing() -> None:
    secret = Secret(CANARY)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", f"{secret!r}", repr([secret])]
    assert shown == ["Secret(***)"] * 5 + ["[Secret(***)]"]
    assert secret.reveal() == CANARY


def test_cannot_be_pickled_copied_out_or_changed() -> None:
    @dataclass
    class Holder:
        token: Secret

    secret = Secret(CANARY)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled") as caught:
            pickle.dumps(secret, protocol)
        assert CANARY not in str(caught.value)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        vars(secret)
    for change in ("_value", "other"):
        with pytest.raises(AttributeError):
            setattr(secret, change, "x")
    with pytest.raises(AttributeError):
        del secret._value
    assert copy.deepcopy(secret) is secret
    assert CANARY not in repr(asdict(Holder(secret)))
    assert secret.reveal() == CANARY


def test_equal_by_value_and_to_no_text() -> None:
    assert Secret("abcdef") == Secret("abcdef")
    assert Secret("abcdef") != Secret("abcdeg")
    assert Secret("abcdef") != "abcdef"
    assert Secret("\udcff-lone") == Secret("\udcff-lone")
    assert len({Secret("abcdef"), Secret("abcdef"), Secret("é")}) == 2


def test_refuses_what_is_no_text_without_showing_it() -> None:
    with pytest.raises(TypeError, match="not bytes") as caught:
        Secret(b"pk_canary_bytes")  # type: ignore[arg-type]
    assert "canary" not in str(caught.value)


FORMS: list[Callable[[str], str]] = [
    str,
    urllib.parse.quote,
    lambda value: urllib.parse.quote(value, safe=""),
    lambda value: re.sub("%..", lambda found: found[0].lower(), urllib.parse.quote(value, safe="")),
    urllib.parse.quote_plus,
    json.dumps,
    lambda value: json.dumps(json.dumps({"a": value})),
    lambda value: json.dumps(value, ensure_ascii=False),
    lambda value: json.dumps(value).replace("/", "\\/"),
    repr,
    lambda value: repr(value.encode()),
    html.escape,
    lambda value: base64.b64encode(value.encode()).decode(),
    lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [CANARY, "plain-canary-value", "/+/+/+/+?", "ключ-от-дома"])
def test_redacts_every_form_of_a_known_secret(form: Callable[[str], str], value: str) -> None:
    Secret(value)
    written = form(value)
    around = f"before {written} after"
    redacted = Redactor.redact(around)
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    assert "***" in redacted
    assert written not in redacted
    assert written.strip("\"'b{}a: \\") not in redacted


@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "someone"])
def test_redacts_base64_at_each_offset(user: str) -> None:
    Secret("offset-canary-123456")
    encoded = base64.b64encode(f"{user}:offset-canary-123456:tail".encode()).decode()
    left = Redactor.redact(f"<{encoded}>")[1:-1].split("***")
    assert len(left) == 2
    for part in left:
        for start in range(4):
            piece = part[start:]
            decoded = base64.b64decode(piece[: len(piece) // 4 * 4])
            assert b"anary" not in decoded
            assert b"12345" not in decoded


def test_overlapping_secrets_leave_nothing_over() -> None:
    Secret("overlap-one-two")
    Secret("one-two-three-four")
    Secret("overlap-one-two-and-longer")
    assert Redactor.redact("[overlap-one-two-three-four]") == "[***]"
    assert Redactor.redact("[overlap-one-two-and-longer]") == "[***]"
    assert Redactor.redact("[overlap-one-twooverlap-one-two]").strip("[]*") == ""


def test_short_secrets_do_not_blank_out_words() -> None:
    Secret("the")
    Secret("")
    assert Redactor.redact("the other") == "the other"


def test_forgets_the_longest_unused_first(monkeypatch: pytest.MonkeyPatch) -> None:
    known = module._Known()
    monkeypatch.setattr(module, "_known", known)
    monkeypatch.setattr(module, "REMEMBERED", 3)
    first, *_ = [Secret(f"rotated-{number}") for number in range(3)]
    first.reveal()
    Secret("rotated-3")
    text = "rotated-0 rotated-1 rotated-2 rotated-3"
    assert Redactor.redact(text) == "*** rotated-1 *** ***"
    for number in range(10, 20):
        Secret(f"rotated-{number}")
    assert len(known._forms) == 3
    assert sum(map(len, known._by_start.values())) == len(set().union(*known._forms.values()))


PATTERNS = [
    ("https://h/p?x=1&access_token=EAAB&y=2", "https://h/p?x=1&access_token=***&y=2"),
    ("grant_type=refresh_token&refresh_token=zz", "grant_type=refresh_token&refresh_token=***"),
    ("redirect=https%3A%2F%2Fh%3Faccess_token%3Dab%26b", None),
    ("https://h/cb?code=ab&state=1", "https://h/cb?code=***&state=1"),
    ('{"access_token": "ab", "n": 7200}', '{"access_token": "***", "n": 7200}'),
    ('{"client_secret":"a\\"b","n":1}', '{"client_secret":"***","n":1}'),
    ('{"password": 123456}', '{"password": ***}'),
    ('{"access_token": ["ab"]}', '{"access_token": ["***"]}'),
    ("{'accessJwt': 'ab', 'n': 1}", "{'accessJwt': '***', 'n': 1}"),
    (
        '"{\\"app_password\\": \\"a\\\\\\"b\\", \\"n\\": 1}"',
        '"{\\"app_password\\": \\"***\\", \\"n\\": 1}"',
    ),
    ("Client(api_key='ab', n=1)", "Client(api_key='***', n=1)"),
    ("b'client_secret=ab'", "b'client_secret=***'"),
    ('{"refresh_token":"cut of', '{"refresh_token":"***'),
    ("password: hunter2", "password: ***"),
    ("Bearer ab.cd-ef", "Bearer ***"),
    ("authorization: bearer ab\r\nHost: h", "authorization: ***\r\nHost: h"),
    ('Authorization: OAuth oauth_signature="ab"\nHost: h', "Authorization: ***\nHost: h"),
    ("{'Authorization': 'Bearer ab', 'A': 'b'}", "{'Authorization': '***', 'A': 'b'}"),
    ("Basic dXNlcjpwYXNz", "Basic ***"),
    ("Set-Cookie: session=ab; Path=/", "Set-Cookie: ***"),
    ("http://proxy:ab@h:8080/", "http://proxy:***@h:8080/"),
]


@pytest.mark.parametrize(("text", "expected"), PATTERNS)
def test_redacts_what_looks_like_a_secret(text: str, expected: str | None) -> None:
    expected = expected or "redirect=https%3A%2F%2Fh%3Faccess_token%3D***%26b"
    assert Redactor.redact(text) == expected
    assert Redactor.redact(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "access_token: missing",
        "password: at least 8 characters",
        "use a Bearer token",
        'WWW-Authenticate: Bearer realm="h", error="invalid_token"',
        '{"error":"invalid_token","token_type": "bearer"}',
        "missing fields: 'access_token', 'refresh_token'",
        "Basic plan, status=400 code=190",
        "The token is not valid any more; connect the account again.",
    ],
)
def test_leaves_sentences_alone(text: str) -> None:
    assert Redactor.redact(text) == text


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = Redactor.redact(f'password="{text}" {text}')
    assert Redactor.redact(once) == once


@pytest.mark.parametrize(
    "text", ["a_" * 20_000, "token" * 8_000, "\\" * 40_000, '"token":"\\' * 4_000, "://a:" * 8_000]
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    start = time.process_time()
    Redactor.redact(text)
    assert time.process_time() - start < 3


def logged(log: Callable[[logging.Logger], None]) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s %(extra)s", defaults={"extra": ""}))
    handler.addFilter(RedactingFilter())
    logger = logging.Logger("canary")
    logger.addHandler(handler)
    log(logger)
    assert stream.getvalue()
    return stream.getvalue()


def test_log_records_are_redacted_wherever_the_secret_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    value = "pk_canary_log_0815"
    Secret(value)

    def raising(logger: logging.Logger) -> None:
        try:
            raise ValueError(f"no {value}") from KeyError(value)
        except ValueError:
            logger.exception("failed")

    records: list[Callable[[logging.Logger], None]] = [
        lambda logger: logger.error(f"direct {value}"),
        lambda logger: logger.error("argument %s %r", value, {"a": [value.encode()]}),
        lambda logger: logger.error("too few %s %s", value),
        lambda logger: logger.error("extra", extra={"extra": {"deep": [(value,)], value: 1}}),
        lambda logger: logger.error("percent %s 100%", value),
        raising,
    ]
    for record in records:
        written = logged(record)
        assert value not in written
        assert "***" in written
    assert "ValueError: no ***" in logged(raising)
    assert value not in "".join(capsys.readouterr())


def test_a_formatter_of_its_own_finds_no_exception_to_print() -> None:
    Secret("pk_canary_formatter")
    try:
        raise ValueError("pk_canary_formatter")
    except ValueError as error:
        record = logging.LogRecord("n", 40, "f", 1, "m", (), (ValueError, error, None))
    assert RedactingFilter().filter(record)
    assert record.exc_info is None
    assert record.exc_text == "ValueError: ***"


@pytest.mark.parametrize("few", [0, 1_000])
def test_a_secret_is_found_however_many_are_known(
    monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(module, "FEW", few)
    secret = Secret("pk_canary_one_of_many")
    assert Redactor.redact(f"a line with {secret.reveal()} in it") == "a line with *** in it"
    assert Redactor.redact("a line with nothing in it") == "a line with nothing in it"


@pytest.mark.parametrize(
    "name",
    [
        *("token", "secret", "password", "passwd", "passphrase", "jwt", "api_key", "apikey"),
        *("private_key", "privatekey", "signature", "proof", "verifier", "assertion"),
        *("client_assertion", "OAUTH_SIGNATURE", "accessJwt", "acceſſ_toKen", "aſſertıon"),
    ],
)
def test_a_name_is_enough_for_its_value_to_be_masked(name: str) -> None:
    """Each alone in its text, so that nothing else lets its pattern be tried."""
    for text in ('{{"{}": "v4lue"}}', "{}=v4lue", "{}: v4lue", "a {}='v4lue'"):
        assert "v4lue" not in Redactor.redact(text.format(name))


@pytest.mark.parametrize(
    "text",
    [
        *("Proxy-Authorization: v4lue", '{"cookie": "v4lue"}', "Cookie: v4lue", "BEARER v4lue"),
        *("bearer v4lue.v4lue.v4lue", "Basic dXNlcjpv4lue", "/cb?code=v4lue", "a://b:v4lue@c"),
        *("cooKie: v4lue", "baſic: \nBasic dXNlcjpv4lue"),
    ],
)
def test_a_header_or_address_is_enough(text: str) -> None:
    assert "v4lue" not in Redactor.redact(text)
