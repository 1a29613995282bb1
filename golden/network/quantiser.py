# SPDX-License-Identifier: Apache-2.0
"""From a float network and calibration data to integer layers in the numerics of the kernels.

Activations: int8, symmetric, one scale per tensor, that of the least squared error over the
calibration data. Weights: int8, symmetric, per tensor or per channel. Every gain becomes a
multiplier and a shift (golden/network/scales.py). The linear layers round down as the kernels do
fastest, with a half LSB in their bias so that the result is rounded to the nearest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from golden.case import INT32_MAX, Array, GoldenError, Operands, Params, Shape
from golden.fusion import fuse
from golden.network import scales as integers
from golden.network.encoder import Encoder
from golden.network.floating import FloatNetwork, gelu, layer_norm
from golden.network.graph import FEATURES, INPUT, IntegerNetwork, Layer
from golden.requant import ROUND_HALF_UP, Requant
from golden.softmax_table import SCORE_STEPS, softmax_operands, softmax_params

_NORM_WEIGHT_MAX = 32767
_PRODUCT_MAX = 128 * 128  # of two int8
_ADD_SHIFT_MAX = 15  # a sum of two int8 times 16-bit multipliers stays within int32


@dataclass(frozen=True)
class Linear:
    """A linear layer's integers: weight [N,K], bias [N] and the requantisation."""

    weight: Array
    bias: Array
    requant: Requant

    def operands(self, stem: str, weight: tuple[int, ...] | None = None) -> Operands:
        """Weight (in this shape) and bias by the prefix of their names."""
        shaped = self.weight if weight is None else self.weight.reshape(weight)
        return {f"{stem}weight": shaped, f"{stem}bias": self.bias}


