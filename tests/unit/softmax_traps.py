# SPDX-License-Identifier: Apache-2.0
"""Softmax rows made for rounding errors: of two values, with tables up to the largest allowed.

A kernel may replace the row's divisions by one reciprocal only where that is exact. The table here
is filled with entries for which the reciprocal of `kernels/include/ts_softmax.h` is wrong by one,
as far as the largest entry allows any.
"""

from __future__ import annotations

import random
import struct

from touchstone.vectors import Case, Container, Operand

LIMITS = [1, 73, 255, 256, 4000, 65535, 1 << 24]
HEADS = 64
TRIES = 4000


def by_reciprocal(entry: int, total: int) -> int:
    return entry * ((255 << 24) // total + 1) >> 24


def exactly(entry: int, total: int) -> int:
    return 255 * entry // total


def _trap(rng: random.Random, first: int) -> int:
    """An entry that goes wrong beside `first`, else any."""
    for _ in range(TRIES):
        entry = rng.randint(0, first)
        if by_reciprocal(entry, first + entry) != exactly(entry, first + entry):
            break
    return entry


def softmax_case(limit: int) -> tuple[Container, bytes, int]:
    """Vectors for one table with entries up to `limit`; the output; how many entries are traps."""
    rng = random.Random(limit)
    table = [limit] + [_trap(rng, limit) for _ in range(HEADS)]
    table += [0] * (256 - len(table))
    rows, output, traps = [], [], 0
    for distance in range(1, HEADS + 1):
        entry, total = table[distance], limit + table[distance]
        rows += [100, 100 - distance, 127 - distance, 127]
        pair = [exactly(limit, total), exactly(entry, total)]
        output += [*pair, *reversed(pair)]
        traps += by_reciprocal(entry, total) != pair[1]
    case = Case(
        "random",
        {"softmax_max": limit},
        (
            Operand("input", "int8", (HEADS, 2, 2), struct.pack(f"<{len(rows)}b", *rows)),
            Operand("softmax_table", "uint32", (256,), struct.pack("<256I", *table)),
        ),
    )
    shape = {"S": 2, "E": 1, "P": 1, "H": HEADS, "F": 0}
    return Container("softmax", shape, (case,)), bytes(output), traps
