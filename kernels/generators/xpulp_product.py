# SPDX-License-Identifier: Apache-2.0
"""Assembly of the XpulpV2 block products: python -m kernels.generators.xpulp_product OUT.S

A block is `rows` rows of the left operand by 4 rows of the right one, its sums in registers. Left
rows lie anywhere (`left_row` bytes apart); the right operand is in panels, [block][depth / 4][4
rows][4 bytes]. A function takes a ts_xp_call (kernels/include/ts_xpulp_call.h) and runs `tiles`
row tiles by `blocks` blocks, then does the same with the next call of an array. There is one for
each number of rows and way to finish:

  ts_xp_fastR     sums * factor, bits 16 to 23 after saturation: shift 16, one factor, floor
  ts_xp_generalR  (sums * factor + rounding) >> shift, saturated; a factor per column
  ts_xp_sumR      back to the accumulators in memory
  ts_xp_fast4s    4 rows, sums start at 0, int8, not by columns, a depth from 8; fast4u: uint8
  ts_xp_fastRx1   a tile's only block is one column, the first row of a panel; sums start at 0

How sums start, and whether the left operand is int8 or uint8, is the call's `kind`. The kinds of a
function share its code: a cold cache line costs more than 16 instructions, a jump costs two.
Hardware loop 1 goes over blocks, loop 0 over depth; a body may be scattered as long as it passes
its end. While a function runs, sp points at the call, so that spilled values cost two bytes.
"""

from __future__ import annotations

import sys

from kernels.generators.assembly import Text, write
from kernels.generators.xpulp_block import (
    CALL_BYTES,
    COLUMNS,
    FINISHES,
    FRAME,
    SAVED,
    Function,
)
from kernels.generators.xpulp_finish import write_columns, write_finish

# What runs all the time: it lies with the stages of a layer (targets/gap9/link.ld).
HOT = ("ts_xp_fast4",)


def write_function(f: Function) -> None:
    """The whole function."""
    f.text.begin(f.name, hot=f.adds or f.name in HOT)
    _enter(f)
    _tile(f)
    if f.only:
        f.text(f"{f.label(f'zero_{f.only}')}:", f"lp_count 0, {f.start}")
        _step(f, f.only, first=True)
    elif f.columns < COLUMNS:
        _narrow_block(f)
    elif f.finish == "sum":
        _sum_blocks(f)
    else:
        _bias_blocks(f)
    _loop(f, f.only or "s")
    f.text(f"{f.label('sums')}:")
    write_finish(f)
    _tile_end(f)
    if f.columns < COLUMNS or f.only:
        f.text.end(f.name)
        return
    if f.adds and f.select:
        write_columns(f)
    if f.finish != "sum":
        _zero_entry(f, "s")
        if f.start:  # One step was all: the loop would run once more.
            f.text(f"beqz {f.start}, {f.label('sums')}")
        f.text(f"j {f.label('s_step')}")
        if f.adds:
            f.text(f"{f.label('more')}:", f"addi {f.a[0]}, {f.a[0]}, -1")
            f.text(f"bnez {f.a[0]}, {f.label('add')}")
        _zero_entry(f, "u")
        if f.start:
            f.text(f"beqz {f.start}, {f.label('sums')}")
    else:
        f.text(f"{f.label('unsigned')}:")
        _set_loop(f, "u")
        f.text(f"j {f.label('tile')}")
    _loop(f, "u")
    f.text(f"j {f.label('sums')}")
    if f.finish == "fast" and f.select and not f.adds:
        write_columns(f)
    if f.adds:
        _add(f)
    f.text.end(f.name)


def _set_loop(f: Function, left: str) -> None:
    """Hardware loop 0 goes over `left` steps. Its ends, like all, lie ahead of who sets them."""
    f.text.loop_address("start", 0, f.label(f"{left}_step"))
    f.text.loop_address("end", 0, f.label(f"{left}_step_end"))


def _set_block(f: Function, block: str) -> None:
    """Hardware loop 1 begins with this block."""
    f.text.loop_address("start", 1, f.label(block))


def _enter(f: Function) -> None:
    """a0: the first call, a1: how many."""
    text, times = f.text, f.rows - 1
    text(f"addi sp, sp, -{FRAME}", *(f"sw {name}, {4 * i}(sp)" for i, name in enumerate(SAVED)))
    text("mv t0, sp", f"{f.label('call')}:", "mv sp, a0")
    f.store("t0", "caller")
    f.store("a1", "calls")
    text.loop_address("end", 1, f.label("block_end"))
    f.load(f.row, "left_row")
    if f.finish != "sum":
        f.load(f.b[0], "output_row")
        f.load(f.b[1], "output_block")
    f.load(f.b[2], "tiles")
    f.load(f.left, "left")
    f.load(f.b[3], "output")
    text(f"li {f.turn}, 4")
    text(*(f"sub {f.turn}, {f.turn}, {f.row}" for _ in range(times)))
    if f.finish == "fast" and f.factor:
        f.load(f.factor, "factor")
        f.load(f.select, "select")
    if f.finish == "general":
        f.load(f.factor, "shift")
        f.load(f.select, "rounding")
    if f.finish == "sum":
        f.load(f.start, "bias")
        _dispatch(f)
        return
    # A block has a word for each row, or four for its columns.
    if f.rows == 1:
        text(f"li {f.a[0]}, 0")
        f.load(f.a[1], "select")
        text(f"bgez {f.a[1]}, 1f", f"slli {f.a[0]}, {f.b[0]}, 2")
        text(f"sub {f.a[0]}, {f.a[0]}, {f.b[0]}", "1:")
        text(f"sub {f.b[1]}, {f.b[1]}, {f.a[0]}")
    text(*(f"sub {f.b[1]}, {f.b[1]}, {f.b[0]}" for _ in range(times)))
    f.store(f.b[1], "output_turn")
    _dispatch(f)


