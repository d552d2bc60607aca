"""The key of the vault: missing, none, or another one."""

from __future__ import annotations

import pytest

from .program import Program
from .test_connect import endpoint_of, token_of


def test_without_a_key_nothing_is_kept(postkit: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POSTKIT_KEY")
    given = [
        "--endpoint",
        endpoint_of(postkit),
        "--credential",
        f"access_token={token_of(postkit)}",
    ]
    said = postkit.fails(1, "connect", "mastodon", *given)
    assert said.startswith("There is no key to encrypt secrets with; run `postkit connect`")
    result = postkit("connect", "mastodon", *given, "--make-key")
    assert result.status == 0, result.err
    assert "Made the vault's key" in result.err
    key = postkit.home / "key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert postkit("publish", "Hi", "--to", "mastodon").status == 0
    key.unlink()
    said = postkit.fails(1, "publish", "Ho", "--to", "mastodon")
    assert said.startswith(f"The key of {postkit.home / 'vault'} is missing: put back {key}")


@pytest.mark.parametrize("key", ["short", "!!!", "A" * 43 + "é"])
def test_a_key_that_is_none(postkit: Program, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("POSTKIT_KEY", key)
    said = postkit.fails(1, "connect", "mastodon", "--credential", "access_token=abcdefgh")
    assert said.startswith("POSTKIT_KEY is not 32 bytes in base64")


def test_another_key_opens_nothing(mastodon: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTKIT_KEY", "b" * 43 + "=")
    before = (mastodon.home / "vault").read_bytes()
    said = mastodon.fails(1, "publish", "Hi", "--to", "mastodon")
    assert "was made with another key; give the key that made it" in said
    assert (mastodon.home / "vault").read_bytes() == before
    assert "Nothing has been published" in mastodon("list").err
