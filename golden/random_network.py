# SPDX-License-Identifier: Apache-2.0
"""A network of random integer weights, each layer calibrated on what the layer before it gives.

For networks whose trained weights nobody has published: cycles, memory and the check of every bit
do not depend on what the weights mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import replace as changed
from typing import Any

import numpy as np

from golden import add, ffn, gelu, layernorm, linear_o, mhsa, mhsa_fwsa
from golden.case import Array, Operands, Params, Shape
from golden.counter_rng import CounterRng
from golden.networks import IntegerNetwork, Layer, pool, run_layer
from golden.presets import Numerics
from golden.value_classes import activation, weight

CLASS = "random"


@dataclass
class _Builder:
    """Layers one after another; `made` are the tensors of one random input."""

    model: Any
    rng: CounterRng
    numerics: Numerics = field(default_factory=Numerics)
    layers: list[Layer] = field(default_factory=list)
    made: dict[str, Array] = field(default_factory=dict)

    def shape(self, **values: int) -> Shape:
        """The encoder's shape, or what `values` say."""
        model = self.model
        base = Shape(S=model.S, E=model.E, P=model.P, H=model.H, F=model.F)
        return changed(base, **values)

    def append(
        self,
        name: str,
        kernel: str,
        shape: Shape,
        case: tuple[Params, Operands],
        inputs: Mapping[str, str],
        output: tuple[int, ...],
    ) -> str:
        """One more layer and what it makes of the calibration's input."""
        layer = Layer(name, kernel, shape, case[0], case[1], inputs, output)
        self.layers.append(layer)
        self.made[name] = run_layer(layer, layer.weights, self.made)
        return name

    def linear(self, name: str, source: str, rows: int, width: int) -> str:
        """A linear layer over each of `rows` rows (kernel linear_o)."""
        x = self.made[source].reshape(rows, -1)
        rng = self.rng.child(name)
        weights = weight(rng, "weight", (width, x.shape[1]), CLASS)
        bias, requant = linear_o.calibrate(rng, x, weights, CLASS, self.numerics)
        operands = {"weight": weights, "bias": bias, **requant.operands("requant")}
        shape = Shape(S=rows, E=width, P=x.shape[1], H=1, F=0)
        case = (requant.params("requant"), operands)
        return self.append(name, "linear_o", shape, case, {"input": source}, (rows, width))

    def norm(self, name: str, source: str) -> str:
        """A layer normalisation."""
        weights, bias, shift = layernorm.make_scale(self.rng.child(name), self.model.E, CLASS)
        case = ({"shift": shift}, {"weight": weights, "bias": bias})
        shape = self.shape(P=1, H=1, F=0)
        return self.append(name, "layernorm", shape, case, {"input": source}, self.tokens)

    def add(self, name: str, a: str, b: str, weights: Operands | None = None) -> str:
        """A sum; `b` in `weights` is a table in its stead."""
        made = add.make_sum(self.rng.child(name), CLASS, self.numerics)
        params = {"a_mul": made.a_mul, "b_mul": made.b_mul, "shift": made.shift}
        case = ({**params, "flags": made.flags}, weights or {})
        inputs = {"a": a} if weights else {"a": a, "b": b}
        return self.append(name, "add", self.shape(P=1, H=1, F=0), case, inputs, self.tokens)

    def attention(self, name: str, source: str) -> str:
        """Self-attention: separate or fused query and key weights, by layers or depth first."""
        model, rng, shape = self.model, self.rng.child(name), self.shape(F=0)
        x = self.made[source]
        if model.attention == "mhsa":
            case = mhsa.make_layer(shape, rng, x, CLASS, self.numerics)
        else:
            case = mhsa_fwsa.make_layer(shape, rng, x, CLASS, self.numerics)
        kernel = model.attention_kernel
        return self.append(name, kernel, shape, case, {"input": source}, self.tokens)

    def feed_forward(self, name: str, source: str) -> str:
        """Two linear layers and a GELU between them, and one after them where the model has it."""
        rng = self.rng.child(name)
        shape = self.shape(P=1, H=1)
        case = ffn.make_layer(shape, rng, self.made[source], CLASS, self.numerics)
        name = self.append(name, "ffn", shape, case, {"input": source}, self.tokens)
        if self.model.gelu_twice:
            table: Operands = {"table": gelu.make_table(CLASS, self.numerics)}
            shape, inputs = self.shape(P=1, H=1, F=0), {"input": name}
            return self.append(f"{name}.gelu", "gelu", shape, ({}, table), inputs, self.tokens)
        return name

    @property
    def tokens(self) -> tuple[int, int]:
        """Shape of what most layers make."""
        return self.model.S, self.model.E

    def front(self) -> str:
        """Embedding of the patches, and the positional embedding."""
        model, source = self.model, "signal"
        if model.has_patches:
            params, inputs = model.patch_params, {"input": source}
            size, shape = (model.S, model.patch), Shape(S=model.S, E=model.patch, P=1, H=1, F=0)
            source = self.append("patches", "patches", shape, (params, {}), inputs, size)
        source = self.linear("embed", source, model.S, model.E)
        table = weight(self.rng.child("position"), "b", self.tokens, CLASS)
        return self.add("position", source, "", {"b": table})

    def block(self, stem: str, source: str) -> str:
        """One encoder block."""
        parts = (("1", "attention", self.attention), ("2", "network", self.feed_forward))
        for number, layer, build in parts:
            if self.model.norm == "pre":
                inner = build(f"{stem}.{layer}", self.norm(f"{stem}.norm{number}", source))
                source = self.add(f"{stem}.add{number}", source, inner)
            else:
                total = self.add(f"{stem}.add{number}", source, build(f"{stem}.{layer}", source))
                source = self.norm(f"{stem}.norm{number}", total)
        return source

    def head(self, source: str) -> None:
        """Mean or class token, extra features behind it, linear layer."""
        model = self.model
        rows = 1 if model.class_token else model.S
        # Four times the mean: means of random tokens are small.
        mul = 65535 if rows == 1 else min(65535, round(4 * 65536 / rows))
        params = {"rows": rows, "mul": mul, "shift": 16}
        inputs = {"input": source}
        if model.features:
            inputs["features"] = self.linear("features", "extra", 1, model.features)
        made = pool(self.made[source], params, self.made.get(inputs.get("features", "")))
        shape = Shape(S=model.S, E=model.E, P=1, H=1, F=0)
        pooled = self.append("pool", "pool", shape, (params, {}), inputs, made.shape)
        self.linear("head", pooled, 1, model.classes)


def build(model: Any, seed: int) -> IntegerNetwork:
    """The network of a `touchstone.network.model.Model`, the same for the same seed everywhere."""
    rng = CounterRng(f"{seed}/network/{model.name}")
    made = _Builder(model, rng)
    inputs = {"signal": tuple(model.input)}
    if model.features:
        inputs["extra"] = (1, model.features)
    made.made |= {name: activation(rng, name, shape, CLASS) for name, shape in inputs.items()}
    source = made.front()
    for block in range(model.blocks):
        source = made.block(f"blocks.{block}", source)
    made.head(made.norm("norm", source))
    return IntegerNetwork(model.name, inputs, tuple(made.layers))


def parameters(network: IntegerNetwork) -> int:
    """Weights and biases, without the multipliers and tables that quantisation adds."""
    names = ("_mul", "table")
    arrays = (
        np.asarray(array)
        for layer in network.layers
        for name, array in layer.weights.items()
        if not name.endswith(names)
    )
    return sum(array.size for array in arrays)
