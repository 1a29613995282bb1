# SPDX-License-Identifier: Apache-2.0
"""mhsa_fwsa: self-attention with fused query-key weights, int8 [S,E] -> int8 [S,E]."""

from __future__ import annotations

from collections.abc import Mapping

from golden import attention_context, fwsa, linear_o, linear_v
from golden.case import Array, Operands, Params, Shape, take
from golden.counter_rng import CounterRng
from golden.ecg import ecg_tokens
from golden.presets import Numerics
from golden.requant import requant_of
from golden.softmax_table import softmax_operands, softmax_params, table_of
from golden.value_classes import activation, weight

SOURCES = ("random", "ecg")


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Every stage is calibrated on what the stage before it gives."""
    if value_class == "ecg":
        x = ecg_tokens(rng, shape.S, shape.E)
    else:
        x = activation(rng, "input", (shape.S, shape.E), value_class)
    f_weight = weight(rng, "f_weight", (shape.H, shape.E, shape.E), value_class)
    v_weight = weight(rng, "v_weight", (shape.H, shape.P, shape.E), value_class)
    o_weight = weight(rng, "o_weight", (shape.E, shape.H * shape.P), value_class)

    rngs = {name: rng.child(name) for name in ("f", "v", "context", "o")}
    softmax = softmax_params(numerics.softmax)
    table = softmax_operands(numerics.softmax)
    f_bias, f, scores = fwsa.calibrate(rngs["f"], x, f_weight, value_class, numerics)
    attention = fwsa.attend(x, f_weight, f_bias, f, scores, table_of(softmax, table))
    v_bias, v = linear_v.calibrate(rngs["v"], x, v_weight, value_class, numerics)
    value = linear_v.project(x, v_weight, v_bias, v)
    context = attention_context.calibrate(rngs["context"], attention, value, value_class, numerics)
    mixed = attention_context.mix(attention, value, context).reshape(shape.S, -1)
    o_bias, o = linear_o.calibrate(rngs["o"], mixed, o_weight, value_class, numerics)

    operands = {"input": x, "f_weight": f_weight, "f_bias": f_bias}
    operands |= {"v_weight": v_weight, "v_bias": v_bias, "o_weight": o_weight, "o_bias": o_bias}
    params: Params = {}
    requants = {"f": f, "scores": scores, "v": v, "context": context, "o": o}
    for name, requant in requants.items():
        operands |= requant.operands(name)
        params |= requant.params(name)
    return params | softmax, operands | table


def stages(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The result of every stage: map, value, context, output."""
    channels = shape.H * shape.P
    x = take(operands, "input", "int8", (shape.S, shape.E))
    attention = fwsa.attend(
        x,
        take(operands, "f_weight", "int8", (shape.H, shape.E, shape.E)),
        take(operands, "f_bias", "int32", (shape.H * shape.E,)),
        requant_of("f", params, operands, shape.H * shape.E),
        requant_of("scores", params, operands, 0),
        table_of(params, operands),
    )
    value = linear_v.project(
        x,
        take(operands, "v_weight", "int8", (shape.H, shape.P, shape.E)),
        take(operands, "v_bias", "int32", (channels,)),
        requant_of("v", params, operands, channels),
    )
    context = attention_context.mix(
        attention, value, requant_of("context", params, operands, channels)
    )
    output = linear_o.project(
        context.reshape(shape.S, channels),
        take(operands, "o_weight", "int8", (shape.E, channels)),
        take(operands, "o_bias", "int32", (shape.E,)),
        requant_of("o", params, operands, shape.E),
    )
    return {"map": attention, "value": value, "context": context, "output": output}


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    return {"output": stages(shape, params, operands)["output"]}
