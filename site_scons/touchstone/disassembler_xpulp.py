# SPDX-License-Identifier: Apache-2.0
"""Disassembles RV32IMC (capstone) and XpulpV2 (the tables here; no common disassembler knows it).

Encodings: RI5CY user manual; the bit-field instructions print width - 1 and lowest bit, and the
hardware loops the address of their last instruction, as GAP's own tools do.
"""

from __future__ import annotations

import functools
from typing import Any

from touchstone.disassembly import Disassembler, Group, Instruction, named, unknown


def _words(text: str) -> list[str]:
    return text.split()


ABI = _words(
    "zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 "
    "s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6"
)

_FUNCT3 = 0x707F
_FUNCT7 = 0xFE00707F
_UNARY = 0xFFF0707F
_BITS_31_30 = 0xC000707F
_LOOP_FIXED = 0xF00
_NO_RS1 = 0xF8000
_SIMD = 0x57
_THREE = "{rd}, {rs1}, {rs2}"

Row = tuple[int, int, str, str, Group]


def _match(funct7: int, funct3: int, opcode: int) -> int:
    return funct7 << 25 | funct3 << 12 | opcode


def _memory_rows() -> list[Row]:
    rows: list[Row] = []
    for funct3, funct7, name in ((0, 0, "lb"), (1, 8, "lh"), (2, 0x10, "lw"), (4, 0x20, "lbu"),
                                 (5, 0x28, "lhu")):  # fmt: skip
        load = Group.LOAD
        rows += [
            (_FUNCT3, _match(0, funct3, 0x0B), f"p.{name}", "{rd}, {i}({rs1}!)", load),
            (_FUNCT7, _match(funct7, 7, 0x0B), f"p.{name}", "{rd}, {rs2}({rs1}!)", load),
            (_FUNCT7, _match(funct7, 7, 0x03), f"p.{name}", "{rd}, {rs2}({rs1})", load),
        ]
    for funct3, name in enumerate(("sb", "sh", "sw")):
        store = Group.STORE
        rows += [
            (_FUNCT3, _match(0, funct3, 0x2B), f"p.{name}", "{rs2}, {s}({rs1}!)", store),
            (_FUNCT7, _match(0, funct3 + 4, 0x2B), f"p.{name}", "{rs2}, {rd}({rs1}!)", store),
            (_FUNCT7, _match(0, funct3 + 4, 0x23), f"p.{name}", "{rs2}, {rd}({rs1})", store),
        ]
    rows.append((_FUNCT3, _match(0, 6, 0x03), "p.elw", "{rd}, {i}({rs1})", Group.LOAD))
    return rows


def _control_rows() -> list[Row]:
    fixed, loop = _FUNCT3 | _LOOP_FIXED, Group.LOOP
    bare = _FUNCT3 | _LOOP_FIXED | _NO_RS1
    return [
        (_FUNCT3, _match(0, 2, 0x63), "p.beqimm", "{rs1}, {s5}, {branch}", Group.BRANCH),
        (_FUNCT3, _match(0, 3, 0x63), "p.bneimm", "{rs1}, {s5}, {branch}", Group.BRANCH),
        (bare, _match(0, 0, 0x7B), "lp.starti", "{loop}, {end12}", loop),
        (bare, _match(0, 1, 0x7B), "lp.endi", "{loop}, {end12}", loop),
        (fixed | 0xFFF00000, _match(0, 2, 0x7B), "lp.count", "{loop}, {rs1}", loop),
        (bare, _match(0, 3, 0x7B), "lp.counti", "{loop}, {u12}", loop),
        (fixed, _match(0, 4, 0x7B), "lp.setup", "{loop}, {rs1}, {end12}", loop),
        (fixed, _match(0, 5, 0x7B), "lp.setupi", "{loop}, {u12}, {end5}", loop),
    ]


def _scalar_rows() -> list[Row]:
    rows: list[Row] = [(_UNARY, _match(2, 0, 0x33), "p.abs", "{rd}, {rs1}", Group.ALU)]
    names = ("avgu", "slet", "sletu", "min", "minu", "max", "maxu")
    for funct3, name in enumerate(names, 1):
        rows.append((_FUNCT7, _match(2, funct3, 0x33), f"p.{name}", _THREE, Group.ALU))
    rows.append((_FUNCT7, _match(4, 5, 0x33), "p.ror", _THREE, Group.ALU))
    for funct3, name in enumerate(("ff1", "fl1", "clb", "cnt", "exths", "exthz", "extbs", "extbz")):
        rows.append((_UNARY, _match(8, funct3, 0x33), f"p.{name}", "{rd}, {rs1}", Group.ALU))
    immediate = "{rd}, {rs1}, {u5}"
    clips = ((1, "clip", immediate), (2, "clipu", immediate), (5, "clipr", _THREE),
             (6, "clipur", _THREE))  # fmt: skip
    for funct3, name, fields in clips:
        rows.append((_FUNCT7, _match(0x0A, funct3, 0x33), f"p.{name}", fields, Group.ALU))
    for funct3, name in enumerate(("mac", "msu")):
        rows.append((_FUNCT7, _match(0x21, funct3, 0x33), f"p.{name}", _THREE, Group.MULTIPLY))
    for funct3, name in enumerate(("extract", "extractu", "insert", "bclr", "bset")):
        bits = "{rd}, {rs1}, {n5}, {u5}"
        rows.append((_BITS_31_30, _match(0x60, funct3, 0x33), f"p.{name}", bits, Group.ALU))
        rows.append((_FUNCT7, _match(0x40, funct3, 0x33), f"p.{name}r", _THREE, Group.ALU))
    return rows


