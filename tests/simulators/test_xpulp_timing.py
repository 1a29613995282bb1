# SPDX-License-Identifier: Apache-2.0
"""Cycles of short sequences on a cluster core, read with mcycle: GVSOC's measured latencies."""

from __future__ import annotations

import pytest
from xpulp_tools import assemble, results, run


def cycles(sequence: str, *options: str, setup: str = "") -> int:
    """Cycles between two mcycle reads, without the read itself."""
    text = f"""
    cluster 1
core:
    li s1, 0x10000100
    li s2, 0x1c080000
    li s3, 0x10204000
    li s4, 0x10200000
    li a2, 100
    li a3, 7
    {setup}
    csrr s8, mcycle
    {sequence}
    csrr s9, mcycle
    sub s9, s9, s8
    emit s9
    finish
    """
    return results(text, *options)[0] - 1


LOOP = ".insn i 0x7b, 4, x0, a3, 4\nadd a0, a0, a2\nadd a0, a0, a2"

# sequence: cycles with the gvsoc table, with the rtl table
SEQUENCES = {
    "nop": (1, 1),
    "add a0, a2, a3": (1, 1),
    ".insn r 0x57, 1, 0x5c, a0, a2, a3": (1, 1),  # pv.sdotsp.b
    ".insn r 0x33, 0, 0x21, a0, a2, a3": (1, 1),  # p.mac
    LOOP: (1 + 14, 1 + 14),
    "lw a0, 0(s1)": (1, 1),
    "lw a0, 0(s1)\nnop": (2, 2),
    "lw a0, 0(s1)\nadd a1, a0, a0": (3, 3),
    "lw a0, 0(s1)\nadd a1, a2, a2": (2, 2),
    "lw a0, 0(s1)\nnop\nadd a1, a0, a0": (3, 3),
    "lw a0, 0(s1)\nsw a0, 4(s1)": (3, 3),
    "lw a0, 0(s1)\n.insn r 0x57, 1, 0x5c, a0, a2, a3": (3, 3),  # rd is a source
    "lw a0, 0(s1)\n.insn r 0x33, 0, 0x21, a0, a2, a3": (3, 3),
    "lw a0, 0(s1)\n.insn r 0x57, 1, 0x64, a0, a2, a3": (3, 3),  # pv.shuffle2.b
    "lw a0, 0(s1)\n.insn r 0x57, 1, 0x4c, a0, a2, a3": (2, 2),  # pv.dotsp.b does not read rd
    "lw x0, 0(s1)\nadd a1, x0, x0": (2, 2),
    ".insn i 0x0b, 2, a0, 4(s1)\naddi s1, s1, 4": (2, 2),  # the address is not late
    "sw a0, 0(s1)": (1, 1),
    "lw a0, 1(s1)": (2, 2),
    "sh a0, 3(s1)": (2, 2),
    "lh a0, 2(s1)": (1, 1),
    "lh a0, 1(s1)": (1, 1),  # within a word
    "sh a0, 5(s1)": (1, 1),
    "lw a0, 1(s2)": (30, 30),
    "sw a0, 1(s2)": (16, 16),  # the second half of a store is posted
    "lw a0, 0(s2)": (15, 15),
    "sw a0, 0(s2)": (15, 15),
    "lw a0, 0(s2)\nadd a1, a0, a0": (17, 17),
    "lw a0, 0x20(s3)": (1, 1),
    "sw a0, 0x0c8(s3)": (1, 1),
    "lw a0, 0x40(s4)": (3, 3),
    "sw a0, 0x40(s4)": (3, 3),
    "beq a2, a3, 1f\n1:": (1, 1),
    "bne a2, a3, 1f\nnop\n1:": (3, 3),
    "j 1f\nnop\n1:": (2, 2),
    "la a0, 1f\njr a0\nnop\n1:": (4, 4),
    "mul a0, a2, a3": (2, 1),
    "mul a0, a2, a3\nadd a1, a0, a0": (4, 2),
    "mul a0, a2, a3\nadd a1, a2, a2": (3, 2),
    "mulh a0, a2, a3": (5, 5),
    "mulhu a0, a2, a3": (5, 5),
    "mulhu a0, a2, a3\nadd a1, a0, a0": (7, 6),
    "div a0, a2, x0": (1, 35),
    "remu a0, a2, x0": (34, 35),
    ".insn i 0x03, 6, a0, 0xc0(s3)": (3, 3),  # p.elw of a free mutex
}


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_sequences(sequence: str) -> None:
    gvsoc, rtl = SEQUENCES[sequence]
    assert cycles(sequence) == gvsoc
    assert cycles(sequence, "--timing", "gvsoc") == gvsoc
    assert cycles(sequence, "--timing", "rtl") == rtl


