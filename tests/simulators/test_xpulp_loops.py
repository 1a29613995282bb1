# SPDX-License-Identifier: Apache-2.0
"""Hardware loops: the end address is the last instruction, inclusive."""

from __future__ import annotations

import pytest
from xpulp_tools import results, run_text


def setup(loop: int, rs1: str, end: str) -> str:
    """lp.setup; `end` is the distance to the last instruction in half-words."""
    return f".insn i 0x7b, 4, x{loop}, {rs1}, {end}"


def setupi(loop: int, count: int, half_words: int) -> str:
    return f".word {count << 20 | half_words << 15 | 5 << 12 | loop << 7 | 0x7B:#x}"


def counti(loop: int, count: int) -> str:
    return f".insn i 0x7b, 3, x{loop}, x0, {count}"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
@pytest.mark.parametrize("loop", [0, 1])
def test_setup_runs_the_body_count_times(loop: int, count: int) -> None:
    text = f"""
    li a0, 0
    li a1, 0
    li a2, {count}
    {setup(loop, "a2", "6")}
    addi a0, a0, 1
    addi a0, a0, 1
    addi a1, a1, 1
    emit a0
    emit a1
    finish
    """
    times = max(count, 1)
    assert results(text) == [2 * times, times]


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_setupi_with_a_one_instruction_body(count: int) -> None:
    text = f"li a0, 0\n{setupi(0, count, 2)}\naddi a0, a0, 1\nemit a0\nfinish\n"
    assert results(text) == [max(count, 1)]


def test_explicit_start_end_count_and_their_registers() -> None:
    text = """
    la s2, first
    li a0, 0
    li a2, 7
    .insn i 0x7b, 0, x1, x0, 6     # lp.starti 1: 12 bytes on
    .insn i 0x7b, 1, x1, x0, 6     # lp.endi 1: 12 bytes on, the second addi
    .insn i 0x7b, 2, x1, a2, 0     # lp.count 1, a2
first:
    addi a0, a0, 1
    addi a0, a0, 2
    addi a0, a0, 16
    emit a0
    csrr a1, 0x7c4
    sub a1, a1, s2
    emit a1
    csrr a1, 0x7c5
    sub a1, a1, s2
    emit a1
    csrr a1, 0x7c6
    emit a1
    csrr a1, 0x7c2
    emit a1
    finish
    """
    assert results(text) == [7 * 3 + 16, 0, 4, 0, 0]


@pytest.mark.parametrize(("outer", "inner"), [(1, 1), (2, 3), (4, 1), (3, 5)])
@pytest.mark.parametrize("same_end", [False, True])
def test_nested(outer: int, inner: int, same_end: bool) -> None:
    tail = "" if same_end else "addi a1, a1, 1"
    text = f"""
    li a0, 0
    li a1, 0
    li a2, {outer}
    li a3, {inner}
    {setup(1, "a2", "8" if same_end else "10")}
    addi a1, a1, 16
    {setup(0, "a3", "4")}
    addi a0, a0, 1
    addi a0, a0, 16
    {tail}
    emit a0
    emit a1
    finish
    """
    total = outer * inner
    assert results(text) == [17 * total, 16 * outer + (0 if same_end else outer)]


def test_compressed_body_at_half_word_addresses() -> None:
    text = f"""
    li a0, 0
    li a2, 5
    .option rvc
    c.nop
    {setup(0, "a2", "4")}   # PC + 4: c.addi; PC + 6: c.addi; PC + 8: c.addi, the last
    c.addi a0, 1
    c.addi a0, 1
    c.addi a0, 3
    .option norvc
    .balign 4
    emit a0
    finish
    """
    assert results(text) == [25]


def test_loads_stores_branches_inside() -> None:
    text = f"""
    li s1, 0x1c080000
    mv a1, s1
    li a2, 6
    li a0, 0
    {setup(0, "a2", "10")}
    addi a0, a0, 1
    andi a3, a0, 1
    beqz a3, 1f
    addi a0, a0, 2
1:  .insn s 0x2b, 2, a0, 4(a1)   # last: p.sw a0, 4(a1!)
    lw a0, 20(s1)
    emit a0
    sub a1, a1, s1
    emit a1
    finish
    """
    # The branch goes to the last instruction, which still closes the loop.
    value = 0
    for _ in range(6):
        value += 1
        value += 2 if value % 2 else 0
    assert results(text) == [value, 24]


def test_counts_through_registers_of_the_other_kind() -> None:
    text = f"""
    li a0, 0
    li a1, 3
    {setup(0, "a1", "4")}
    addi a0, a0, 1
    addi a0, a0, 1
    la a2, start
    csrw 0x7c0, a2
    la a2, end
    csrw 0x7c1, a2
    li a2, 4
    csrw 0x7c2, a2
start:
    addi a0, a0, 16
end:
    addi a0, a0, 16
    {counti(0, 0)}
    emit a0
    finish
    """
    assert results(text) == [6 + 4 * 32]


@pytest.mark.parametrize("last", ["j 1f", "beq x0, a0, 1f", "jr ra"])
def test_a_branch_as_last_instruction_faults(last: str) -> None:
    text = f"li a0, 1\nli a2, 4\n{setup(0, 'a2', '4')}\nnop\nend: {last}\n1: finish\n"
    assert run_text(text).fault["kind"] == "hardware-loop"


@pytest.mark.parametrize("end", ["0", "1"])
def test_a_loop_that_ends_before_its_body_faults(end: str) -> None:
    text = f"la s1, here\nemit s1\nli a2, 4\nhere: {setup(0, 'a2', end)}\nnop\nnop\nfinish\n"
    outcome = run_text(text)
    assert outcome.fault["kind"] == "hardware-loop"
    assert outcome.fault["pc"] == outcome.words[0]


def test_a_finished_loop_leaves_its_end_alone() -> None:
    text = f"""
    li a0, 0
    li a1, 3
again:
    li a2, 2
    {setup(0, "a2", "4")}
    addi a0, a0, 1
    addi a0, a0, 1
    addi a1, a1, -1
    bnez a1, again
    j skip
    nop
skip:
    emit a0
    finish
    """
    assert results(text) == [12]
