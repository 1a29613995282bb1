# SPDX-License-Identifier: Apache-2.0
"""words4: rows of a weight matrix four at a time, word by word.

[..., N, K] -> [..., N/4, K/4, 4, 4], N and K rounded up to multiples of 4 with zeros: for each four
rows, their first four bytes row by row, then their next four bytes, and so on.
"""

from __future__ import annotations

from typing import Any


def packed_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """[..., N, K] -> [..., N/4, K/4, 16]."""
    return (*shape[:-2], -(-shape[-2] // 4), -(-shape[-1] // 4), 16)


def pack(array: Any) -> Any:
    """The array in this layout."""
    import numpy as np

    shape = packed_shape(array.shape)
    rows, columns = 4 * shape[-3] - array.shape[-2], 4 * shape[-2] - array.shape[-1]
    padded = np.pad(array, [(0, 0)] * (array.ndim - 2) + [(0, rows), (0, columns)])
    blocks = padded.reshape(*array.shape[:-2], shape[-3], 4, shape[-2], 4)
    return np.swapaxes(blocks, -3, -2).reshape(shape)