@dataclass
class Quantiser:
    """Builds the layers one after the other; `kept` are the float tensors of the calibration."""

    network: FloatNetwork
    kept: Mapping[str, Array]
    per_channel: bool
    softmax: str = "accurate"
    layers: list[Layer] = field(default_factory=list)
    scales: dict[str, float] = field(default_factory=dict)

    @property
    def encoder(self) -> Encoder:
        """What is quantised."""
        return self.network.encoder

    def tensor(self, name: str) -> Array:
        """A float weight."""
        return self.network.tensors[name]

    def where(self, name: str) -> str:
        """What a message begins with."""
        return f"{self.encoder.name}: {name}"

    def scale(self, name: str) -> float:
        """The scale of a tensor of the network."""
        if name not in self.scales:
            self.scales[name] = integers.activation_scale(self.where(name), self.kept[name])
        return self.scales[name]

    def shape(self, **changed: int) -> Shape:
        """The encoder's shape with some of it changed."""
        encoder = self.encoder
        values = {"S": encoder.S, "E": encoder.E, "P": encoder.P, "H": encoder.H, "F": encoder.F}
        return Shape(**{**values, **changed})

    def linear(
        self, where: str, weight: Array, bias: Array, scales: tuple[float, float], lift: float = 0.0
    ) -> Linear:
        """Integers of x W^T + b; scales: of input and output; lift: real value that every input
        lacks on average (what a rounding down before it took)."""
        source, target = scales
        if not math.isfinite(target) or target <= 0:
            raise GoldenError(f"{self.where(where)}: found the scale {target:g}, allowed above 0")
        flat = weight.reshape(weight.shape[0], -1)
        sizes = integers.weight_scales(flat, self.per_channel)
        gains = sizes * source / target
        offset = (bias + lift * flat.sum(axis=1)) / target
        # Products, and the bias with the half LSB in it.
        reach = flat.shape[1] * _PRODUCT_MAX + float((np.abs(offset) + 1).max() / gains.min())
        least = integers.NARROW_MUL_MIN if self.per_channel else integers.MATCHED_MUL_MIN
        requant = integers.requantisation(self.where(where), gains, self.per_channel, reach, least)
        if not self.per_channel:
            requant, gains = integers.matched(requant, gains)
            sizes = gains * target / source
        whole = integers.quantise(flat, sizes[:, None])
        return Linear(
            whole, integers.integer_bias(self.where(where), offset, requant, gains), requant
        )

    def append(
        self,
        name: str,
        kernel: str,
        shape: Shape,
        case: tuple[Params, Operands],
        inputs: Mapping[str, str],
        output: tuple[int, ...],
    ) -> None:
        """One more layer."""
        self.layers.append(Layer(name, kernel, shape, case[0], case[1], inputs, output))

    def dense(self, name: str, source: str, made: Linear, rows: int) -> None:
        """A layer of linear_o, whose sizes H, P and E are here 1, inputs and outputs."""
        width, depth = made.weight.shape
        shape = Shape(S=rows, E=width, P=depth, H=1, F=0)
        operands = made.operands("") | made.requant.operands("requant")
        case = (made.requant.params("requant"), operands)
        self.append(name, "linear_o", shape, case, {"input": source}, (rows, width))

    def norm(self, name: str, source: str) -> None:
        """Layer normalisation: weight int16, bias int32, one shift."""
        where, target = self.where(name), self.scale(name)
        weight, bias = self.tensor(f"{name}.weight") / target, self.tensor(f"{name}.bias") / target
        gain, offset = normal_fit(self.kept[source], self.scale(source))
        weight, bias = weight * gain, bias + weight * offset
        largest = float(np.abs(weight).max())
        shift = 15 if largest == 0 else math.floor(math.log2(_NORM_WEIGHT_MAX / largest))
        shift = min(15, shift)
        if shift < 0:
            raise GoldenError(
                f"{where}: the scales overflow: found a weight of {largest:g} output steps, "
                f"allowed {_NORM_WEIGHT_MAX}"
            )
        unit = 2.0**shift
        whole = np.rint(bias * unit + (unit / 2 if shift else 0))
        if np.abs(whole).max() > INT32_MAX / 2:
            raise GoldenError(f"{where}: the scales overflow: found a bias beyond int32")
        operands: Operands = {
            "weight": np.rint(weight * unit).astype(np.int16),
            "bias": whole.astype(np.int32),
        }
        size = (self.encoder.S, self.encoder.E)
        case = ({"shift": shift}, operands)
        self.append(name, "layernorm", self.shape(P=1, H=1, F=0), case, {"input": source}, size)

    def add_gains(self, name: str, a: float, b: float) -> Params:
        """The multipliers of two tensors of these scales."""
        gains = [a / self.scale(name), b / self.scale(name)]
        shift = min(_ADD_SHIFT_MAX, math.floor(math.log2(integers.MUL_MAX / max(gains))))
        muls = [round(gain * 2.0**shift) if shift >= 1 else 0 for gain in gains]
        if min(muls) < 1:
            raise GoldenError(
                f"{self.where(name)}: the scales overflow: found gains of {gains[0]:g} and "
                f"{gains[1]:g}, allowed 16-bit multipliers over a shift of 1..{_ADD_SHIFT_MAX}"
            )
        return {"a_mul": muls[0], "b_mul": muls[1], "shift": shift, "flags": ROUND_HALF_UP}

    def add(self, name: str, a: str, b: str) -> None:
        """The sum of two tensors."""
        params = self.add_gains(name, self.scale(a), self.scale(b))
        size = (self.encoder.S, self.encoder.E)
        shape = self.shape(P=1, H=1, F=0)
        self.append(name, "add", shape, (params, {}), {"a": a, "b": b}, size)

    def front(self) -> None:
        """Embedding of the patches, and the positional embedding with the embedding's bias in it.

        The class token is a row of zeros among the patches; its embedding is in the table.
        """
        encoder = self.encoder
        weight = self.tensor("embed.weight").reshape(encoder.E, -1)
        bias = self.tensor("embed.bias")
        table = np.tile(bias, (encoder.S, 1))
        if encoder.class_token:
            table[0] = self.tensor("class_token")
        table = table + self.tensor("position")
        products = self.kept["embed"] - bias
        self.scales["embed"] = integers.activation_scale(self.where("embed"), products)
        scales = (self.scale(INPUT), self.scales["embed"])
        self.dense("embed", INPUT, self.linear("embed", weight, 0 * bias, scales), encoder.S)
        step = integers.activation_scale(self.where("position"), table)
        params = self.add_gains("position", self.scales["embed"], step)
        operands = {"b": integers.quantise(table, step)}
        shape, size = self.shape(P=1, H=1, F=0), (encoder.S, encoder.E)
        self.append("position", "add", shape, (params, operands), {"a": "embed"}, size)

    def attention(self, stem: str, source: str) -> None:
        """Self-attention with separate query and key weights (kernel mhsa)."""
        encoder, name = self.encoder, f"{stem}attention"
        heads, params, operands = (encoder.H, encoder.P, encoder.E), Params(), Operands()
        for letter, stage in (("q", "query"), ("k", "key"), ("v", "value")):
            made = self._projection(f"{stem}{letter}", source, f"{name}.{stage}")
            operands |= made.operands(f"{letter}_", heads) | made.requant.operands(letter)
            params |= made.requant.params(letter)
        inner = self.scale(f"{name}.query") * self.scale(f"{name}.key") / math.sqrt(encoder.P)
        self._scores(name, inner, params, operands)
        self._mixed(stem, params, operands)
        size = (encoder.S, encoder.E)
        case = (params, operands)
        self.append(name, "mhsa", self.shape(F=0), case, {"input": source}, size)

    def _projection(self, name: str, source: str, stage: str) -> Linear:
        scales = (self.scale(source), self.scale(stage))
        weight, bias = self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias")
        return self.linear(name, weight, bias, scales)

    def _scores(self, name: str, inner: float, params: Params, operands: Operands) -> None:
        """inner: real value of one accumulator LSB. A step of a score is the table's.

        Rounding down shifts whole rows, which cancels in a softmax."""
        gain = np.array([inner * SCORE_STEPS[self.softmax]])
        depth = self.encoder.P if self.encoder.attention == "mhsa" else self.encoder.E
        reach = depth * _PRODUCT_MAX
        requant = integers.requantisation(self.where(f"{name}.scores"), gain, False, reach)
        params |= requant.params("scores") | softmax_params(self.softmax)
        operands |= requant.operands("scores") | softmax_operands(self.softmax)

    def _mixed(self, stem: str, params: Params, operands: Operands) -> None:
        """Context and output projection. What the map loses by rounding down is put into the
        context's gain, what the context loses into the projection's bias."""
        encoder, name = self.encoder, f"{stem}attention"
        kept = float(np.floor(255 * self.kept[f"{name}.map"]).sum(axis=-1).mean()) / 255
        target = self.scale(f"{name}.context")
        gains = np.full(encoder.H * encoder.P, self.scale(f"{name}.value") / (255 * kept * target))
        where = self.where(f"{name}.context")
        reach = 2.0 * encoder.S * _PRODUCT_MAX  # the map is uint8
        context = integers.requantisation(where, gains, self.per_channel, reach)
        weight, bias = self.tensor(f"{stem}o.weight"), self.tensor(f"{stem}o.bias")
        scales = (target, self.scale(name))
        made = self.linear(f"{stem}o", weight, bias, scales, lift=target / 2)
        params |= context.params("context") | made.requant.params("o")
        operands |= context.operands("context") | made.operands("o_") | made.requant.operands("o")

    def feed_forward(self, stem: str, source: str) -> None:
        """Two linear layers and the table of the GELU between their scales (kernel ffn)."""
        encoder, name = self.encoder, f"{stem}network"
        inner, outer = self.scale(f"{name}.hidden"), self.scale(f"{name}.activated")
        up = self._projection(f"{stem}up", source, f"{name}.hidden")
        weight, bias = self.tensor(f"{stem}down.weight"), self.tensor(f"{stem}down.bias")
        down = self.linear(f"{stem}down", weight, bias, (outer, self.scale(name)))
        order = np.arange(256).astype(np.uint8).view(np.int8)  # index x & 255
        table = integers.quantise(gelu(order * inner), outer)
        operands = up.operands("up_") | down.operands("down_")
        operands |= up.requant.operands("up") | down.requant.operands("down")
        case = (
            up.requant.params("up") | down.requant.params("down"),
            operands | {"gelu_table": table},
        )
        shape, size = self.shape(P=1, H=1), (encoder.S, encoder.E)
        self.append(name, "ffn", shape, case, {"input": source}, size)
        if encoder.gelu_twice:
            last = f"{stem}activation"
            table = integers.quantise(gelu(order * self.scale(name)), self.scale(last))
            shape = self.shape(P=1, H=1, F=0)
            self.append(last, "gelu", shape, ({}, {"table": table}), {"input": name}, size)

    def head(self, source: str) -> None:
        """Mean over the tokens (or the class token alone) and linear layer, as one layer of the
        whole tensor: every token's weights are the layer's over the number of tokens."""
        encoder = self.encoder
        weight = self.tensor("head.weight")
        extra = weight[:, encoder.E :]
        weight = weight[:, : encoder.E]
        tokens = np.full(encoder.S, 1.0 / encoder.S)
        if encoder.class_token:
            tokens = np.eye(1, encoder.S)[0]
        spread = (weight[:, None, :] * tokens[:, None]).reshape(encoder.classes, -1)
        scales = (self.scale(source), self.scale("head"))
        name = "tokens" if encoder.features else "head"
        made = self.linear("head", spread, self.tensor("head.bias"), scales)
        self.dense(name, source, made, 1)
        if encoder.features:
            self._features(extra @ self.tensor("features.weight"))

    def _features(self, weight: Array) -> None:
        """What the extra features add to the logits: both linear layers are one."""
        values = self.kept[FEATURES] @ weight.T
        step = integers.activation_scale(self.where("extra"), values)
        self.scales["tokens"], self.scales["extra"] = self.scale("head"), step
        scales = (self.scale(FEATURES), step)
        made = self.linear("extra", weight, np.zeros(weight.shape[0]), scales)
        self.dense("extra", FEATURES, made, 1)
        params = self.add_gains("head", self.scale("tokens"), step)
        shape, size = self.shape(S=1, E=weight.shape[0], P=1, H=1, F=0), (1, weight.shape[0])
        self.append("head", "add", shape, (params, {}), {"a": "tokens", "b": "extra"}, size)

    def block(self, stem: str, source: str) -> str:
        """One encoder block; the name of its output."""
        last = "activation" if self.encoder.gelu_twice else "network"
        parts = (("1", "attention", self.attend), ("2", last, self.feed_forward))
        for number, layer, build in parts:
            norm, total = f"{stem}norm{number}", f"{stem}add{number}"
            if self.encoder.norm == "pre":
                self.norm(norm, source)
                build(stem, norm)
                self.add(total, source, f"{stem}{layer}")
                source = total
            else:
                build(stem, source)
                self.add(total, source, f"{stem}{layer}")
                self.norm(norm, total)
                source = norm
        return source

    def attend(self, stem: str, source: str) -> None:
        """The attention that the encoder has."""
        if self.encoder.attention == "fwsa":
            self.fused(stem, source)
        else:
            self.attention(stem, source)

    def fused(self, stem: str, source: str) -> None:
        """Self-attention with query and key weights fused offline (kernel mhsa_fwsa): the weight
        that fusing and quantising make is reported by golden.fusion."""
        encoder, name = self.encoder, f"{stem}attention"
        heads = (encoder.H, encoder.P, encoder.E)
        real = fuse(
            self.tensor(f"{stem}q.weight").reshape(heads),
            self.tensor(f"{stem}k.weight").reshape(heads),
            self.tensor(f"{stem}q.bias").reshape(heads[:2]),
        )
        weight, bias = real.weight.reshape(-1, encoder.E), real.bias.reshape(-1)
        inner = self.kept[source] @ weight.T + bias
        stage = f"{name}.inner"
        self.scales[stage] = integers.activation_scale(self.where(stage), inner)
        made = self.linear(stage, weight, bias, (self.scale(source), self.scales[stage]))
        size = (encoder.H, encoder.E, encoder.E)
        operands, params = made.operands("f_", size) | made.requant.operands("f"), Params()
        params |= made.requant.params("f")
        self._scores(name, self.scales[stage] * self.scale(source), params, operands)
        value = self._projection(f"{stem}v", source, f"{name}.value")
        operands |= value.operands("v_", heads) | value.requant.operands("v")
        params |= value.requant.params("v")
        self._mixed(stem, params, operands)
        self.append(
            *(name, "mhsa_fwsa", self.shape(F=0), (params, operands), {"input": source}),
            (encoder.S, encoder.E),
        )