def _dispatch(f: Function) -> None:
    """What the call's kind decides: loops, and with what and where tiles start."""
    text = f.text
    _set_loop(f, f.only or "s")
    if f.only:
        _set_block(f, f"zero_{f.only}")
        f.load(f.b[0], "steps")
        text(f"addi {f.b[0]}, {f.b[0]}, -1")
        f.store(f.b[0], "start")
        return
    if f.columns < COLUMNS:
        _set_block(f, "block")
        return
    f.load(f.a[0], "kind")
    if f.finish == "sum":
        _set_block(f, "sum_block")
        text(f"bnez {f.a[0]}, {f.label('unsigned')}")
        return
    _set_block(f, "bias")
    text(f"addi {f.a[0]}, {f.a[0]}, -1", f"beqz {f.a[0]}, {f.label('signed')}")
    text(f"bgtz {f.a[0]}, {f.label('more' if f.adds else 'unsigned')}")
    f.load(f.b[0], "bias")
    text(f"lla {f.b[1]}, {f.label('bias')}", f"{f.label('chosen')}:")
    f.store(f.b[0], "start")
    f.store(f.b[1], "entry")


def _leave(f: Function) -> None:
    """To the next call, else to the caller."""
    text = f.text
    f.load("a1", "calls")
    f.load("t0", "caller")
    text("addi a1, a1, -1", f"addi a0, sp, {CALL_BYTES}", f"bnez a1, {f.label('call')}")
    text("mv sp, t0", *(f"lw {name}, {4 * i}(sp)" for i, name in enumerate(SAVED)))
    text(f"addi sp, sp, {FRAME}", "ret")


def _tile(f: Function) -> None:
    """What every tile begins with. b[2]: tiles to go, `left`, b[3]: output of the tile."""
    text = f.text
    text(f"{f.label('tile')}:")
    f.store(f.b[2], "tiles_left")
    f.store(f.left, "left_now")
    f.load(f.b[0], "blocks")
    jumps = f.finish != "sum" and f.columns == COLUMNS and not f.only
    if jumps:
        f.load(f.a[0], "entry")
    if f.finish != "sum":
        f.store(f.b[3], "output_now")
    text(f"lp_count 1, {f.b[0]}")
    f.load(f.right, "right")
    if f.finish == "general":
        f.load(f.b[0], "factors")
        f.store(f.b[0], "factors_now")
    if f.output and f.finish != "sum":
        text(f"mv {f.output}, {f.b[3]}")
    if (jumps or f.only) and f.start:
        f.load(f.start, "start")
    if jumps:
        text(f"jr {f.a[0]}")


def _narrow_block(f: Function) -> None:
    """The only block of a tile: sums start at 0, a word of output has one byte."""
    f.text(f"{f.label('block')}:")
    f.load(f.b[1], "steps")
    f.text(*(f"li {name}, 0" for name in f.all_sums), f"lp_count 0, {f.b[1]}")


def _sum_blocks(f: Function) -> None:
    f.text(f"{f.label('sum_block')}:")
    f.load(f.b[0], "steps")
    f.load(f.b[1], "kind")
    f.text(*(f"p_lw_step {name}, {f.start}, 4" for name in f.all_sums))
    f.text(f"lp_count 0, {f.b[0]}")
    # Of the two loops the call's kind has chosen one; only the other needs a jump.
    f.text(f"bnez {f.b[1]}, {f.label('u_step')}")


def _bias_blocks(f: Function) -> None:
    text = f.text
    pointer = f.start or f.b[0]
    text(f"{f.label('bias')}:")
    if not f.start:
        f.load(pointer, "start")
    f.load(f.b[1], "steps")
    first = f.sums[0]
    text(*(f"p_lw_step {name}, {pointer}, 4" for name in first))
    text(f"lp_count 0, {f.b[1]}")
    if not f.start:
        f.store(pointer, "start")
    for row in f.sums[1:]:
        text(*(f"mv {to}, {name}" for to, name in zip(row, first, strict=True)))


