# SPDX-License-Identifier: Apache-2.0
"""Loads, stores, immediate branches, hardware loops and p.elw, row by row: each word against the
known one, and what it does with edge operands and 64 random ones against a model in Python."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from xpulp_model import MASK, signed
from xpulp_tools import L1, Program

RANDOM = 64
A0, A1, A2 = 10, 11, 12
BUFFER_BYTES = 8192


def i_type(opcode: int, funct3: int, rd: int, rs1: int, imm: int) -> int:
    return (imm & 0xFFF) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode


def s_type(opcode: int, funct3: int, rs1: int, rs2: int, imm: int) -> int:
    return (imm >> 5 & 0x7F) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (imm & 31) << 7 | opcode


def r_type(opcode: int, funct3: int, funct7: int, rd: int, rs1: int, rs2: int) -> int:
    return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode


def b_type(funct3: int, rs1: int, constant: int, offset: int) -> int:
    high = (offset >> 12 & 1) << 31 | (offset >> 5 & 63) << 25 | (constant & 31) << 20
    low = (offset >> 1 & 15) << 8 | (offset >> 11 & 1) << 7
    return high | rs1 << 15 | funct3 << 12 | low | 0x63


# --- loads and stores -----------------------------------------------------------------------------

LOADS = {"lb": (0, 0x00), "lh": (1, 0x08), "lw": (2, 0x10), "lbu": (4, 0x20), "lhu": (5, 0x28)}
STORES = {"sb": 0, "sh": 1, "sw": 2}
WIDTHS = {"b": 1, "h": 2, "w": 4}


@dataclass(frozen=True)
class Access:
    """A form of a load or store: a0 is the value, a1 the address, a2 the index or immediate."""

    name: str
    form: str  # what follows the mnemonic in reference order: i, r, i!, r!
    golden: int  # with the immediate 4 where there is one

    @property
    def stores(self) -> bool:
        return self.name in STORES

    def word(self, imm: int) -> int:
        post = self.form.endswith("!")
        if not self.stores:
            funct3, funct7 = LOADS[self.name]
            opcode = 0x0B if post else 0x03
            if self.form[0] == "i":
                return i_type(opcode, funct3, A0, A1, imm)
            return r_type(opcode, 7, funct7, A0, A1, A2)
        opcode, funct3 = 0x2B if post else 0x23, STORES[self.name]
        if self.form[0] == "i":
            return s_type(opcode, funct3, A1, A0, imm)
        return r_type(opcode, funct3 + 4, 0, A2, A1, A0)


# As a stock assembler's .insn has them: a0 is loaded or stored, a1 the address, a2 the index.
ACCESSES = [
    Access("lb", "i", 0x00458503), Access("lb", "r", 0x00C5F503),
    Access("lb", "i!", 0x0045850B), Access("lb", "r!", 0x00C5F50B),
    Access("lh", "i", 0x00459503), Access("lh", "r", 0x10C5F503),
    Access("lh", "i!", 0x0045950B), Access("lh", "r!", 0x10C5F50B),
    Access("lw", "i", 0x0045A503), Access("lw", "r", 0x20C5F503),
    Access("lw", "i!", 0x0045A50B), Access("lw", "r!", 0x20C5F50B),
    Access("lbu", "i", 0x0045C503), Access("lbu", "r", 0x40C5F503),
    Access("lbu", "i!", 0x0045C50B), Access("lbu", "r!", 0x40C5F50B),
    Access("lhu", "i", 0x0045D503), Access("lhu", "r", 0x50C5F503),
    Access("lhu", "i!", 0x0045D50B), Access("lhu", "r!", 0x50C5F50B),
    Access("sb", "i", 0x00A58223), Access("sb", "r", 0x00A5C623),
    Access("sb", "i!", 0x00A5822B), Access("sb", "r!", 0x00A5C62B),
    Access("sh", "i", 0x00A59223), Access("sh", "r", 0x00A5D623),
    Access("sh", "i!", 0x00A5922B), Access("sh", "r!", 0x00A5D62B),
    Access("sw", "i", 0x00A5A223), Access("sw", "r", 0x00A5E623),
    Access("sw", "i!", 0x00A5A22B), Access("sw", "r!", 0x00A5E62B),
]  # fmt: skip


@pytest.mark.parametrize("access", ACCESSES, ids=lambda access: f"{access.name} {access.form}")
def test_encoding_of_an_access(access: Access) -> None:
    assert f"{access.word(4):08x}" == f"{access.golden:08x}"


def trials(generator: random.Random, form: str) -> Iterator[tuple[int, int]]:
    """Offset in the buffer and index; what is reached lies within it, the index is any 12 bits."""
    low = 0 if form.endswith("!") else 2048
    for index in (0, 1, -1, 4, -4, 2047, -2048):
        for misaligned in range(4):
            yield 4096 + misaligned, index
    for _ in range(RANDOM):
        yield generator.randrange(low, BUFFER_BYTES - 2048 - 4), generator.randrange(-2048, 2048)


# The bus (FC), the in-line path of a cluster core, and a core at L2.
PLACES = {
    "FC-L2": (0x1C180000, False),
    "core-L1": (L1 + 0x4000, True),
    "core-L2": (0x1C180000, True),
}


@pytest.mark.parametrize("place", PLACES)
def test_accesses_match_the_model(place: str) -> None:
    memory, on_core = PLACES[place]
    generator = random.Random(len(place) + memory)
    content = bytearray(BUFFER_BYTES + 8)
    program = Program(memory, on_core)
    # Something of everything, then what the stores leave.
    for access in sorted(ACCESSES, key=lambda access: not access.stores):
        width = WIDTHS[access.name[1]]
        for offset, index in trials(generator, access.form):
            at = offset if access.form.endswith("!") else offset + index
            value = generator.getrandbits(32)
            program.lines.append(f"li a0, {value:#x}\nli a1, {memory + offset:#x}")
            if access.form[0] == "r":
                program.lines.append(f"li a2, {index}")
            program.lines.append(f".word {access.word(index):#x}")
            moved = index if access.form.endswith("!") else 0
            if access.stores:
                content[at : at + width] = struct.pack("<I", value)[:width]
                first = at & ~3
                after = struct.unpack_from("<2I", content, first)
                program.lines.append(f"li a2, {memory + first:#x}")
                for number in range(2):
                    program.lines.append(f"lw a3, {4 * number}(a2)")
                    program.keep("a3", after[number])
            else:
                found = int.from_bytes(content[at : at + width], "little")
                narrow = access.name.endswith("u")
                program.keep("a0", found if narrow else signed(found, 8 * width))
            program.keep("a1", memory + offset + moved)
    program.run()


# --- immediate branches ---------------------------------------------------------------------------

BRANCHES: dict[str, tuple[int, Callable[[int, int], bool]]] = {
    "p.beqimm": (2, lambda value, constant: value == constant),
    "p.bneimm": (3, lambda value, constant: value != constant),
}


def test_encoding_of_immediate_branches() -> None:
    assert b_type(2, A1, 5, 8) == 0x0055A463  # p.beqimm a1, 5, .+8
    assert b_type(3, A1, 31, -4) == 0xFFF5BEE3  # p.bneimm a1, -1, .-4


@pytest.mark.parametrize("name", BRANCHES)
def test_immediate_branches_match_the_model(name: str) -> None:
    funct3, taken = BRANCHES[name]
    generator = random.Random(funct3)
    edges = [(value, n) for n in (-16, -1, 0, 1, 15) for value in (n, n ^ 32, 31, 1 << 31, n + 1)]
    drawn = []
    for _ in range(RANDOM):
        constant = generator.randrange(-16, 16)
        drawn.append((generator.choice([constant, generator.getrandbits(32)]), constant))
    program = Program(0x1C180000, False)
    for number, (value, constant) in enumerate(edges + drawn):
        room = 2 << number % 11 if number < len(edges) else 2 * generator.randrange(1, 2000)
        ahead = number % 2 == 0
        offset = room + 12 if ahead else -(room + 8)
        here, done = f"here{number}", f"done{number}"
        program.lines += [
            f"li a1, {value & MASK:#x}",
            f"j {here}",
            "" if ahead else f"li a0, 1\nj {done}\n.skip {room}",
            f"{here}: .word {b_type(funct3, A1, constant, offset):#x}\nli a0, 0\nj {done}",
            f".skip {room}\nli a0, 1" if ahead else "",
            f".balign 4\n{done}:",
        ]
        program.keep("a0", taken(signed(value), constant))
    program.run()


# --- hardware loops -------------------------------------------------------------------------------


def hardware_loop(funct3: int, loop: int, rs1: int, imm: int) -> int:
    return i_type(0x7B, funct3, loop, rs1, imm)


STARTI, ENDI, COUNT, COUNTI, SETUP, SETUPI = range(6)
LOOP_WORDS = {
    "lp.starti 0, 3": (hardware_loop(STARTI, 0, 0, 3), 0x0030007B),
    "lp.endi 1, 9": (hardware_loop(ENDI, 1, 0, 9), 0x009010FB),
    "lp.count 0, a1": (hardware_loop(COUNT, 0, A1, 0), 0x0005A07B),
    "lp.counti 1, 2049": (hardware_loop(COUNTI, 1, 0, 2049), 0x801030FB),
    "lp.setup 0, a1, 8": (hardware_loop(SETUP, 0, A1, 8), 0x0085C07B),
    "lp.setup 1, a1, 48": (hardware_loop(SETUP, 1, A1, 48), 0x0305C0FB),
    "lp.setupi 0, 100, 6": (hardware_loop(SETUPI, 0, 6, 100), 0x0643507B),
}


@pytest.mark.parametrize("name", LOOP_WORDS)
def test_encoding_of_hardware_loops(name: str) -> None:
    word, golden = LOOP_WORDS[name]
    assert f"{word:08x}" == f"{golden:08x}"


@pytest.mark.parametrize(
    "row", range(6), ids=["starti", "endi", "count", "counti", "setup", "setupi"]
)
def test_hardware_loop_registers_match_the_model(row: int) -> None:
    """What each sets, read back through the CSRs relative to its own address."""
    generator = random.Random(row)
    edges = [(0, 32), (1, 32), (MASK, 4095), (1 << 31, 2048), (0x7FFFFFFF, 2047), (4095, 33)]
    drawn = [(generator.getrandbits(32), generator.randrange(32, 4096)) for _ in range(RANDOM)]
    program = Program(0x1C180000, False)
    for number, (value, imm) in enumerate(edges + drawn):
        loop, short = number & 1, 12 + imm % 20  # ends behind where the count is cleared again
        program.lines.append("\n".join(f"csrw {0x7C0 + 4 * loop + k:#x}, x0" for k in range(3)))
        rs1 = {COUNT: A1, SETUP: A1, SETUPI: short}.get(row, 0)
        word = hardware_loop(row, loop, rs1, 0 if row == COUNT else imm)
        program.lines.append(f"la a2, h{number}\nli a1, {value:#x}\nh{number}: .word {word:#x}")
        end = 2 * (short if row == SETUPI else imm)
        sets = {  # start, end, count; what a row does not set is 0
            STARTI: {0: 2 * imm},
            ENDI: {1: 2 * imm},
            COUNT: {2: value},
            COUNTI: {2: imm},
            SETUP: {0: 4, 1: end, 2: value},
            SETUPI: {0: 4, 1: end, 2: imm},
        }[row]
        program.lines.append(f"csrr a5, {0x7C2 + 4 * loop:#x}\ncsrw {0x7C2 + 4 * loop:#x}, x0")
        for k, register in ((0, "a3"), (1, "a4")):
            program.lines.append(f"csrr {register}, {0x7C0 + 4 * loop + k:#x}")
            if k in sets:
                program.lines.append(f"sub {register}, {register}, a2")
            program.keep(register, sets.get(k, 0))
        program.keep("a5", sets.get(2, 0))
    program.run()


def additions(generator: random.Random, most: int) -> list[tuple[int, int]]:
    """(bytes, addend) of up to `most` additions, compressed and not."""
    sizes = [generator.choice((2, 4)) for _ in range(generator.randrange(1, most + 1))]
    return [(size, generator.randrange(1, 31)) for size in sizes]


def addition(size: int, addend: int) -> str:
    option = "rvc" if size == 2 else "norvc"  # else the assembler chooses
    return f".option {option}\naddi a0, a0, {addend}"


def model(counts: tuple[int, int], ends: tuple[int, int], start0: int, code: list[int]) -> int:
    """Runs additions: loop 1 from instruction 0, loop 0 from `start0` on, where it is set anew."""
    left, total, pc = [0, counts[1]], 0, 0
    while pc < len(code):
        if pc == start0 - 1:
            left[0] = counts[0]
        total += code[pc]
        for loop, start in ((0, start0), (1, 0)):
            if ends[loop] == pc and left[loop] != 0:
                left[loop] -= 1
                if left[loop] != 0:
                    pc = start - 1
                    break
        pc += 1
    return total


def test_nested_hardware_loops_match_the_model() -> None:
    """Counts of 0 and 1, the same end or not, compressed last instructions, half-word addresses."""
    generator = random.Random(11)
    program = Program(0x1C180000, False)
    for number in range(RANDOM + 16):
        counts = (generator.randrange(5), generator.randrange(5))
        before, inner = additions(generator, 3), additions(generator, 5)
        after = [] if number % 2 == 0 else additions(generator, 3)
        code = [addend for _, addend in before] + [0] + [addend for _, addend in inner + after]
        start0 = len(before) + 1
        ends = (start0 + len(inner) - 1, len(code) - 1)
        sizes = [size for size, _ in [*before, (4, 0), *inner, *after]]
        end0, end1 = 4 + sum(sizes[start0 : ends[0]]), 4 + sum(sizes[:-1])
        program.lines += [
            f"li a0, 0\nli a1, {counts[1]}\nli a2, {counts[0]}",
            ".option rvc\nc.nop" if number % 3 == 0 else "",
            f".word {hardware_loop(SETUP, 1, A1, end1 // 2):#x}",
            *(addition(*instruction) for instruction in before),
            f".word {hardware_loop(SETUP, 0, A2, end0 // 2):#x}",
            *(addition(*instruction) for instruction in inner + after),
            ".option norvc\n.balign 4",
        ]
        program.keep("a0", model(counts, ends, start0, code))
    program.run()


# --- p.elw ----------------------------------------------------------------------------------------


def test_event_loads_match_the_model() -> None:
    """Waits with and without clearing, for software events that the core has raised for itself."""
    word = i_type(0x03, 6, A0, A1, 28)
    assert f"{word:08x}" == "01c5e503"  # p.elw a0, 28(a1)
    generator = random.Random(6)
    program = Program(L1, True)
    program.lines.append("li s2, 0x10204000")
    buffer = 0
    for _ in range(RANDOM + 16):
        event, mask, clears = (
            generator.randrange(8),
            generator.getrandbits(8),
            generator.randrange(2),
        )
        mask |= 1 << event  # else it would sleep for ever
        buffer |= 1 << event
        program.lines.append(
            f"li a2, {mask}\nsw a2, 0(s2)\nli a2, 1\nsw a2, {0x100 + 4 * event}(s2)"
        )
        program.lines.append(f"addi a1, s2, {(0x3C if clears else 0x38) - 28}\n.word {word:#x}")
        program.keep("a0", buffer & mask)
        buffer &= ~mask if clears else MASK
        program.lines.append("lw a3, 0x1c(s2)")
        program.keep("a3", buffer)
    program.run()
