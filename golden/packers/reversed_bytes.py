# SPDX-License-Identifier: Apache-2.0
"""reversed_bytes: a softmax table followed by itself as bytes, from the last entry to the first.

[256] uint32 -> [320] uint32: the entries, then 64 words whose byte i (little endian) is entry
255 - i, or 255 where it is larger: kernels use the bytes only if no entry is.
"""

from __future__ import annotations

from typing import Any


def packed_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """[N] -> [N + N/4]."""
    return (shape[0] + shape[0] // 4,)


def pack(array: Any) -> Any:
    """The array in this layout."""
    import numpy as np

    reversed_bytes = np.minimum(array[::-1], 255).astype(np.uint8)
    return np.concatenate([array, reversed_bytes.view("<u4").astype(array.dtype)])
