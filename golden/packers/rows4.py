# SPDX-License-Identifier: Apache-2.0
"""rows4: the last axis padded with zeros to a multiple of 4, so that rows start on a word."""

from __future__ import annotations

from typing import Any


def packed_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """[..., K] -> [..., K rounded up to a multiple of 4]."""
    return (*shape[:-1], -(-shape[-1] // 4) * 4)


def pack(array: Any) -> Any:
    """The array in this layout."""
    import numpy as np

    padding = packed_shape(array.shape)[-1] - array.shape[-1]
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, padding)])
