# SPDX-License-Identifier: Apache-2.0
"""softmax_pairs_wide: softmax_pairs with 40 x 40 pairs.

[256] -> [256 + 1600]: word 256 + a + 40 b. Most distances are beyond the table; the pairs of 31 to
38 are all 0 and lie in different banks of memory: eight cores need not look up the same word.
"""

from __future__ import annotations

from typing import Any

from golden.packers.softmax_pairs import pairs_of

PAIRED = 40


def packed_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """[256] -> [1856]."""
    return (shape[0] + PAIRED * PAIRED,)


def pack(array: Any) -> Any:
    """The array in this layout."""
    return pairs_of(array, PAIRED)
