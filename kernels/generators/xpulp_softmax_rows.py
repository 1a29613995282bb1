# SPDX-License-Identifier: Apache-2.0
"""Softmax by pairs of rows without padding: python -m kernels.generators.xpulp_softmax_rows OUT.S

    void ts_xp_softmax_bytes(const int8_t *input, uint8_t *output, uint32_t n, uint32_t rows,
                             const uint32_t *pairs, uint32_t *buffer)

(kernels/include/ts_xpulp_softmax.h). What xpulp_softmax.py does, for rows of n >= 4 bytes that
follow each other wherever they end. A word across a word's bounds takes two cycles, so the maximum
goes over aligned words, and the first and last four bytes of the row by themselves; exponentials go
over words from the row's first byte on, its last n % 4 elements over the row's last four bytes. The
output is written in whole words, up to three bytes beyond a row. `pairs`: layout
softmax_pairs_wide.
"""

from __future__ import annotations

import sys

from kernels.generators.assembly import Text, write
from kernels.generators.xpulp_softmax import (
    BYTES_OF_A_LOOP,
    constants,
    enter,
    for_rows,
    leave,
    maximum,
    shares,
)

NAME = "ts_xp_softmax_bytes"
# Where the function begins, found by trial: 0.2 % fewer cycles at S = 81 than at one loop's bytes.
PLACE = 4 * BYTES_OF_A_LOOP
PAIRED = 40  # see the packer softmax_pairs_wide


def module() -> str:
    """The whole file."""
    text = Text()
    text.begin(NAME, PLACE, hot=True)
    enter(text)
    # a0, a1: input and output row; a3: words, the last one perhaps in part; a4: pairs; a5: buffer;
    # a6: 31 in the lanes beyond the row's last; a7: their bits; s1: bytes of a row; s3: whole
    # words; s7: from the end of the output's words to its next row
    for_rows(text)
    text("mv s1, a2", "srli s3, a2, 2", "addi a3, a2, 3", "srli a3, a3, 2")
    text("sw s7, 28(sp)", "slli s7, a3, 2", "sub s7, a2, s7")
    text("slli t0, a2, 3", "li a6, 0x1f1f1f1f", "sll a6, a6, t0")
    text("neg t0, t0", "andi a7, t0, 24")
    constants(text, PAIRED)
    # Each core limits distances to another one of those whose exponential is 0.
    text("sw s2, 24(sp)", "csrr s2, mhartid", "andi s2, s2, 7", "addi s2, s2, 31")
    text(".Lrow:", "lw t0, 0(a0)", "add t4, a0, s1", "lw t5, -4(t4)", "addi t1, a0, 3")
    text("andi t1, t1, -4", "pv_max_b t0, t0, t5", "andi t4, t4, -4", "sub t4, t4, t1")
    text("srli t2, t4, 3", "andi t4, t4, 4", "beqz t4, .Leven", "p_lw_step t3, t1, 4")
    text("pv_max_b t0, t0, t3")
    text(".Leven:", "beqz t2, .Lone")
    text.loop("t2", ".Lmax")
    text("p_lw_step t3, t1, 4", "p_lw_step t4, t1, 4", "pv_max_b t0, t0, t3")
    text(".Lmax:", "pv_max_b t0, t0, t4")
    text(".Lone:")
    maximum(text)
    # t6: the sum; a turn's last pair joins it in the next turn, while that turn's word comes.
    text("mv t1, a0", "mv t2, a5", "li t6, 0", "li t5, 0")
    text.loop("s3", ".Lpairs")
    text("p_lw_step t3, t1, 4", "pv_sdotup_sci_h t6, t5, 1", "pv_sub_b t3, t0, t3")
    pairs(text, ".Lpairs")
    text("beqz a7, .Lsum", "add t1, a0, s1", "lw t3, -4(t1)", "pv_sdotup_sci_h t6, t5, 1")
    text("srl t3, t3, a7", "pv_sub_b t3, t0, t3", "or t3, t3, a6")
    pairs(text, ".Lpart")
    text(".Lsum:", "pv_sdotup_sci_h t6, t5, 1")
    shares(text)
    text("add a0, a0, s1", ".Lrow_end:", "add a1, a1, s7", "lw s2, 24(sp)", "lw s7, 28(sp)")
    leave(text)
    text.end(NAME)
    return text.file("xpulp_softmax_rows")


def pairs(text: Text, end: str) -> None:
    """The exponentials of the four distances in t3 to the buffer, those of the first pair to the
    sum too; `end` labels the last instruction."""
    text("pv_minu_sc_b t3, t3, s2", "pv_dotup_b t4, t3, s4", "pv_dotup_b t5, t3, s5")
    text("p_lw_at t4, a4, t4", "p_lw_at t5, a4, t5", "pv_sdotup_sci_h t6, t4, 1")
    text("p_sw_step t4, t2, 4", f"{end}:", "p_sw_step t5, t2, 4")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
