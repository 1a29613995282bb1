# SPDX-License-Identifier: Apache-2.0
"""softmax: input int8 [H,S,S], softmax_table -> uint8 [H,S,S], rows are the last axis."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from golden.case import Array, Operands, Params, Shape, take
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.softmax_table import softmax_operands, softmax_params, softmax_rows, table_of
from golden.value_classes import activation


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Scores over the whole int8 range, so that every entry of the table is used."""
    size = (shape.H, shape.S, shape.S)
    scores = activation(rng, "input", size, value_class)
    if value_class == "saturating":
        # What saturated scores look like: more than half of a row at the upper limit.
        scores = np.where(rng.bytes("input.clipped", size) < 160, np.int8(127), scores)
    operands: Operands = {"input": scores, **softmax_operands(numerics.softmax)}
    return softmax_params(numerics.softmax), operands


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    scores = take(operands, "input", "int8", (shape.H, shape.S, shape.S))
    return {"output": softmax_rows(scores, table_of(params, operands))}
