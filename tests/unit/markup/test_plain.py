"""A post file's Markdown as plain text, pinned by texts written by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postkit.markup.plain import plain
from postkit.markup.tree import MAX_DEPTH, TooDeep

EMPHASIS = "emphasis is shown as plain text"
CODE = "code is shown as plain text"
EMPHASIS_AND_CODE = "emphasis and code are shown as plain text"
BOTH = "emphasis and strikethrough are shown as plain text"
TABLES = "tables are shown as plain text"
LINKS = "links stand behind their words"

CASES: tuple[tuple[str, str, str], ...] = (
    ("plain, with 5 * 3 * 2 and snake_case", "plain, with 5 * 3 * 2 and snake_case", ""),
    ("*a* **b** _c_ __d__", "a b c d", EMPHASIS),
    ("***a** b* and a*b*c", "a b and abc", EMPHASIS),
    ("~~bad~~ good", "bad good", "strikethrough is shown as plain text"),
    ("run `a*b*` now", "run a*b* now", CODE),
    ("```python\nx = '*a*'\n```", "x = '*a*'", CODE),
    ("    x *y*\n\nz", "x *y*\n\nz", CODE),
    ("# We *ship*\nToday", "We ship\nToday", "headings and emphasis are shown as plain text"),
    ("Title\n===\ntext", "Title\ntext", "headings are shown as plain text"),
    ("#launch and 1.5 and -5", "#launch and 1.5 and -5", ""),
    ("- a\n- b\n\nc", "• a\n• b\n\nc", ""),
    ("Text:\n* a\n+ b", "Text:\n• a\n• b", ""),
    ("- a\n\n  more\n\n- b", "• a\n\n  more\n\n• b", ""),
    ("- a\n  - b\n    - c\n- d", "• a\n  • b\n    • c\n• d", ""),
    ("3. a\n4. b", "3. a\n4. b", ""),
    ("1. a\n1. b\n1) c", "1. a\n2. b\n1) c", ""),
    ("2026. A good year\nfor us", "2026. A good year\nfor us", ""),
    ("2026\\. A year", "2026. A year", ""),
    ("> a *b*\n> c\n>\n> d", "> a b\n> c\n>\n> d", EMPHASIS),
    ("> - a\n>   - b", "> • a\n>   • b", ""),
    ("a  \nb\\\nc\nd", "a\nb\nc\nd", ""),
    ("a\n\n\n\nb *c*", "a\n\n\n\nb c", EMPHASIS),
    ("a\n\n***\n\nb", "a\n\n———\n\nb", ""),
    (r"\*kept\* \_too\_ \# \- \\", r"*kept* _too_ # - " + "\\", ""),
    ("&amp; &copy; &#x1F680; &nosuch; &", "& © 🚀 &nosuch; &", ""),
    ("<b>x</b> 3 < 4 <3 <!-- x -->", "<b>x</b> 3 < 4 <3 <!-- x -->", ""),
    ("[docs](https://e.com/a_b_)", "docs (https://e.com/a_b_)", LINKS),
    ("[**docs**](https://e.com/ä)", "docs (https://e.com/ä)", f"{EMPHASIS}; {LINKS}"),
    ('[docs](https://e.com "All of it")', "docs (All of it: https://e.com)", LINKS),
    ("[https://e.com](https://e.com/)", "https://e.com", ""),
    ("[e.com](https://e.com) [](https://e.org)", "e.com https://e.org", ""),
    ("<https://bücher.de/ä> <me@e.com>", "https://bücher.de/ä me@e.com", ""),
    ("[a][b] [c]\n\n[b]: https://e.com", "a (https://e.com) [c]", LINKS),
    ("[B]\n\n[b]: https://e.com 'All'\nx", "B (All: https://e.com)\nx", LINKS),
    ("[a][b]\n\n[c]: https://e.com", "[a][b]\n\n[c]: https://e.com", ""),
    ("[b]\n\n[b]: https://e.com\n[b]: /x", "[b]\n\n[b]: https://e.com\n[b]: /x", ""),
    ("|a|*b*|\n|-|:-:|\n|1|`\\|`|", "a | b\n1 | |", f"tables, {EMPHASIS_AND_CODE}"),
    ("a | b\n--|--\n1", "a | b\n1 |", TABLES),
    ("|a|b|\n|-|-|\n|1|2|3|", "|a|b|\n|-|-|\n|1|2|3|", ""),
    ("- |a|b|\n  |-|-|\n  ||1|2|", "• |a|b|\n|-|-|\n||1|2|", ""),
    ("@_sam_ #a_b_c https://e.com/_x_/*y*", "@_sam_ #a_b_c https://e.com/_x_/*y*", ""),
    ("example.com/_x_ *y*", "example.com/_x_ y", EMPHASIS),
    ("**https://e.com/a** _@bob_ (*#tag*)", "https://e.com/a @bob (#tag)", EMPHASIS),
    ("**「新版」**は*今日*です。**（注）**", "「新版」は今日です。（注）", EMPHASIS),
    ("我们**“新版”**发布了，*重要：*请~~（旧）~~看", "我们“新版”发布了，重要：请（旧）看", BOTH),
    ('**"새 버전"**을 **공개(오늘)**합니다', '"새 버전"을 공개(오늘)합니다', EMPHASIS),
    ("日本 * 語 * 5 *「 a ** b", "日本 * 語 * 5 *「 a ** b", ""),
    ("日本_語_と__語__", "日本_語_と__語__", ""),
    ("*שלום* **日本** _ไทย_", "שלום 日本 ไทย", EMPHASIS),
)


@pytest.mark.parametrize(("source", "text", "change"), CASES)
def test_case(source: str, text: str, change: str) -> None:
    shown = plain(source)
    assert (shown.text, shown.change) == (text, change)


def test_all_changes_are_one_sentence() -> None:
    assert plain("# a\n\n*b* `c` ~~d~~ [e](https://f.com)").change == (
        "headings, emphasis, code and strikethrough are shown as plain text;"
        " links stand behind their words"
    )


def test_what_is_nested_too_deep_is_refused_and_never_dropped() -> None:
    assert plain("> " * MAX_DEPTH + "a").text == "> " * MAX_DEPTH + "a"
    for deep in ("> " * 60, "- " * 60, "> " * 10_000, "> - " * 30):
        with pytest.raises(TooDeep):
            plain(deep + "a")


WORDS = st.sampled_from(
    (
        *("a", "b c", "*", "**", "_", "~~", "`", "\\", "[", "](", ")", "(", "<", ">", "\n", "\n\n"),
        *("- ", "1. ", "# ", "> ", "    ", "  ", "&amp;", "@x_y_", "https://e.com/_a_", "e.com/*"),
        *("```", "---", "===", "日", "ש", "👩\u200d🚀", "!", "\t", "|", '"'),
    )
)
LETTERS = str.maketrans("", "", "*_~`\\[]()<>#-=.•—&;!|\"'\n\t 1234567890:")


@settings(max_examples=500, deadline=None)
@given(st.lists(WORDS, max_size=30).map("".join))
def test_no_letter_is_lost(source: str) -> None:
    try:
        shown = plain(source).text
    except TooDeep:
        return
    # Entities change letters, and what follows the marks of a code block is its language.
    if "&" in source or "```" in source or "~~~" in source:
        return
    assert shown.translate(LETTERS) == source.translate(LETTERS)
