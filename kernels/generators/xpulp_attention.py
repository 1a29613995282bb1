# SPDX-License-Identifier: Apache-2.0
"""The attention of an XpulpV2 layer of up to twelve rows, a part of xpulp_padded.py.

Scores, softmax and context of one row after the other, over rows of several heads. A row's scores
are one, two or three words, and so is its map: neither leaves the registers. Queries, keys and
values are panels, [head][blocks][tiles][4][4], of which those of queries and keys hold four rows'
words, those of values four columns' words.

The softmax looks up pairs of exponentials as xpulp_softmax.py does. Their shares come from
m = floor((255 << k) / sum) + 1: with entries e of at most 128, (e * m) >> k = floor(255 * e / sum)
for every sum of up to 4, 8 and 12 of them with k = 16, 17 and 18 (see test_generators.py; one
less would not do). A division takes a cycle less for every bit that its divisor is longer:
(255 << 24) / (sum << (24 - k)). A context row has exactly its channels.
"""

from __future__ import annotations

from kernels.generators.assembly import Text

SUMS = ("a2", "a3", "a4", "a5")
RIGHT = ("t0", "t1", "t2")
WORDS = ("a6", "a7", "s1")
# 24 less the scale of the reciprocal, by the tiles of a row.
SHORTER = {1: 8, 2: 7, 3: 6, 4: 6}
LEFT, OTHER, POINTER, LEAST, FAR, LOW, HIGH, SELECT = (
    *("a1", "t3", "t4", "t5", "t6", "ra", "gp", "s0"),
)
# Set by who enters. COUNT: rows to go, ROWS: those of this head.
QUERY, KEYS, VALUES, CONTEXT, PAIRS, ROWS, BLOCKS, COUNT, SCORES, MIX, KEEP = (
    *("s8", "s9", "s11", "s10", "s5", "s6", "s4", "tp", "s2", "s3", "s7"),
)


def begin(text: Text, first: str, rows: str, channels: str, width: str, panel: str) -> None:
    """From where the first head lies to the first row, `first`, and its head; the other registers
    hold a head's rows and channels, and the bytes of a context row and of a head's panels."""
    head, row, step = RIGHT
    text(f"divu {head}, {first}, {rows}", f"mv {row}, {first}", f"p_msu {row}, {head}, {rows}")
    text(*(f"p_mac {register}, {head}, {panel}" for register in (QUERY, KEYS, VALUES)))
    text(f"p_mac {CONTEXT}, {head}, {channels}", f"p_mac {CONTEXT}, {row}, {width}")
    text(f"sub {ROWS}, {rows}, {row}", f"slli {row}, {row}, 2", f"add {QUERY}, {QUERY}, {row}")
    text(f"slli {step}, {rows}, 3", f"neg {step}, {step}", f"li {KEEP}, -1")
    text(f"srl {KEEP}, {KEEP}, {step}")
    # In the lanes beyond the last key: what no maximum is, and a distance whose entry is 0.
    text(f"not {RIGHT[0]}, {KEEP}", f"li {LEAST}, 0x80808080", f"li {FAR}, 0x1f1f1f1f")
    text(f"and {LEAST}, {LEAST}, {RIGHT[0]}", f"and {FAR}, {FAR}, {RIGHT[0]}")
    text(f"li {LOW}, {4 | 128 << 8:#x}", f"slli {HIGH}, {LOW}, 16", f"li {SELECT}, 0x602")


def write_rows(text: Text, tiles: int, at: int) -> None:
    """All rows; `at`: from sp to a head's rows, its channels and the bytes of a context row."""
    text(f".Lrow{tiles}:")
    for tile in range(tiles):
        scores(text, tiles, tile)
    softmax(text, WORDS[:tiles])
    context(text, tiles, at + 4)
    next_row(text, tiles, at)


def write_rest(text: Text, tiles: int) -> None:
    """What lies apart: the last channels of a row, fewer than four."""
    text(f".Lpart{tiles}:", f"andi {RIGHT[0]}, {OTHER}, 2", f"beqz {RIGHT[0]}, .Lodd{tiles}")
    text(f"p_sh_step {SUMS[2]}, {POINTER}, 2", f"srli {SUMS[2]}, {SUMS[2]}, 16")
    text(f".Lodd{tiles}:", f"andi {RIGHT[0]}, {OTHER}, 1", f"beqz {RIGHT[0]}, .Lnext{tiles}")
    text(f"sb {SUMS[2]}, 0({POINTER})", f"j .Lnext{tiles}")


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
    back = SHORTER[len(words)]
    text(f"lui {most}, 0xff000", f"slli {total}, {total}, {back}", f"divu {most}, {most}, {total}")
    select = SELECT
    if back < 8:  # not to the third byte: to the fourth
        select = total
        text(f"slli {most}, {most}, {back}", f"addi {most}, {most}, {(1 << back) - 1}")
        text(f"addi {total}, {SELECT}, 0x101")
    for i, word in enumerate(words):
        low, high = pairs[2 * i : 2 * i + 2]
        text(f"p_exthz {OTHER}, {low}", f"srli {low}, {low}, 16")
        text(f"p_exthz {POINTER}, {high}", f"srli {high}, {high}, 16")
        # One more than the quotient times the entry.
        group = (OTHER, low, POINTER, high)
        text(*(f"p_mac {name}, {name}, {most}" for name in group))
        gather(text, group, word, select)


def context(text: Text, tiles: int, channels: int) -> None:
    """The row's context, its channels and no more."""
    values, (first, second, third) = LEFT, RIGHT
    text(f"lw {OTHER}, {channels}(sp)", f"mv {values}, {VALUES}")
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


def next_row(text: Text, tiles: int, at: int) -> None:
    """The next row, of the next head where this was a head's last; else to the caller."""
    row, step = RIGHT[:2]
    text(f".Lnext{tiles}:", f"addi {COUNT}, {COUNT}, -1", f"beqz {COUNT}, .Ldone{tiles}")
    text(f"lw {row}, {at + 8}(sp)", f"addi {ROWS}, {ROWS}, -1")
    text(f"addi {QUERY}, {QUERY}, 4", f"add {CONTEXT}, {CONTEXT}, {row}")
    text(f"bnez {ROWS}, .Lrow{tiles}")
    text(f"lw {ROWS}, {at}(sp)", f"p_msu {CONTEXT}, {row}, {ROWS}")
    text(f"lw {step}, {at + 4}(sp)", f"add {CONTEXT}, {CONTEXT}, {step}")
    text(f"slli {step}, {ROWS}, 2", f"sub {QUERY}, {QUERY}, {step}")
    panel(text, step, tiles)
    text(*(f"add {register}, {register}, {step}" for register in (QUERY, KEYS, VALUES)))
    text(f"j .Lrow{tiles}", f".Ldone{tiles}:")
