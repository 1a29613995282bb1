# SPDX-License-Identifier: Apache-2.0
"""Assembly of XpulpV2 products for narrow heads: python -m kernels.generators.xpulp_narrow OUT.S

    void ts_xp_narrow_scores(const ts_xp_call *call)
    void ts_xp_narrow_context(const ts_xp_call *call)
    void ts_xp_narrow_rows(const ts_xp_call *call)
    void ts_xp_narrow_columns(const ts_xp_call *call)

For one call of kernels/include/ts_xpulp_call.h with the fast finish, in tiles of 4 rows.

Scores of heads of up to 4 channels: a depth of one word, so that the rows of the left operand stay
in registers over all blocks: 68 instructions for 16 scores.

Context of heads of 2 channels: a block has 2 columns instead of 4, the first two rows of its panel;
14 instructions for 32 MAC. The left operand is uint8. Each row of the output is a half-word.

Projections to 2 channels: the same for int8, sums start at the bias, left rows follow each other. A
row of the output is a word whose upper half is 0, directly behind the one before; or each column is
a word of 4 rows.
"""

from __future__ import annotations

import sys

from kernels.generators.assembly import Text, write
from kernels.generators.xpulp_block import OFFSET, REGISTERS, SAVED

TILES, CALL, OUTPUT, LEFT = (4 * (len(SAVED) + i) for i in range(4))
FRAME = 80


def enter(text: Text) -> None:
    """Saves registers; what changes from tile to tile is kept on the stack."""
    text(f"addi sp, sp, -{FRAME}", *(f"sw {name}, {4 * i}(sp)" for i, name in enumerate(SAVED)))
    text(f"sw a0, {CALL}(sp)")
    for name, place in (("tiles", TILES), ("output", OUTPUT), ("left", LEFT)):
        text(f"lw t0, {OFFSET[name]}(a0)", f"sw t0, {place}(sp)")


def leave(text: Text, name: str, free: str) -> None:
    """To the next tile, else to the caller. Two registers of no use any more: `free`, a0."""
    text(f"lw a0, {CALL}(sp)", f"lw {free}, {OUTPUT}(sp)", f"lw a0, {OFFSET['output_tile']}(a0)")
    text(f"add {free}, {free}, a0", f"sw {free}, {OUTPUT}(sp)", f"lw {free}, {TILES}(sp)")
    text(f"addi {free}, {free}, -1", f"sw {free}, {TILES}(sp)", f"bnez {free}, .L{name}_tile")
    text(*(f"lw {register}, {4 * i}(sp)" for i, register in enumerate(SAVED)))
    text(f"addi sp, sp, {FRAME}", "ret")
    text.end(name)


def scale(text: Text, rows: list[list[str]], factor: str, select: str) -> None:
    """Sums to bytes, the first two of each row in the lower half of its first register."""
    every = [name for row in rows for name in row]
    text(*(f"p_mac {name}, {name}, {factor}" for name in every))
    text(*(f"p_clip {name}, {name}, 24" for name in every))
    for row in rows:
        text(f"pv_shuffle2_b {row[0]}, {row[1]}, {select}")


def write_scores(text: Text) -> None:
    """All registers but sp: 16 sums, 4 words of either operand, 2 pointers, 4 constants."""
    name = "ts_xp_narrow_scores"
    taken = iter(REGISTERS)
    rows = [[next(taken) for _ in range(4)] for _ in range(4)]
    left, right = [next(taken) for _ in range(4)], [next(taken) for _ in range(4)]
    pointer, output, row, turn, factor, select = taken
    text.begin(name)
    enter(text)
    text(f"lw {row}, {OFFSET['output_row']}(a0)", f"lw {turn}, {OFFSET['output_block']}(a0)")
    text(f"lw {factor}, {OFFSET['factor']}(a0)", f"lw {select}, {OFFSET['select']}(a0)")
    text(*(f"sub {turn}, {turn}, {row}" for _ in range(3)), f".L{name}_tile:")
    text(f"lw a0, {CALL}(sp)", f"lw {output}, {OUTPUT}(sp)", f"lw {right[0]}, {LEFT}(sp)")
    text(f"lw {right[1]}, {OFFSET['left_row']}(a0)", f"lw {right[2]}, {OFFSET['blocks']}(a0)")
    text(f"lw {pointer}, {OFFSET['right']}(a0)")
    text(*(f"p_lw_post {word}, {right[0]}, {right[1]}" for word in left))
    text(f"sw {right[0]}, {LEFT}(sp)")
    text.loop(right[2], f".L{name}_end")
    text(*(f"p_lw_step {word}, {pointer}, 4" for word in right))
    for sums, word in zip(rows, left, strict=True):
        text(*(f"pv_dotsp_b {s}, {word}, {r}" for s, r in zip(sums, right, strict=True)))
    scale(text, rows, factor, select)
    for sums in rows:
        text(f"pv_shuffle2_b {sums[2]}, {sums[3]}, {select}")
    text(*(f"pv_pack_h {sums[0]}, {sums[2]}, {sums[0]}" for sums in rows))
    text(*(f"p_sw_post {sums[0]}, {output}, {row}" for sums in rows[:3]))
    text(f".L{name}_end:", f"p_sw_post {rows[3][0]}, {output}, {turn}")
    leave(text, name, output)


