# SPDX-License-Identifier: Apache-2.0
"""Assembly of XpulpV2 attention of up to twelve rows: python -m kernels.generators.xpulp_attention
OUT.S

    void ts_xp_attend_1(const ts_xp_few *few)
    void ts_xp_attend_2(const ts_xp_few *few)
    void ts_xp_attend_3(const ts_xp_few *few)

(kernels/include/ts_xpulp_padded.h). Scores, softmax and context of one row after the other, over
rows of several heads. A row's scores are one, two or three words, and so is its map: neither leaves
the registers. Queries, keys and values are panels, [head][blocks][tiles][4][4], of which those of
queries and keys hold four rows' words, those of values four columns' words.

The softmax looks up pairs of exponentials as xpulp_softmax.py does, and has their shares from the
reciprocal of ts_softmax.h: the top bytes of products. A context row has exactly its channels.
"""

from __future__ import annotations

import sys

from kernels.generators.assembly import Text, write
from kernels.generators.xpulp_block import SAVED

FRAME = 64
TILES = (1, 2, 3)
# The words of ts_xp_few, in order.
FIELDS = (
    *("queries", "keys", "values", "context", "pairs", "rows", "blocks", "channels", "row"),
    *("first", "count", "scores", "mix"),
)
OFFSET = {name: 4 * index for index, name in enumerate(FIELDS)}
QUERY, KEYS, VALUES, CONTEXT, PAIRS, ROWS, BLOCKS, COUNT, SCORES, MIX, KEEP = (
    *("s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11"),
)
SUMS = ("a2", "a3", "a4", "a5")
RIGHT = ("t0", "t1", "t2")
WORDS = ("a6", "a7", "s0")
LEFT, OTHER, POINTER, LEAST, FAR, LOW, HIGH, SELECT = (
    *("a1", "t3", "t4", "t5", "t6", "ra", "gp", "tp"),
)


def module() -> str:
    """The whole file."""
    text = Text()
    for tiles in TILES:
        write_function(text, tiles)
    return text.file("xpulp_attention")


def write_function(text: Text, tiles: int) -> None:
    """The function for rows of so many words."""
    name = f"ts_xp_attend_{tiles}"
    text.begin(name)
    text(f"addi sp, sp, -{FRAME}", *(f"sw {name}, {4 * i}(sp)" for i, name in enumerate(SAVED)))
    begin(text, tiles)
    # In the lanes beyond the last key: what no maximum is, and a distance whose entry is 0.
    text(f"not {RIGHT[0]}, {KEEP}", f"li {LEAST}, 0x80808080", f"li {FAR}, 0x1f1f1f1f")
    text(f"and {LEAST}, {LEAST}, {RIGHT[0]}", f"and {FAR}, {FAR}, {RIGHT[0]}")
    text(f"li {LOW}, {4 | 128 << 8:#x}", f"slli {HIGH}, {LOW}, 16", f"li {SELECT}, 0x602")
    text(f".Lrow{tiles}:")
    for tile in range(tiles):
        scores(text, tiles, tile)
    softmax(text, WORDS[:tiles])
    context(text, tiles)
    next_row(text, tiles)
    text(f".Lpart{tiles}:", f"andi {RIGHT[0]}, {OTHER}, 2", f"beqz {RIGHT[0]}, .Lodd{tiles}")
    text(f"p_sh_step {SUMS[2]}, {POINTER}, 2", f"srli {SUMS[2]}, {SUMS[2]}, 16")
    text(f".Lodd{tiles}:", f"andi {RIGHT[0]}, {OTHER}, 1", f"beqz {RIGHT[0]}, .Lnext{tiles}")
    text(f"sb {SUMS[2]}, 0({POINTER})", f"j .Lnext{tiles}")
    text.end(name)