DIVISORS = {1: 34, 2: 33, 3: 33, 1 << 15: 19, 1 << 30: 4, 0x7FFFFFFF: 4, -1: 33, -8: 30}


@pytest.mark.parametrize("divisor", DIVISORS)
def test_signed_division(divisor: int) -> None:
    for name in ("div", "rem"):
        assert cycles(f"{name} a0, a2, a4", setup=f"li a4, {divisor}") == DIVISORS[divisor]


def test_unsigned_division() -> None:
    for divisor, want in ((1, 34), (1 << 30, 4), (0xFFFFFFFF, 3)):
        assert cycles("divu a0, a2, a4", setup=f"li a4, {divisor}") == want


def test_soc_peripheral() -> None:
    assert cycles("sw a2, 0(a4)", setup="li a4, 0x1a10f000") == 23


def test_barrier_alone() -> None:
    wait = ".insn i 0x03, 6, t0, 0x21c(s3)"
    masks = "li t1, 1\nsw t1, 0x200(s3)\nsw t1, 0x20c(s3)\nli t1, 7 << 16\nsw t1, 8(s3)"
    assert cycles(wait, setup=masks) == 5
    assert cycles(wait + "\n" + wait, setup=masks) == 10


@pytest.mark.parametrize(("target", "extra"), [("add a0, a0, a2", 1), ("c.add a0, a2", 0)])
def test_rtl_pays_for_a_target_across_words(target: str, extra: int) -> None:
    """The target lies at 2 mod 4: a 32-bit instruction there takes two fetches."""
    option = "rvc" if target.startswith("c.") else "norvc"
    pad = "c.nop" if option == "norvc" else ""
    sequence = f"""
    .balign 4
    beq x0, x0, 1f
    .option rvc
    c.nop
1:  .option {option}
    {target}
    .option rvc
    {pad}
    .option norvc
    """
    plain = 3 + 1 + (1 if pad else 0)
    assert cycles(sequence) == plain
    assert cycles(sequence, "--timing", "rtl") == plain + extra


def test_global_time_is_one_clock() -> None:
    """A core that slept reads the same clock as the others: waiting costs no instructions."""
    text = """
    cluster 3
core:
    csrr s2, mhartid
    barrier_setup 3
    bnez s2, 2f
    li t1, 1000
1:  addi t1, t1, -1
    bnez t1, 1b
2:  barrier
    csrr s3, mcycle
    csrr s4, minstret
    bnez s2, other
    emit s3
    emit s4
    barrier
    li t1, 0x10000000
    lw a0, 0(t1)
    emit a0
    finish
other:
    li t1, 0x10000000
    sw s3, 0(t1)
    barrier
    wfi
    """
    time, instructions, other = results(text)
    assert time == other
    assert time > 4000
    assert 2000 < instructions < 2100


def test_performance_counters() -> None:
    text = """
    cluster 1
core:
    li t0, 3
    csrw 0x7e0, t0
    csrw 0x780, x0
    csrw 0x781, x0
    csrw 0x7e1, t0
    mul a0, t0, t0
    nop
    nop
    csrw 0xcc1, x0
    nop
    csrr a0, 0x780
    emit a0
    csrr a0, 0x781
    emit a0
    finish
    """
    assert results(text) == [5, 4]


def test_unknown_timing_is_refused() -> None:
    with pytest.raises(AssertionError, match="--timing"):
        run(assemble("finish\n"), "--timing", "fast")


def test_lookahead_does_not_change_time() -> None:
    """The same work on core 0, alone and beside seven busy cores, takes the same cycles."""
    work = "li t1, 50\n1: lw t2, 0(s1)\naddi t2, t2, 3\nsw t2, 0(s1)\naddi t1, t1, -1\nbnez t1, 1b"
    text = """
    cluster {mask}
core:
    csrr s2, mhartid
    slli t0, s2, 2
    li s1, 0x10000000
    add s1, s1, t0
    csrr s3, mcycle
    {work}
    csrr s4, mcycle
    bnez s2, park
    sub s4, s4, s3
    emit s4
    finish
park: wfi
    """
    alone = results(text.format(mask=1, work=work))
    crowded = results(text.format(mask=0xFF, work=work))
    assert alone == crowded == [1 + 1 + 50 * 8 - 2]
