# SPDX-License-Identifier: Apache-2.0
"""mhsa: multi-head self-attention, int8 [S,E] -> int8 [S,E]; a composition of the stage models."""

from __future__ import annotations

from collections.abc import Mapping

from golden import attention_context, attention_scores, linear_o, linear_qk, linear_v
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
    params, operands = make_layer(shape, rng, x, value_class, numerics)
    return params, {"input": x, **operands}


def make_layer(
    shape: Shape, rng: CounterRng, x: Array, value_class: str, numerics: Numerics
) -> tuple[Params, Operands]:
    """Parameters and all operands but the input, for a given input."""
    head_weights = (shape.H, shape.P, shape.E)
    q_weight, k_weight, v_weight = (
        weight(rng, f"{name}_weight", head_weights, value_class) for name in "qkv"
    )
    o_weight = weight(rng, "o_weight", (shape.E, shape.H * shape.P), value_class)

    rngs = {name: rng.child(name) for name in ("q", "k", "v", "scores", "context", "o")}
    q_bias, q = linear_qk.calibrate(rngs["q"], x, q_weight, value_class, numerics)
    k_bias, k = linear_qk.calibrate(rngs["k"], x, k_weight, value_class, numerics)
    v_bias, v = linear_v.calibrate(rngs["v"], x, v_weight, value_class, numerics)
    query = linear_qk.project(x, q_weight, q_bias, q)
    key = linear_qk.project(x, k_weight, k_bias, k)
    value = linear_v.project(x, v_weight, v_bias, v)
    scores = attention_scores.calibrate(rngs["scores"], query, key, value_class, numerics)

    softmax = softmax_params(numerics.softmax)
    table = softmax_operands(numerics.softmax)
    attention = attention_scores.attend(query, key, scores, table_of(softmax, table))
    context = attention_context.calibrate(rngs["context"], attention, value, value_class, numerics)
    mixed = attention_context.mix(attention, value, context).reshape(shape.S, -1)
    o_bias, o = linear_o.calibrate(rngs["o"], mixed, o_weight, value_class, numerics)

    operands = {"q_weight": q_weight, "q_bias": q_bias}
    operands |= {"k_weight": k_weight, "k_bias": k_bias, "v_weight": v_weight, "v_bias": v_bias}
    operands |= {"o_weight": o_weight, "o_bias": o_bias}
    params: Params = {}
    requants = {"q": q, "k": k, "v": v, "scores": scores, "context": context, "o": o}
    for name, requant in requants.items():
        operands |= requant.operands(name)
        params |= requant.params(name)
    return params | softmax, operands | table


def stages(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The result of every stage: query, key, value, map, context, output."""
    channels = shape.H * shape.P
    x = take(operands, "input", "int8", (shape.S, shape.E))
    weights = {
        name: take(operands, f"{name}_weight", "int8", (shape.H, shape.P, shape.E))
        for name in "qkv"
    }
    biases = {name: take(operands, f"{name}_bias", "int32", (channels,)) for name in "qkv"}
    requants = {name: requant_of(name, params, operands, channels) for name in "qkv"}
    query = linear_qk.project(x, weights["q"], biases["q"], requants["q"])
    key = linear_qk.project(x, weights["k"], biases["k"], requants["k"])
    value = linear_v.project(x, weights["v"], biases["v"], requants["v"])
    attention = attention_scores.attend(
        query, key, requant_of("scores", params, operands, 0), table_of(params, operands)
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
    return {
        "query": query,
        "key": key,
        "value": value,
        "map": attention,
        "context": context,
        "output": output,
    }


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    return {"output": stages(shape, params, operands)["output"]}
