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
  ts_xp_fastRx1   a tile's only block is one column, the first row of a panel; sums start at 0

How sums start, and whether the left operand is int8 or uint8, is the call's `kind`. The kinds of a
function share its code: a cold cache line costs more than 16 instructions, a jump costs two.
Hardware loop 1 goes over blocks, loop 0 over depth; a body may be scattered as long as it passes
its end. While a function runs, sp points at the call, so that spilled values cost two bytes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from kernels.generators.assembly import Text, write

# The words of ts_xp_call, in order.
FIELDS = (
    *("left", "left_row", "right", "right_skip", "bias"),
    *("output", "output_row", "output_block", "output_tile", "steps", "blocks", "tiles", "kind"),
    *("factor", "select", "rounding", "shift", "factors", "factors_step", "path"),
    *(
        "left_now",
        "output_now",
        "output_turn",
        "tiles_left",
        "factors_now",
        "start",
        "entry",
        "calls",
        "caller",
    ),
)
OFFSET = {name: 4 * index for index, name in enumerate(FIELDS)}
# Kept for the caller. gp and tp too: a program may use them.
SAVED = ("ra", "gp", "tp", *(f"s{i}" for i in range(12)))
FRAME = 64
CALL_BYTES = 4 * len(FIELDS)
REGISTERS = (
    *("s0", "s1", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "ra", "gp", "tp"),
    *("t0", "t1", "t2", "t3", "t4", "t5", "t6", "a0"),
    *(f"s{i}" for i in range(2, 12)),
)
COLUMNS = 4
FINISHES = ("fast", "general", "sum")


@dataclass
class Function:
    """One function while it is written: its name, and who has which register.

    A register that does not fit is None; its value is reloaded for each block.
    """

    text: Text
    finish: str
    rows: int
    columns: int = COLUMNS

    def __post_init__(self) -> None:
        """The sums first, then what the innermost loop needs, then what still fits."""
        taken = iter([*REGISTERS, *[None] * 4])
        self.sums = [[str(next(taken)) for _ in range(self.columns)] for _ in range(self.rows)]
        self.a = [str(next(taken)) for _ in range(2)]
        self.b = [str(next(taken)) for _ in range(4)]
        self.left, self.right, self.row, self.turn = (str(next(taken)) for _ in range(4))
        # What a block starts with: its bias, or the number of steps left after the first.
        self.start = next(taken)
        self.output, self.factor, self.select = next(taken), next(taken), next(taken)

    @property
    def name(self) -> str:
        """The function's name."""
        return f"ts_xp_{self.finish}{self.rows}{'' if self.columns == COLUMNS else 'x1'}"

    @property
    def all_sums(self) -> list[str]:
        """The sums, row by row."""
        return [name for row in self.sums for name in row]

    def label(self, name: str) -> str:
        """A label of this function."""
        return f".L{self.name}_{name}"

    def load(self, register: str | None, name: str) -> None:
        """A word of the call."""
        self.text(f"lw {register}, {OFFSET[name]}(sp)")

    def store(self, register: str | None, name: str) -> None:
        """A word of the call."""
        self.text(f"sw {register}, {OFFSET[name]}(sp)")

    def write(self) -> None:
        """The whole function."""
        self.text.begin(self.name)
        _enter(self)
        _tile(self)
        if self.columns < COLUMNS:
            _narrow_block(self)
        elif self.finish == "sum":
            _sum_blocks(self)
        else:
            _bias_blocks(self)
        _loop(self, "s")
        self.text(f"{self.label('sums')}:")
        _finish(self)
        _tile_end(self)
        if self.columns < COLUMNS:
            self.text.end(self.name)
            return
        if self.finish != "sum":
            _zero_entry(self, "s")
            if self.start:  # One step was all: the loop would run once more.
                self.text(f"beqz {self.start}, {self.label('sums')}")
            self.text(f"j {self.label('s_step')}")
            _zero_entry(self, "u")
            if self.start:
                self.text(f"beqz {self.start}, {self.label('sums')}")
        else:
            self.text(f"{self.label('unsigned')}:")
            _set_loop(self, "u")
            self.text(f"j {self.label('tile')}")
        _loop(self, "u")
        self.text(f"j {self.label('sums')}")
        if self.finish == "fast" and self.select:
            _pack_columns(self)
        self.text.end(self.name)


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
    _set_loop(f, "s")
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
    text(f"bgtz {f.a[0]}, {f.label('unsigned')}")
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
    jumps = f.finish != "sum" and f.columns == COLUMNS
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
    if jumps:
        if f.start:
            f.load(f.start, "start")
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


def _step(f: Function, left: str, first: bool = False) -> None:
    """4 bytes of depth. Loads are placed so that no result is used by the next instruction."""
    text = f.text
    name = f"pv_{'dot' if first else 'sdot'}{'sp' if left == 's' else 'usp'}_b"

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


