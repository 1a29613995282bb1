# SPDX-License-Identifier: Apache-2.0
"""What every golden model shares: the shape, the error, and checked access to operands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Params = dict[str, int]
Operands = dict[str, Array]

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


class GoldenError(ValueError):
    """Input that a golden model refuses; the message is one clear line."""


@dataclass(frozen=True)
class Shape:
    """Sequence length, embedding, projection per head, heads, feed-forward width."""

    S: int
    E: int
    P: int
    H: int
    F: int

    @staticmethod
    def parse(values: Mapping[str, Any]) -> Shape:
        """Shape from a mapping; F may be missing (0), everything else must be at least 1."""
        names = [field.name for field in fields(Shape)]
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise GoldenError(f"shape: unknown dimension {unknown[0]}")
        numbers: dict[str, int] = {}
        for name in names:
            value = values.get(name, 0 if name == "F" else None)
            lowest = 0 if name == "F" else 1
            if type(value) is not int or not lowest <= value <= 65535:
                raise GoldenError(f"shape: {name} must be an integer {lowest}..65535, not {value}")
            numbers[name] = value
        return Shape(**numbers)

    def as_dict(self) -> dict[str, int]:
        """Dimension name -> value."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def take(operands: Mapping[str, Array], name: str, dtype: str, shape: tuple[int, ...]) -> Array:
    """Operand `name`, checked for type and shape, widened to int64."""
    if name not in operands:
        raise GoldenError(f"operand {name} is missing")
    array = operands[name]
    if array.dtype != np.dtype(dtype):
        raise GoldenError(f"operand {name}: expected {dtype}, found {array.dtype}")
    if array.shape != shape:
        raise GoldenError(f"operand {name}: expected shape {shape}, found {array.shape}")
    return array.astype(np.int64)


def param(params: Mapping[str, int], name: str, lowest: int, highest: int) -> int:
    """Parameter `name`, checked for its range."""
    if name not in params:
        raise GoldenError(f"parameter {name} is missing")
    value = params[name]
    if not lowest <= value <= highest:
        raise GoldenError(f"parameter {name}: {value} is outside {lowest}..{highest}")
    return value


def check_int32(values: Array, what: str) -> Array:
    """`values` unchanged; refuses what a 32-bit accumulator of a kernel would wrap."""
    if values.size and (values.min() < INT32_MIN or values.max() > INT32_MAX):
        raise GoldenError(f"{what} leaves the range of int32")
    return values


def _largest(values: Array) -> int:
    return max(abs(int(values.min())), abs(int(values.max()))) if values.size else 0


def matmul(a: Array, b: Array) -> Array:
    """Exact integer matrix product (leading axes broadcast as in numpy.matmul), int64.

    Runs in float64 (BLAS, much faster than numpy's integer loops). That is exact, whatever the
    order of summation: every partial sum is an integer below 2**53, which is checked here.
    """
    if _largest(a) * _largest(b) * a.shape[-1] >= 2**53:
        raise GoldenError("a matrix product leaves the range in which it is exact")
    product: Array = np.matmul(a.astype(np.float64), b.astype(np.float64)).astype(np.int64)
    return product
