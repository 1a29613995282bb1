# SPDX-License-Identifier: Apache-2.0
"""Control and status registers: the six instructions on those that hold what was written, against a
model in Python; who a core is; what the performance counters count."""

from __future__ import annotations

import random

import pytest
from xpulp_model import MASK
from xpulp_tools import Program, results, run_text

PLAIN = {"mstatus": 0x300, "mtvec": 0x305, "mscratch": 0x340, "mepc": 0x341, "mcause": 0x342,
         "lpstart0": 0x7C0, "lpend0": 0x7C1, "lpcount0": 0x7C2,
         "lpstart1": 0x7C4, "lpend1": 0x7C5, "lpcount1": 0x7C6}  # fmt: skip
COUNTERS = {"pccr0": 0x780, "pccr1": 0x781, "pcmr": 0x7E1}
EDGES = (0, 1, 31, 0x7FFFFFFF, 0x80000000, MASK)
RANDOM = 64


def combined(name: str, old: int, operand: int) -> int:
    if name.startswith("csrrw"):
        return operand
    return old | operand if name.startswith("csrrs") else old & ~operand & MASK


@pytest.mark.parametrize("register", {**PLAIN, **COUNTERS})
def test_registers_that_hold_what_was_written(register: str) -> None:
    number = {**PLAIN, **COUNTERS}[register]
    generator = random.Random(number)
    program = Program()
    program.lines.append(f"csrw {number:#x}, x0")
    old = 0
    operands = [*EDGES, *(generator.getrandbits(32) for _ in range(RANDOM))]
    for operand in operands:
        name = generator.choice(("csrrw", "csrrs", "csrrc", "csrrwi", "csrrsi", "csrrci"))
        operand = operand & 31 if name.endswith("i") else operand
        source = str(operand) if name.endswith("i") else "a1"
        program.lines.append(f"li a1, {operand:#x}\n{name} a0, {number:#x}, {source}")
        program.keep("a0", old)
        old = combined(name, old, operand)
        program.lines.append(f"csrr a0, {number:#x}")
        program.keep("a0", old)
    # Loops and counters are switched off for what follows.
    program.lines.append(f"csrw {number:#x}, x0")
    program.run()


def test_each_core_knows_its_number() -> None:
    text = "cluster 8\ncore:\ncsrr a0, 0xf14\nemit a0\ncsrr a0, 0x014\nemit a0\nfinish\n"
    assert results(text) == [3, 3]
    assert results("csrr a0, 0xf14\nsrli a0, a0, 5\nemit a0\nfinish\n") == [31]


def test_interrupts_stay_off() -> None:
    assert results("csrw 0x304, x0\ncsrr a0, 0x304\nemit a0\nfinish\n") == [0]
    fault = run_text("li a0, 8\nhere: csrs 0x304, a0\n").fault
    assert (fault["kind"], "interrupts" in fault["detail"]) == ("unmodelled-register", True)


def test_other_events_are_not_counted() -> None:
    for number in ("0x7e0", "0xcc0"):
        fault = run_text(f"li a0, 7\ncsrw {number}, a0\n").fault
        assert (fault["kind"], "events other than" in fault["detail"]) == (
            "unmodelled-register",
            True,
        )


def test_time_asleep_is_not_counted() -> None:
    """PCCR0 counts cycles that are not clock-gated, mcycle all; each enable is for itself."""
    text = """
    cluster 3
core:
    csrr s2, mhartid
    barrier_setup 3
    li t0, {events}
    csrw 0xcc0, t0
    csrw 0x780, x0
    csrw 0x781, x0
    bnez s2, late
    csrr s3, mcycle
    csrwi 0x7e1, 1
    barrier
    csrwi 0x7e1, 0
    csrr s4, mcycle
    sub s4, s4, s3
    emit s4
    csrr a0, 0x780
    emit a0
    csrr a0, 0x781
    emit a0
    finish
late:
    li t1, 500
1:  addi t1, t1, -1
    bnez t1, 1b
    barrier
    wfi
    """
    elapsed, active, instructions = results(text.format(events=3))
    assert elapsed > 1000
    assert active < 10
    assert instructions == 2
    assert results(text.format(events=1)) == [elapsed, active, 0]
    assert results(text.format(events=2)) == [elapsed, 0, 2]
