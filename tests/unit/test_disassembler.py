# SPDX-License-Identifier: Apache-2.0
"""XpulpV2 against the golden words, the standard instructions and Thumb by samples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from touchstone import disassembler_thumb, disassembler_xpulp
from touchstone.disassembler_xpulp import decode_xpulp
from touchstone.disassembly import Group

WORDS = Path(__file__).parents[1] / "data" / "xpulpv2_words.txt"
PC = 0x1C010000


def golden() -> list[tuple[int, str]]:
    """Word and assembly; the macros of the list say width where the language says width - 1."""
    found = []
    for line in WORDS.read_text().splitlines():
        if line.startswith("#"):
            continue
        word, assembly = line[:8], line[39:].strip()
        name, _, operands = assembly.partition(" ")
        parts = operands.split(", ")
        name = name.replace("_", ".")
        if re.fullmatch(r"p\.(extractu?|insert|bclr|bset)", name):
            parts[2] = str(int(parts[2]) - 1)
        found.append((int(word, 16), f"{name} {', '.join(parts)}"))
    return found


def test_golden_words() -> None:
    words = golden()
    assert len(words) > 250
    for word, text in words:
        decoded = decode_xpulp(word, PC)
        assert decoded is not None, text
        assert decoded.text == text


@pytest.mark.parametrize(
    ("word", "text", "group"),
    [
        (0x0045A50B, "p.lw a0, 4(a1!)", Group.LOAD),
        (0x0015850B, "p.lb a0, 1(a1!)", Group.LOAD),
        (0x00C5A22B, "p.sw a2, 4(a1!)", Group.STORE),
        (0x01C5E503, "p.elw a0, 28(a1)", Group.LOAD),
        (0x0085C07B, "lp.setup x0, a1, 0x1c010010", Group.LOOP),
        (0xB8C59557, "pv.sdotsp.b a0, a1, a2", Group.DOT),
        (0x0225F557, "pv.add.sci.b a0, a1, 5", Group.SIMD),
        (0x42C58533, "p.mac a0, a1, a2", Group.MULTIPLY),
        (0xFE05AEE3, "p.beqimm a1, 0, 0x1c00fffc", Group.BRANCH),
        (0x02C5C533, "div a0, a1, a2", Group.DIVIDE),
        (0x00C58533, "add a0, a1, a2", Group.ALU),
        (0xB0002573, "csrr a0, mcycle", Group.SYSTEM),
        (0x04E6E363, "bltu a3, a4, 0x1c010046", Group.BRANCH),
    ],
)
def test_words(word: int, text: str, group: Group) -> None:
    machine = disassembler_xpulp.disassembler()
    decoded = machine.decode(word.to_bytes(4, "little"), PC)
    assert (decoded.text, decoded.group) == (text, group)


@pytest.mark.parametrize(
    ("half", "text", "group"),
    [
        (0x8082, "c.jr ra", Group.JUMP),
        (0x4188, "c.lw a0, 0(a1)", Group.LOAD),
        (0xC588, "c.sw a0, 8(a1)", Group.STORE),
        (0xD5F5, "c.beqz a1, 0x1c00ffec", Group.BRANCH),
        (0x852E, "c.mv a0, a1", Group.ALU),
    ],
)
def test_compressed(half: int, text: str, group: Group) -> None:
    machine = disassembler_xpulp.disassembler()
    code = half.to_bytes(2, "little")
    assert machine.size(code) == 2
    decoded = machine.decode(code, PC)
    assert (decoded.text, decoded.group) == (text, group)


def test_what_is_no_instruction() -> None:
    machine = disassembler_xpulp.disassembler()
    assert machine.decode(b"\xff\xff\xff\xff", PC).text == ".word 0xffffffff"
    assert machine.decode(b"\x00\x00", PC).text == "c.unimp"
    assert machine.register("x10") == "a0"


@pytest.mark.parametrize(
    ("code", "text", "group"),
    [
        ("0068", "ldr r0, [r0]", Group.LOAD),
        ("80bd", "pop {r7, pc}", Group.LOAD),
        ("2cfb0955", "smlad r5, ip, sb, r5", Group.DOT),
        ("2ffa82f1", "sxtb16 r1, r2", Group.SIMD),
        ("00fb01f2", "mul r2, r0, r1", Group.MULTIPLY),
        ("91fbf2f0", "sdiv r0, r1, r2", Group.DIVIDE),
        ("fcd1", "bne #0x8000000", Group.BRANCH),
        ("7047", "bx lr", Group.JUMP),
        ("881a", "subs r0, r1, r2", Group.ALU),
    ],
)
def test_thumb(code: str, text: str, group: Group) -> None:
    machine = disassembler_thumb.disassembler()
    data = bytes.fromhex(code)
    assert machine.size(data) == len(data)
    decoded = machine.decode(data, 0x08000004)
    assert (decoded.text, decoded.group) == (text, group)
    assert (machine.register("r13"), machine.register("s3")) == ("sp", "s3")
