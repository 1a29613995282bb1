# SPDX-License-Identifier: Apache-2.0
"""Every register instruction against the Python model, and the encodings against known words."""

from __future__ import annotations

import functools
import random
import struct
from collections.abc import Iterator

import pytest
from xpulp_model import MASK, Row, base_rows, field_rows, product_rows, scalar_rows, sum_rows
from xpulp_simd_model import dot_rows, lane_rows, move_rows
from xpulp_tools import CODE, DATA, elf, run

GROUPS = {
    "base": list(base_rows()),
    "scalar": list(scalar_rows()),
    "fields": list(field_rows()),
    "products": list(product_rows()),
    "sums": list(sum_rows()),
    "lanes": list(lane_rows()),
    "dots": list(dot_rows()),
    "moves": list(move_rows()),
}
ROWS = [row for rows in GROUPS.values() for row in rows]
EDGES = (0, 1, 0x7FFFFFFF, 0x80000000, MASK, 0x80808080, 0x7F7F7F7F, 0x80007FFF, 0x00FF01FE, 31)
RANDOM_VECTORS = 64
IN, OUT, COUNT = 20, 21, 22  # registers the operands never use
BUFFER = DATA + 0x10000


@functools.cache
def vectors() -> list[tuple[int, int, int]]:
    generator = random.Random(20)
    chosen = [(generator.choice(EDGES), a, b) for a in EDGES for b in EDGES]
    for _ in range(RANDOM_VECTORS):
        d, a, b = (generator.getrandbits(32) for _ in range(3))
        chosen.append((d, a, b))
    return chosen


def i_type(opcode: int, funct3: int, rd: int, rs1: int, imm: int) -> int:
    return (imm & 0xFFF) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode


def load_immediate(rd: int, value: int) -> list[int]:
    upper = (value + 0x800) & 0xFFFFF000
    return [upper | rd << 7 | 0x37, i_type(0x13, 0, rd, rd, value - upper)]


SEMIHOST = [0x01F01013, 0x00100073, 0x40705013]


def routine(word: int, rd: int, rs1: int, rs2: int, count: int, block: int) -> list[int]:
    """Runs `word` on every operand triple at DATA and writes the results to the stream."""
    code = load_immediate(IN, DATA) + load_immediate(OUT, BUFFER) + load_immediate(COUNT, count)
    for offset, register in ((0, rd), (4, rs1), (8, rs2)):
        code.append(i_type(0x03, 2, register, IN, offset))
    code += [word, 0x23 | 2 << 12 | OUT << 15 | rd << 20]  # sw rd, 0(OUT)
    code += [i_type(0x13, 0, IN, IN, 12), i_type(0x13, 0, OUT, OUT, 4)]
    code.append(i_type(0x13, 0, COUNT, COUNT, -1))
    code.append(branch_back(COUNT, 8))
    return code + load_immediate(10, 5) + load_immediate(11, block) + SEMIHOST


def branch_back(register: int, instructions: int) -> int:
    """bne register, x0, -4 * instructions."""
    offset = -4 * instructions & 0x1FFF
    word = (offset >> 12) << 31 | (offset >> 5 & 0x3F) << 25 | register << 15 | 1 << 12
    return word | (offset >> 1 & 15) << 8 | (offset >> 11 & 1) << 7 | 0x63


def expected(row: Row, regs: tuple[int, int, int], values: tuple[int, int, int], imm: int) -> int:
    """What rd holds: later loads win where registers coincide."""
    state = dict(zip(regs, values, strict=True))
    rd, rs1, rs2 = (state[register] for register in regs)
    return int(row.apply(rd, rs1, rs2, imm)) & MASK


def plans(rows: list[Row]) -> Iterator[tuple[Row, tuple[int, int, int], int]]:
    """Row, registers, immediate: all distinct, and drawn with coincidences."""
    generator = random.Random(7)
    for row in rows:
        for imm in row.immediates:
            yield row, (10, 11, 12), imm
        drawn = [generator.randrange(12, 16) for _ in range(3)]
        yield row, (drawn[0], drawn[1], drawn[2]), row.immediates[-1]


