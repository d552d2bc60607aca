"""The languages that a server knows; of any other it silently makes the account's own.

Mastodon's source, app/helpers/languages_helper.rb, of 2025 (checked 2026-11-29). A newer server
may know more.
"""

from __future__ import annotations

_CODES = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gu gv ha he hi ho hr ht hu hy hz ia id ie
ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv
mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm
rn ro ru rw sa sc sd se sg si sk sl sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt
tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
ast chr ckb cnr jbo kab ldn lfn sco sma smj szl tok xal zba zgh
zh-CN zh-HK zh-TW zh-YUE
"""
LANGUAGES = frozenset(_CODES.split())
"""As they are spelt in the API: ISO 639 in small letters, Chinese also by region."""

_SPELT = {code.lower(): code for code in LANGUAGES}


def known(lang: str) -> str | None:
    """The code that a server has for ``lang``, its region left out where it knows none."""
    return _SPELT.get(lang.lower()) or _SPELT.get(lang.partition("-")[0].lower())
