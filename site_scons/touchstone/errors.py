# SPDX-License-Identifier: Apache-2.0
"""Bad input, said in one line: where, what was found, what is allowed, the nearest valid name."""

from __future__ import annotations

from collections.abc import Iterable


class UserError(Exception):
    """Something the user can mend. Its text is one line; the process ends with status 2."""

    def __str__(self) -> str:
        # Names in it are somebody's: they may hold line ends, or what a terminal would obey.
        text = super().__str__()
        if text.isprintable():
            return text
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` is most likely a slip of, None where nothing is close."""
    # Imported here: difflib costs milliseconds, and a run without errors never needs it.
    import difflib

    # Sorted, so that equally close candidates give the same answer whatever their order.
    names = {candidate.lower(): candidate for candidate in sorted(candidates, reverse=True)}
    close = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.55)
    return names[close[0]] if close else None


def unknown(where: str, name: str, allowed: Iterable[str]) -> str:
    """The one line for a name that does not exist, with what is allowed and the nearest."""
    names = sorted(allowed)
    close = nearest(name, names)
    hint = f"; did you mean {close}?" if close else ""
    return f"{where}: found {name!r}, allowed {', '.join(names) or 'nothing'}{hint}"
