# SPDX-License-Identifier: Apache-2.0
"""What the operations mean in real numbers, with error bounds for the integer golden models.

Each reference takes the operands of a case as real numbers (the unit of a tensor is its own LSB;
the scale of an output follows from its requantisation: output LSB = accumulator LSB * 2**shift /
mul) and gives a Band: the real result and the interval in which the integer result must lie.
Nothing here is shared with the golden models but the layouts, and the intervals are derived from
the definitions, not fitted. Bounds per stage, in output LSBs (clips are non-expansive):

requantisation  floor loses [0, 1): the result lies in (v - 1, v]; half up: (v - 1/2, v + 1/2].
linear stages   exact sums; an input known to +-r widens the result by the sum of |weight| r.
products        of a known to +-r and b known to +-q: the sums of |a| q + |b| r + r q.
softmax         with g_i = base**(s_i - max), table entries relative to the first are
                g (1 - rho) - eps. accurate, wide: base e**(1/16), rho 0, |eps| <= 1/2 / T[0].
                authors: base 2**(1/5), eps in [0, 1/73) from >>, rho in [0, 0.2135]: in its five
                steps ((7 - r)^2 + 24) / 73 is 1, .822, .671, .548, .452 where 2**(-r/5) is 1, .871,
                .758, .660, .574. An entry of a row is largest when its own g is at the upper end
                and all others are at their lower ends, and the reverse; the floor loses [0, 1).
layernorm       trunc moves the mean by [0, 1) toward zero; var (with the + 1 and its trunc) lies
                in (sigma^2, sigma^2 + 2], so std = isqrt(var) in [max(1, sigma - 1),
                sqrt(sigma^2 + 2)]; trunc of the quotient: +-1 before the shift; the shift floors.
gelu            accurate: +-1/2. i_gelu: the polynomial is within 0.0182 of GELU (I-BERT, table 1);
                one = 2674 instead of the 2657 that b = -49 asks for adds at most 0.0011; together
                0.378 of an LSB of 0.051056. The factor 1569/2**22 against 1/2674 adds
                2.9e-4 * 127 = 0.04; the two floors lose less than 1.001.
add             one requantisation.

Intervals through the five stages of a whole attention are too wide to say anything (they add up
worst cases), so mhsa and mhsa_fwsa are checked stage by stage, each from the integers that the
stage before it gave, and end to end against golden/float_noise.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from golden.case import Array

_SLACK = 1e-6  # float64 rounding of the reference itself
_SOFTMAX = {
    # preset: (score steps for a factor of e, largest rho, smallest eps, largest eps)
    "authors": (5 / math.log(2), 0.2135, 0.0, 1 / 73),
    "accurate": (16.0, 0.0, -0.5 / 255, 0.5 / 255),
    "wide": (16.0, 0.0, -0.5 / 65535, 0.5 / 65535),
}
_GELU = {
    # preset: (LSB of input and output, error below, error above)
    "i_gelu": (1.769 * math.sqrt(2) / 49, 0.378 + 0.04 + 1.001, 0.378 + 0.04),
    "accurate": (1 / 20, 0.5, 0.5),
}


@dataclass(frozen=True)
class Band:
    """The real result and the closed interval of admissible results, element by element."""

    expected: Array
    low: Array
    high: Array

    @staticmethod
    def exact(values: Array) -> Band:
        """Values without error."""
        real = values.astype(np.float64)
        return Band(real, real, real)

    @property
    def centre(self) -> Array:
        """Middle of the interval."""
        return (self.low + self.high) / 2

    @property
    def radius(self) -> Array:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    def violations(self, found: Array) -> int:
        """How many elements of an integer result lie outside."""
        outside = (found < self.low - _SLACK) | (found > self.high + _SLACK)
        return int(np.count_nonzero(outside))

    def reorder(self, *axes: int) -> Band:
        """The same with its axes reordered."""
        return Band(*(part.transpose(axes) for part in (self.expected, self.low, self.high)))

    def reshape(self, *lengths: int) -> Band:
        """The same in another shape."""
        return Band(*(part.reshape(lengths) for part in (self.expected, self.low, self.high)))


def product(a: Band, b: Band) -> Band:
    """Matrix product over the last axis of both (a B^T), with interval arithmetic."""
    transposed = [part.swapaxes(-1, -2) for part in (b.expected, b.centre, b.radius)]
    centre = a.centre @ transposed[1]
    spread = np.abs(a.centre) @ transposed[2]
    spread = spread + a.radius @ (np.abs(transposed[1]) + transposed[2])
    return Band(a.expected @ transposed[0], centre - spread, centre + spread)


def offset(acc: Band, bias: Array) -> Band:
    """Accumulator plus an exact bias."""
    return Band(acc.expected + bias, acc.low + bias, acc.high + bias)


def quantise(acc: Band, gain: Array, half_up: bool) -> Band:
    """int8 of an accumulator; gain = mul / 2**shift, broadcast over the channels."""
    above = 0.5 if half_up else 0.0
    parts = (acc.expected * gain, acc.low * gain - 1 + above, acc.high * gain + above)
    return Band(*(np.clip(part, -128, 127) for part in parts))


def softmax_rows(scores: Band, preset: str) -> Band:
    """uint8 attention map; rows are the last axis."""
    steps, rho, eps_low, eps_high = _SOFTMAX[preset]
    top = scores.expected.max(axis=-1, keepdims=True)
    # Entries are relative to the row's largest score as the kernel sees it, which may be above top.
    lift = np.exp((scores.high.max(axis=-1, keepdims=True) - top) / steps)
    high = np.exp((scores.high - top) / steps) - eps_low * lift
    low = np.exp((scores.low - top) / steps) * (1 - rho) - eps_high * lift
    low = np.maximum(low, 0.0)
    real = np.exp((scores.expected - top) / steps)
    others_low = low.sum(axis=-1, keepdims=True) - low
    others_high = high.sum(axis=-1, keepdims=True) - high
    lowest = low / np.where(low > 0, low + others_high, 1.0)
    return Band(
        255 * real / real.sum(axis=-1, keepdims=True),
        np.maximum(255 * lowest - 1, 0.0),
        np.minimum(255 * high / (high + others_low), 255.0),
    )


@dataclass(frozen=True)
class RealCase:
    """Parameters and operands of a case, and the presets that filled its tables."""

    params: Mapping[str, int]
    operands: Mapping[str, Array]
    softmax: str = "authors"
    gelu: str = "i_gelu"

    def real(self, name: str) -> Array:
        """Operand `name` in float64."""
        return self.operands[name].astype(np.float64)

    def given(self, name: str) -> Band:
        """Operand `name` without error."""
        return Band.exact(self.operands[name])

    def requantise(self, acc: Band, name: str, channels: tuple[int, ...]) -> Band:
        """int8 of an accumulator by the requantisation `name`."""
        gain = self.real(f"{name}_mul") / 2.0 ** self.params[f"{name}_shift"]
        if gain.size > 1:
            gain = gain.reshape(channels)
        return quantise(acc, gain, bool(self.params[f"{name}_flags"] & 1))

    def linear_heads(self, x: Band, stem: str, name: str) -> Band:
        """[H,S,width]; stem: prefix of weight and bias, name: of the requantisation."""
        weights = self.given(f"{stem}weight")
        heads, width, _ = weights.expected.shape
        bias = self.real(f"{stem}bias").reshape(heads, 1, width)
        acc = offset(product(x, weights), bias)
        return self.requantise(acc, name, (heads, 1, width))

    def linear_out(self, x: Band, stem: str, name: str) -> Band:
        """[S,E]; names as in linear_heads."""
        acc = product(x, self.given(f"{stem}weight"))
        return self.requantise(offset(acc, self.real(f"{stem}bias")), name, (-1,))

    def scores(self, query: Band, key: Band, name: str) -> Band:
        """Map [H,S,S] of queries and keys [H,S,width]."""
        return softmax_rows(self.requantise(product(query, key), name, (1,)), self.softmax)

    def context(self, attention: Band, value: Band, name: str) -> Band:
        """[S,H,P] of a map [H,S,S] and values [H,P,S]."""
        heads, width, _ = value.expected.shape
        acc = product(attention, value).reorder(1, 0, 2)
        return self.requantise(acc, name, (heads, width))


def _layernorm(case: RealCase, x: Array, stem: str) -> Band:
    weights, bias = case.real(f"{stem}weight"), case.real(f"{stem}bias")
    unit = 2.0 ** case.params[f"{stem}shift"]
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    expected = ((x - mean) / np.sqrt(variance + 1) * weights + bias) / unit
    low, high = np.full(x.shape, np.inf), np.full(x.shape, -np.inf)
    for shifted in (x - mean, x - mean + np.sign(mean)):
        for std in (np.maximum(1.0, np.sqrt(variance) - 1), np.sqrt(variance + 2)):
            corner = shifted / std * weights + bias
            low, high = np.minimum(low, corner), np.maximum(high, corner)
    parts = (expected, (low - 1) / unit - 1, (high + 1) / unit)
    return Band(*(np.clip(part, -128, 127) for part in parts))


def _gelu(case: RealCase, x: Array) -> Band:
    """For tables as the presets have them (not the doubled one of class saturating)."""
    scale, below, above = _GELU[case.gelu]
    values = [x * scale / 2 * (1 + math.erf(x * scale / math.sqrt(2))) for x in range(-128, 128)]
    expected = np.array(values)[x.astype(np.int64) + 128] / scale
    parts = (expected, expected - below, expected + above)
    return Band(*(np.clip(part, -128, 127) for part in parts))


def _add(case: RealCase, stem: str, parts: Mapping[str, Array]) -> Band:
    acc = sum(x.astype(np.float64) * case.params[f"{stem}{name}_mul"] for name, x in parts.items())
    gain = np.array(2.0 ** -case.params[f"{stem}shift"])
    return quantise(Band.exact(np.asarray(acc)), gain, bool(case.params[f"{stem}flags"] & 1))


def _fwsa(case: RealCase) -> Band:
    inner = case.linear_heads(case.given("input"), "", "requant")
    return case.scores(inner, case.given("input"), "scores_requant")


_REFERENCES: dict[str, Callable[[RealCase], Band]] = {
    "linear_qk": lambda case: case.linear_heads(case.given("input"), "", "requant"),
    "linear_v": lambda case: case.linear_heads(case.given("input"), "", "requant").reorder(0, 2, 1),
    "linear_o": lambda case: case.linear_out(case.given("input"), "", "requant"),
    "softmax": lambda case: softmax_rows(case.given("input"), case.softmax),
    "attention_scores": lambda case: case.scores(case.given("query"), case.given("key"), "requant"),
    "attention_context": lambda case: case.context(
        case.given("map"), case.given("value"), "requant"
    ),
    "fwsa": _fwsa,
    "layernorm": lambda case: _layernorm(case, case.real("input"), ""),
    "gelu": lambda case: _gelu(case, case.operands["input"]),
    "add": lambda case: _add(case, "", {name: case.operands[name] for name in "ab"}),
}


def reference(kernel: str, case: RealCase) -> Band:
    """Band of the output of a kernel that is one stage (or fwsa)."""
    return _REFERENCES[kernel](case)


def stage_references(kernel: str, case: RealCase, stages: Mapping[str, Array]) -> dict[str, Band]:
    """Bands of every stage of a composition, each from the integers of the stages before."""
    if kernel == "ffn":
        return _ffn_stages(case, case.given("input"), stages)
    if kernel == "encoder_block":
        return _encoder_stages(case, stages)
    return _attention_stages(kernel, case, case.given("input"), stages)


def _attention_stages(
    kernel: str, case: RealCase, x: Band, stages: Mapping[str, Array]
) -> dict[str, Band]:
    done = {name: Band.exact(values) for name, values in stages.items()}
    if kernel == "mhsa":
        bands = {
            "query": case.linear_heads(x, "q_", "q"),
            "key": case.linear_heads(x, "k_", "k"),
            "map": case.scores(done["query"], done["key"], "scores"),
        }
    else:
        bands = {"map": case.scores(case.linear_heads(x, "f_", "f"), x, "scores")}
    rows, heads, width = stages["context"].shape
    bands["value"] = case.linear_heads(x, "v_", "v").reorder(0, 2, 1)
    bands["context"] = case.context(done["map"], done["value"], "context")
    bands["output"] = case.linear_out(done["context"].reshape(rows, heads * width), "o_", "o")
    return bands


def _ffn_stages(case: RealCase, x: Band, stages: Mapping[str, Array]) -> dict[str, Band]:
    return {
        "hidden": case.linear_out(x, "up_", "up"),
        "activated": _gelu(case, stages["hidden"]),
        "output": case.linear_out(Band.exact(stages["activated"]), "down_", "down"),
    }


def _encoder_stages(case: RealCase, stages: Mapping[str, Array]) -> dict[str, Band]:
    normal1, normal2 = (Band.exact(stages[name]) for name in ("normal1", "normal2"))
    attention = _attention_stages("mhsa", case, normal1, stages)
    network = _ffn_stages(case, normal2, stages)
    first = {"residual": case.operands["input"], "layer": stages["attended"]}
    second = {"residual": stages["residual"], "layer": stages["network"]}
    return {
        "normal1": _layernorm(case, case.real("input"), "norm1_"),
        **{name: band for name, band in attention.items() if name != "output"},
        "attended": attention["output"],
        "residual": _add(case, "add1_", first),
        "normal2": _layernorm(case, stages["residual"].astype(np.float64), "norm2_"),
        **{name: band for name, band in network.items() if name != "output"},
        "network": network["output"],
        "output": _add(case, "add2_", second),
    }