def begin(text: Text, tiles: int) -> None:
    """From where the first row and its head lie to the registers."""
    kept = {QUERY: "queries", KEYS: "keys", VALUES: "values", CONTEXT: "context", PAIRS: "pairs"}
    kept |= {ROWS: "rows", BLOCKS: "blocks", COUNT: "count", SCORES: "scores", MIX: "mix"}
    head, row, step = RIGHT
    text(*(f"lw {register}, {OFFSET[name]}(a0)" for register, name in kept.items()))
    text(f"lw {row}, {OFFSET['first']}(a0)", f"divu {head}, {row}, {ROWS}")
    text(f"p_msu {row}, {head}, {ROWS}", f"slli {step}, {ROWS}, 3", f"neg {step}, {step}")
    text(f"li {KEEP}, -1", f"srl {KEEP}, {KEEP}, {step}")
    panel(text, step, tiles)
    text(*(f"p_mac {register}, {head}, {step}" for register in (QUERY, KEYS, VALUES)))
    text(f"lw {step}, {OFFSET['channels']}(a0)", f"p_mac {CONTEXT}, {head}, {step}")
    text(f"lw {step}, {OFFSET['row']}(a0)", f"p_mac {CONTEXT}, {row}, {step}")
    text(f"sub {ROWS}, {ROWS}, {row}", f"slli {row}, {row}, 2", f"add {QUERY}, {QUERY}, {row}")


def panel(text: Text, to: str, tiles: int) -> None:
    """Bytes of a head's panels."""
    text(f"li {to}, {16 * tiles}", f"mul {to}, {to}, {BLOCKS}")


def scores(text: Text, tiles: int, tile: int) -> None:
    """The row's scores of four keys in a word."""
    end, (first, second, third) = f".Lscores{tiles}{tile}", RIGHT
    text(f"mv {OTHER}, {QUERY}", f"addi {POINTER}, {KEYS}, {16 * tile}")
    text(*(f"li {name}, 0" for name in SUMS))
    text.loop(BLOCKS, end)
    text(f"p_lw_step {first}, {POINTER}, 4", f"p_lw_step {LEFT}, {OTHER}, {16 * tiles}")
    text(f"p_lw_step {second}, {POINTER}, 4", f"p_lw_step {third}, {POINTER}, 4")
    text(f"pv_sdotsp_b {SUMS[0]}, {LEFT}, {first}")
    text(f"p_lw_step {first}, {POINTER}, {16 * tiles - 12}")
    text(f"pv_sdotsp_b {SUMS[1]}, {LEFT}, {second}", f"pv_sdotsp_b {SUMS[2]}, {LEFT}, {third}")
    text(f"{end}:", f"pv_sdotsp_b {SUMS[3]}, {LEFT}, {first}")
    requantise(text, SCORES, WORDS[tile])


def requantise(text: Text, factor: str, to: str) -> None:
    """Sums to the bytes of a word."""
    text(*(f"p_mac {name}, {name}, {factor}" for name in SUMS))
    text(*(f"p_clip {name}, {name}, 24" for name in SUMS))
    gather(text, SUMS, to, SELECT)


def gather(text: Text, group: tuple[str, ...], to: str, select: str) -> None:
    """A byte of each of four registers in one word."""
    text(f"pv_shuffle2_b {group[0]}, {group[1]}, {select}")
    text(f"pv_shuffle2_b {group[2]}, {group[3]}, {select}")
    text(f"pv_pack_h {to}, {group[2]}, {group[0]}")


