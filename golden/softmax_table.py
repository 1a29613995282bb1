# SPDX-License-Identifier: Apache-2.0
"""The integer softmax and its 256-entry tables.

softmax(row): d = max(row) - row (0..255); out = floor(255 * T[d] / sum T), uint8. T has uint32
entries of at most 24 bits, T[0] >= 1 (so a sum is never 0), and its row sums fit uint32.

Presets:
  authors   the integer exponential of pulp-transformer's iSoftmax.c with its constants A, B, C,
            log2 = 1, 7, 24, 5: z = d div 5, p = 5 z - d, T[d] = (A (p + B)**2 + C) >> z, 0 where
            z > 31. Base 2 per 5 steps; not monotone (T[4] = 33, T[5] = 36); largest entry 73.
  accurate  round(255 exp(-d/16)): one step of a score is 1/16; largest entry 255.
  wide      round(65535 exp(-d/16)): as accurate, 16-bit entries.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

import numpy as np

from golden.case import Array, GoldenError, Operands, Params, param

OUTPUT_MAX = 255
ENTRY_MAX = 2**24 - 1
AUTHORS = (1, 7, 24, 5)
SCORE_STEPS_PER_UNIT = 16  # accurate, wide: a score of 16 is 1.0
# Steps in which a table falls by e; the authors' halves in 5 steps.
SCORE_STEPS = {
    "authors": AUTHORS[3] / math.log(2),
    "accurate": SCORE_STEPS_PER_UNIT,
    "wide": SCORE_STEPS_PER_UNIT,
}

# Standard deviation of the scores in a row for which the rows of a map are neither one-hot nor
# flat: about 1.6 times the distance over which the table falls by e.
SCORE_SPREAD = {"authors": 12, "accurate": 24, "wide": 24}


def authors_table(a: int, b: int, c: int, log2: int) -> list[int]:
    """T of iSoftmax.c for its four constants."""
    entries = []
    for d in range(256):
        z = d // log2
        p = z * log2 - d
        entries.append(0 if z > 31 else (a * (p + b) ** 2 + c) >> z)
    return entries


def exponential_table(largest: int) -> list[int]:
    """round(largest * exp(-d / 16)); decimal arithmetic, the same on every machine."""
    context = Context(prec=40, rounding=ROUND_HALF_EVEN)
    step = context.exp(context.divide(Decimal(-1), Decimal(SCORE_STEPS_PER_UNIT)))
    value = Decimal(largest)
    entries = []
    for _ in range(256):
        entries.append(int(value.to_integral_value(rounding=ROUND_HALF_EVEN)))
        value = context.multiply(value, step)
    return entries


def preset_table(preset: str) -> list[int]:
    """The 256 entries of a preset."""
    if preset == "authors":
        return authors_table(*AUTHORS)
    return exponential_table(255 if preset == "accurate" else 65535)


def softmax_params(preset: str) -> Params:
    """The parameter that goes with the table of a preset."""
    return {"softmax_max": max(preset_table(preset))}


def softmax_operands(preset: str) -> Operands:
    """The table of a preset."""
    return {"softmax_table": np.array(preset_table(preset), dtype=np.uint32)}


def table_of(params: Mapping[str, int], operands: Mapping[str, Array]) -> Array:
    """The softmax table of a case, checked, widened to int64."""
    if "softmax_table" not in operands:
        raise GoldenError("operand softmax_table is missing")
    table = operands["softmax_table"]
    if table.dtype != np.uint32 or table.shape != (256,):
        raise GoldenError("operand softmax_table: expected uint32 (256,)")
    if table[0] < 1 or table.max() > ENTRY_MAX:
        raise GoldenError(f"operand softmax_table: entries must be 0..{ENTRY_MAX}, the first >= 1")
    if param(params, "softmax_max", 1, ENTRY_MAX) != int(table.max()):
        raise GoldenError("parameter softmax_max is not the largest entry of softmax_table")
    return table.astype(np.int64)


def softmax_rows(scores: Array, table: Array) -> Array:
    """uint8 attention map of int8 `scores`; rows are the last axis."""
    wide = scores.astype(np.int64)
    entries = table[wide.max(axis=-1, keepdims=True) - wide]
    sums = entries.sum(axis=-1, keepdims=True)
    if sums.max() >= 2**32:
        raise GoldenError("a row sum of the softmax leaves the range of uint32")
    attention: Array = ((OUTPUT_MAX * entries) // sums).astype(np.uint8)
    return attention
