# SPDX-License-Identifier: Apache-2.0
"""ffn: feed-forward network, int8 [S,E] -> int8 [S,E]; linear E->F, GELU by table, linear F->E."""

from __future__ import annotations

from collections.abc import Mapping

from golden import gelu, linear_o
from golden.case import Array, Operands, Params, Shape, take
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.requant import requant_of
from golden.value_classes import activation, weight


def make_layer(
    shape: Shape, rng: CounterRng, x: Array, value_class: str, numerics: Numerics
) -> tuple[Params, Operands]:
    """Parameters and all operands but the input, for a given input."""
    up_weight = weight(rng, "up_weight", (shape.F, shape.E), value_class)
    down_weight = weight(rng, "down_weight", (shape.E, shape.F), value_class)
    table = gelu.make_table(value_class, numerics)
    up_bias, up = linear_o.calibrate(rng.child("up"), x, up_weight, value_class, numerics)
    hidden = gelu.activate(linear_o.project(x, up_weight, up_bias, up), table)
    down_rng = rng.child("down")
    down_bias, down = linear_o.calibrate(down_rng, hidden, down_weight, value_class, numerics)
    operands = {
        "up_weight": up_weight,
        "up_bias": up_bias,
        "down_weight": down_weight,
        "down_bias": down_bias,
        **up.operands("up"),
        **down.operands("down"),
        "gelu_table": table,
    }
    return {**up.params("up"), **down.params("down")}, operands


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Both layers are calibrated on what comes before them."""
    x = activation(rng, "input", (shape.S, shape.E), value_class)
    params, operands = make_layer(shape, rng, x, value_class, numerics)
    return params, {"input": x, **operands}


def stages(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The result of every stage: hidden (before the GELU), activated, output."""
    x = take(operands, "input", "int8", (shape.S, shape.E))
    hidden = linear_o.project(
        x,
        take(operands, "up_weight", "int8", (shape.F, shape.E)),
        take(operands, "up_bias", "int32", (shape.F,)),
        requant_of("up", params, operands, shape.F),
    )
    activated = gelu.activate(hidden, take(operands, "gelu_table", "int8", (256,)))
    output = linear_o.project(
        activated,
        take(operands, "down_weight", "int8", (shape.E, shape.F)),
        take(operands, "down_bias", "int32", (shape.E,)),
        requant_of("down", params, operands, shape.E),
    )
    return {"hidden": hidden, "activated": activated, "output": output}


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    return {"output": stages(shape, params, operands)["output"]}
