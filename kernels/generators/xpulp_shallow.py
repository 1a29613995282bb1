# SPDX-License-Identifier: Apache-2.0
"""Queries, keys and values of an XpulpV2 attention layer whose input has at most four columns, a
part of xpulp_blocks.py. A block's depth is one word: a tile's four rows stay in registers over all
blocks, 85 instructions each instead of 95. Of a head's last block only the one channel that there
may be is computed, in 30 instructions; these blocks come in a second pass, so that either pass's
loop fits into a core's own instruction cache. Each core has an equal part of both, which it goes
through kind by kind (queries 0, keys 1, values 2) and tile by tile of rows. Biases are read where
they are unless two or three channels are left, which need zeros behind them.
"""

from __future__ import annotations

from kernels.generators import xpulp_padded as padded
from kernels.generators.assembly import Text
from kernels.generators.xpulp_attention import gather
from kernels.generators.xpulp_padded import (
    ARG,
    ARGS,
    BIAS_BYTES,
    CONTEXT,
    COPY,
    FROM,
    KEPT,
    OVER,
    SCRATCH,
    TO,
    WIDTH,
)
from kernels.generators.xpulp_tiles import ALL_SUMS, FIRST, PIECES, SUMS, Tiles

B, LEFTS = ("a2", "a3", "a4", "a5"), ("a6", "a7", "a0", "s11")
OUT, BIAS, RIGHT, FACTOR, SELECT, LEFT = "s0", "t0", "t1", "t2", "s1", "a1"


def write_projections(text: Text, units: Tiles) -> None:
    """Both passes; registers as xpulp_blocks.lay_out leaves them."""
    tiles = units.tiles
    # First the full blocks: if there are others those of a head, else all as if of one head.
    units.load(blocks="a2", again="a3", heads="a4")
    text("mul a5, a2, a4", "li a6, 3", f"bne a3, a6, .Lundivided{tiles}", "addi a2, a2, -1")
    text("mul a3, a2, a4", f"j .Lchosen{tiles}", f".Lundivided{tiles}:", "mv a2, a5", "mv a3, a5")
    text(f".Lchosen{tiles}:")
    units.store(all_blocks="a5", of_head="a2", of_kind="a3", offset="zero", narrow="zero")
    text(f".Lpass{tiles}:")
    text(*(f"lw {name}, {KEPT + 4 * OVER.index(name)}(sp)" for name in (FROM, TO)))
    units.load(of_kind="a5")
    text("slli a0, a5, 1", "add a0, a0, a5")
    padded.share(text, "a0")
    text(f"beqz {PIECES}, .Lpass_done{tiles}", "li a2, -1", f"mv a4, {FIRST}")
    text(f".Lwhich{tiles}:", "addi a2, a2, 1", "sub a4, a4, a5", f"bgez a4, .Lwhich{tiles}")
    text("neg a3, a4", "add a4, a4, a5", f"mv a5, {PIECES}")
    segment(text, units)
    full_blocks(text, units)
    next_segment(text, units)
    single_channels(text, units)
    text(f".Lcolumns{tiles}:")
    by_columns(text, tiles)
    text(f"j .Lblock_end{tiles}", f".Lsingle_columns{tiles}:")
    gather(text, tuple(row[0] for row in SUMS), SUMS[0][0], SELECT)
    text(f"j .Lsingle_end{tiles}", f".Lpassed{tiles}:")


def segment(text: Text, units: Tiles) -> None:
    """A kind's blocks. a2: kind, a3: those of it from the first on, a4: the first, a5: to go."""
    tiles = units.tiles
    text(f".Lsegment{tiles}:", "p_minu a3, a3, a5", "sub a5, a5, a3")
    units.store(kind="a2", left="a5", pieces="a3")
    units.load(of_head="a3", blocks="a6", offset="a7", all_blocks="t3", queries=OUT)
    units.divide_by("t4", "a4", "a3", "t5")
    text("sub t6, a3, t5", "add t5, t5, a7")
    units.load(channels="a7")  # a1: the first channel
    text("slli a1, t5, 2", "p_mac a1, t4, a7", "p_mac t5, t4, a6", "slli t4, t5, 4")
    text("p_mac t5, a2, t3", f"li t3, {16 * tiles}", f"p_mac {OUT}, t5, t3", "slli t5, t5, 4")
    text(f"lw a0, {KEPT}(sp)", f"lw a6, {KEPT + 4}(sp)", "slli a3, a2, 3", "add a0, a0, a3")
    text(f"lw {RIGHT}, {ARGS['weights']}(a0)", f"lw {BIAS}, {ARGS['biases']}(a0)")
    text(f"add {RIGHT}, {RIGHT}, t4", "andi a7, a7, 2", "slli a1, a1, 2", f"add {BIAS}, {BIAS}, a1")
    text(f"addi {BIAS}, {BIAS}, 16", f"beqz a7, .Lbias_of{tiles}")
    text(f"addi {BIAS}, a6, {BIAS_BYTES}", f"add {BIAS}, {BIAS}, t5", f".Lbias_of{tiles}:")
    text("slli a3, a2, 2")
    text("add a6, a6, a3", f"lw {FACTOR}, 0(a6)", f"li {SELECT}, 0x602", "li a3, 16")
    text("addi a2, a2, -2", f"bnez a2, .Lrows_of{tiles}", "li a3, 4", "lui a2, 0x80000")
    text(f"or {SELECT}, {SELECT}, a2", f".Lrows_of{tiles}:")
    units.store(weights=RIGHT, bias=BIAS, out=OUT, out_step="a3", in_head="t6")
    text(f"lw a1, {KEPT + 4 * OVER.index(COPY)}(sp)", f"li a2, {tiles}", f".Ltile_of{tiles}:")
    units.store(tiles_left="a2")
    text(*(f"p_lw_step {word}, a1, 4" for word in LEFTS))
    units.store(place="a1")
    units.load(pieces=LEFT, weights=RIGHT, bias=BIAS, out=OUT, narrow="a2")
    text(f"bnez a2, .Lsingles{tiles}")


