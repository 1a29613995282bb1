# SPDX-License-Identifier: Apache-2.0
"""Why mutants change nothing: the committed arguments, each held to the code that it is about.

An argument about machine code names the mutant and a digest of the function's code. When the
function changes the argument no longer counts until somebody has looked at it again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from touchstone.errors import UserError
from touchstone.mutation.code import Place

DIGEST_DIGITS = 12
# Their operands say where something else lies, which is not the function's own code.
_CALLS = ("bl", "blx", "jal", "jalr", "c.jal")
# Halves of an address: RISC-V's upper one, whose register the lower one is added to soon after (or
# is the offset of an access), and the ARM pair.
_UPPER = ("auipc", "lui", "c.lui")
_HALVES = ("movw", "movt")
_SOON = 8
_NUMBER = re.compile(r"-?\b(?:0x[0-9a-f]+|\d+)\b")
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
    """What an argument about a mutant of this function holds for: its code, wherever it lies and
    whatever it calls and refers to lies."""
    lines: list[str] = []
    addresses: dict[str, int] = {}  # register -> for how many instructions it may be half of one
    for place in places:
        if place.function != function:
            continue
        mnemonic, _, operands = place.text.partition(" ")
        if mnemonic in _CALLS:
            lines.append(mnemonic)
        elif mnemonic in (*_UPPER, *_HALVES):
            register = operands.partition(",")[0]
            lines.append(f"{mnemonic} {register}")
            if mnemonic in _UPPER:
                addresses[register] = _SOON
                continue
        else:
            halves = any(re.search(rf"\b{register}\b", operands) for register in addresses)
            lines.append(_NUMBER.sub("#", place.text) if halves else place.text)
        addresses = {name: left - 1 for name, left in addresses.items() if left > 1}
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:DIGEST_DIGITS]


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