def write_context(text: Text) -> None:
    """The same with 8 sums; a0 is left to the call."""
    name = "ts_xp_narrow_context"
    taken = (register for register in REGISTERS if register != "a0")
    rows = [[next(taken) for _ in range(2)] for _ in range(4)]
    left, right = [next(taken) for _ in range(4)], [next(taken) for _ in range(2)]
    pointer, rights, output, row, turn, across, factor, select = (next(taken) for _ in range(8))
    text.begin(name)
    enter(text)
    text(f"lw {row}, {OFFSET['left_row']}(a0)", f"lw {across}, {OFFSET['output_row']}(a0)")
    text(f"lw {factor}, {OFFSET['factor']}(a0)", f"lw {select}, {OFFSET['select']}(a0)")
    text(f"li {turn}, 4", *(f"sub {turn}, {turn}, {row}" for _ in range(3)), f".L{name}_tile:")
    text(f"lw a0, {CALL}(sp)", f"lw {pointer}, {LEFT}(sp)", f"slli {output}, {row}, 2")
    text(f"add {output}, {output}, {pointer}", f"sw {output}, {LEFT}(sp)")
    text(f"lw {output}, {OUTPUT}(sp)", f"lw {rights}, {OFFSET['right']}(a0)")
    text(f"lw {left[0]}, {OFFSET['steps']}(a0)")
    text(*(f"li {s}, 0" for sums in rows for s in sums))
    text.loop(left[0], f".L{name}_end")
    text(f"p_lw_step {right[0]}, {rights}, 4", f"p_lw_step {right[1]}, {rights}, 12")
    text(*(f"p_lw_post {word}, {pointer}, {row}" for word in left[:3]))
    text(f"p_lw_post {left[3]}, {pointer}, {turn}")
    products = step(rows, left, right, "usp")
    text(*products[:-1], f".L{name}_end:", products[-1])
    scale(text, rows, factor, select)
    text(*(f"p_sh_post {sums[0]}, {output}, {across}" for sums in rows))
    leave(text, name, output)


def step(rows: list[list[str]], left: list[str], right: list[str], kind: str) -> list[str]:
    """The products of one step."""
    return [
        f"pv_sdot{kind}_b {s}, {word}, {r}"
        for sums, word in zip(rows, left, strict=True)
        for s, r in zip(sums, right, strict=True)
    ]


def write_projection(text: Text, by: str) -> None:
    """Hardware loop 1 goes over tiles, so that nothing has to be kept in memory."""
    name = f"ts_xp_narrow_{by}"
    taken = (register for register in REGISTERS if register != "a0")
    rows = [[next(taken) for _ in range(2)] for _ in range(4)]
    left, right, bias = ([next(taken) for _ in range(n)] for n in (4, 2, 2))
    pointer, rights, output, row, turn, across = (next(taken) for _ in range(6))
    factor, select, steps, panel, skip = (next(taken) for _ in range(5))
    text.begin(name)
    text(f"addi sp, sp, -{FRAME}", *(f"sw {r}, {4 * i}(sp)" for i, r in enumerate(SAVED)))
    text.loop_address("start", 1, f".L{name}_tile")
    text.loop_address("end", 1, f".L{name}_done")
    loads = {left[0]: "tiles", pointer: "left", row: "left_row", panel: "right", steps: "steps"}
    loads |= {left[1]: "bias", output: "output", across: "output_row", factor: "factor"}
    text(*(f"lw {register}, {OFFSET[word]}(a0)" for register, word in loads.items()))
    text(f"lw {select}, {OFFSET['select']}(a0)", f"lw a0, {OFFSET['output_tile']}(a0)")
    text(f"lw {bias[0]}, 0({left[1]})", f"lw {bias[1]}, 4({left[1]})", f"li {turn}, 4")
    text(*(f"sub {turn}, {turn}, {row}" for _ in range(3)), f"slli {skip}, {row}, 2")
    text(f"slli {right[0]}, {steps}, 2", f"sub {skip}, {skip}, {right[0]}")
    if by == "columns":
        text(f"sub a0, a0, {across}")
    text(f"lp_count 1, {left[0]}", f".L{name}_tile:", f"mv {rights}, {panel}")
    text(*(f"mv {s}, {b}" for sums in rows for s, b in zip(sums, bias, strict=True)))
    text.loop(steps, f".L{name}_end")
    text(f"p_lw_step {right[0]}, {rights}, 4", f"p_lw_step {right[1]}, {rights}, 12")
    text(*(f"p_lw_post {word}, {pointer}, {row}" for word in left[:3]))
    text(f"p_lw_post {left[3]}, {pointer}, {turn}")
    products = step(rows, left, right, "sp")
    text(*products[:-1], f".L{name}_end:", products[-1], f"add {pointer}, {pointer}, {skip}")
    if by == "rows":
        scale(text, rows, factor, select)
        text(*(f"pv_pack_h {sums[0]}, zero, {sums[0]}" for sums in rows))
        text(*(f"p_sw_post {sums[0]}, {output}, {across}" for sums in rows[:3]))
        text(f".L{name}_done:", f"p_sw_post {rows[3][0]}, {output}, {across}")
    else:
        columns = [list(column) for column in zip(*rows, strict=True)]
        scale(text, [[*column] for column in columns], factor, select)
        text(*(f"pv_shuffle2_b {c[2]}, {c[3]}, {select}" for c in columns))
        text(*(f"pv_pack_h {c[0]}, {c[2]}, {c[0]}" for c in columns))
        text(f"p_sw_post {columns[0][0]}, {output}, {across}")
        text(f".L{name}_done:", f"p_sw_post {columns[1][0]}, {output}, a0")
    text(*(f"lw {r}, {4 * i}(sp)" for i, r in enumerate(SAVED)))
    text(f"addi sp, sp, {FRAME}", "ret")
    text.end(name)


def module() -> str:
    """The whole file."""
    text = Text()
    write_scores(text)
    write_context(text)
    write_projection(text, "rows")
    write_projection(text, "columns")
    return text.file("xpulp_narrow")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
