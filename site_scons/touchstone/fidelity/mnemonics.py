# SPDX-License-Identifier: Apache-2.0
"""XpulpV2 instructions as `.insn` lines: no assembler of ours knows their names."""

from __future__ import annotations

from collections.abc import Mapping

# Name: opcode, funct3, funct7 of instructions with rd, rs1, rs2.
REGISTERS: Mapping[str, tuple[int, int, int]] = {
    "p.avgu": (0x33, 1, 0x02),
    "p.slet": (0x33, 2, 0x02),
    "p.min": (0x33, 4, 0x02),
    "p.maxu": (0x33, 7, 0x02),
    "p.ror": (0x33, 5, 0x04),
    "p.clipr": (0x33, 5, 0x0A),
    "p.mac": (0x33, 0, 0x21),
    "p.msu": (0x33, 1, 0x21),
    "p.extractr": (0x33, 0, 0x40),
    "p.insertr": (0x33, 2, 0x40),
    "p.bsetr": (0x33, 4, 0x40),
    "p.muls": (0x5B, 0, 0x40),
    "p.macs": (0x5B, 1, 0x40),
    "p.mulsRN": (0x5B, 4, 0x45),
    "p.machhu": (0x5B, 1, 0x20),
    "p.addN": (0x5B, 2, 0x05),
    "pv.add.b": (0x57, 1, 0x00),
    "pv.add.sc.h": (0x57, 4, 0x00),
    "pv.max.b": (0x57, 1, 0x18),
    "pv.maxu.h": (0x57, 0, 0x1C),
    "pv.dotsp.b": (0x57, 1, 0x4C),
    "pv.dotsp.sc.h": (0x57, 4, 0x4C),
    "pv.sdotup.b": (0x57, 1, 0x50),
    "pv.sdotsp.b": (0x57, 1, 0x5C),
    "pv.sdotsp.h": (0x57, 0, 0x5C),
    "pv.shuffle.b": (0x57, 1, 0x60),
    "pv.shuffle2.b": (0x57, 1, 0x64),
    "pv.pack.h": (0x57, 0, 0x68),
}
# The same with rd and rs1 alone; the third number holds funct7, the fourth bits 24:20.
ONE_OPERAND: Mapping[str, tuple[int, int, int, int]] = {
    "p.abs": (0x33, 0, 0x02, 0),
    "p.ff1": (0x33, 0, 0x08, 0),
    "p.clb": (0x33, 2, 0x08, 0),
    "p.cnt": (0x33, 3, 0x08, 0),
    "p.exths": (0x33, 4, 0x08, 0),
    "p.extbz": (0x33, 7, 0x08, 0),
    "p.clip8": (0x33, 1, 0x0A, 8),
    "p.clipu8": (0x33, 2, 0x0A, 8),
    "p.extract8.8": (0x33, 0, 0x67, 8),
    "p.insert8.8": (0x33, 2, 0x67, 8),
    "p.bclr8.8": (0x33, 3, 0x67, 8),
    "pv.extract.b1": (0x57, 7, 0x3D, 0),
}
LOADS: Mapping[str, int] = {"lb": 0, "lh": 1, "lw": 2, "lbu": 4, "lhu": 5}
STORES: Mapping[str, int] = {"sb": 0, "sh": 1, "sw": 2}
# funct7 of loads whose offset is a register.
INDEXED: Mapping[str, int] = {"lb": 0x00, "lh": 0x08, "lw": 0x10, "lbu": 0x20, "lhu": 0x28}


def three(name: str, rd: str, rs1: str, rs2: str) -> str:
    """An instruction of REGISTERS."""
    opcode, funct3, funct7 = REGISTERS[name]
    return f"    .insn r {opcode:#x}, {funct3}, {funct7:#x}, {rd}, {rs1}, {rs2}  # {name}\n"


def two(name: str, rd: str, rs1: str) -> str:
    """An instruction of ONE_OPERAND."""
    opcode, funct3, funct7, bits = ONE_OPERAND[name]
    return f"    .insn r {opcode:#x}, {funct3}, {funct7:#x}, {rd}, {rs1}, x{bits}  # {name}\n"


def load_post(name: str, rd: str, base: str, step: int) -> str:
    """p.lw rd, step(base!)."""
    return f"    .insn i 0x0b, {LOADS[name]}, {rd}, {step}({base})  # p.{name} post\n"


def load_indexed(name: str, rd: str, base: str, offset: str) -> str:
    """p.lw rd, offset(base), the offset in a register."""
    return f"    .insn r 0x03, 7, {INDEXED[name]:#x}, {rd}, {base}, {offset}  # p.{name} indexed\n"


def store_post(name: str, source: str, base: str, step: int) -> str:
    """p.sw source, step(base!)."""
    return f"    .insn s 0x2b, {STORES[name]}, {source}, {step}({base})  # p.{name} post\n"


def hardware_loop(loop: int, count: str, body: str, instructions: int) -> str:
    """`body` of so many four-byte instructions, `count` (a register) times."""
    setup = f"    .insn i 0x7b, 4, x{loop}, {count}, {2 * instructions}  # lp.setup {loop}\n"
    return setup + body


def hardware_loop_immediate(loop: int, count: int, body: str, instructions: int) -> str:
    """The same with a constant count and a body of at most 15 instructions."""
    word = count << 20 | (2 * instructions) << 15 | 5 << 12 | loop << 7 | 0x7B
    return f"    .word {word:#010x}  # lp.setupi {loop}, {count}\n" + body


def branch_equal_immediate(register: str, value: int, label: str) -> str:
    """p.beqimm."""
    return f"    .insn b 0x63, 2, {register}, x{value & 31}, {label}  # p.beqimm\n"


def lines(*texts: str) -> str:
    """One instruction a line."""
    return "".join(f"    {text}\n" for text in texts)


def times(count: int, text: str) -> str:
    """`text` so many times in a row."""
    return text * count
