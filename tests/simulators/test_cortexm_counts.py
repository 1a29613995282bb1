# SPDX-License-Identifier: Apache-2.0
"""Executed instructions, counted by hand, and the counter reads among them."""

from __future__ import annotations

import itertools

import pytest
from cortexm_tools import M4, M7, assemble, run, run_text

FINISH = 3  # instructions of `finish`
ENABLE_COUNTER = 6


def count(body: str, core: str = M4) -> int:
    outcome = run_text(body + "\n finish\n", core=core)
    assert outcome.report["status"] == "exit"
    return outcome.instructions - FINISH


@pytest.mark.parametrize("core", [M4, M7])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", 0),
        ("nop\n" * 7, 7),
        ("movw r0, #1\n nop\n add.w r1, r0, r0", 3),
        # Longer than a translated block and over several pages of flash.
        (".rept 5000\n adds r0, #1\n .endr", 5000),
        # Wide instructions that lie across page borders.
        ("nop\n .rept 4000\n add.w r0, r0, r1\n .endr\n nop\n .rept 4000\n add.w r0, r0, r1\n"
         ".endr", 8002),
        ("movs r0, #10\n1: subs r0, #1\n bne 1b", 1 + 10 * 2),
        ("movs r0, #10\n1: movs r1, #3\n2: subs r1, #1\n bne 2b\n subs r0, #1\n bne 1b",
         1 + 10 * (1 + 3 * 2 + 2)),
        # A loop of one instruction would never end; of one that branches to itself conditionally:
        ("movs r0, #1\n lsls r0, #28\n1: adds r0, r0\n bne 1b", 2 + 4 * 2),
        # Skipped instructions of IT blocks are executed as far as counting goes.
        ("movs r0, #0\n cmp r0, #1\n ite eq\n moveq r1, #1\n movne r1, #2", 5),
        ("movs r0, #0\n cmp r0, #1\n itt eq\n moveq r1, #1\n ldreq r1, [r0]\n nop", 6),
        # Calls and returns; each entry of the callee is another block.
        ("bl 1f\n bl 1f\n b 2f\n1: nop\n bx lr\n2:", 2 + 2 * 2 + 1),
        ("bl 1f\n b 2f\n1: push {r4, lr}\n nop\n pop {r4, pc}\n2:", 2 + 3),
        # A jump into the middle of a block that exists already.
        ("movs r0, #2\n1: nop\n2: nop\n nop\n subs r0, #1\n beq 3f\n b 2b\n3:", 1 + 5 + 1 + 4),
        # Table branch, third entry.
        ("movs r0, #2\n tbb [pc, r0]\n4: .byte (1f-4b)/2, (2f-4b)/2, (3f-4b)/2, 0\n"
         "1: nop\n2: nop\n3: nop\n", 3),
        ("movs r0, #1\n tbh [pc, r0, lsl #1]\n4: .hword (1f-4b)/2, (2f-4b)/2\n1: nop\n2: nop\n", 3),
        ("movs r0, #0\n cbz r0, 1f\n nop\n1: cbnz r0, 2f\n2: nop", 4),
    ],
)  # fmt: skip
def test_count(body: str, expected: int, core: str) -> None:
    assert count(body, core) == expected


def test_dsp_fpu_and_divide_execute() -> None:
    body = """
    open_stream
    enable_fpu
    ldr r2, =0x00030002
    ldr r3, =0x00050007
    movs r4, #100
    smlad r4, r2, r3, r4
    emit r4
    ldr r2, =0xFFFF8000
    ssat r2, #8, r2
    emit r2
    movs r3, #7
    movs r4, #100
    udiv r4, r4, r3
    emit r4
    vmov.f32 s0, #1.5
    vadd.f32 s0, s0, s0
    vcvt.s32.f32 s0, s0
    vmov r4, s0
    emit r4
    finish
    """
    assert run_text(body).words == [100 + 2 * 7 + 3 * 5, 0xFFFFFF80, 14, 3]