def full_blocks(text: Text, units: Tiles) -> None:
    """Those of a tile, head by head."""
    tiles = units.tiles
    text.loop_address("start", 1, f".Lblock{tiles}")
    text.loop_address("end", 1, f".Lblock_end{tiles}")
    units.load(in_head="a2")
    text(f".Lhead_of{tiles}:", f"p_minu a2, a2, {LEFT}", f"sub {LEFT}, {LEFT}, a2")
    text("lp_count 1, a2", f".Lblock{tiles}:")
    text(*(f"p_lw_step {name}, {BIAS}, 4" for name in SUMS[0]))
    for row in SUMS[1:]:
        text(*(f"mv {to}, {name}" for to, name in zip(row, SUMS[0], strict=True)))
    text(*(f"p_lw_step {b}, {RIGHT}, 4" for b in B))
    for sums, left in zip(SUMS, LEFTS, strict=True):
        text(*(f"pv_sdotsp_b {to}, {left}, {b}" for to, b in zip(sums, B, strict=True)))
    text(*(f"p_mac {name}, {name}, {FACTOR}" for name in ALL_SUMS))
    text(*(f"p_clip {name}, {name}, 24" for name in ALL_SUMS), f"bltz {SELECT}, .Lcolumns{tiles}")
    for row in SUMS:
        gather(text, row, row[0], SELECT)
    text(*(f"sw {row[0]}, {4 * i}({OUT})" for i, row in enumerate(SUMS[1:], start=1)))
    text(f".Lblock_end{tiles}:", f"p_sw_step {SUMS[0][0]}, {OUT}, {16 * tiles}")
    text(f"beqz {LEFT}, .Ltile_done{tiles}")
    units.load(of_head="a2")
    text(f"addi {BIAS}, {BIAS}, 4", f"addi {RIGHT}, {RIGHT}, 16")
    text(f"addi {OUT}, {OUT}, {16 * tiles}", f"j .Lhead_of{tiles}")


def by_columns(text: Text, tiles: int) -> None:
    """Words of columns; the first one's is left to the store that ends a block."""
    for column in range(4):
        words = tuple(row[column] for row in SUMS)
        gather(text, words, words[0], SELECT)
        text(*[f"sw {words[0]}, {4 * tiles * column}({OUT})"] * (column > 0))


def single_channels(text: Text, units: Tiles) -> None:
    """The last channels of a tile's heads, each in a block of its own."""
    tiles, sums = units.tiles, [row[0] for row in SUMS]
    text(f".Lsingles{tiles}:")
    text.loop_address("start", 1, f".Lsingle{tiles}")
    text.loop_address("end", 1, f".Lsingle_end{tiles}")
    units.load(blocks="a3", channels="a2")
    text(
        "slli a2, a2, 2",
        "slli a3, a3, 4",
        f"li a4, {tiles}",
        "mul a4, a4, a3",
        f"lp_count 1, {LEFT}",
    )
    text(f".Lsingle{tiles}:", f"p_lw_post {sums[0]}, {BIAS}, a2", f"p_lw_post a5, {RIGHT}, a3")
    text(*(f"mv {to}, {sums[0]}" for to in sums[1:]))
    text(*(f"pv_sdotsp_b {to}, {left}, a5" for to, left in zip(sums, LEFTS, strict=True)))
    text(*(f"p_mac {name}, {name}, {FACTOR}" for name in sums))
    text(*(f"p_clip {name}, {name}, 24" for name in sums))
    text(f"bltz {SELECT}, .Lsingle_columns{tiles}")
    # Zeros in the words' other bytes.
    text(*(f"pv_extractu_b {name}, {name}, 2" for name in sums))
    text(*(f"sw {name}, {4 * i}({OUT})" for i, name in enumerate(sums[1:], start=1)))
    text(f".Lsingle_end{tiles}:", f"p_sw_post {sums[0]}, {OUT}, a4", f"j .Ltile_done{tiles}")


