"""The word that somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """`" Did you mean 'launch'?"` with the nearest of `choices`, or `""` when none is near.

    Upper and lower case count as equal. The leading space lets the caller append it to a sentence.
    """
    import difflib

    by_folded = {choice.casefold(): choice for choice in sorted(choices, reverse=True)}
    near = difflib.get_close_matches(word.casefold(), sorted(by_folded), n=1, cutoff=0.6)
    return f" Did you mean {by_folded[near[0]]!r}?" if near else ""
