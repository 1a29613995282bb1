# SPDX-License-Identifier: Apache-2.0
"""An integer network: a chain of kernel cases.

Each layer is one operation of the kernel library at one shape, with its parameters and weights, so
that the integer golden model of a network is those of its layers and cannot differ from them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from golden.case import Array, GoldenError, Operands, Params, Shape

INPUT = "input"
FEATURES = "features"


@dataclass(frozen=True)
class Layer:
    """`inputs`: operand of the kernel -> tensor: a layer's name, "input" or "features"."""

    name: str
    kernel: str
    shape: Shape
    params: Params
    weights: Operands
    inputs: Mapping[str, str]
    output: tuple[int, ...]


@dataclass(frozen=True)
class IntegerNetwork:
    """Layers in the order of their execution; the last one's output is the network's.

    input: shape of the int8 tensor that the first layer reads. features: how many extra int8
    numbers the head reads (tensor "features", [1, features]). scales: real value of one LSB of a
    tensor, stages of a layer included where they have one (`blocks.0.attention.query`).
    """

    name: str
    input: tuple[int, ...]
    layers: tuple[Layer, ...]
    scales: Mapping[str, float]
    features: int = 0

    def weight_bytes(self) -> int:
        """Bytes of all weights, tables and multipliers."""
        return sum(array.nbytes for layer in self.layers for array in layer.weights.values())


def run(network: IntegerNetwork, x: Array, features: Array | None = None) -> dict[str, Array]:
    """Every layer's output for one int8 input, and the stages of the layers that have some.

    features: int8 [1, features]; zeros without.
    """
    if x.dtype != np.int8 or x.shape != network.input:
        raise GoldenError(
            f"{network.name}: found an input {x.dtype} {list(x.shape)}, "
            f"allowed int8 {list(network.input)}"
        )
    made: dict[str, Array] = {INPUT: x}
    if network.features:
        none = np.zeros((1, network.features), np.int8)
        made[FEATURES] = none if features is None else features
    for layer in network.layers:
        operation = importlib.import_module(f"golden.{layer.kernel}")
        operands = operands_of(layer, made)
        try:
            stages = getattr(operation, "stages", operation.golden)(
                layer.shape, layer.params, operands
            )
        except GoldenError as error:
            raise GoldenError(f"{network.name}: {layer.name}: {error}") from None
        for name, array in stages.items():
            made[layer.name if name == "output" else f"{layer.name}.{name}"] = array
    return made


def operands_of(layer: Layer, made: Mapping[str, Array]) -> Operands:
    """All operands of a layer, given the tensors that it reads. A layer of one row reads the whole
    of a tensor at once."""
    given = {operand: made[tensor] for operand, tensor in layer.inputs.items()}
    if layer.shape.S == 1:
        given = {operand: tensor.reshape(1, -1) for operand, tensor in given.items()}
    return {**layer.weights, **given}


def logits(network: IntegerNetwork, inputs: Array) -> Array:
    """int8 [N, classes] for inputs [N, *network.input]."""
    last = network.layers[-1].name
    return np.stack([run(network, x)[last].reshape(-1) for x in inputs])