def next_segment(text: Text, units: Tiles) -> None:
    """The next tile, kind or pass."""
    tiles = units.tiles
    text(f".Ltile_done{tiles}:")
    units.load(tiles_left="a2", place="a1", out="a3", out_step="a4")
    text("addi a2, a2, -1", "add a3, a3, a4")
    units.store(out="a3")
    text(f"bnez a2, .Ltile_of{tiles}")
    units.load(left="a5", kind="a2", of_kind="a3")
    text("addi a2, a2, 1", "li a4, 0", f"bnez a5, .Lsegment{tiles}", f".Lpass_done{tiles}:")
    units.load(narrow="a2", again="a3", blocks="a4", heads="a5")
    text("addi a3, a3, -3", "or a2, a2, a3", f"bnez a2, .Lpassed{tiles}")
    text("li a3, 1", "addi a2, a4, -1")
    units.store(of_head="a3", of_kind="a5", offset="a2", narrow="a3")
    text(f"j .Lpass{tiles}")


def write_output(text: Text, tiles: int) -> None:
    """This core's pairs of rows of an output of one to three columns, straight to their place."""
    text(f"lw a4, {ARGS['S']}({ARG})", f"lw a5, {ARGS['E']}({ARG})", "addi a0, a4, 1")
    text("srli a0, a0, 1")
    padded.share(text, "a0")
    text(f"beqz {PIECES}, .Loutput_done{tiles}", f"slli {FIRST}, {FIRST}, 1")
    text(f"mv t0, {CONTEXT}", f"p_mac t0, {FIRST}, {WIDTH}", f"lw t2, {ARGS['output']}({ARG})")
    text(f"p_mac t2, {FIRST}, a5", f"lw s4, 20({SCRATCH})", f"srli s5, {WIDTH}, 2")
    text(f"lw s8, {ARGS['o_bias']}({ARG})", f"lw s9, {ARGS['o_weight']}({ARG})", "li a0, 3")
    text("lw t3, 16(s8)", "lw t4, 20(s8)", "lw t5, 24(s8)", f"bne a5, a0, .Lpair{tiles}2")
    for columns in (3, 2):
        pairs(text, tiles, columns)
    text(f".Loutput_done{tiles}:")


def pairs(text: Text, tiles: int, columns: int) -> None:
    """Rows from t0 on by the first columns; s4: factor, s5: steps, s8: biases, s9: weights."""
    name, second, weight = f"{tiles}{columns}", "t1", "s11"
    sums = (("a0", "a1", "a2")[:columns], ("s0", "s2", "s3")[:columns])
    biases, rights, lefts = (
        ("t3", "t4", "t5")[:columns],
        ("a6", "a7", "t6")[:columns],
        ("s6", "s10"),
    )
    text(f".Lpair{name}:", f"add {second}, t0, {WIDTH}", f"mv {weight}, s9")
    text(*(f"mv {to}, {bias}" for row in sums for to, bias in zip(row, biases, strict=True)))
    text.loop("s5", f".Lpair_end{name}")
    steps = [4] * (columns - 1) + [20 - 4 * columns]
    text(*(f"p_lw_step {r}, {weight}, {by}" for r, by in zip(rights, steps, strict=True)))
    text(f"p_lw_step {lefts[0]}, t0, 4", f"p_lw_step {lefts[1]}, {second}, 4")
    products = [
        f"pv_sdotsp_b {to}, {left}, {r}"
        for row, left in zip(sums, lefts, strict=True)
        for to, r in zip(row, rights, strict=True)
    ]
    text(*products[:-1], f".Lpair_end{name}:", products[-1])
    everything = [total for row in sums for total in row]
    text(*(f"p_mac {total}, {total}, s4" for total in everything))
    text(*(f"p_clip {total}, {total}, 24" for total in everything))
    text(*(f"srli {total}, {total}, 16" for total in everything))
    store_row(text, sums[0], f".Lfirst{name}")
    # A row behind the last one is no row.
    text(f"addi {FIRST}, {FIRST}, 1", f"beq {FIRST}, a4, .Loutput_done{tiles}")
    store_row(text, sums[1], f".Lsecond{name}")
    text(f"addi {FIRST}, {FIRST}, 1", f"addi {PIECES}, {PIECES}, -1", f"mv t0, {second}")
    text(f"bnez {PIECES}, .Lpair{name}", *[f"j .Loutput_done{tiles}"] * (columns == 3))


def store_row(text: Text, row: tuple[str, ...], done: str) -> None:
    """Bytes to t2; of two columns the second one may be none."""
    if len(row) == 3:
        text(*(f"p_sb_step {total}, t2, 1" for total in row))
        return
    text(f"p_sb_step {row[0]}, t2, 1", "addi t6, a5, -1", f"beqz t6, {done}")
    text(f"p_sb_step {row[1]}, t2, 1", f"{done}:")