def _finish(f: Function) -> None:
    text, end = f.text, f.label("block_end")
    f.load(f.left, "left_now")
    if f.finish == "sum":
        sums = f.all_sums
        f.load(f.b[0], "right_skip")
        text(*(f"sw {name}, {4 * (i - len(sums))}({f.start})" for i, name in enumerate(sums)))
        text(f"{end}:", f"add {f.right}, {f.right}, {f.b[0]}")
        return
    words = _fast(f) if f.finish == "fast" else _general(f)
    row, turn = f.b[0], f.b[1]
    output = f.output or f.b[2]
    if not f.output:
        f.load(output, "output_now")
    f.load(row, "output_row")
    f.load(turn, "output_turn")
    text(f"{f.label('store')}:")
    text(*(f"p_sw_post {word}, {output}, {row}" for word in words[:-1]))
    if f.rows == 1:  # A row of words, or a word for each column.
        text(f"{end}:", f"p_sw_post {words[-1]}, {output}, {turn}")
        return
    if f.output:
        text(f"{end}:")
    text(f"p_sw_post {words[-1]}, {output}, {turn}")
    if not f.output:
        text(f"{end}:")
        f.store(output, "output_now")


def _fast(f: Function) -> list[str]:
    text, factor, select = f.text, f.factor, f.select
    if factor is None or select is None:
        factor, select = f.a
        f.load(factor, "factor")
        f.load(select, "select")
    text(*(f"p_mac {name}, {name}, {factor}" for name in f.all_sums))
    text(*(f"p_clip {name}, {name}, 24" for name in f.all_sums))
    if f.columns < COLUMNS:
        text(*(f"pv_extractu_b {name}, {name}, 2" for name in f.all_sums))
        return f.all_sums
    if f.select:
        text(f"bltz {f.select}, {f.label('columns')}")
    for row in f.sums:
        _bytes_2(f, row, row[0], select)
    return [row[0] for row in f.sums]


def _bytes_2(f: Function, group: list[str], to: str, select: str) -> None:
    """The third bytes of four registers in one word; the lower half of `select` picks them."""
    f.text(f"pv_shuffle2_b {group[0]}, {group[1]}, {select}")
    f.text(f"pv_shuffle2_b {group[2]}, {group[3]}, {select}")
    f.text(f"pv_pack_h {to}, {group[2]}, {group[0]}")


def _pack_columns(f: Function) -> None:
    """The other order of the bytes, into the registers that the rows' words would be in."""
    text = f.text
    text(f"{f.label('columns')}:")
    f.load(f.b[0], "output_row")
    f.load(f.b[1], "output_turn")
    if f.rows == 1:
        _columns_of_a_row(f, [f"pv_extractu_b {name}, {name}, 2" for name in f.sums[0]])
        return
    for column, words in enumerate(zip(*f.sums, strict=True)):
        _bytes_2(f, list(words), f.sums[column][0], str(f.select))
    text(f"j {f.label('store')}")


def _columns_of_a_row(f: Function, extract: list[str]) -> None:
    """A word for each column; only its first byte means anything."""
    f.text(*extract)
    f.text(*(f"p_sw_post {name}, {f.output}, {f.b[0]}" for name in f.sums[0][:-1]))
    # The last word of the block is stored by the common end.
    f.text(f"mv {f.sums[0][0]}, {f.sums[0][-1]}", f"j {f.label('store')}")


def _general(f: Function) -> list[str]:
    """`factor` holds the shift, `select` the rounding term."""
    text = f.text
    product, pointer = f.a
    f.load(pointer, "factors_now")
    f.load(product, "factors_step")
    for column, name in enumerate(f.b):
        text(f"lhu {name}, {2 * column}({pointer})")
    text(f"add {pointer}, {pointer}, {product}")
    f.store(pointer, "factors_now")
    for row in f.sums:
        for name, factor in zip(row, f.b, strict=True):
            text(f"mv {product}, {f.select}", f"p_mac {product}, {name}, {factor}")
            text(f"sra {name}, {product}, {f.factor}", f"p_clip {name}, {name}, 8")
    f.load(f.a[1], "select")
    columns, joined = f.label("columns"), f.label("joined")
    text(f"bltz {f.a[1]}, {columns}")
    for row in f.sums:
        _bytes_0(f, row, row[0])
    text(f"j {joined}", f"{columns}:")
    if f.rows == 1:
        f.load(f.b[0], "output_row")
        f.load(f.b[1], "output_turn")
        _columns_of_a_row(f, [f"andi {name}, {name}, 255" for name in f.sums[0]])
    else:
        for column, words in enumerate(zip(*f.sums, strict=True)):
            _bytes_0(f, list(words), f.sums[column][0])
    text(f"{joined}:")
    return [row[0] for row in f.sums]


def _bytes_0(f: Function, group: list[str], to: str) -> None:
    f.text(f"pv_packlo_b {group[0]}, {group[1]}, {group[0]}")
    f.text(f"pv_packhi_b {group[0]}, {group[3]}, {group[2]}")
    if to != group[0]:
        f.text(f"mv {to}, {group[0]}")


def _tile_end(f: Function) -> None:
    text = f.text
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
            Function(text, finish, rows).write()
    Function(text, "fast", 5).write()
    for rows in (4, 1):
        Function(text, "fast", rows, columns=1).write()
    return text.file("xpulp_product")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
