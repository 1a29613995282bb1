# SPDX-License-Identifier: Apache-2.0
"""Assembly of XpulpV2 attention of up to four rows: python -m kernels.generators.xpulp_attention
OUT.S

    void ts_xp_attend_few(const ts_xp_few *few)

(kernels/include/ts_xpulp_padded.h). Scores, softmax and context of one row after the other, over
rows of several heads. A row's scores are a word, and so is its map: neither leaves the registers.
Queries are rows; keys and values are panels, [head][blocks][4][4], of keys with four rows' words, of
values with four columns' words.

The softmax looks up pairs of exponentials as xpulp_softmax.py does, and has their shares from the
reciprocal of ts_softmax.h: the top bytes of products. A context row has exactly its channels.
"""

from __future__ import annotations

import sys

from kernels.generators.assembly import Text, write
from kernels.generators.xpulp_block import SAVED

NAME = "ts_xp_attend_few"
FRAME = 64
# The words of ts_xp_few, in order.
FIELDS = (
    *("query", "keys", "values", "context", "rows_left", "count", "blocks", "scores", "mix"),
    *("keep", "pairs", "channels", "query_row", "context_row", "head", "query_turn", "context_turn", "rows"),
)
OFFSET = {name: 4 * index for index, name in enumerate(FIELDS)}
# Those that stay in registers, in the order of FIELDS.
QUERY, KEYS, VALUES, CONTEXT, ROWS, COUNT, BLOCKS, SCORES, MIX, KEEP, PAIRS = (
    *("s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11"),
)
SUMS = ("a2", "a3", "a4", "a5")
RIGHT = ("t0", "t1", "t2", "t3")
LEFT, OTHER, POINTER, LEAST, FAR, LOW, HIGH, SELECT, TOP = (
    *("a1", "a6", "a7", "t4", "t5", "t6", "ra", "gp", "tp"),
)


def module() -> str:
    """The whole file."""
    text = Text()
    text.begin(NAME)
    text(f"addi sp, sp, -{FRAME}", *(f"sw {name}, {4 * i}(sp)" for i, name in enumerate(SAVED)))
    kept = (QUERY, KEYS, VALUES, CONTEXT, ROWS, COUNT, BLOCKS, SCORES, MIX, KEEP, PAIRS)
    text(*(f"lw {name}, {4 * i}(a0)" for i, name in enumerate(kept)))
    # In the lanes beyond the last key: what no maximum is, and a distance whose entry is 0.
    text(f"not {RIGHT[0]}, {KEEP}", f"li {LEAST}, 0x80808080", f"li {FAR}, 0x1f1f1f1f")
    text(f"and {LEAST}, {LEAST}, {RIGHT[0]}", f"and {FAR}, {FAR}, {RIGHT[0]}")
    text(f"li {LOW}, {4 | 128 << 8:#x}", f"slli {HIGH}, {LOW}, 16")
    text(f"li {SELECT}, 0x602", f"addi {TOP}, {SELECT}, 0x101")
    text(".Lrow:")
    scores(text)
    softmax(text)
    context(text)
    next_row(text)
    text(".Lpart:", f"andi {RIGHT[0]}, {OTHER}, 2", f"beqz {RIGHT[0]}, .Lodd")
    text(f"p_sh_step {SUMS[2]}, {POINTER}, 2", f"srli {SUMS[2]}, {SUMS[2]}, 16")
    text(".Lodd:", f"andi {RIGHT[0]}, {OTHER}, 1", f"beqz {RIGHT[0]}, .Lnext")
    text(f"sb {SUMS[2]}, 0({POINTER})", "j .Lnext")
    text.end(NAME)
    return text.file("xpulp_attention")


def scores(text: Text) -> None:
    """The row's scores in a word, SUMS[2]."""
    text(f"mv {OTHER}, {QUERY}", f"mv {POINTER}, {KEYS}", *(f"li {name}, 0" for name in SUMS))
    text.loop(BLOCKS, ".Lscores")
    text(f"p_lw_step {RIGHT[0]}, {POINTER}, 4", f"p_lw_step {LEFT}, {OTHER}, 4")
    text(*(f"p_lw_step {name}, {POINTER}, 4" for name in RIGHT[1:]))
    products = [f"pv_sdotsp_b {s}, {LEFT}, {r}" for s, r in zip(SUMS, RIGHT, strict=True)]
    text(*products[:-1], ".Lscores:", products[-1])
    requantise(text, SCORES)