def _normalising_rows() -> list[Row]:
    """16 x 16 multiplies, additions and subtractions with a shift, opcode 0x5b."""
    rows: list[Row] = []
    four = "{rd}, {rs1}, {rs2}, {n5}"
    for top, half in ((0x40, "s"), (0x60, "hhs"), (0x00, "u"), (0x20, "hhu")):
        for funct3, name in enumerate(("mul", "mac")):
            plain, rounded = _match(top, funct3, 0x5B), _match(top, funct3 + 4, 0x5B)
            rows += [
                (_FUNCT7, plain, f"p.{name}{half}", _THREE, Group.MULTIPLY),
                (_BITS_31_30, plain, f"p.{name}{half}N", four, Group.MULTIPLY),
                (_BITS_31_30, rounded, f"p.{name}{half}RN", four, Group.MULTIPLY),
            ]
    for unsigned, letter in ((0x00, ""), (0x40, "u")):
        for funct3, name in ((2, "add"), (3, "sub")):
            for rounding, suffix in ((0, "N"), (4, "RN")):
                shift = _match(unsigned, funct3 + rounding, 0x5B)
                by_register = _match(unsigned + 0x20, funct3 + rounding, 0x5B)
                word = f"p.{name}{letter}{suffix}"
                rows += [
                    (_BITS_31_30, shift, word, four, Group.ALU),
                    (_FUNCT7, by_register, f"{word}r", _THREE, Group.ALU),
                ]
    return rows


# op6: mnemonic, whether its immediate is unsigned.
_LANES = {
    0x00: ("add", False), 0x02: ("sub", False), 0x04: ("avg", False), 0x06: ("avgu", True),
    0x08: ("min", False), 0x0A: ("minu", True), 0x0C: ("max", False), 0x0E: ("maxu", True),
    0x10: ("srl", True), 0x12: ("sra", False), 0x14: ("sll", True), 0x16: ("or", False),
    0x18: ("xor", False), 0x1A: ("and", False), 0x01: ("cmpeq", False), 0x03: ("cmpne", False),
    0x05: ("cmpgt", False), 0x07: ("cmpge", False), 0x09: ("cmplt", False), 0x0B: ("cmple", False),
    0x0D: ("cmpgtu", True), 0x0F: ("cmpgeu", True), 0x11: ("cmpltu", True), 0x13: ("cmpleu", True),
    0x20: ("dotup", True), 0x22: ("dotusp", False), 0x26: ("dotsp", False), 0x28: ("sdotup", True),
    0x2A: ("sdotusp", False), 0x2E: ("sdotsp", False),
}  # fmt: skip
_FORMS = {0: ".h", 1: ".b", 4: ".sc.h", 5: ".sc.b", 6: ".sci.h", 7: ".sci.b"}
_IMMEDIATE_FORM = 6


def _simd_rows() -> list[Row]:
    rows: list[Row] = []
    for op6, (name, is_unsigned) in _LANES.items():
        group = Group.DOT if "dot" in name else Group.SIMD
        for funct3, suffix in _FORMS.items():
            match = _match(op6 << 1, funct3, _SIMD)
            if funct3 < _IMMEDIATE_FORM:
                rows.append((_FUNCT7, match, f"pv.{name}{suffix}", _THREE, group))
            else:
                fields = "{rd}, {rs1}, {u6}" if is_unsigned else "{rd}, {rs1}, {s6}"
                rows.append((_FUNCT7 & ~(1 << 25), match, f"pv.{name}{suffix}", fields, group))
    for funct7, funct3, name in ((0x60, 0, "shuffle.h"), (0x60, 1, "shuffle.b"),
                                 (0x64, 0, "shuffle2.h"), (0x64, 1, "shuffle2.b"),
                                 (0x68, 0, "pack.h"), (0x6C, 1, "packhi.b"),
                                 (0x70, 1, "packlo.b")):  # fmt: skip
        rows.append((_FUNCT7, _match(funct7, funct3, _SIMD), f"pv.{name}", _THREE, Group.SIMD))
    for funct3, name in enumerate(("abs.h", "abs.b")):
        match = _match(0x38, funct3, _SIMD)
        rows.append((_UNARY, match, f"pv.{name}", "{rd}, {rs1}", Group.SIMD))
    for op6, funct3, name in ((0x1E, 6, "extract.h"), (0x1E, 7, "extract.b"),
                              (0x24, 6, "extractu.h"), (0x24, 7, "extractu.b"),
                              (0x2C, 6, "insert.h"), (0x2C, 7, "insert.b"),
                              (0x30, 6, "shuffle.sci.h"), (0x30, 7, "shuffleI0.sci.b"),
                              (0x3A, 7, "shuffleI1.sci.b"), (0x3C, 7, "shuffleI2.sci.b"),
                              (0x3E, 7, "shuffleI3.sci.b")):  # fmt: skip
        match, mask = _match(op6 << 1, funct3, _SIMD), _FUNCT7 & ~(1 << 25)
        rows.append((mask, match, f"pv.{name}", "{rd}, {rs1}, {u6}", Group.SIMD))
    return rows


