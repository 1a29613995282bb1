# SPDX-License-Identifier: Apache-2.0
"""Random data that is the same on every machine and with every numpy version.

SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) used as a counter-based generator: element i of a draw
is mix(key + (i + 1) * gamma), with a key of its own for every label. There is no state, so
adding or removing a draw never changes another one. numpy's own generators promise a stable stream
only for raw bits, hence this.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from golden.case import Array

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for length in shape:
        total *= length
    return total


@dataclass(frozen=True)
class CounterRng:
    """A tree of random streams; `name` is the path from the root and the only seed."""

    name: str

    def child(self, label: str) -> CounterRng:
        """A stream of its own below this one."""
        return CounterRng(f"{self.name}/{label}")

    def words(self, label: str, count: int) -> Array:
        """`count` uniform uint64."""
        digest = hashlib.sha256(f"{self.name}/{label}".encode("ascii")).digest()
        key = np.uint64(int.from_bytes(digest[:8], "little"))
        z = np.arange(1, count + 1, dtype=np.uint64) * _GAMMA + key
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        mixed: Array = z ^ (z >> np.uint64(31))
        return mixed

    def bytes(self, label: str, shape: tuple[int, ...]) -> Array:
        """Uniform uint8 (eight of them from each word, least significant first)."""
        count = _count(shape)
        words = self.words(label, (count + 7) // 8).astype("<u8")
        return words.view(np.uint8)[:count].reshape(shape)

    def integers(self, label: str, shape: tuple[int, ...], low: int, high: int) -> Array:
        """Uniform int64 in low..high (both included, at most 2**32 values)."""
        span = high - low + 1
        if not 1 <= span <= 2**32:
            raise ValueError(f"cannot draw from {low}..{high}")
        # Multiply-shift: span / 2**32 of bias at most, and no rejection loop.
        upper = self.words(label, _count(shape)) >> np.uint64(32)
        scaled = (upper * np.uint64(span)) >> np.uint64(32)
        values: Array = scaled.astype(np.int64) + low
        return values.reshape(shape)

    def integer(self, label: str, low: int, high: int) -> int:
        """One uniform integer in low..high."""
        return int(self.integers(label, (1,), low, high)[0])