def requantise(text: Text, factor: str) -> None:
    """Sums to bytes of SUMS[2]."""
    text(*(f"p_mac {name}, {name}, {factor}" for name in SUMS))
    text(*(f"p_clip {name}, {name}, 24" for name in SUMS))
    gather(text, SUMS, SUMS[2], SELECT)


def gather(text: Text, group: tuple[str, ...], to: str, select: str) -> None:
    """A byte of each of four registers in one word."""
    text(f"pv_shuffle2_b {group[0]}, {group[1]}, {select}")
    text(f"pv_shuffle2_b {group[2]}, {group[3]}, {select}")
    text(f"pv_pack_h {to}, {group[2]}, {group[0]}")


def softmax(text: Text) -> None:
    """From scores to the row's map, LEFT."""
    word, (low, low_2, high, high_2), most = SUMS[2], RIGHT, LEFT
    text(f"and {most}, {word}, {KEEP}", f"or {most}, {most}, {LEAST}")
    for shift in (16, 8):
        text(f"srli {low}, {most}, {shift}", f"pv_max_b {most}, {most}, {low}")
    text(f"pv_shuffleI0_sci_b {most}, {most}, 0", f"pv_sub_b {word}, {most}, {word}")
    text(f"or {word}, {word}, {FAR}", f"pv_minu_sci_b {word}, {word}, 31")
    text(f"pv_dotup_b {low_2}, {word}, {LOW}", f"pv_dotup_b {high_2}, {word}, {HIGH}")
    text(f"p_lw_at {low_2}, {PAIRS}, {low_2}", f"p_lw_at {high_2}, {PAIRS}, {high_2}")
    text(f"pv_dotup_sci_h {word}, {low_2}, 1", f"pv_sdotup_sci_h {word}, {high_2}, 1")
    text(f"lui {most}, 0xff000", f"divu {most}, {most}, {word}")
    for pair, first in ((low_2, low), (high_2, high)):
        text(f"p_exthz {first}, {pair}", f"srli {pair}, {pair}, 16")
    # One more than the quotient times the entry.
    text(*(f"p_mac {name}, {name}, {most}" for name in RIGHT))
    gather(text, RIGHT, LEFT, TOP)


def context(text: Text) -> None:
    """The row's context, its channels and no more."""
    text(f"lw {OTHER}, {OFFSET['channels']}(a0)", f"mv {RIGHT[3]}, {VALUES}")
    text(f"mv {POINTER}, {CONTEXT}", ".Lblock:")
    pointer, words = RIGHT[3], (*RIGHT[:3], SUMS[3])
    text(*(f"p_lw_step {name}, {pointer}, 4" for name in words))
    text(*(f"pv_dotusp_b {s}, {LEFT}, {r}" for s, r in zip(SUMS, words, strict=True)))
    requantise(text, MIX)
    text(f"addi {OTHER}, {OTHER}, -4", f"bltz {OTHER}, .Lpart")
    text(f"p_sw_step {SUMS[2]}, {POINTER}, 4", f"bnez {OTHER}, .Lblock")


def next_row(text: Text) -> None:
    """The next row, of the next head where this was a head's last; else to the caller."""
    step = RIGHT[0]

    def add(name: str, *registers: str) -> None:
        text(f"lw {step}, {OFFSET[name]}(a0)")
        text(*(f"add {register}, {register}, {step}" for register in registers))

    text(".Lnext:", f"addi {COUNT}, {COUNT}, -1", f"beqz {COUNT}, .Ldone")
    add("context_row", CONTEXT)
    add("query_row", QUERY)
    text(f"addi {ROWS}, {ROWS}, -1", f"bnez {ROWS}, .Lrow")
    add("head", KEYS, VALUES)
    add("query_turn", QUERY)
    add("context_turn", CONTEXT)
    text(f"lw {ROWS}, {OFFSET['rows']}(a0)", "j .Lrow", ".Ldone:")
    text(*(f"lw {name}, {4 * i}(sp)" for i, name in enumerate(SAVED)))
    text(f"addi sp, sp, {FRAME}", "ret")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