@functools.cache
def _rows() -> dict[int, list[Row]]:
    """By opcode; where two match, the first is the more special one."""
    table: dict[int, list[Row]] = {}
    parts = (_memory_rows(), _control_rows(), _scalar_rows(), _normalising_rows(), _simd_rows())
    for row in (row for part in parts for row in part):
        table.setdefault(row[1] & 0x7F, []).append(row)
    return table


def _signed(value: int, width: int) -> int:
    return value - (value >> (width - 1) << width)


def _fields(word: int, pc: int) -> dict[str, Any]:
    rd, rs1, rs2 = word >> 7 & 31, word >> 15 & 31, word >> 20 & 31
    u6 = rs2 << 1 | word >> 25 & 1
    offset = word >> 31 << 12 | (word >> 7 & 1) << 11 | (word >> 25 & 63) << 5
    return {
        "rd": ABI[rd],
        "rs1": ABI[rs1],
        "rs2": ABI[rs2],
        "i": _signed(word >> 20, 12),
        "s": _signed(word >> 25 << 5 | rd, 12),
        "u5": rs2,
        "s5": _signed(rs2, 5),
        "n5": word >> 25 & 31,
        "u6": u6,
        "s6": _signed(u6, 6),
        "u12": word >> 20,
        "loop": f"x{word >> 7 & 1}",
        "end12": f"{pc + (word >> 20) * 2:#x}",
        "end5": f"{pc + rs1 * 2:#x}",
        "branch": f"{pc + _signed(offset | (word >> 8 & 15) << 1, 13):#x}",
    }


def decode_xpulp(word: int, pc: int) -> Instruction | None:
    """The XpulpV2 instruction `word` at `pc`; None if it is none."""
    for mask, match, name, fields, group in _rows().get(word & 0x7F, ()):
        if word & mask == match:
            return Instruction(name, fields.format(**_fields(word, pc)), group)
    return None


@functools.cache
def _engine() -> Any:
    # Imported here: only profiles and traces need it.
    import capstone

    return capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC)


_GROUPS = {
    **dict.fromkeys(_words("lb lh lw lbu lhu lwsp"), Group.LOAD),
    **dict.fromkeys(_words("sb sh sw swsp"), Group.STORE),
    **dict.fromkeys(_words("beq bne blt bge bltu bgeu beqz bnez"), Group.BRANCH),
    **dict.fromkeys(_words("blez bgez bltz bgtz"), Group.BRANCH),
    **dict.fromkeys(_words("j jal jr jalr ret mret"), Group.JUMP),
    **dict.fromkeys(_words("mul mulh mulhsu mulhu"), Group.MULTIPLY),
    **dict.fromkeys(_words("div divu rem remu"), Group.DIVIDE),
    **dict.fromkeys(_words("fence fence.i ecall ebreak wfi"), Group.SYSTEM),
}
_RELATIVE = {"j", "jal"}


def _standard(code: bytes, pc: int) -> Instruction:
    for _, size, mnemonic, operands in _engine().disasm_lite(code, pc, 1):
        if size == len(code):
            name = mnemonic.removeprefix("c.")
            group = _GROUPS.get(name, Group.SYSTEM if name.startswith("csr") else Group.ALU)
            if group is Group.BRANCH or name in _RELATIVE:
                operands = _absolute(operands, pc)
            return Instruction(mnemonic, operands, group)
    return unknown(code)


def _absolute(operands: str, pc: int) -> str:
    """capstone prints the distance of a jump; where it goes says more."""
    head, comma, last = operands.rpartition(", ")
    try:
        return f"{head}{comma}{pc + int(last, 0) & 0xFFFFFFFF:#x}"
    except ValueError:
        return operands


def _decode(code: bytes, pc: int) -> Instruction:
    word = int.from_bytes(code, "little")
    special = decode_xpulp(word, pc) if len(code) > 2 else None
    return special or _standard(code, pc)


def _size(code: bytes) -> int:
    return 4 if code[0] & 3 == 3 else 2


def disassembler() -> Disassembler:
    """RV32IMC with XpulpV2."""
    return Disassembler(_decode, _size, named(ABI, "x").__getitem__)
