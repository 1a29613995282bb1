# SPDX-License-Identifier: Apache-2.0
"""Assembly of block products of panels: python -m kernels.generators.xpulp_panels OUT.S

What xpulp_product.py does where the left operand is in panels too, [tile][depth / 4][4 rows][4
bytes], and requantisation is the fast one: both operands are read by constant steps, so that
registers are left for what a block needs. A function takes a ts_xp_panel_call
(kernels/include/ts_xpulp_panels.h) and keeps no registers but sp, gp and tp:

  ts_xp_across_s, ts_xp_across_u  a row tile by `blocks` blocks; sums start at 0, the left operand
                                  is int8 or uint8, a depth from 8. Output: a panel
  ts_xp_down_panels               one block, `tiles` tiles that follow each other; sums start at the
  ts_xp_down_columns              bias. Output: a word for each row, the four of a tile in a row,
  ts_xp_down_rows                 or for each column, all in a row, or for each row, far apart

While a function runs, sp points at the call.
"""

from __future__ import annotations

import sys

from kernels.generators.assembly import Text, write

FIELDS = (
    *("left", "right", "bias", "output", "output_word", "output_turn"),
    *("steps", "blocks", "tiles", "factor"),
)
OFFSET = {name: 4 * index for index, name in enumerate(FIELDS)}
KEPT = ("ra", "gp", "tp", "sp")  # in the words behind the fields
# The sums first: what has compressed instructions is worth most there.
SUMS = [
    ["s0", "s1", "a1", "a2"],
    ["a3", "a4", "a5", "ra"],
    ["a6", "a7", "gp", "tp"],
    ["t0", "t1", "t2", "t3"],
]
ALL = [name for row in SUMS for name in row]
A = ("t4", "t5")
B = ("a0", "t6", "s2", "s3")
LEFT, RIGHT, OUTPUT, FACTOR, SELECT, STEPS, BASE, BIAS = (f"s{i}" for i in range(4, 12))
BYTES_2 = 0x602  # of pv_shuffle2_b: byte 2 of both registers


def load(text: Text, register: str, name: str) -> None:
    """A word of the call."""
    text(f"lw {register}, {OFFSET[name]}(sp)")


def step(text: Text, product: str, end: str = "") -> None:
    """4 bytes of depth; `end` labels the last product."""
    text(f"p_lw_step {B[0]}, {RIGHT}, 4", f"p_lw_step {A[0]}, {LEFT}, 4")
    text(*(f"p_lw_step {b}, {RIGHT}, 4" for b in B[1:]))
    for row, sums in enumerate(SUMS):
        for column, total in enumerate(sums):
            if column == 3 and row < 3:
                text(f"p_lw_step {A[(row + 1) % 2]}, {LEFT}, 4")
            if end and column == row == 3:
                text(f"{end}:")
            text(f"{product} {total}, {A[row % 2]}, {B[column]}")


def words(text: Text, by_columns: bool) -> list[str]:
    """Requantises the sums; the registers that then hold the words."""
    text(*(f"p_mac {name}, {name}, {FACTOR}" for name in ALL))
    text(*(f"p_clip {name}, {name}, 24" for name in ALL))
    groups = [list(group) for group in zip(*SUMS, strict=True)] if by_columns else SUMS
    for first, second, third, fourth in groups:
        text(f"pv_shuffle2_b {first}, {second}, {SELECT}")
        text(f"pv_shuffle2_b {third}, {fourth}, {SELECT}")
        text(f"pv_pack_h {first}, {third}, {first}")
    return [group[0] for group in groups]


def enter(text: Text, name: str) -> None:
    """a0: the call. Loop 0 goes over steps, loop 1 over blocks or tiles."""
    text.begin(name, large=True)
    text(*(f"sw {r}, {4 * (len(FIELDS) + i)}(a0)" for i, r in enumerate(KEPT)), "mv sp, a0")
    for loop, what in enumerate(("step", "block")):
        text.loop_address("start", loop, f".L{name}_{what}")
        text.loop_address("end", loop, f".L{name}_{what}_end")
    load(text, FACTOR, "factor")
    load(text, STEPS, "steps")
    load(text, OUTPUT, "output")
    text(f"li {SELECT}, {BYTES_2:#x}")


def leave(text: Text, name: str) -> None:
    """To the caller."""
    text(*(f"lw {r}, {4 * (len(FIELDS) + i)}(sp)" for i, r in enumerate(KEPT)), "ret")
    text.end(name)


def across(text: Text, left: str) -> None:
    """`left`: s or u, an operand of int8 or uint8."""
    name, signs = f"ts_xp_across_{left}", "sp" if left == "s" else "usp"
    enter(text, name)
    load(text, B[0], "blocks")
    load(text, BASE, "left")
    load(text, RIGHT, "right")
    text(f"lp_count 1, {B[0]}", f"addi {STEPS}, {STEPS}, -1")
    text(f".L{name}_block:", f"mv {LEFT}, {BASE}", f"lp_count 0, {STEPS}")
    step(text, f"pv_dot{signs}_b")
    text(f".L{name}_step:")
    step(text, f"pv_sdot{signs}_b", f".L{name}_step_end")
    *most, last = words(text, by_columns=False)
    text(*(f"p_sw_step {word}, {OUTPUT}, 4" for word in most))
    text(f".L{name}_block_end:", f"p_sw_step {last}, {OUTPUT}, 4")
    leave(text, name)


def down(text: Text, output: str) -> None:
    """`output`: panels, columns or rows."""
    name = f"ts_xp_down_{output}"
    enter(text, name)
    load(text, B[0], "tiles")
    load(text, BASE, "right")
    load(text, LEFT, "left")
    load(text, BIAS, "bias")
    text(f"lp_count 1, {B[0]}")
    text(f".L{name}_block:", f"mv {RIGHT}, {BASE}")
    steps = [4, 4, 4, -12]
    text(*(f"p_lw_step {to}, {BIAS}, {n}" for to, n in zip(SUMS[0], steps, strict=True)))
    for row in SUMS[1:]:
        text(*(f"mv {to}, {name}" for to, name in zip(row, SUMS[0], strict=True)))
    text(f"lp_count 0, {STEPS}", f".L{name}_step:")
    step(text, "pv_sdotsp_b", f".L{name}_step_end")
    *most, last = words(text, output == "columns")
    if output == "rows":
        load(text, B[0], "output_word")
    if output != "columns":
        load(text, B[1], "output_turn")
    store = "p_sw_post {}, {}, " + B[0] if output == "rows" else "p_sw_step {}, {}, 4"
    text(*(store.format(word, OUTPUT) for word in most), f".L{name}_block_end:")
    turn = "p_sw_step {}, {}, 4" if output == "columns" else "p_sw_post {}, {}, " + B[1]
    text(turn.format(last, OUTPUT))
    leave(text, name)


def module() -> str:
    """The whole file."""
    text = Text()
    for left in "su":
        across(text, left)
    for output in ("panels", "columns", "rows"):
        down(text, output)
    return text.file("xpulp_panels")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
