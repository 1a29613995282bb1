# SPDX-License-Identifier: Apache-2.0
"""The M7 model against LLVM's own run of its scheduling model, on inner loops of kernels."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from cortexm_tools import M7, measured

MCA = shutil.which("llvm-mca")
TOLERANCE = 0.2
SETUP = """
    ldr r0, =0x20000100
    mov r9, r0
    mov r6, r0
    mov r8, #0x100
    mov r1, #0
"""
# Without write-back: llvm-mca puts loads that update one base two cycles apart, the model one.
LOOPS = {
    "int16 product, 4 x 2": """
    ldr r1, [r0, #0]
    ldr r2, [r0, #4]
    ldr r3, [r0, #8]
    ldr r4, [r0, #12]
    ldr r5, [r9, #0]
    ldr r6, [r9, #4]
    smlad r7, r1, r5, r7
    smlad r8, r2, r5, r8
    smlad r10, r3, r5, r10
    smlad r11, r4, r5, r11
    smlad r7, r1, r6, r7
    smlad r8, r2, r6, r8
    smlad r10, r3, r6, r10
    smlad r11, r4, r6, r11
    add r0, r0, #16
    add r9, r9, #8
    """,
    # The step of kernels/include/ts_m7_loop.h with one sum less, for r12 is taken here.
    "int16 product, each operand reloaded behind its last use": """
    smlad r4, r0, r2, r4
    ldr r1, [r9, #4]
    smlad r5, r0, r3, r5
    ldr r0, [r9, #8]
    smlad r7, r1, r2, r7
    smlad r8, r1, r3, r8
    ldr r1, [r9, #12]
    smlad r10, r0, r2, r10
    smlad r11, r0, r3, r11
    ldr r0, [r9, #16]
    smlad lr, r1, r2, lr
    ldr r2, [r6, #4]
    smlad lr, r1, r3, lr
    ldr r3, [r6, #8]
    """,
    "int8 product with extension": """
    ldr r1, [r0, #0]
    ldr r2, [r9, #0]
    sxtb16 r3, r1
    sxtb16 r4, r2
    sxtb16 r1, r1, ror #8
    sxtb16 r2, r2, ror #8
    smlad r7, r3, r4, r7
    smlad r8, r1, r2, r8
    add r0, r0, #4
    add r9, r9, #4
    """,
    "pairs by double loads": """
    ldrd r1, r2, [r0]
    ldrd r3, r4, [r0, #8]
    smlad r7, r1, r3, r7
    smlad r8, r2, r4, r8
    pkhbt r5, r1, r2, lsl #16
    pkhtb r6, r2, r1, asr #16
    smlad r7, r5, r3, r7
    smlad r8, r6, r4, r8
    add r0, r0, #16
    """,
    "requantisation": """
    ldr r1, [r0, #0]
    mul r2, r1, r7
    add r2, r2, r8
    ssat r2, #8, r2, asr #16
    strb r2, [r9, #0]
    add r0, r0, #4
    add r9, r9, #1
    """,
    "wide requantisation": """
    ldr r1, [r0, #0]
    smull r2, r3, r1, r7
    lsrs r2, r2, #15
    orr r2, r2, r3, lsl #17
    ssat r2, #8, r2
    strb r2, [r9, #0]
    add r0, r0, #4
    add r9, r9, #1
    """,
    "table look-up": """
    ldrb r1, [r0, #0]
    subs r2, r8, r1
    ldr r3, [r9, r2, lsl #2]
    add r7, r7, r3
    str r3, [r6, #0]
    add r0, r0, #1
    add r6, r6, #4
    """,
    "one product": """
    ldrsb r1, [r0, #0]
    ldrsb r2, [r9, #0]
    mla r7, r1, r2, r7
    add r0, r0, #1
    add r9, r9, #1
    subs r8, r8, #1
    """,
    "shifts and logic": """
    add r1, r1, #1
    add r2, r2, r3, lsl #2
    eor r4, r4, r2
    uxtb r5, r4
    orr r6, r5, r1
    lsr r7, r6, #3
    cmp r7, r8
    """,
}


def llvm_cycles(body: str) -> float:
    """Cycles of one of many turns."""
    assert MCA is not None
    turns = 400
    command = [MCA, "-mtriple=thumbv7em-none-eabihf", "-mcpu=cortex-m7", f"-iterations={turns}"]
    text = f".syntax unified\n.thumb\n{body}\n"
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
    assert found is not None
    return int(found[1]) / turns


def model_cycles(body: str) -> float:
    """The same for the simulator, without the start and the end."""
    fewer, more = 10, 30
    times = [measured(body * turns, M7, SETUP, "dsb")[0] for turns in (fewer, more)]
    return (times[1] - times[0]) / (more - fewer)


@pytest.mark.skipif(MCA is None, reason="llvm-mca is not installed")
@pytest.mark.parametrize("name", LOOPS)
def test_close_to_llvm(name: str) -> None:
    expected = llvm_cycles(LOOPS[name])
    assert model_cycles(LOOPS[name]) == pytest.approx(expected, rel=TOLERANCE)
