# SPDX-License-Identifier: Apache-2.0
"""attention_scores: query, key int8 [H,S,P] -> uint8 map [H,S,S] = softmax(requant(Q K^T))."""

from __future__ import annotations

from collections.abc import Mapping

from golden.calibrate import make_scores_requant
from golden.case import Array, Operands, Params, Shape, matmul, take
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.requant import Requant, requant_of
from golden.softmax_table import (
    SCORE_SPREAD,
    softmax_operands,
    softmax_params,
    softmax_rows,
    table_of,
)
from golden.value_classes import activation


def dot(query: Array, key: Array) -> Array:
    """Score accumulators [H,S,S]; row: query, column: key."""
    return matmul(query, key.swapaxes(-1, -2))


def attend(query: Array, key: Array, requant: Requant, table: Array) -> Array:
    """uint8 map [H,S,S]; `table` are the entries of the softmax."""
    return softmax_rows(requant.apply(dot(query, key), (1,)), table)


def calibrate(
    rng: CounterRng, query: Array, key: Array, value_class: str, numerics: Numerics
) -> Requant:
    """Requantisation that suits these queries and keys."""
    spread = SCORE_SPREAD[numerics.softmax]
    return make_scores_requant(rng, dot(query, key), spread, value_class, numerics)


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Parameters and operands of a case, in the kernel's order."""
    size = (shape.H, shape.S, shape.P)
    query = activation(rng, "query", size, value_class)
    key = activation(rng, "key", size, "random" if value_class == "one_hot" else value_class)
    requant = calibrate(rng.child("requant"), query, key, value_class, numerics)
    params = {**requant.params("requant"), **softmax_params(numerics.softmax)}
    operands = {
        "query": query,
        "key": key,
        **requant.operands("requant"),
        **softmax_operands(numerics.softmax),
    }
    return params, operands


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    size = (shape.H, shape.S, shape.P)
    query = take(operands, "query", "int8", size)
    key = take(operands, "key", "int8", size)
    requant = requant_of("requant", params, operands, 0)
    return {"output": attend(query, key, requant, table_of(params, operands))}
