# SPDX-License-Identifier: Apache-2.0
"""The end of a block: what becomes of its sums. See xpulp_product.py."""

from __future__ import annotations

from kernels.generators.xpulp_block import COLUMNS, Function


def write_finish(f: Function) -> None:
    """From the sums to the output, or back to the accumulators in memory."""
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
    if f.select and not f.only:
        text(f"bltz {f.select}, {f.label('columns')}")
    for row in f.sums:
        _bytes_2(f, row, row[0], select)
    return [row[0] for row in f.sums]


def _bytes_2(f: Function, group: list[str], to: str, select: str) -> None:
    """The third bytes of four registers in one word; the lower half of `select` picks them."""
    f.text(f"pv_shuffle2_b {group[0]}, {group[1]}, {select}")
    f.text(f"pv_shuffle2_b {group[2]}, {group[3]}, {select}")
    f.text(f"pv_pack_h {to}, {group[2]}, {group[0]}")


def write_columns(f: Function) -> None:
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
