# SPDX-License-Identifier: Apache-2.0
"""Scales, and what becomes of real gains and biases in the integers of the kernels.

A real tensor is scale * int8, symmetric. A requantisation's gain is mul / 2**shift with
1 <= mul < 2**16 and 1 <= shift <= 31; all channels of a layer share the shift.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from golden.case import INT32_MAX, INT32_MIN, Array, GoldenError
from golden.requant import PER_CHANNEL, Requant

MUL_MAX = 65535
NARROW_MUL_MIN = 64  # a multiplier is then right within 0.8 %
MATCHED_MUL_MIN = 16  # where the weights' scale makes the multiplier exact (`matched`)
FAST_SHIFT = 16  # up to here one multiplier for all channels is the fastest on GAP9
SHIFTS = (1, 31)
# Fractions of the largest magnitude that are tried as the end of the int8 range.
_CLIPS = tuple(float(clip) for clip in np.linspace(1.0, 0.4, 31))
_MOST_VALUES = 1 << 16  # looked at for a scale


def activation_scale(where: str, values: Array) -> float:
    """The scale that has the least squared error over these values; clipping is weighed."""
    flat = values.reshape(-1)
    flat = flat[:: max(1, flat.size // _MOST_VALUES)]
    largest = float(np.abs(values).max()) if values.size else 0.0
    if not math.isfinite(largest):
        raise GoldenError(f"{where}: found values that are NaN or infinite in the calibration")
    if largest == 0.0:
        return 1.0 / 127
    errors = []
    for clip in _CLIPS:
        scale = clip * largest / 127
        quantised = np.clip(np.rint(flat / scale), -128, 127) * scale
        errors.append(float(((flat - quantised) ** 2).sum()))
    return _rounded(_CLIPS[int(np.argmin(errors))] * largest / 127)


def _rounded(scale: float) -> float:
    """12 significant bits: the last bits of a float sum differ between machines, these do not."""
    mantissa, exponent = math.frexp(scale)
    return math.ldexp(round(mantissa * 4096), exponent - 12)


def weight_scales(weight: Array, per_channel: bool) -> Array:
    """One scale for each row of [channels, ...], or the same one for all."""
    rows = np.abs(weight.reshape(weight.shape[0], -1)).max(axis=1)
    if not per_channel:
        rows = np.full(rows.shape, rows.max())
    return np.where(rows > 0, rows / 127, 1.0)


def quantise(values: Array, scale: float | Array) -> Array:
    """int8, rounded half to even, clipped."""
    return np.clip(np.rint(values / scale), -128, 127).astype(np.int8)


def requantisation(
    where: str,
    gains: Array,
    per_channel: bool,
    reach: float = 0.0,
    coarsest: int = NARROW_MUL_MIN,
) -> Requant:
    """The finest multipliers for these gains, one for each channel; all equal per tensor.

    `reach` is the largest accumulator that the operands' ranges allow. Where multipliers of at
    least `coarsest` do, they are such that every product fits 32 bits, and one for all channels
    has a shift of at most FAST_SHIFT: kernels are several times as fast on those.
    """
    largest, smallest = float(gains.max()), float(gains.min())
    if not math.isfinite(largest) or smallest <= 0:
        raise GoldenError(f"{where}: found a scale of {smallest:g}..{largest:g}, allowed above 0")
    shift = min(SHIFTS[1], math.floor(math.log2((MUL_MAX + 0.49) / largest)))
    if 0 < reach < 2**30:
        # By powers of two, as a kernel sees it without a multiplication.
        most = 2.0 ** math.floor(math.log2((2**31 - 1) / reach))
        narrow = min(shift, math.floor(math.log2((most - 0.5) / largest)))
        if not per_channel and smallest * 2.0**FAST_SHIFT >= coarsest:
            narrow = min(narrow, FAST_SHIFT)
        if narrow >= SHIFTS[0] and smallest * 2.0**narrow >= coarsest:
            shift = narrow
    if shift < SHIFTS[0]:
        most = MUL_MAX / 2 ** SHIFTS[0]
        raise GoldenError(
            f"{where}: the scales overflow: found a requantisation by {largest:g}, "
            f"allowed at most {most:g} (the multiplier has 16 bits)"
        )
    muls = np.rint(gains * 2.0**shift)
    if muls.min() < 1:
        least = 2.0 ** -(shift + 1)
        raise GoldenError(
            f"{where}: the scales overflow: found a requantisation by {smallest:g}, allowed at "
            f"least {least:g} (shift {shift})"
        )
    kept = muls if per_channel else muls[:1]
    flags = PER_CHANNEL if per_channel else 0
    return Requant(kept.astype(np.uint16), shift, flags)


def matched(requant: Requant, gains: Array) -> tuple[Requant, Array]:
    """One multiplier for all channels, and the gains that it is exactly: at least the given ones,
    so that weights whose scale grows by as much are in range."""
    mul, unit = int(requant.mul[0]), 2.0**-requant.shift
    if mul * unit < float(gains[0]) and mul & (mul + 1) and mul < MUL_MAX:
        mul += 1
    made = replace(requant, mul=np.array([mul], np.uint16))
    return made, np.full(gains.shape, mul * unit)


def integer_bias(where: str, bias: Array, requant: Requant, gains: Array) -> Array:
    """int32 of a bias that is given in LSBs of the output, plus a half LSB of the output.

    That half makes a requantisation that rounds down one that rounds to the nearest.
    """
    whole = np.rint(bias / gains + 2.0 ** (requant.shift - 1) / requant.mul)
    if not np.isfinite(whole).all() or whole.min() < INT32_MIN / 2 or whole.max() > INT32_MAX / 2:
        worst = float(np.abs(whole).max())
        raise GoldenError(
            f"{where}: the scales overflow: found a bias of {worst:g} accumulator steps, allowed "
            f"{INT32_MAX // 2} (an accumulator has 32 bits)"
        )
    return whole.astype(np.int32)
