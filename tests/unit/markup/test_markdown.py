"""A post file's Markdown in a network's own, and plain text that a network reads as Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postkit.limits.entities import EntityRules
from postkit.markup.escape import escape
from postkit.markup.markdown import markdown
from postkit.markup.plain import plain

RULES = EntityRules(edges="spaced")

CASES: tuple[tuple[str, str], ...] = (
    ("*a* **b** _c_ __d__ ~~e~~", "*a* **b** *c* **d** ~~e~~"),
    (r"5 * 3 * 2 \*a\* x^2 a|b", r"5 \* 3 \* 2 \*a\* x\^2 a\|b"),
    ("one\ntwo  \nthree", "one  \ntwo  \nthree"),
    ("a\n\n\n\nb", "a\n\nb"),
    ("# Title *x*", "# Title *x*"),
    ("Title\nx\n===", "# Title x"),
    ("- a\n\n```\n``x\n```", "-   a\n\n```\n``x\n```"),
    ("#launch", r"\#launch"),
    ("Text:\n- a\n- b", "Text:\n\n-   a\n-   b"),
    ("- a\n  - b\n    1. c", "-   a\n    -   b\n        1.  c"),
    ("- a\n\n  b\n- c", "-   a\n\n    b\n\n-   c"),
    ("1) a\n2) b", "1.  a\n2.  b"),
    ("2026. A year", r"2026\. A year"),
    ("> a\n> b", "> a  \n> b"),
    ("```py\nx = *y*\n\nz\n```", "    x = *y*\n\n    z"),
    ("`a` ``b`c`` `` ` ``", "`a` ``b`c`` `` ` ``"),
    ("a\n\n___\n\nb", "a\n\n***\n\nb"),
    ("[docs](https://e.com/a_(b))", r"[docs](https://e.com/a_\(b\))"),
    ('[*docs*](https://e.com "a \\"b\\"")', r'[*docs*](https://e.com "a \"b\"")'),
    ("<https://e.com/_a_> and https://e.com/_b_", "https://e.com/_a_ and https://e.com/_b_"),
    ("[](https://e.com)", "[https://e.com](https://e.com)"),
    ("&lt;b&gt; &amp;amp; <i>", r"\<b\> &amp;amp; \<i\>"),
    ("@_sam_", r"@\_sam\_"),
    (
        "Now![docs](https://e.com) Hi! [e](https://e.com)!",
        "Now\\![docs](https://e.com) Hi! [e](https://e.com)!",
    ),
    ("[a][b]\n\n[b]: https://e.com 'x'", '[a](https://e.com "x")'),
    ("[a][b]\n\n[c]: https://e.com", r"\[a\]\[b\]" + "\n\n" + r"\[c\]: https://e.com"),
    ("a|*b*\n-|-:\n`\\|`|#c\n1", "| a | *b* |\n| --- | ---: |\n| `\\|` | \\#c |\n| 1 |  |"),
    ("> |a|\n> |:-:|\n> |b|", "> | a |\n> | :---: |\n> | b |"),
    ("|a|\n|-|\n|b|c|", "\\|a\\|  \n\\|-\\|  \n\\|b\\|c\\|"),
)


@pytest.mark.parametrize(("source", "written"), CASES)
def test_case(source: str, written: str) -> None:
    assert markdown(source, RULES) == written


PLAIN = ("*", "_", "`", "~~", "[x](y)", "> ", "# ", "- ", "1. ", "2026. ", "===", "---", "&amp;")
PIECES = st.sampled_from(
    (*PLAIN, "a", "b c", " ", "\n", "\n\n", "\\", "<b>", "|", "^", "    ", "日")
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=20).map("".join))
def test_plain_text_keeps_its_letters(text: str) -> None:
    shown = plain(escape(text, RULES))
    assert "".join(shown.text.split()) == "".join(text.split())
    assert shown.change == ""


INLINE = st.sampled_from(
    (
        "a",
        "*b*",
        "**c**",
        "~~d~~",
        "`e`",
        "[f](https://g.com/h_)",
        r"\*i\*",
        "5 * 3",
        "https://j.com/_k_",
    )
)
LINE = st.lists(INLINE, min_size=1, max_size=5).map(" ".join)
BLOCK = st.one_of(
    LINE,
    LINE.map(lambda line: f"# {line}"),
    st.lists(LINE, min_size=1, max_size=3).map(lambda lines: "\n".join(f"- {x}" for x in lines)),
    st.lists(LINE, min_size=1, max_size=3).map(lambda lines: "\n".join(f"> {x}" for x in lines)),
    LINE.map(lambda line: f"1. {line}\n   - {line}\n\n     {line}"),
    LINE.map(lambda line: f"```\n{line}\n```"),
    LINE.map(lambda line: f"|x|{line}|\n|-|:-|\n|{line}|y|"),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(BLOCK, min_size=1, max_size=5).map("\n\n".join))
def test_the_same_is_read_from_what_is_written(source: str) -> None:
    read, again = plain(source), plain(markdown(source, RULES))
    assert again.text.split() == read.text.split()
    assert again.change == read.change
    assert markdown(markdown(source, RULES), RULES) == markdown(source, RULES)
