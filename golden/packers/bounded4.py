# SPDX-License-Identifier: Apache-2.0
"""bounded4: biases behind four words, the first of which is the largest magnitude (unsigned).

[n] -> [4 + n], n rounded up to a multiple of 4 with zeros.
"""

from __future__ import annotations

from typing import Any


def packed_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """[n] -> [4 + n rounded up]."""
    return (4 + -(-shape[0] // 4) * 4,)


def pack(array: Any) -> Any:
    """The array in this layout."""
    import numpy as np

    packed = np.zeros(packed_shape(array.shape), dtype=np.int32)
    packed[4 : 4 + array.size] = array
    largest = np.abs(array.astype(np.int64)).max(initial=0)
    packed[0] = np.array(largest, dtype=np.uint32).astype(np.int32)
    return packed
