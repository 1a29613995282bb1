# SPDX-License-Identifier: Apache-2.0
"""Operators on machine code: one tool for every instruction set that has a disassembler here.

A mutant differs from its instruction in a single bit, and so is a neighbour of it: what the
disassembler prints says whether it is another opcode, another register or another immediate. The
fourth operator replaces the instruction by a no-operation of its size. Bits that change the size
of an instruction, that no disassembler understands or that mean nothing are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from touchstone.disassembly import Disassembler, Instruction

OPERATORS = ("opcode", "register", "immediate", "skip")
# No operation and an instruction that traps, by machine and size.
NOTHING = {
    "EM_RISCV": {2: b"\x01\x00", 4: b"\x13\x00\x00\x00"},
    "EM_ARM": {2: b"\x00\xbf", 4: b"\xaf\xf3\x00\x80"},
}
TRAP = {
    "EM_RISCV": {2: b"\x00\x00", 4: b"\xff\xff\xff\xff"},
    "EM_ARM": {2: b"\x00\xde", 4: b"\xf0\xf7\x00\xa0"},
}
_NUMBER = re.compile(r"(?<![\w])#?-?(?:0x[0-9a-f]+|\d+)\b")


@dataclass(frozen=True)
class Change:
    """What becomes of an instruction: the operator, the new bytes, and how they read."""

    operator: str
    code: bytes
    text: str


def changes(machine: str, language: Disassembler, code: bytes, pc: int) -> list[Change]:
    """All mutants of the instruction `code` at `pc`, in the order of their bits, `skip` last."""
    before = language.decode(code, pc)
    found = []
    for flipped in _flipped(code):
        if language.size(flipped[:2]) != len(code):
            continue
        after = language.decode(flipped, pc)
        kind = classify(before, after)
        if kind is not None:
            found.append(Change(kind, flipped, after.text))
    nothing = NOTHING[machine][len(code)]
    if nothing != code:
        found.append(Change("skip", nothing, language.decode(nothing, pc).text))
    return found


def _flipped(code: bytes) -> Iterator[bytes]:
    word = int.from_bytes(code, "little")
    for bit in range(8 * len(code)):
        yield (word ^ 1 << bit).to_bytes(len(code), "little")


def classify(before: Instruction, after: Instruction) -> str | None:
    """Which operator makes `after` of `before`; None where it is none of them."""
    if after.mnemonic.startswith(".") or after.text == before.text:
        return None
    if after.mnemonic != before.mnemonic:
        return "opcode"
    same_names = _NUMBER.sub("#", after.operands) == _NUMBER.sub("#", before.operands)
    return "immediate" if same_names else "register"


def offered(found: Sequence[Change]) -> dict[str, list[Change]]:
    """The changes by operator; an operator that has none is left out."""
    by_operator = {name: [item for item in found if item.operator == name] for name in OPERATORS}
    return {name: items for name, items in by_operator.items() if items}
