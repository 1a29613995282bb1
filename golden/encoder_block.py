# SPDX-License-Identifier: Apache-2.0
"""encoder_block: pre-norm transformer encoder block, int8 [S,E] -> int8 [S,E].

y = add(x, mhsa(layernorm(x))); output = add(y, ffn(layernorm(y))); a composition of those models.
"""

from __future__ import annotations

from collections.abc import Mapping

from golden import add, ffn, layernorm, mhsa
from golden.case import Array, Operands, Params, Shape, param, take
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.value_classes import activation

_ORDER = (
    *("input", "norm1_weight", "norm1_bias", "q_weight", "q_bias", "k_weight", "k_bias"),
    *("v_weight", "v_bias", "o_weight", "o_bias", "norm2_weight", "norm2_bias"),
    *("up_weight", "up_bias", "down_weight", "down_bias", "q_mul", "k_mul", "v_mul", "scores_mul"),
    *("context_mul", "o_mul", "up_mul", "down_mul", "softmax_table", "gelu_table"),
)


def _norm(name: str, rng: CounterRng, x: Array, value_class: str) -> tuple[Params, Operands, Array]:
    """Parameters and operands of a layer normalisation, and what it makes of `x`."""
    weights, bias, shift = layernorm.make_scale(rng.child(name), x.shape[-1], value_class)
    operands = {f"{name}_weight": weights, f"{name}_bias": bias}
    return {f"{name}_shift": shift}, operands, layernorm.normalise(x, weights, bias, shift)


def _add(name: str, rng: CounterRng, value_class: str, numerics: Numerics) -> Params:
    made = add.make_sum(rng.child(name), value_class, numerics)
    return {
        f"{name}_residual_mul": made.a_mul,
        f"{name}_layer_mul": made.b_mul,
        f"{name}_shift": made.shift,
        f"{name}_flags": made.flags,
    }


def _residual(params: Mapping[str, int], name: str, residual: Array, layer: Array) -> Array:
    return add.sum_of(params, f"{name}_", ("residual", "layer")).apply(residual, layer)


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Every stage is calibrated on what the stage before it gives."""
    x = activation(rng, "input", (shape.S, shape.E), value_class)
    params, operands, normal = _norm("norm1", rng, x, value_class)
    attention = rng.child("attention")
    more, tensors = mhsa.make_layer(shape, attention, normal, value_class, numerics)
    params, operands = params | more, {"input": x} | operands | tensors
    attended = mhsa.golden(shape, params, {**operands, "input": normal})["output"]
    params |= _add("add1", rng, value_class, numerics)
    y = _residual(params, "add1", x, attended)
    more, tensors, normal = _norm("norm2", rng, y, value_class)
    params, operands = params | more, operands | tensors
    network = rng.child("network")
    more, tensors = ffn.make_layer(shape, network, normal, value_class, numerics)
    params |= more | _add("add2", rng, value_class, numerics)
    operands |= tensors
    return params, {name: operands[name] for name in _ORDER}


def _normalised(
    params: Mapping[str, int], operands: Mapping[str, Array], name: str, x: Array
) -> Array:
    width = x.shape[-1]
    weights = take(operands, f"{name}_weight", "int16", (width,))
    bias = take(operands, f"{name}_bias", "int32", (width,))
    return layernorm.normalise(x, weights, bias, param(params, f"{name}_shift", 0, 31))


def stages(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The result of every stage: those of mhsa and ffn between normal1, attended, residual,
    normal2, network and output."""
    x = take(operands, "input", "int8", (shape.S, shape.E))
    normal1 = _normalised(params, operands, "norm1", x)
    attention = mhsa.stages(shape, params, {**operands, "input": normal1})
    attended = attention.pop("output")
    residual = _residual(params, "add1", x, attended)
    normal2 = _normalised(params, operands, "norm2", residual)
    network = ffn.stages(shape, params, {**operands, "input": normal2})
    fed = network.pop("output")
    return {
        "normal1": normal1,
        **attention,
        "attended": attended,
        "residual": residual,
        "normal2": normal2,
        **network,
        "network": fed,
        "output": _residual(params, "add2", residual, fed),
    }


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    return {"output": stages(shape, params, operands)["output"]}
