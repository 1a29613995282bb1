# SPDX-License-Identifier: Apache-2.0
"""panels4: int16 panels of four rows, for cores that multiply pairs of 16 bits (SMLAD).

[..., R, K] int8 -> [..., ceil(R/4), ceil(K/2), 4, 2] int16, that is for each panel and each pair of
neighbours along K the four rows' pairs. Missing rows and an odd last neighbour are zeros. Twice the
bytes of the weights.
"""

from __future__ import annotations

from typing import Any

PACKED_TYPE = "int16"


def packed_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """[..., R, K] -> [..., panels, pairs, 4, 2]."""
    return (*shape[:-2], -(-shape[-2] // 4), -(-shape[-1] // 2), 4, 2)


def pack(array: Any) -> Any:
    """The array in this layout."""
    import numpy as np

    *outer, panels, pairs, _, _ = packed_shape(array.shape)
    padding = [(0, 0)] * len(outer)
    padding += [(0, 4 * panels - array.shape[-2]), (0, 2 * pairs - array.shape[-1])]
    wide = np.pad(array.astype(np.int16), padding).reshape(*outer, panels, 4, pairs, 2)
    return np.swapaxes(wide, -3, -2)
