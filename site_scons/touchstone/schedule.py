# SPDX-License-Identifier: Apache-2.0
"""Schedules: how a depth-first kernel goes about its work (ts_types.h has the same in C).

They decide cycles and scratch, never the result, so vectors know nothing of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

ORDERS = ("", "context", "accumulate", "recompute")
"""By their numbers in C; the first is the variant's own choice."""


@dataclass(frozen=True, order=True)
class Schedule:
    """Query rows of a core's map tile, heads at once, order of the loops; 0 and "" leave the
    choice to the variant."""

    tile: int = 0
    heads: int = 0
    order: str = ""

    def values(self) -> dict[str, int]:
        """The three numbers that job block and scratch expressions hold."""
        return {"tile": self.tile, "heads": self.heads, "order": ORDERS.index(self.order)}

    def words(self) -> list[str]:
        """What a cell's id says of it."""
        words = [f"tile{self.tile}"] if self.tile else []
        words += [f"heads{self.heads}"] if self.heads else []
        return words + ([f"order_{self.order}"] if self.order else [])

    def obeyed(self, parts: Collection[str]) -> bool:
        """Whether a variant with these parts (kernel.yaml: schedule) does what this asks for."""
        asked = {
            word if word.startswith("order_") else word.rstrip("0123456789")
            for word in self.words()
        }
        return asked <= set(parts)

    def passes(self, rows: int, cores: int) -> int:
        """How often keys and values are computed for a sequence of `rows`."""
        if self.order != "recompute":
            return 1
        return -(-rows // ((self.tile or 1) * cores))


OWN = Schedule()


def with_word(schedule: Schedule, word: str) -> Schedule | None:
    """`schedule` with a word of a cell's id added; None where the word says nothing of one."""
    match = re.fullmatch(r"(tile|heads)([1-9][0-9]{0,4})|order_([a-z]+)", word)
    if match is None or (match[3] and match[3] not in ORDERS):
        return None
    if match[3]:
        return replace(schedule, order=match[3])
    number = int(match[2])
    return replace(schedule, tile=number) if match[1] == "tile" else replace(schedule, heads=number)