def test_fpv5_belongs_to_the_m7() -> None:
    body = "enable_fpu\n vmov.f64 d0, #1.0\n vadd.f64 d0, d0, d0\n vrinta.f64 d1, d0\n finish\n"
    image = assemble(body, M7)
    assert run(image, core=M7).report["status"] == "exit"
    assert run(image, core=M4).fault["kind"] == "illegal-instruction"


@pytest.mark.parametrize("core", [M4, M7])
def test_inspected_instructions_execute_once(core: str) -> None:
    # The simulator stops in front of a new block with a divide or a multiple load to hook it.
    body = """
    open_stream
    ldr r4, =0x20000000
    movs r5, #0
    movs r6, #0
    movs r7, #3
1:  adds r5, #1
    adds r6, #100
    udiv r6, r6, r7
    stmia r4!, {r5, r6}
    cmp r5, #4
    bne 1b
    ldr r0, =0x20000000
    subs r4, r4, r0
    emit r4
    emit r6
    finish
    """
    values = [0]
    for _ in range(4):
        values.append((values[-1] + 100) // 3)
    assert run_text(body, core=core).words == [4 * 8, values[-1]]


@pytest.mark.parametrize("core", [M4, M7])
def test_counter_reads_name_the_instructions_before_them(core: str) -> None:
    body = """
    enable_counter
    count r0
    nop
    nop
    count r1
    count r2
    movs r3, #5
1:  subs r3, #1
    bne 1b
    nop
    count r4
    finish
    """
    reads = run_text(body, core=core).reads
    start = ENABLE_COUNTER
    expected = [start, start + 3, start + 4, start + 4 + 1 + 1 + 10 + 1]
    assert [instructions for _, instructions in reads] == expected
    cycles = [cycle for cycle, _ in reads]
    assert cycles == sorted(set(cycles))


def test_counter_reads_in_a_loop() -> None:
    body = "enable_counter\n movs r3, #4\n1: count r0\n nop\n subs r3, #1\n bne 1b\n finish\n"
    reads = run_text(body).reads
    assert [instructions for _, instructions in reads] == [
        ENABLE_COUNTER + 1 + 4 * turn for turn in range(4)
    ]
    steps = {later[0] - sooner[0] for sooner, later in itertools.pairwise(reads)}
    assert steps == {2 + 1 + 1 + 1 + 2}


def test_the_firmware_sees_what_the_report_says() -> None:
    body = "open_stream\n enable_counter\n nop\n count r4\n nop\n count r5\n emit r4\n emit r5\n"
    outcome = run_text(body + " finish\n")
    assert outcome.words == [cycles for cycles, _ in outcome.reads]


def test_counter_stands_still_until_enabled_and_can_be_set() -> None:
    body = """
    open_stream
    ldr r12, =0xE0001000
    count r4
    nop
    enable_counter
    movs r0, #0
    nop
    str r0, [r12, #4]
    nop
    count r5
    emit r4
    emit r5
    finish
    """
    # The write itself (one cycle) and the nop lie between.
    assert run_text(body).words == [0, 2]


def test_same_report_every_time() -> None:
    loop = "movs r3, #200\n1: subs r3, #1\n bne 1b"
    image = assemble(f"enable_counter\n count r0\n {loop}\n count r1\n finish\n")
    assert run(image, core=M7) == run(image, core=M7)


@pytest.mark.parametrize("core", [M4, M7])
def test_no_undefined_behaviour(core: str) -> None:
    body = "enable_fpu\n enable_counter\n count r0\n movs r3, #9\n1: udiv r2, r3, r3\n"
    body += " subs r3, #1\n bne 1b\n vmov.f32 s0, #1.0\n vmla.f32 s1, s0, s0\n count r1\n finish\n"
    outcome = run(assemble(body, core), core=core, sanitize=True)
    assert outcome.report["status"] == "exit"
