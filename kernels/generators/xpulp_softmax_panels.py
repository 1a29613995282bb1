# SPDX-License-Identifier: Apache-2.0
"""Softmax by pairs of a panel: python -m kernels.generators.xpulp_softmax_panels OUT.S

    ts_xp_softmax_panel(panel, words, pairs, buffer)

(kernels/include/ts_xpulp_panels.h). What xpulp_softmax.py does, in place, for four rows of `words`
whole words that are 16 bytes apart; the rows' first words follow each other. No registers are kept.
"""

from __future__ import annotations

import sys

from kernels.generators.assembly import Text, write
from kernels.generators.xpulp_softmax import (
    BYTES_OF_A_LOOP,
    constants,
    exponentials,
    maximum,
    shares,
)

NAME = "ts_xp_softmax_panel"
STEP = 16


def module() -> str:
    """The whole file."""
    text = Text()
    text.begin(NAME, BYTES_OF_A_LOOP, large=True)
    # a0: the row's first word; a1: its output; a3: words; a4: pairs; a5: buffer
    text("mv a4, a2", "mv a5, a3", "mv a3, a1")
    text.loop_address("start", 1, ".Lrow")
    text.loop_address("end", 1, ".Lrow_end")
    text("lp_counti 1, 4")
    constants(text, 32)
    # t0: the maximum, lane by lane
    text(".Lrow:", "lw t0, 0(a0)", "srli t2, a3, 1", "andi t3, a3, 1")
    text(f"slli t3, t3, {STEP.bit_length() - 1}", "add t1, a0, t3", "beqz t2, .Lone")
    text.loop("t2", ".Lmax")
    text(f"p_lw_step t3, t1, {STEP}", f"p_lw_step t4, t1, {STEP}", "pv_max_b t0, t0, t3")
    text(".Lmax:", "pv_max_b t0, t0, t4")
    text(".Lone:")
    maximum(text)
    text("mv t1, a0", "mv t2, a5", "li t6, 0", f"p_lw_step t3, t1, {STEP}")
    # Each word is loaded ahead of its turn: the last turn loads none, as there may be none.
    text("addi t4, a3, -1", "beqz t4, .Llast")
    text.loop("t4", ".Lpairs")
    exponentials(text, ".Lpairs", f"p_lw_step t3, t1, {STEP}")
    exponentials(text, ".Llast_done")
    text("mv a1, a0")
    shares(text, STEP)
    text(".Lrow_end:", "addi a0, a0, 4")
    text("ret")
    text.end(NAME)
    return text.file("xpulp_softmax_panels")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
