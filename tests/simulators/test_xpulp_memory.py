# SPDX-License-Identifier: Apache-2.0
"""Loads and stores (every form), compressed code and branches."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pytest
from xpulp_model import MASK, signed
from xpulp_tools import CODE, L1, results, run_text

FIELDS = {"lb": (0, 0x00), "lh": (1, 0x08), "lw": (2, 0x10), "lbu": (4, 0x20), "lhu": (5, 0x28)}
STORES = {"sb": 0, "sh": 1, "sw": 2}
WIDTHS = {"b": 1, "h": 2, "w": 4}
PATTERN = bytes(random.Random(3).randrange(256) for _ in range(64))

# Both the in-line path of a cluster core and the bus path of the FC; L1 and L2.
PLACES = {
    "core-L1": (True, L1 + 0x100),
    "core-L2": (True, 0x1C080000),
    "FC-L2": (False, 0x1C080000),
}


def program(body: str, on_core: bool, memory: int) -> str:
    """`body` with the pattern at `memory` (address in s1), on core 0 or the FC."""
    fill = f"li s1, {memory:#x}\n"
    for n in range(0, len(PATTERN), 4):
        word = int.from_bytes(PATTERN[n : n + 4], "little")
        fill += f"li t0, {word:#x}\nsw t0, {n}(s1)\n"
    start = "cluster 1\ncore:\n" if on_core else ""
    return f"{start}{fill}{body}\nfinish\n"


def loaded(name: str, offset: int) -> int:
    width = WIDTHS[name[1]]
    value = int.from_bytes(PATTERN[offset : offset + width], "little")
    return value if name.endswith("u") else signed(value, 8 * width) & MASK


def load_forms(name: str, offset: int) -> str:
    """rD in a0, address register in a2: its final value is emitted too, relative to s1."""
    funct3, funct7 = FIELDS[name]
    forms = [
        f"addi a2, s1, {offset - 5}\n{name} a0, 5(a2)",
        f"addi a2, s1, {offset}\n.insn i 0x0b, {funct3}, a0, -7(a2)",
        f"addi a2, s1, {offset}\nli a3, 9\n.insn r 0x0b, 7, {funct7}, a0, a2, a3",
        f"addi a2, s1, {offset + 4}\nli a3, -4\n.insn r 0x03, 7, {funct7}, a0, a2, a3",
        f"addi a2, s1, {offset}\nli a0, 3\n.insn r 0x0b, 7, {funct7}, a0, a2, a0",
    ]
    return "".join(f"{form}\nemit a0\nsub a2, a2, s1\nemit a2\n" for form in forms)


@pytest.mark.parametrize("place", PLACES)
def test_loads(place: str) -> None:
    body, want = "", []
    for name in FIELDS:
        for offset in (16, 17, 18, 19):
            body += load_forms(name, offset)
            value = loaded(name, offset)
            for moved in (-5, -7, 9, 4, 3):
                want += [value, (offset + moved) & MASK]
    assert results(program(body, *PLACES[place])) == want


@pytest.mark.parametrize("place", PLACES)
def test_stores(place: str) -> None:
    body, want = "", []
    memory = bytearray(PATTERN)
    for name, funct3 in STORES.items():
        for offset in (20, 21, 22, 23):
            forms = [
                (-5, f"addi a2, s1, {offset - 5}\n{name} a0, 5(a2)"),
                (6, f"addi a2, s1, {offset}\n.insn s 0x2b, {funct3}, a0, 6(a2)"),
                (9, f"addi a2, s1, {offset}\nli a3, 9\n.insn r 0x2b, {funct3 + 4}, 0, a3, a2, a0"),
                (1, f"addi a2, s1, {offset + 1}\nli a3, -1\n"
                 f".insn r 0x23, {funct3 + 4}, 0, a3, a2, a0"),
            ]  # fmt: skip
            for number, (moved, form) in enumerate(forms):
                value = 0x89ABCDEF + 0x11111111 * number & MASK
                width = WIDTHS[name[1]]
                memory[offset : offset + width] = struct.pack("<I", value)[:width]
                body += f"li a0, {value:#x}\n{form}\nsub a2, a2, s1\nemit a2\n"
                want.append((offset + moved) & MASK)
                for word in (16, 20, 24):
                    body += f"lw a0, {word}(s1)\nemit a0\n"
                    want.append(int.from_bytes(memory[word : word + 4], "little"))
    assert results(program(body, *PLACES[place])) == want


def test_x0_is_never_written() -> None:
    body = "lw x0, 0(s1)\nemit x0\n.insn i 0x0b, 2, x0, 4(s1)\nemit x0\n"
    body += ".insn r 0x33, 0, 0x21, x0, s1, s1\n"
    assert results(program(body + "emit x0\nmul x0, s1, s1\nemit x0\n", True, L1)) == [0, 0, 0, 0]


BRANCHES: dict[str, Callable[[int, int], bool]] = {
    "beq": lambda a, b: a == b,
    "bne": lambda a, b: a != b,
    "blt": lambda a, b: signed(a) < signed(b),
    "bge": lambda a, b: signed(a) >= signed(b),
    "bltu": lambda a, b: a < b,
    "bgeu": lambda a, b: a >= b,
}


def test_branches() -> None:
    body, want = "", []
    for name, taken in BRANCHES.items():
        for a in (0, 1, 0x7FFFFFFF, 0x80000000, MASK):
            for b in (0, 1, 0x80000000, MASK):
                body += (
                    f"li a2, {a}\nli a3, {b}\nli a0, 1\n{name} a2, a3, 1f\nli a0, 0\n1: emit a0\n"
                )
                want.append(int(taken(a, b)))
    assert results(body + "finish\n") == want


def immediate_branch(equal: bool, constant: int, offset: int) -> str:
    """p.beqimm / p.bneimm a2 with a 13-bit offset."""
    raw = offset & 0x1FFF
    word = (raw >> 12) << 31 | (raw >> 5 & 63) << 25 | (constant & 31) << 20 | 12 << 15
    word |= (2 if equal else 3) << 12 | (raw >> 1 & 15) << 8 | (raw >> 11 & 1) << 7 | 0x63
    return f".word {word:#x}"


def test_immediate_branches() -> None:
    body, want = "", []
    for equal in (True, False):
        for constant in (-16, -1, 0, 15):
            for value in (-16, -1, 0, 15, 31, 16):
                body += (
                    f"li a2, {value}\nli a0, 1\n{immediate_branch(equal, constant, 8)}\nli a0, 0\n"
                )
                body += "emit a0\n"
                want.append(int((value == constant) == equal))
    # Backwards: counts a2 down to zero.
    body += (
        f"li a2, 5\nli a0, 0\naddi a0, a0, 1\naddi a2, a2, -1\n{immediate_branch(False, 0, -8)}\n"
    )
    assert results(body + "emit a0\nfinish\n") == [*want, 5]


def test_jumps_and_links() -> None:
    text = """
    la a2, there + 1
    jalr a0, 0(a2)      # bit 0 of the target is cleared
