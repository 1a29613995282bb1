# SPDX-License-Identifier: Apache-2.0
"""The value classes of the vectors: what the data of a case looks like.

random      uniform over the whole type (also the weights of class ecg)
extremes    each value the smallest or the largest of the type
saturating  uniform data; the requantisations are chosen so that outputs clip
constant    every value of an operand the same
one_hot     one non-zero value in each row of the activations; weights of -1, 0 and 1, so that
            gains near one (too large for fast factors of 31 bits) do not clip everything
"""

from __future__ import annotations

import numpy as np

from golden.case import Array
from golden.counter_rng import CounterRng

CLASSES = ("random", "extremes", "saturating", "constant", "one_hot")


def _one_hot(rng: CounterRng, name: str, shape: tuple[int, ...], values: Array) -> Array:
    """Zero but for one entry (of `values`, one per row) at a random place of each row."""
    rows = values.size
    data = np.zeros((rows, shape[-1]), dtype=np.int64)
    data[np.arange(rows), rng.integers(f"{name}.place", (rows,), 0, shape[-1] - 1)] = values
    return data.reshape(shape)


def _int8(rng: CounterRng, name: str, shape: tuple[int, ...], value_class: str) -> Array:
    if value_class == "extremes":
        return np.where(rng.bytes(name, shape) & 1, 127, -128).astype(np.int8)
    if value_class == "constant":
        # Half of the constants are the ends of the range; never 0, which would test nothing.
        magnitude = max(rng.integer(f"{name}.magnitude", -127, 127), 1)
        ends = rng.integer(f"{name}.ends", 0, 1) == 1
        sign = rng.integer(f"{name}.sign", 0, 1)
        value = (127, -128)[sign] if ends else (magnitude, -magnitude)[sign]
        return np.full(shape, value, dtype=np.int8)
    return rng.bytes(name, shape).view(np.int8)


def weight(rng: CounterRng, name: str, shape: tuple[int, ...], value_class: str) -> Array:
    """int8 weights."""
    if value_class == "one_hot":
        return rng.integers(name, shape, -1, 1).astype(np.int8)
    return _int8(rng, name, shape, value_class)


def activation(rng: CounterRng, name: str, shape: tuple[int, ...], value_class: str) -> Array:
    """int8 activations; rows are the last axis."""
    if value_class == "one_hot":
        rows = int(np.prod(shape[:-1], dtype=np.int64))
        peaks = np.where(rng.bytes(f"{name}.sign", (rows,)) & 1, 127, -128)
        return _one_hot(rng, name, shape, peaks).astype(np.int8)
    return _int8(rng, name, shape, value_class)


def attention_map(rng: CounterRng, name: str, shape: tuple[int, ...], value_class: str) -> Array:
    """uint8 attention weights; any value, as the kernels accept any (rows need not sum to 255)."""
    if value_class == "one_hot":
        rows = int(np.prod(shape[:-1], dtype=np.int64))
        return _one_hot(rng, name, shape, np.full(rows, 255)).astype(np.uint8)
    if value_class == "extremes":
        return np.where(rng.bytes(name, shape) & 1, 255, 0).astype(np.uint8)
    if value_class == "constant":
        return np.full(shape, rng.integer(name, 1, 255), dtype=np.uint8)
    return rng.bytes(name, shape)
