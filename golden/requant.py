# SPDX-License-Identifier: Apache-2.0
"""Requantisation of int32 accumulators to int8.

requant(acc) = clip((acc * mul [+ 2**(shift-1) if round half up]) >> shift, -128, 127), arithmetic
shift, exact; mul 1..65535 (one, or one per channel), shift 1..31.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from golden.case import Array, GoldenError, Operands, Params, check_int32, param

ROUND_HALF_UP = 1
PER_CHANNEL = 2


@dataclass(frozen=True)
class Requant:
    """Multipliers (uint16, one or one per channel), shift and the flag bits."""

    mul: Array
    shift: int
    flags: int

    def params(self, name: str) -> Params:
        """The parameters of the requantisation `name`."""
        return {f"{name}_shift": self.shift, f"{name}_flags": self.flags}

    def operands(self, name: str) -> Operands:
        """The operand of the requantisation `name`."""
        return {f"{name}_mul": self.mul}

    def apply(self, acc: Array, channels: tuple[int, ...]) -> Array:
        """int8 of `acc`; `channels` is the shape that aligns the multipliers with its axes."""
        check_int32(acc, "an accumulator")
        mul = self.mul.astype(np.int64)
        if self.flags & PER_CHANNEL:
            mul = mul.reshape(channels)
        # |acc| <= 2**31 and mul < 2**16: the product and the rounding term fit int64.
        product = acc.astype(np.int64) * mul
        if self.flags & ROUND_HALF_UP:
            product += np.int64(1) << np.int64(self.shift - 1)
        result: Array = np.clip(product >> np.int64(self.shift), -128, 127).astype(np.int8)
        return result


def requant_of(
    name: str, params: Mapping[str, int], operands: Mapping[str, Array], channels: int
) -> Requant:
    """The requantisation `name` of a case, checked; `channels` 0 means always per tensor."""
    shift = param(params, f"{name}_shift", 1, 31)
    flags = param(params, f"{name}_flags", 0, (PER_CHANNEL if channels else 0) | ROUND_HALF_UP)
    if f"{name}_mul" not in operands:
        raise GoldenError(f"operand {name}_mul is missing")
    mul = operands[f"{name}_mul"]
    count = channels if flags & PER_CHANNEL else 1
    if mul.dtype != np.uint16 or mul.shape != (count,):
        raise GoldenError(
            f"operand {name}_mul: expected uint16 {(count,)}, found {mul.dtype} {mul.shape}"
        )
    if int(mul.min()) < 1:
        raise GoldenError(f"operand {name}_mul: a multiplier is 0")
    return Requant(mul, shift, flags)