def softmax(text: Text, words: tuple[str, ...]) -> None:
    """From scores to the row's map, in place."""
    pairs, total, most = (*SUMS, *RIGHT[:2])[: 2 * len(words)], RIGHT[2], LEFT
    text(f"and {most}, {words[-1]}, {KEEP}", f"or {most}, {most}, {LEAST}")
    text(*(f"pv_max_b {most}, {most}, {word}" for word in words[:-1]))
    for shift in (16, 8):
        text(f"srli {total}, {most}, {shift}", f"pv_max_b {most}, {most}, {total}")
    text(f"pv_shuffleI0_sci_b {most}, {most}, 0")
    text(*(f"pv_sub_b {word}, {most}, {word}" for word in words))
    text(f"or {words[-1]}, {words[-1]}, {FAR}")
    text(*(f"pv_minu_sci_b {word}, {word}, 31" for word in words))
    for i, word in enumerate(words):
        text(f"pv_dotup_b {pairs[2 * i]}, {word}, {LOW}")
        text(f"pv_dotup_b {pairs[2 * i + 1]}, {word}, {HIGH}")
    text(*(f"p_lw_at {pair}, {PAIRS}, {pair}" for pair in pairs))
    text(f"pv_dotup_sci_h {total}, {pairs[0]}, 1")
    text(*(f"pv_sdotup_sci_h {total}, {pair}, 1" for pair in pairs[1:]))
    text(f"lui {most}, 0xff000", f"divu {most}, {most}, {total}", f"addi {total}, {SELECT}, 0x101")
    for i, word in enumerate(words):
        low, high = pairs[2 * i : 2 * i + 2]
        text(f"p_exthz {OTHER}, {low}", f"srli {low}, {low}, 16")
        text(f"p_exthz {POINTER}, {high}", f"srli {high}, {high}, 16")
        # One more than the quotient times the entry.
        group = (OTHER, low, POINTER, high)
        text(*(f"p_mac {name}, {name}, {most}" for name in group))
        gather(text, group, word, total)


def context(text: Text, tiles: int) -> None:
    """The row's context, its channels and no more."""
    values, (first, second, third) = LEFT, RIGHT
    text(f"lw {OTHER}, {OFFSET['channels']}(a0)", f"mv {values}, {VALUES}")
    text(f"mv {POINTER}, {CONTEXT}", f".Lblock{tiles}:")
    for tile, word in enumerate(WORDS[:tiles]):
        product = "pv_sdotusp_b" if tile else "pv_dotusp_b"
        text(*(f"p_lw_step {name}, {values}, 4" for name in RIGHT))
        text(f"{product} {SUMS[0]}, {word}, {first}", f"p_lw_step {first}, {values}, 4")
        text(f"{product} {SUMS[1]}, {word}, {second}", f"{product} {SUMS[2]}, {word}, {third}")
        text(f"{product} {SUMS[3]}, {word}, {first}")
    requantise(text, MIX, SUMS[2])
    text(f"addi {OTHER}, {OTHER}, -4", f"bltz {OTHER}, .Lpart{tiles}")
    text(f"p_sw_step {SUMS[2]}, {POINTER}, 4", f"bnez {OTHER}, .Lblock{tiles}")


def next_row(text: Text, tiles: int) -> None:
    """The next row, of the next head where this was a head's last; else to the caller."""
    row, step = RIGHT[:2]
    text(f".Lnext{tiles}:", f"addi {COUNT}, {COUNT}, -1", f"beqz {COUNT}, .Ldone{tiles}")
    text(f"lw {row}, {OFFSET['row']}(a0)", f"addi {ROWS}, {ROWS}, -1")
    text(f"addi {QUERY}, {QUERY}, 4", f"add {CONTEXT}, {CONTEXT}, {row}")
    text(f"bnez {ROWS}, .Lrow{tiles}")
    text(f"lw {ROWS}, {OFFSET['rows']}(a0)", f"p_msu {CONTEXT}, {row}, {ROWS}")
    text(f"lw {step}, {OFFSET['channels']}(a0)", f"add {CONTEXT}, {CONTEXT}, {step}")
    text(f"slli {step}, {ROWS}, 2", f"sub {QUERY}, {QUERY}, {step}")
    panel(text, step, tiles)
    text(*(f"add {register}, {register}, {step}" for register in (QUERY, KEYS, VALUES)))
    text(f"j .Lrow{tiles}", f".Ldone{tiles}:")
    text(*(f"lw {name}, {4 * i}(sp)" for i, name in enumerate(SAVED)))
    text(f"addi sp, sp, {FRAME}", "ret")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
