# SPDX-License-Identifier: Apache-2.0
"""Assembly of the XpulpV2 softmax by pairs: python -m kernels.generators.xpulp_softmax OUT.S

    void ts_xp_softmax_pairs(const int8_t *input, uint8_t *output, uint32_t n, uint32_t rows,
                             const uint32_t *pairs, uint32_t *buffer)

(kernels/include/ts_xpulp_softmax.h). Rows of words; exponentials of two elements at a time come
from a table of 32 x 32 pairs, which serves tables that are 0 from entry 31 on and at most 128.

Per four elements: 2 cycles for the maximum, 11 for exponentials and their sum, 9 to scale. The
scale of a row is m = floor((255 << k) / sum) + 1 with 2^k the largest power of two below 257 * sum:
then m < 2^16, and (t * m) >> k = floor(255 * t / sum), since m exceeds the real factor by e / sum
with e <= sum and t * e <= 128 * sum < 2^k. Each k has its own loop, as the shift is a part of the
instruction.
"""

from __future__ import annotations

import sys

from kernels.generators.assembly import Text, write

NAME = "ts_xp_softmax_pairs"
SHIFTS = range(8, 25)  # of sums from 1 to 130,000
BYTES_OF_A_LOOP = 64
SAVED = ("s0", "s1", "s3", "s4", "s5", "s6")


def write_function(text: Text, name: str, exact: bool = False) -> None:
    """The whole function; output rows of whole words, or if `exact` one directly behind the other,
    so that the last word of each is in part overwritten by the next."""
    text.begin(name, BYTES_OF_A_LOOP, hot=True)
    enter(text)
    # a0, a1: input and output row; a3: words; a4: pairs; a5: buffer; a6: mask, a7: its complement;
    # s1: bytes of a row; s3: from a row to its last word; s7: exact: from the end of the output's
    # words to its next row
    for_rows(text)
    text("addi a3, a2, 3", "srli a3, a3, 2", "slli s1, a3, 2", "addi s3, s1, -4")
    text("neg t0, a2", "slli t0, t0, 3", "li a6, -1", "srl a6, a6, t0", "not a7, a6")
    if exact:
        text("sw s7, 28(sp)", "sub s7, a2, s1")
    constants(text, 32)
    text(".Lrow:", "mv t1, a0", "lw t0, 0(a0)")
    # t0: the maximum, lane by lane
    text("add t6, a0, s3", "beqz a7, .Lwhole")
    text("lw t5, 0(t6)", "li t4, 0x80808080", "and t5, t5, a6", "and t4, t4, a7")
    text("or t4, t4, t5", "sw t4, 0(t6)", "lw t0, 0(a0)")
    text(".Lwhole:", "srli t2, a3, 1", "andi t3, a3, 1", "slli t3, t3, 2", "add t1, t1, t3")
    text("beqz t2, .Lone")
    text.loop("t2", ".Lmax")
    text("p_lw_step t3, t1, 4", "p_lw_step t4, t1, 4", "pv_max_b t0, t0, t3")
    text(".Lmax:", "pv_max_b t0, t0, t4")
    text(".Lone:")
    maximum(text)
    # Padding gets the distance 31, whose exponential is 0.
    text("beqz a7, .Lready", "pv_sub_sci_b t3, t0, 31", "and t3, t3, a7", "or t3, t3, t5")
    text("sw t3, 0(t6)")
    text(".Lready:", "mv t1, a0", "mv t2, a5", "li t6, 0", "p_lw_step t3, t1, 4")
    # Each word is loaded ahead of its turn: the last turn loads none, as there may be none.
    text("addi t4, a3, -1", "beqz t4, .Llast")
    text.loop("t4", ".Lpairs")
    exponentials(text, ".Lpairs", "p_lw_step t3, t1, 4")
    exponentials(text, ".Llast_done")
    shares(text)
    if exact:
        text("add a0, a0, s1", ".Lrow_end:", "add a1, a1, s7", "lw s7, 28(sp)")
    else:  # The output is at its next row already.
        text(".Lrow_end:", "add a0, a0, s1")
    leave(text)
    text.end(name)


