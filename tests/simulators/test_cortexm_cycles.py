# SPDX-License-Identifier: Apache-2.0
"""The cycle models on sequences worked out by hand; README.md of the simulator has the rules."""

from __future__ import annotations

import pytest
from cortexm_tools import M4, M7, assemble, measured, run

SETUP = """
    ldr r0, =0x20000100
    mov r9, r0
    mov r8, r0
    movs r1, #0
    movs r2, #0
    movs r3, #0
    movs r4, #0
    mvn r7, #0
    vmov s0, r1
    vmov s1, r1
    vmov s2, r1
    vmov s3, r1
"""

M4_SEQUENCES = [
    # Data processing and multiplication: one each.
    ("adds r1, #1\n adds r1, #1\n lsls r2, r1, #3", 3),
    ("mul r1, r2, r3\n mla r1, r2, r3, r1\n umull r1, r2, r3, r4\n smlal r1, r2, r3, r4", 4),
    ("smlad r1, r2, r3, r1\n smlad r1, r2, r3, r1\n sxtb16 r2, r3\n pkhbt r1, r2, r3, lsl #16\n"
     "ssat r1, #8, r2, asr #4", 5),
    # The load examples of the manual: "normally three, three, three, four cycles total".
    ("ldr r1, [r0]", 2),
    ("ldr r4, [r0]\n ldr r1, [r9]", 3),
    ("ldr r4, [r0, r1]\n str r4, [r9, #20]", 3),
    ("ldr r4, [r0, r1]\n str r2, [r9, r1]", 3),
    ("ldr r4, [r0, r1]\n ldr r2, [r9]\n ldr r3, [r8, #4]", 4),
    # The second address needs the first load: not pipelined.
    ("str r0, [r9]\n ldr r1, [r9]\n ldr r4, [r1]", 1 + 2 + 2),
    ("ldrb r1, [r0]\n ldrsh r2, [r0]\n adds r1, #1\n ldrb r3, [r0]", 2 + 1 + 1 + 2),
    # Post-indexed loads do not wait for each other's base.
    ("ldr r1, [r0], #4\n ldr r2, [r0], #4\n ldr r3, [r0], #4", 4),
    # An address from the instruction before.
    ("adds r0, #4\n ldr r1, [r0]", 1 + 3),
    ("adds r0, #4\n nop\n ldr r1, [r0]", 1 + 1 + 2),
    ("adds r0, #4\n str r1, [r0]", 1 + 2),
    ("adds r0, #4\n ldmia r0, {r1, r2}", 1 + 4),
    # Stores: immediate offset one, register offset two, nothing pipelined behind them.
    ("str r1, [r0]", 1),
    ("str r1, [r0]\n str r1, [r0, #4]", 2),
    ("movs r1, #4\n nop\n str r2, [r0, r1]", 2 + 2),
    ("str r1, [r0]\n ldr r2, [r0]", 1 + 2),
    ("strb r1, [r0], #1", 1),
    # Several registers: one plus their number.
    ("ldrd r1, r2, [r0]", 3),
    ("strd r1, r2, [r0]", 3),
    ("ldmia r0, {r1, r2, r3, r4}", 5),
    ("stmia r0!, {r1, r2, r3}", 4),
    ("push {r1, r2, r3}\n pop {r1, r2, r3}", 8),
    ("ldr r1, [r0]\n ldrd r2, r3, [r9]", 2 + 3),
    # Branches: one, and two for the refill where taken.
    ("b 1f\n nop\n1:", 3),
    ("cmp r1, #1\n beq 1f\n nop\n1:", 3),
    ("cmp r1, #0\n beq 1f\n nop\n1:", 1 + 3),
    ("movs r5, #10\n1: subs r5, #1\n bne 1b", 1 + 10 * 2 + 9 * 2),
    ("bl 9f", 3 + 3),
    ("ldr r5, =9f\n orr r5, #1\n blx r5", 2 + 1 + 3 + 3),
    ("push {r4, lr}\n bl 1f\n b 2f\n1: push {r4, lr}\n pop {r4, pc}\n2: pop {r4, lr}",
     3 + 3 + 3 + (3 + 2) + 3 + 3),
    ("cbz r1, 1f\n nop\n1: cbnz r1, 2f\n2:", 3 + 1),
    ("tbb [pc, r1]\n4: .byte (1f-4b)/2, 0\n1:", 3 + 2),
    # Skipped instructions of an IT block cost what the table says, mostly one.
    ("cmp r1, #1\n itt eq\n moveq r2, #1\n moveq r3, #1", 4),
    # Divides: two to twelve by the size of the quotient.
    ("udiv r1, r1, r7", 2),
    ("movs r5, #0\n udiv r1, r7, r5", 1 + 2),
    ("movs r5, #1\n udiv r1, r7, r5", 1 + 12),
    ("movs r5, #1\n sdiv r1, r7, r5", 1 + 5),
    ("movs r5, #7\n movs r6, #100\n udiv r1, r6, r5", 2 + 6),
    ("movs r5, #7\n mvn r6, #99\n sdiv r1, r6, r5", 2 + 6),
    ("movs r5, #1\n mov lr, r5\n udiv r1, r7, lr", 2 + 12),
    ("movs r5, #1\n cmp r5, #0\n it eq\n udiveq r1, r7, r5", 3 + 2),
    # Floating point.
    ("vadd.f32 s4, s0, s1\n vmul.f32 s5, s0, s1", 2),
    ("vadd.f32 s4, s0, s1\n vmul.f32 s5, s4, s1", 3),
    ("vmla.f32 s4, s0, s1\n vfma.f32 s5, s0, s1", 6),
    ("vdiv.f32 s4, s0, s1\n vsqrt.f32 s5, s0", 28),
    ("vldr s4, [r0]\n vldr d3, [r0]\n vstr s4, [r0]\n vstr d3, [r0]", 2 + 3 + 2 + 3),
    ("vldmia r0, {s4-s11}\n vpush {s4-s5}\n vpop {s4-s5}", 9 + 3 + 3),
    ("vmov r1, s0\n vmov s1, r1\n vmov r1, r2, s0, s1\n vmov.f32 s3, s4\n vcmp.f32 s0, s1\n"
     "vmrs apsr_nzcv, fpscr", 1 + 1 + 2 + 1 + 1 + 1),
]  # fmt: skip

