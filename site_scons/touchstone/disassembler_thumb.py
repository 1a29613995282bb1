# SPDX-License-Identifier: Apache-2.0
"""Disassembles Thumb-2 code of the Cortex-M4 and Cortex-M7 with capstone."""

from __future__ import annotations

import functools
import re
from typing import Any

from touchstone.disassembly import Disassembler, Group, Instruction, unknown
from touchstone.simulators.cortexm_decode import Kind, decode, thumb_size

_GROUPS = {
    Kind.DATA: Group.ALU,
    Kind.MULTIPLY: Group.MULTIPLY,
    Kind.DIVIDE: Group.DIVIDE,
    Kind.LOAD: Group.LOAD,
    Kind.STORE: Group.STORE,
    Kind.LOAD_MULTIPLE: Group.LOAD,
    Kind.STORE_MULTIPLE: Group.STORE,
    Kind.BRANCH: Group.JUMP,
    Kind.TABLE_BRANCH: Group.JUMP,
    Kind.FLOAT: Group.FLOAT,
    Kind.SYSTEM: Group.SYSTEM,
    Kind.UNKNOWN: Group.SYSTEM,
}
# Two products at once; several lanes at once (extensions of two bytes to halfwords, packing,
# lane-wise additions, saturation and selection).
_DUAL = re.compile(r"sm[lu][as]l?dx?$|smlsldx?$")
_LANES = re.compile(
    r"[su]xta?b16$|pkh(bt|tb)$|[su]?[qh]?(add|sub)(8|16)$|.*(asx|sax)$|[su]sat16$|sel$"
)
_NAMES = {"r9": "sb", "r10": "sl", "r11": "fp", "r12": "ip", "r13": "sp", "r14": "lr", "r15": "pc"}


@functools.cache
def _engine() -> Any:
    # Imported here: only profiles and traces need it.
    import capstone

    modes = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
    return capstone.Cs(capstone.CS_ARCH_ARM, modes)


def _decode(code: bytes, pc: int) -> Instruction:
    for _, size, mnemonic, operands in _engine().disasm_lite(code, pc, 1):
        if size == len(code):
            return Instruction(mnemonic, operands, _group(size, mnemonic, operands))
    return unknown(code)


def _group(size: int, mnemonic: str, operands: str) -> Group:
    name = mnemonic.partition(".")[0]
    if _DUAL.match(name):
        return Group.DOT
    if _LANES.match(name):
        return Group.SIMD
    instruction = decode(size, mnemonic, operands)
    return Group.BRANCH if instruction.conditional else _GROUPS[instruction.kind]


def _size(code: bytes) -> int:
    return thumb_size(code[0] | code[1] << 8)


def disassembler() -> Disassembler:
    """ARMv7E-M; registers of the FPU keep their names."""
    return Disassembler(_decode, _size, lambda name: _NAMES.get(name, name))