def module() -> str:
    """The whole file."""
    text = Text()
    write_function(text, NAME)
    return text.file("xpulp_softmax")


def exponentials(text: Text, end: str, *ahead: str) -> None:
    """Those of the four elements in t3, to the buffer and to the sum; `end` labels the last
    instruction."""
    if not ahead:
        text(".Llast:")
    text("pv_sub_b t3, t0, t3", "pv_minu_sci_b t3, t3, 31")
    text("pv_dotup_b t4, t3, s4", "pv_dotup_b t5, t3, s5")
    text(*ahead, "p_lw_at t4, a4, t4", "p_lw_at t5, a4, t5")
    text("pv_sdotup_sci_h t6, t4, 1", "pv_sdotup_sci_h t6, t5, 1")
    text("p_sw_step t4, t2, 4", f"{end}:", "p_sw_step t5, t2, 4")


def enter(text: Text) -> None:
    """Saves what the caller keeps."""
    text("addi sp, sp, -32", *(f"sw {name}, {4 * i}(sp)" for i, name in enumerate(SAVED)))


def leave(text: Text) -> None:
    """To the caller."""
    text(*(f"lw {name}, {4 * i}(sp)" for i, name in enumerate(SAVED)))
    text("addi sp, sp, 32", "ret")


def for_rows(text: Text) -> None:
    """Hardware loop 1 goes over the a3 rows."""
    text.loop_address("start", 1, ".Lrow")
    text.loop_address("end", 1, ".Lrow_end")
    text("lp_count 1, a3")


def constants(text: Text, paired: int) -> None:
    """s4, s5: from lanes to byte indices of pairs in a table of `paired` squared; s6: what a
    shift's loop is found from; s0: 255."""
    lanes = 4 | 4 * paired << 8
    text("li s0, 255", f"li s4, {lanes:#x}", f"li s5, {lanes << 16:#x}")
    text(f"la s6, .Lscale - {SHIFTS.start * BYTES_OF_A_LOOP}")


def maximum(text: Text) -> None:
    """The largest lane of t0 in all its lanes."""
    text("srli t3, t0, 16", "pv_max_b t0, t0, t3", "srli t3, t0, 8")
    text("pv_max_b t0, t0, t3", "pv_shuffleI0_sci_b t0, t0, 0")


def shares(text: Text, step: int = 4) -> None:
    """From the exponentials in the buffer and their sum in t6 to the output, words `step` bytes
    apart, to whose end a1 is moved."""
    # t6: the sum
    text("slli t0, t6, 8", "add t0, t0, t6", "addi t0, t0, -1", "p_fl1 t0, t0")
    text("sll t1, s0, t0", "divu t1, t1, t6")
    text(f"slli t0, t0, {BYTES_OF_A_LOOP.bit_length() - 1}", "add t0, t0, s6")
    text("addi t1, t1, 1", "pv_pack_h t1, t1, t1", "mv t2, a5", "jr t0")
    for shift in SHIFTS:
        text(f".balign {BYTES_OF_A_LOOP}")
        if shift == SHIFTS.start:
            text(".Lscale:")
        text.loop("a3", f".Lscale{shift}")
        text("p_lw_step t3, t2, 4", "p_lw_step t5, t2, 4")
        text(f"p_muluN t4, t3, t1, {shift}", f"p_mulhhuN t3, t3, t1, {shift}")
        text(f"p_muluN a2, t5, t1, {shift}", f"p_mulhhuN t5, t5, t1, {shift}")
        text("pv_packlo_b t4, t3, t4", "pv_packhi_b t4, t5, a2")
        text(f".Lscale{shift}:", f"p_sw_step t4, a1, {step}", "j .Lscaled")
    text(".Lscaled:")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
