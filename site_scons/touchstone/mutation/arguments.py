# SPDX-License-Identifier: Apache-2.0
"""Why mutants change nothing: the committed arguments, each held to the code that it is about.

An argument about machine code names the mutant and a digest of the function's code. When the
function changes the argument no longer counts until somebody has looked at it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from touchstone.errors import UserError
from touchstone.mutation.code import Place

DIGEST_DIGITS = 12
# Their operands say how far away another function lies, which is not the function's own code.
_CALLS = ("bl", "blx", "jal", "jalr", "c.jal", "auipc")
_KEYS = ({"mutant", "because"}, {"mutant", "function", "because"})


@dataclass(frozen=True)
class Argument:
    """`function` is the digest of the function that it is about; empty for golden models."""

    because: str
    function: str = ""


def load_arguments(path: Path) -> dict[str, Argument]:
    """Mutants that change nothing that anybody can see, by name; UserError for a bad list."""
    document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    found: dict[str, Argument] = {}
    for entry in document.get("equivalents") or []:
        if set(entry) not in _KEYS:
            raise UserError(
                f"{path.name}: found {sorted(entry)}, allowed mutant, function and because"
            )
        name = str(entry["mutant"])
        if name in found:
            raise UserError(f"{path.name}: {name}: found twice")
        found[name] = Argument(str(entry["because"]), str(entry.get("function", "")))
    return found


def function_digest(places: Iterable[Place], function: str) -> str:
    """What an argument about a mutant of this function holds for."""
    lines = [_line(place) for place in places if place.function == function]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:DIGEST_DIGITS]


def _line(place: Place) -> str:
    mnemonic = place.text.partition(" ")[0]
    return mnemonic if mnemonic in _CALLS else f"{place.offset:#x} {place.text}"


def outdated(arguments: Mapping[str, Argument], firmwares: Mapping[str, list[Place]]) -> list[str]:
    """The arguments about functions that have changed or gone, of the firmwares given.

    A mutant's name is `FIRMWARE FUNCTION: TEXT #ORDINAL -> BYTES` (machine_code.Mutant).
    """
    found = []
    for name, argument in arguments.items():
        firmware, _, rest = name.partition(" ")
        if firmware not in firmwares or not argument.function:
            continue
        places = firmwares[firmware]
        function = rest.partition(":")[0]
        place = rest.rpartition(" -> ")[0]
        known = any(place == each.name for each in places)
        if not known or function_digest(places, function) != argument.function:
            found.append(name)
    return found