M7_SEQUENCES = [
    # Two a cycle unless one needs the other.
    ("adds r1, #1\n adds r2, #1", 1),
    ("adds r1, #1\n adds r1, #1", 2),
    ("mov r1, #1\n mov r2, #2\n mov r3, #3\n mov r4, #4", 2),
    # One shifter, which wants its operand a cycle early.
    ("add r1, r2, r3, lsl #2\n add r4, r2, r3, lsl #2", 2),
    ("mov r3, #1\n add r1, r2, r3, lsl #2", 3),
    # One MAC unit; accumulators are needed late.
    ("mul r1, r2, r3\n mul r4, r2, r3", 2),
    ("mul r1, r2, r3\n add r4, r1, r1", 3),
    ("smlad r1, r2, r3, r1\n smlad r1, r2, r3, r1\n smlad r1, r2, r3, r1", 3),
    ("smlad r1, r2, r3, r1\n ldr r5, [r0]\n smlad r4, r2, r3, r4\n ldr r6, [r0, #4]", 2),
    # DSP operations only as the first of a pair.
    ("sxtb16 r1, r2\n add r3, r4, #1", 1),
    ("add r3, r4, #1\n sxtb16 r1, r2", 2),
    ("sxtb16 r1, r2\n sxtb16 r3, r4", 2),
    # Load-use two; two loads or a load and a store a cycle; one store.
    ("ldr r1, [r0]\n add r2, r1, #1", 3),
    ("ldr r1, [r0]\n ldr r2, [r9]", 1),
    ("ldr r1, [r0]\n str r2, [r9]", 1),
    ("str r1, [r0]\n str r2, [r9]", 2),
    ("ldr r1, [r0], #4\n ldr r2, [r0], #4", 2),
    ("add r0, r0, #4\n ldr r1, [r0]", 3),
    ("ldmia r0, {r1, r2, r3, r4}", 2),
    ("ldrd r1, r2, [r0]", 1),
    ("udiv r1, r1, r7", 7),
    # Not taken: free beside another instruction.
    ("cmp r1, #1\n beq 1f\n1:", 2),
    # FP: latency three; a fused chain goes on after three, a plain one too.
    ("vadd.f32 s4, s0, s1\n vadd.f32 s5, s4, s1", 4),
    ("vadd.f32 s4, s0, s1\n vadd.f32 s5, s2, s1", 2),
    ("vmla.f32 s4, s0, s1\n vmla.f32 s4, s2, s1", 4),
    ("vldr s4, [r0]\n vldr s5, [r9]", 1),
]


@pytest.mark.parametrize(("body", "cycles"), M4_SEQUENCES)
def test_m4(body: str, cycles: int) -> None:
    assert measured(body, M4, SETUP, "nop", "9: bx lr\n .pool")[0] == cycles


@pytest.mark.parametrize(("body", "cycles"), M7_SEQUENCES)
def test_m7(body: str, cycles: int) -> None:
    assert measured(body, M7, SETUP, "dsb", "9: bx lr\n .pool")[0] == cycles


def loop(turns: int) -> int:
    """Cycles of a counted loop on the M7."""
    body = f"movs r5, #{turns}\n1: adds r1, #1\n subs r5, #1\n bne 1b"
    return measured(body, M7, SETUP, "dsb")[0]


def test_m7_predicts_loops() -> None:
    # Two cycles and one for the taken branch; the first taken branch and the exit are mispredicted.
    assert loop(100) - loop(50) == 50 * 3
    assert loop(2) >= 7


def test_m7_mispredicts_alternating_branches() -> None:
    def cycles(mask: int) -> int:
        body = f"""
    movs r5, #64
1:  tst r5, #{mask}
    beq 2f
    nop
2:  subs r5, #1
    bne 1b
    """
        return measured(body, M7, SETUP, "dsb")[0]

    assert cycles(1) > cycles(0x80) + 20 * 7


def test_cycles_do_not_depend_on_block_borders() -> None:
    # A counter read ends a block; so does the engine's limit on a block's length.
    loads = "ldr r1, [r0]\n ldr r2, [r9]\n" * 400
    assert measured(loads, M4, SETUP, "nop")[0] == 800 + 1
    program = "enable_counter\n ldr r0, =0x20000000\n count r3\n{} count r4\n finish\n"
    whole = run(assemble(program.format("ldr r1, [r0]\n" * 9))).reads
    split = run(assemble(program.format("ldr r1, [r0]\n" * 4 + "count r1\n" +
                                        "ldr r1, [r0]\n" * 4))).reads  # fmt: skip
    assert whole[-1] == split[-1]
