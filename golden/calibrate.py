# SPDX-License-Identifier: Apache-2.0
"""Choice of biases and requantisation multipliers for generated vectors; integers only.

A stage is calibrated from the accumulators that it will really have, so that outputs are spread
over the int8 range at every shape and for every data source (a multiplier from a formula for
uniform data would flatten correlated data such as an ECG to a few values).
"""

from __future__ import annotations

import numpy as np

from golden.case import INT32_MAX, Array, GoldenError
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.requant import PER_CHANNEL, ROUND_HALF_UP, Requant

OUTPUT_SPREAD = 40  # aimed-at standard deviation of an int8 output
_OUTPUT_LIMIT = 64  # aimed-at largest standard deviation about zero where rows are centred
_MUL_MAX = 65535
_ORDINARY_SHIFT = 16  # the paper's
_LEAST_ORDINARY_MUL = 8


def _magnitude(values: Array) -> int:
    """About the standard deviation about zero: 5/4 of the mean absolute value, at least 1."""
    return max(1, 5 * int(np.abs(values).sum()) // (4 * values.size))


def make_bias(
    rng: CounterRng, dot: Array, channels: int, reduction: int, value_class: str
) -> Array:
    """int32 bias of `channels` entries, as large as the products that it is added to.

    dot: the accumulators without bias; reduction: products in each. In class saturating half of
    the channels, wherever they lie, are as large as int32 allows for any int8 (uint8 x int8) data,
    in any order of summation.
    """
    size = _magnitude(dot)
    bias = rng.integers("bias", (channels,), -size, size)
    if value_class == "constant":
        bias[:] = bias[0]
    if value_class == "saturating":
        largest = INT32_MAX - reduction * 255 * 128
        if largest < size:
            raise GoldenError(f"a sum of {reduction} products can leave the range of int32")
        ends = np.where(rng.bytes("bias.sign", (channels,)) & 1, largest, -largest)
        bias = np.where(rng.bytes("bias.large", (channels,)) & 1, ends, bias)
    return bias.astype(np.int32)


def _multiplier(spread: int, size: int, shift: int) -> int:
    return (spread << shift) // size


def _finest_shift(spread: int, size: int) -> int:
    """The largest shift whose multiplier for a gain of spread/size is below 2**16."""
    shift = 31
    while shift > 1 and _multiplier(spread, size, shift) > _MUL_MAX:
        shift -= 1
    return shift


def _ordinary_shift(spread: int, size: int) -> int:
    shift = _ORDINARY_SHIFT
    while shift < 31 and _multiplier(spread, size, shift) < _LEAST_ORDINARY_MUL:
        shift += 1
    return min(shift, _finest_shift(spread, size))


def _base(rng: CounterRng, spread: int, size: int, value_class: str) -> tuple[int, int]:
    """Multiplier and shift for a gain of about spread/size; the classes differ in the shift."""
    if value_class == "saturating":
        if rng.integer("steep", 0, 1):
            return _MUL_MAX - rng.integer("mul", 0, 255), rng.integer("shift", 1, 8)
        spread *= 10
        shift = _finest_shift(spread, size)
    elif value_class == "extremes":
        shift = _finest_shift(spread, size)
    elif value_class == "constant":
        spread //= 4  # small gains, hence the largest shifts
        shift = _finest_shift(spread, size)
    elif value_class == "one_hot":
        spread = spread * 5 // 2
        shift = min(rng.integer("shift", 9, 18), _finest_shift(spread, size))
    else:
        shift = _ordinary_shift(spread, size)
    return min(max(_multiplier(spread, size, shift), 1), _MUL_MAX), shift


def _flags(numerics: Numerics) -> int:
    return ROUND_HALF_UP if numerics.rounding == "half_up" else 0


def make_requant(
    rng: CounterRng, dot: Array, channels: int, value_class: str, numerics: Numerics
) -> Requant:
    """Requantisation that gives outputs a standard deviation of about OUTPUT_SPREAD."""
    mul, shift = _base(rng, OUTPUT_SPREAD, _magnitude(dot), value_class)
    flags = _flags(numerics)
    if not numerics.per_channel:
        return Requant(np.array([mul], dtype=np.uint16), shift, flags)
    factors = rng.integers("factors", (channels,), 128, 384)  # 0.5 .. 1.5
    muls = np.clip((mul * factors) >> 8, 1, _MUL_MAX).astype(np.uint16)
    return Requant(muls, shift, flags | PER_CHANNEL)


def make_scores_requant(
    rng: CounterRng, dot: Array, spread: int, value_class: str, numerics: Numerics
) -> Requant:
    """Requantisation of attention scores (last axis: a row of the map), always per tensor.

    Softmax sees differences within a row only, so it is these that get a standard deviation of
    `spread`, unless the rows as a whole would then clip.
    """
    row_length = dot.shape[-1]
    centred = (dot * row_length - dot.sum(axis=-1, keepdims=True)) // row_length
    within, about_zero = _magnitude(centred), _magnitude(dot)
    size = within
    if about_zero * spread > within * _OUTPUT_LIMIT:  # the second gain is the smaller one
        spread, size = _OUTPUT_LIMIT, about_zero
    mul, shift = _base(rng, spread, size, value_class)
    return Requant(np.array([mul], dtype=np.uint16), shift, _flags(numerics))