def quantise_network(
    network: FloatNetwork,
    calibration: Array,
    per_channel: bool = True,
    features: Array | None = None,
    softmax: str = "accurate",
) -> IntegerNetwork:
    """The integer network; calibration: float inputs [N, *input] as at run time, and the extra
    features [N, features] that go with them; softmax: a preset's table."""
    made = Quantiser(network, network.run(calibration, features), per_channel, softmax)
    made.front()
    source = "position"
    for block in range(network.encoder.blocks):
        source = made.block(f"blocks.{block}.", source)
    made.norm("norm", source)
    made.head("norm")
    encoder = network.encoder
    return IntegerNetwork(
        *(encoder.name, (encoder.S, encoder.patch), tuple(made.layers), dict(made.scales)),
        features=encoder.features,
    )


def normal_fit(values: Array, scale: float) -> tuple[float, float]:
    """Gain and offset by which the integer normalisation comes nearest to the real one.

    The kernel rounds mean and standard deviation down (golden/layernorm.py), which is worth a few
    per cent where a row spans a few tens of steps; on average weight and bias can take it back.
    """
    x = integers.quantise(values, scale).astype(np.int64)
    total = x.sum(axis=-1, keepdims=True)
    width = x.shape[-1]
    centred = x - np.sign(total) * (np.abs(total) // width)
    std = np.floor(np.sqrt((centred**2).sum(axis=-1, keepdims=True) // width + 1))
    made = (centred / std).reshape(-1)
    ones = np.ones(width)
    wanted = layer_norm(values, ones, 0 * ones).reshape(-1)
    power = float((made**2).mean() - made.mean() ** 2)
    if power == 0.0:
        return 1.0, 0.0
    gain = float((made * wanted).mean() - made.mean() * wanted.mean()) / power
    return gain, float(wanted.mean() - gain * made.mean())


def integer_inputs(network: FloatNetwork, scale: float, x: Array) -> Array:
    """int8 [N, S, patch] of float inputs [N, *input]: what the first layer reads."""
    patches = network.encoder.patches(x)
    if network.encoder.class_token:
        patches = np.concatenate([np.zeros_like(patches[:, :1]), patches], axis=1)
    return integers.quantise(patches, scale)
