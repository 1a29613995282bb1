# SPDX-License-Identifier: Apache-2.0
"""Machine code as text and as a class of instructions, for profiles and traces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum


class Group(str, Enum):
    """What an instruction mix distinguishes."""

    LOAD = "load"
    STORE = "store"
    BRANCH = "branch"
    JUMP = "jump or call"
    MULTIPLY = "multiply"
    DIVIDE = "divide"
    DOT = "SIMD dot product"
    SIMD = "other SIMD"
    LOOP = "hardware loop"
    FLOAT = "floating point"
    SYSTEM = "CSR or system"
    ALU = "ALU"


@dataclass(frozen=True)
class Instruction:
    """One instruction: `mnemonic operands`, and its class."""

    mnemonic: str
    operands: str
    group: Group

    @property
    def text(self) -> str:
        """The line of a listing."""
        return f"{self.mnemonic} {self.operands}".rstrip()


@dataclass(frozen=True)
class Disassembler:
    """A machine's language.

    `decode(code, pc)` reads the bytes of one instruction as they lie in memory, `size(code)` says
    from the first two how many they are, `register(name)` turns a simulator's name of a register
    (`x10`) into that of the assembler (`a0`).
    """

    decode: Callable[[bytes, int], Instruction]
    size: Callable[[bytes], int]
    register: Callable[[str], str]


def unknown(code: bytes) -> Instruction:
    """Bytes that are no instruction known here."""
    width = 2 * len(code)
    text = f"0x{int.from_bytes(code, 'little'):0{width}x}"
    return Instruction(".word" if len(code) > 2 else ".short", text, Group.SYSTEM)


def named(names: Sequence[str], prefix: str) -> dict[str, str]:
    """A table from `prefix`0... to names."""
    return {f"{prefix}{number}": name for number, name in enumerate(names)}
