# SPDX-License-Identifier: Apache-2.0
"""softmax_pairs: a softmax table, and behind it the entries of two distances in one word.

[256] -> [256 + 1024]: word 256 + a + 32 b holds entry a, and entry b in its upper half. That serves
a table that is 0 from entry 31 on and nowhere above 128; for any other the pairs are 0 (entry 0 is
not, so the first pair tells).
"""

from __future__ import annotations

from typing import Any

PAIRED = 32
LARGEST = 128


def pairs_of(array: Any, paired: int) -> Any:
    """The table and, behind it, `paired` x `paired` pairs: entry a + paired * b, see above."""
    import numpy as np

    pairs = np.zeros((paired, paired), dtype=np.uint32)
    if array.max() <= LARGEST and not array[PAIRED - 1 :].any():
        head = array[:paired].astype(np.uint32)
        pairs = head[None, :] | head[:, None] << np.uint32(16)
    return np.concatenate([array.astype(np.uint32), pairs.reshape(-1)])


def packed_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """[256] -> [1280]."""
    return (shape[0] + PAIRED * PAIRED,)


def pack(array: Any) -> Any:
    """The array in this layout."""
    return pairs_of(array, PAIRED)
