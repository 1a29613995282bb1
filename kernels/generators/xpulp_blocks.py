# SPDX-License-Identifier: Apache-2.0
"""Assembly of XpulpV2 attention layers of 5 to 16 rows with padding, for more than a little work:
python -m kernels.generators.xpulp_blocks OUT.S

    void ts_xp_blocks_2(const ts_team *team, const ts_mhsa_args *args, int8_t *scratch)
    void ts_xp_blocks_3(...)
    void ts_xp_blocks_4(...)

(kernels/include/ts_xpulp_padded.h) of 5 to 8, 9 to 12 and 13 to 16 rows, "tiles" of four. Where
xpulp_padded.py saves code, this saves instructions. Scores and context are blocks of 4 rows
(xpulp_tiles.py) instead of single rows. Each of the stages is shared out evenly by its own blocks,
the softmax by rows, and ends with a barrier. What an input of at most four columns is projected by,
and an output of at most three, is in xpulp_shallow.py; else that is done as in xpulp_padded.py.
"""

from __future__ import annotations

import sys

from kernels.generators import xpulp_padded as padded
from kernels.generators.assembly import Text, write
from kernels.generators.xpulp_padded import (
    ALL,
    ARG,
    ARGS,
    BLOCKS,
    CONTEXT,
    DEPTH,
    FRAME,
    FROM,
    KEPT,
    OVER,
    PANELS,
    SCRATCH,
    TEAM,
    TO,
    WIDTH,
)
from kernels.generators.xpulp_shallow import write_output, write_projections
from kernels.generators.xpulp_tiles import FIELDS, PIECES, Tiles

TILES = (2, 3, 4)
# Bytes behind a multiple of 1024, as in xpulp_padded.py.
PLACES = {2: 848, 3: 64, 4: 64}
MORE = -(-4 * len(FIELDS) // 16) * 16


def module() -> str:
    """The whole file."""
    text = Text()
    for tiles in TILES:
        write_function(text, tiles)
    return text.file("xpulp_blocks")


def write_function(text: Text, tiles: int) -> None:
    """The function for so many tiles."""
    name, units = f"ts_xp_blocks_{tiles}", Tiles(text, tiles, FRAME)
    text(
        f'.section .text.large.{name}, "ax"',
        ".balign 1024",
        f".skip {PLACES[tiles]}",
        f".globl {name}",
    )
    text(f".type {name}, @function", f"{name}:")
    padded.enter(text, tiles, MORE)
    padded.factors(text, tiles)
    # Few columns read a bias where it is (xpulp_shallow.py) unless P % 4 > 1.
    text(f"addi a0, {DEPTH}, -4", "andi a1, a5, 2", "or a0, a0, a1", f"beqz a0, .Lspread{tiles}")
    padded.biases(text, tiles)
    padded.rows_in(text, tiles)
    padded.barrier(text)
    padded.check(text, tiles)
    lay_out(text, units)
    text("li a0, 4", f"bne {DEPTH}, a0, .Ldeep{tiles}")
    write_projections(text, units)
    text(f"j .Lall_projected{tiles}", f".Ldeep{tiles}:")
    padded.project(text, tiles, by_channel=True)
    text(f".Lall_projected{tiles}:")
    stages(text, units)
    padded.barrier(text)
    text(*(f"lw {name}, {KEPT + 4 * i}(sp)" for i, name in enumerate(OVER)))
    text(f"lw a0, {ARGS['E']}({ARG})", "li a1, 4", f"bgeu a0, a1, .Lbroad{tiles}")
    write_output(text, tiles)
    text(f"j .Lall_done{tiles}", f".Lbroad{tiles}:")
    padded.store(text, kind="zero")
    padded.output(text, tiles)
    text(f".Lall_done{tiles}:")
    padded.leave(text, MORE)
    text("ret", f".Lother{tiles}:", f"lw a0, {TEAM}(sp)", f"mv a1, {ARG}", f"mv a2, {SCRATCH}")
    padded.leave(text, MORE)
    text("tail ts_xp_padded_other")
    padded.subroutines(text, tiles)
    text.end(name)


def lay_out(text: Text, units: Tiles) -> None:
    """Sizes and places, from registers to the stack."""
    tiles = units.tiles
    text(*(f"sw {name}, {KEPT + 4 * i}(sp)" for i, name in enumerate(OVER)))
    text(f"lw a2, {ARGS['S']}({ARG})", f"lw a3, {ARGS['P']}({ARG})", f"lw a0, {ARGS['H']}({ARG})")
    text(f"lw a5, {ARGS['entries']}({ARG})", f"lw a6, 12({SCRATCH})", f"lw a7, 16({SCRATCH})")
    text(f"li a4, {16 * tiles}", f"mv t0, {PANELS}", f"p_mac t0, {ALL}, a4", "mv t1, t0")
    text(f"p_mac t1, {ALL}, a4", f"mul a4, a4, {BLOCKS}", "addi a5, a5, 1024")
    text(f"li t2, {4 * tiles}", f"mv t3, {CONTEXT}", f"p_mac t3, t2, {WIDTH}")
    units.store(heads="a0", all_rows="a2", channels="a3", panel="a4", pairs="a5", scores="a6")
    units.store(mix="a7", keys="t0", values="t1", queries=PANELS, context=CONTEXT, maps="t3")
    text("neg t0, a3", "andi t0, t0, 3", f"addi t1, {BLOCKS}, -1", "li t2, 4")
    text(*[f"sub t2, t2, {WIDTH}"] * 3)
    units.store(again="t0", steps="t1", blocks=BLOCKS, width=WIDTH, turn="t2")


def stages(text: Text, units: Tiles) -> None:
    """Scores, softmax and context, each behind a barrier."""
    tiles = units.tiles
    units.write_end()
    for stage, factors in enumerate((("heads",), ("heads", "all_rows"), ("heads", "blocks"))):
        padded.barrier(text)
        text(*(f"lw {name}, {KEPT + 4 * OVER.index(name)}(sp)" for name in (FROM, TO)))
        units.load(**dict(zip(factors, ("a0", "a2"), strict=False)))
        if stage != 1:
            text(f"li a3, {tiles * tiles if stage == 0 else tiles}", "mul a0, a0, a3")
        if stage:
            text("mul a0, a0, a2")
        padded.share(text, "a0")
        text(f"beqz {PIECES}, .Lstage{tiles}{stage}")
        (units.write_scores, units.write_softmax, units.write_context)[stage]()
        text(f".Lstage{tiles}{stage}:")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
