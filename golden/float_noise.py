# SPDX-License-Identifier: Apache-2.0
"""Whole attention in real numbers, with the error that rounding is expected to make.

Interval bounds through five stages say nothing; a noise model does. Every value carries a mean and
the variance of the integer result about it, taken as independent from element to element:

rounding   floor: mean - 1/2 and variance + 1/12 (uniform on [0, 1)); half up: variance + 1/12 only.
           Where the mean is clipped the variance is 0.
products   variance of a sum of a b: the sums of a^2 var b + b^2 var a + var a var b.
softmax    p = softmax(s / 16), first order:
           var p_i = p_i^2 (var s_i (1 - 2 p_i) + sum_j p_j^2 var s_j) / 16^2;
           255 p then loses [0, 1) by floor; the error of the tables (presets accurate, wide) is at
           most 1/2 in 255 and is left out.

The root mean square of (integer - mean) / sqrt(variance) over an output of some hundred elements
is then near 1; LIMIT leaves room for what the model leaves out (second order, the table).
Not covered: preset authors, whose table is no exponential, and strongly correlated data (ecg,
one_hot), whose rounding errors are correlated too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from golden.case import Array

LIMIT = 1.5
_STEPS_PER_UNIT = 16.0
_ROUNDING_VARIANCE = 1 / 12


@dataclass(frozen=True)
class Noisy:
    """Mean and variance, element by element."""

    mean: Array
    variance: Array

    @staticmethod
    def exact(values: Array) -> Noisy:
        """Values without error."""
        real = values.astype(np.float64)
        return Noisy(real, np.zeros(real.shape))

    def transpose(self, *axes: int) -> Noisy:
        """The same with its axes reordered."""
        return Noisy(self.mean.transpose(axes), self.variance.transpose(axes))

    def deviation(self, found: Array) -> float:
        """Root mean square of the integer result's error in units of the expected one."""
        # A clipped value has no variance; half an LSB keeps it in the sum without a division by 0.
        expected = np.maximum(self.variance, 0.25)
        return float(np.sqrt((((found - self.mean) ** 2) / expected).mean()))


def product(a: Noisy, b: Noisy) -> Noisy:
    """a B^T over the last axis of both."""
    mean, variance = b.mean.swapaxes(-1, -2), b.variance.swapaxes(-1, -2)
    total = a.mean**2 @ variance + a.variance @ (mean**2 + variance)
    return Noisy(a.mean @ mean, total)


def _round(mean: Array, variance: Array, half_up: bool, low: int, high: int) -> Noisy:
    shifted = mean if half_up else mean - 0.5
    inside = (shifted > low) & (shifted < high)
    return Noisy(np.clip(shifted, low, high), np.where(inside, variance + _ROUNDING_VARIANCE, 0.0))


def softmax_rows(scores: Noisy, one: float = 255.0, half_up: bool = False) -> Noisy:
    """uint8 map; rows are the last axis. `one`: what a probability of 1 is before it is clipped."""
    weights = np.exp((scores.mean - scores.mean.max(axis=-1, keepdims=True)) / _STEPS_PER_UNIT)
    p = weights / weights.sum(axis=-1, keepdims=True)
    row = (p**2 * scores.variance).sum(axis=-1, keepdims=True)
    variance = p**2 * np.maximum(scores.variance * (1 - 2 * p) + row, 0.0)
    scale = one / _STEPS_PER_UNIT
    return _round(one * p, variance * scale**2, half_up, 0, 255)


@dataclass(frozen=True)
class NoisyAttention:
    """mhsa and mhsa_fwsa of a case; `map_one` and `map_half_up` are softmax_rows' choices."""

    params: Mapping[str, int]
    operands: Mapping[str, Array]
    map_one: float = 255.0
    map_half_up: bool = False

    def requantise(self, acc: Noisy, name: str, channels: tuple[int, ...]) -> Noisy:
        """int8 of an accumulator by the requantisation `name`."""
        gain = self.operands[f"{name}_mul"].astype(np.float64)
        gain = gain / 2.0 ** self.params[f"{name}_shift"]
        if gain.size > 1:
            gain = gain.reshape(channels)
        half_up = bool(self.params[f"{name}_flags"] & 1)
        return _round(acc.mean * gain, acc.variance * gain**2, half_up, -128, 127)

    def heads(self, x: Noisy, name: str) -> Noisy:
        """[H,S,width]."""
        weights = Noisy.exact(self.operands[f"{name}_weight"])
        count, width, _ = weights.mean.shape
        acc = product(x, weights)
        bias = self.operands[f"{name}_bias"].reshape(count, 1, width)
        return self.requantise(Noisy(acc.mean + bias, acc.variance), name, (count, 1, width))

    def output(self) -> Noisy:
        """Mean and variance of the int8 output [S,E]."""
        x = Noisy.exact(self.operands["input"])
        if "f_weight" in self.operands:
            scores = product(self.heads(x, "f"), x)
        else:
            scores = product(self.heads(x, "q"), self.heads(x, "k"))
        requantised = self.requantise(scores, "scores", (1,))
        attention = softmax_rows(requantised, self.map_one, self.map_half_up)
        value = self.heads(x, "v").transpose(0, 2, 1)
        count, width, rows = value.mean.shape
        mixed = product(attention, value).transpose(1, 0, 2)
        context = self.requantise(mixed, "context", (count, width))
        flat = Noisy(context.mean.reshape(rows, -1), context.variance.reshape(rows, -1))
        acc = product(flat, Noisy.exact(self.operands["o_weight"]))
        return self.requantise(Noisy(acc.mean + self.operands["o_bias"], acc.variance), "o", (-1,))