back:
    j on
there:
    la a3, back
    sub a0, a0, a3
    emit a0
    jr a3
on: jal a0, next
next:
    auipc a3, 0
    sub a0, a0, a3
    emit a0
    finish
    """
    assert results(text) == [0, 0]


# Compressed instructions, each with the same computation in plain form; the assembler, not the
# simulator, knows the encodings.
COMPRESSED = """
    .option rvc
    li sp, 0x10001000
    c.addi4spn a0, sp, 1020
    c.addi16sp sp, -512
    mv s0, sp
    c.li a1, -32
    c.addi a1, 31
    c.lui a2, 0xfffe1
    c.lui a3, 31
    c.mv a4, a2
    c.add a4, a3
    c.slli a4, 3
    c.mv a5, a4
    c.srli a5, 31
    c.srai a4, 7
    c.andi a4, -5
    c.swsp a4, 252(sp)
    c.lwsp t1, 252(sp)
    c.sw a5, 124(s0)
    c.lw s1, 124(s0)
    c.sub a4, a5
    c.xor a5, a4
    c.or a3, a5
    c.and a2, a3
    c.j 1f
    c.ebreak
1:  c.li t2, 3
2:  c.addi t2, -1
    c.mv a0, t2
    c.bnez a0, 2b
    c.li a0, 0
    c.beqz a0, 3f
    c.ebreak
3:  c.jal 4f
    c.j 5f
4:  c.mv t3, ra
    c.jr ra
5:  la t4, 6f
    c.jalr t4
    c.j 7f
6:  c.jr ra
7:  c.nop
    .option norvc
"""


def test_compressed() -> None:
    plain = COMPRESSED.replace("    .option rvc", "").replace("c.addi4spn", "addi")
    plain = plain.replace("c.addi16sp sp,", "addi sp, sp,")
    for name in ("addi", "slli", "srli", "srai", "andi", "add", "sub", "xor", "or", "and"):
        for rd in ("a1", "a2", "a3", "a4", "a5", "t2"):
            plain = plain.replace(f"c.{name} {rd},", f"{name} {rd}, {rd},")
    plain = plain.replace("c.lui a2, 0xfffe1", "lui a2, 0xfffe1").replace("c.lwsp", "lw")
    plain = plain.replace("c.swsp", "sw").replace("c.", "")
    dump = "".join(
        f"mv s2, {r}\nemit s2\n" for r in ("a1", "a2", "a3", "a4", "a5", "sp", "t1", "s1")
    )
    start = "cluster 1\ncore:\n"
    compressed = run_text(start + COMPRESSED + dump + "finish\n")
    assert compressed.words == results(start + plain + dump + "finish\n")
    assert len(compressed.words) == 8


ILLEGAL_COMPRESSED = (
    0x0000,
    0x6101,
    0x4002,
    0x8002,
    0x1002,
    0x9C01,
    0x2000,
    0x6000,
    0xA000,
    0x6081,
)


@pytest.mark.parametrize("half", ILLEGAL_COMPRESSED)
def test_illegal_compressed(half: int) -> None:
    outcome = run_text(f".half {half:#x}\n.half 1\n")
    assert outcome.fault["kind"] == "illegal-instruction"
    assert outcome.fault["pc"] == CODE
