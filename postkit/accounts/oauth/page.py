"""What the browser shows when it comes back."""

from __future__ import annotations

from ...pages.markup import escape

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>postkit</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1.125rem/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh;
  display: grid; place-items: center; background: Canvas; color: CanvasText; }}
main {{ max-width: 30rem; padding: 2rem; border-top: .3rem solid {colour}; }}
h1 {{ font-size: 1.25rem; margin: 0 0 .5rem; }}
p {{ margin: 0; }}
</style></head>
<body><main><h1>{title}</h1><p>{sentence}</p></main></body></html>
"""


def page(sentence: str, *, is_good: bool) -> bytes:
    """A whole page, without anything from outside, and without the answer's code."""
    return _PAGE.format(
        colour="#1a7f37" if is_good else "#b35900",
        title="postkit has the answer" if is_good else "postkit did not take this",
        sentence=escape(sentence),
    ).encode()
