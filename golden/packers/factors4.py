# SPDX-License-Identifier: Apache-2.0
"""factors4: multipliers in fours; a single one four times.

[1] -> [4], [n] -> [n rounded up to a multiple of 4 with ones].
"""

from __future__ import annotations

from typing import Any


def packed_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """[n] -> [n rounded up]."""
    return (-(-shape[0] // 4) * 4,)


def pack(array: Any) -> Any:
    """The array in this layout."""
    import numpy as np

    packed = np.full(packed_shape(array.shape), array[0] if array.size == 1 else 1, array.dtype)
    packed[: array.size] = array
    return packed