def image(rows: list[Row], operands: list[tuple[int, int, int]]) -> bytes:
    block = DATA + 0x20000
    code: list[int] = []
    for row, (rd, rs1, rs2), imm in plans(rows):
        word = row.word(rd, rs1, rs2, imm)
        code += routine(word, rd, rs1, rs2, len(operands), block)
    code += load_immediate(10, 0x18) + load_immediate(11, 0x20026) + SEMIHOST
    data = b"".join(struct.pack("<3I", *triple) for triple in operands)
    write = struct.pack("<3I", 1, BUFFER, 4 * len(operands))
    opening = load_immediate(10, 1) + load_immediate(11, block + 16) + SEMIHOST
    write += b":tt\0" + struct.pack("<3I", block + 12, 4, 3)
    words = opening + code
    return elf({CODE: struct.pack(f"<{len(words)}I", *words), DATA: data, block: write})


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_encoding_is_the_known_word(row: Row) -> None:
    assert f"{row.word(10, 11, 12, row.golden_imm):08x}" == f"{row.golden:08x}"


@pytest.mark.parametrize("sanitize", [False, True], ids=["optimised", "undefined-behaviour"])
@pytest.mark.parametrize("group", GROUPS)
def test_semantics_match_the_model(group: str, sanitize: bool) -> None:
    outcome = run(image(GROUPS[group], vectors()), sanitize=sanitize)
    assert outcome.report["status"] == "exit", outcome.report
    wanted = expectations(group)
    assert len(outcome.words) == len(wanted)
    for got, (what, want) in zip(outcome.words, wanted, strict=True):
        assert got == want, f"{what}: {got:08x}, expected {want:08x}"


@functools.cache
def expectations(group: str) -> list[tuple[str, int]]:
    """What the image of a group writes, each word with a description."""
    return [
        (
            f"{row.name} imm {imm} x{registers} operands {triple}",
            expected(row, registers, triple, imm),
        )
        for row, registers, imm in plans(GROUPS[group])
        for triple in vectors()
    ]


def test_every_instruction_has_its_own_encoding() -> None:
    words = [row.word(10, 11, 12, row.immediates[-1] or 1) for row in ROWS if not is_alias(row)]
    assert len(set(words)) == len(words)


def is_alias(row: Row) -> bool:
    """p.muls and the like are the N form with a shift of 0."""
    return row.operand == "norm" and not row.name.endswith("N")


# Bits that no instruction uses: bit 25 and the rs2 field of forms without them, reserved funct3
# and funct7 values, elements beyond the last, post-increment loads into their own address.
RESERVED = {
    "p.abs with rs2": 0x04C58533,
    "pv.add.b with bit 25": 0x02C59557,
    "pv.abs.b with rs2": 0x70C59557,
    "pv funct3 2": 0x00C5A557,
    "pv funct3 3": 0x00C5B557,
    "pv op6 3f": 0xFCC59557,
    "pv.extract.h element 2": 0x7815E557,
    "pv.extract.b element 4": 0x7825F557,
    "pv.pack.b": 0xD0C59557,
    "pv.packhi.h": 0xD8C58557,
    "p.lw a0, 4(a0!)": 0x0045250B,
    "p.lw a0, 4(x0!)": 0x0040250B,
    "p.sw a2, a1(x0!)": 0x00C065AB,
    "p.lX funct7 1": 0x02C5F50B,
    "p.sw register form funct7 1": 0x02C5E52B,
    "lp.setup loop 2": 0x0085C17B,
    "lp.counti with rs1": 0x0085B07B,
    "lp.count with immediate": 0x0015A07B,
    "cv.sdotsp.b": 0xA8C5957B,
    "funct7 7f": 0xFEC5D533,
    "zero": 0x00000000,
    "all ones": 0xFFFFFFFF,
    "amoadd.w": 0x00C5A52F,
    "flw": 0x0005A507,
}


@pytest.mark.parametrize("word", RESERVED.values(), ids=list(RESERVED))
def test_reserved_encodings_fault(word: int) -> None:
    outcome = run(elf({CODE: struct.pack("<2I", 0x13, word)}))
    assert outcome.fault["kind"] == "illegal-instruction"
    assert outcome.fault["pc"] == CODE + 4
