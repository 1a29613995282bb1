# SPDX-License-Identifier: Apache-2.0
"""gelu: input int8 [S,E], table int8[256] (index x & 255) -> int8 [S,E]."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from golden.case import Array, Operands, Params, Shape, take
from golden.counter_rng import CounterRng
from golden.gelu_table import preset_table
from golden.presets import Numerics
from golden.value_classes import activation


def make_table(value_class: str, numerics: Numerics) -> Array:
    """Class saturating has the table doubled, so that large inputs give the upper limit."""
    table = np.array(preset_table(numerics.gelu), dtype=np.int64)
    if value_class == "saturating":
        table = np.clip(2 * table, -128, 127)
    return table.astype(np.int8)


def activate(x: Array, table: Array) -> Array:
    """int8 of int8."""
    result: Array = table[x.astype(np.int64) & 255].astype(np.int8)
    return result


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Parameters and operands of a case, in the kernel's order."""
    x = activation(rng, "input", (shape.S, shape.E), value_class)
    return {}, {"input": x, "table": make_table(value_class, numerics)}


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    x = take(operands, "input", "int8", (shape.S, shape.E))
    table = take(operands, "table", "int8", (256,))
    return {"output": activate(x, table)}
