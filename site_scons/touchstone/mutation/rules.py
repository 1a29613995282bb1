# SPDX-License-Identifier: Apache-2.0
"""Mutants that are equivalent whatever the data, shown from the machine code alone.

One rule, because one is sound without knowing more than the instruction and its neighbours: a
branch that goes to no-operations which end where the original goes. Compilers pad the beginnings of
loops, so that a bit of a branch's distance often leads into the padding. What it may change is the
time that the no-operations take, which the baselines see.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from touchstone.disassembly import Disassembler
from touchstone.mutation.code import Place
from touchstone.mutation.operators import Change

_TARGET = re.compile(r"^(?P<before>.*?)#?(?P<address>0x[0-9a-f]+|\d+)$")
# Branches, and nothing else whose last operand is an address.
_BRANCHES = re.compile(
    r"(b(eq|ne|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?(\.w)?|cbn?z"
    r"|b(eq|ne|lt|ge|ltu|geu|eqz|nez|lez|gez|ltz|gtz)|c\.(j|beqz|bnez)|j|p\.b(eq|ne)imm)$"
)
_NOTHING = ("nop", "nop.w", "c.nop")


def shown_equivalent(
    place: Place, change: Change, function: Sequence[Place], language: Disassembler
) -> str | None:
    """Why the change of `place`, an instruction of `function`, changes nothing; None: unknown."""
    before = language.decode(place.code, place.offset)
    after = language.decode(change.code, place.offset)
    if before.mnemonic != after.mnemonic or not _BRANCHES.match(before.mnemonic):
        return None
    wanted, found = _TARGET.match(before.operands), _TARGET.match(after.operands)
    if wanted is None or found is None or wanted["before"] != found["before"]:
        return None
    texts = {each.offset: each for each in function}
    if _leads_to(texts, int(found["address"], 0), int(wanted["address"], 0)):
        return "goes to no-operations in front of where it went"
    return None


def _leads_to(places: Mapping[int, Place], start: int, end: int) -> bool:
    """Whether nothing but no-operations lies from `start` to `end`."""
    at = start
    while at < end:
        place = places.get(at)
        if place is None or place.text not in _NOTHING:
            return False
        at += len(place.code)
    return at == end