def _zero_entry(f: Function, left: str) -> None:
    """Blocks that start at 0: their first step multiplies without adding."""
    f.text(f"{f.label({'s': 'signed', 'u': 'unsigned'}[left])}:")
    if left == "u":
        _set_loop(f, "u")
    _set_block(f, f"zero_{left}")
    f.load(f.b[0], "steps")
    f.text(f"addi {f.b[0]}, {f.b[0]}, -1", f"lla {f.b[1]}, {f.label(f'zero_{left}')}")
    f.text(f"j {f.label('chosen')}")
    if f.adds:  # A block's lines then are as few as can be: they nearly fill a core's cache.
        f.text(".balign 16")
    f.text(f"{f.label(f'zero_{left}')}:")
    count = f.start or f.b[0]
    if not f.start:
        f.load(count, "steps")
        f.text(f"addi {count}, {count}, -1")
    f.text(f"lp_count 0, {count}")
    _step(f, left, first=True)


def _loop(f: Function, left: str) -> None:
    f.text(f"{f.label(f'{left}_step')}:")
    if f.columns < COLUMNS:
        _narrow_step(f)
    else:
        _step(f, left)


def _add(f: Function) -> None:
    """Blocks whose sums start at accumulators in memory and go back there; one tile a call."""
    text, sums = f.text, f.all_sums
    text(f"{f.label('add')}:")
    _set_loop(f, "add")
    _set_block(f, "add_block")
    text.loop_address("end", 1, f.label("add_end"))
    f.load(f.b[0], "bias")
    text(f"lla {f.b[1]}, {f.label('add_block')}", f"j {f.label('chosen')}")
    text(f"{f.label('add_block')}:")
    f.load(f.b[0], "start")
    f.load(f.b[1], "steps")
    text(*(f"p_lw_step {name}, {f.b[0]}, 4" for name in sums))
    text(f"lp_count 0, {f.b[1]}")
    f.store(f.b[0], "start")
    _loop(f, "add")
    f.load(f.b[0], "start")
    f.load(f.b[1], "right_skip")
    f.load(f.left, "left_now")
    text(*(f"sw {name}, {4 * (i - len(sums))}({f.b[0]})" for i, name in enumerate(sums)))
    text(f"{f.label('add_end')}:", f"add {f.right}, {f.right}, {f.b[1]}")
    text(f"j {f.label('tile_end')}")


def _step(f: Function, left: str, first: bool = False) -> None:
    """4 bytes of depth. Loads are placed so that no result is used by the next instruction."""
    text = f.text
    name = f"pv_{'dot' if first else 'sdot'}{'usp' if left == 'u' else 'sp'}_b"

    def load_left(row: int) -> str:
        to = f.a[row % 2]
        if f.rows == 1:
            return f"p_lw_step {to}, {f.left}, 4"
        return f"p_lw_post {to}, {f.left}, {f.turn if row == f.rows - 1 else f.row}"

    text(f"p_lw_step {f.b[0]}, {f.right}, 4", load_left(0))
    text(*(f"p_lw_step {b}, {f.right}, 4" for b in f.b[1:]))
    for row, sums in enumerate(f.sums):
        for column, total in enumerate(sums):
            last = column == COLUMNS - 1
            if last and row + 1 < f.rows:
                text(load_left(row + 1))
            if last and row + 1 == f.rows and not first:
                text(f"{f.label(f'{left}_step_end')}:")
            text(f"{name} {total}, {f.a[row % 2]}, {f.b[column]}")


def _narrow_step(f: Function) -> None:
    """4 bytes of depth by the first row of a panel."""
    left = [*f.a, *f.b[1:]][: f.rows]
    f.text(f"p_lw_step {f.b[0]}, {f.right}, {4 * COLUMNS}")
    if f.rows == 1:
        f.text(f"p_lw_step {left[0]}, {f.left}, 4", "nop")
    else:
        steps = [f.row] * (f.rows - 1) + [f.turn]
        f.text(*(f"p_lw_post {a}, {f.left}, {step}" for a, step in zip(left, steps, strict=True)))
    products = [f"pv_sdotsp_b {row[0]}, {a}, {f.b[0]}" for row, a in zip(f.sums, left, strict=True)]
    f.text(*products[:-1], f"{f.label('s_step_end')}:", products[-1])


def _tile_end(f: Function) -> None:
    text = f.text
    if f.adds:
        text(f"{f.label('tile_end')}:")
    f.load(f.b[2], "tiles_left")
    text(f"slli {f.b[0]}, {f.row}, 2")
    if f.finish != "sum":
        f.load(f.b[3], "output_now")
        f.load(f.b[1], "output_tile")
    text(f"addi {f.b[2]}, {f.b[2]}, -1")
    # `left` was reset by the last block.
    text(f"add {f.left}, {f.left}, {f.b[0]}")
    if f.finish != "sum":
        text(f"add {f.b[3]}, {f.b[3]}, {f.b[1]}")
    text(f"bnez {f.b[2]}, {f.label('tile')}")
    _leave(f)


def module() -> str:
    """The whole file. Five rows take all registers: one tile a call, no columns, a depth from 8."""
    text = Text()
    for rows in (4, 1):
        for finish in FINISHES:
            write_function(Function(text, finish, rows))
    write_function(Function(text, "fast", 5))
    for left in "su":
        write_function(Function(text, "fast", 4, only=left))
    for rows in (4, 1):
        write_function(Function(text, "fast", rows, columns=1))
    return text.file("xpulp_product")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
