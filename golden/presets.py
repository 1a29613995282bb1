# SPDX-License-Identifier: Apache-2.0
"""The numeric choices a user can make by name (the `numerics` of a vector specification)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from golden.case import GoldenError

ROUNDINGS = ("floor", "half_up")
SOFTMAX_PRESETS = ("authors", "accurate", "wide")
GELU_PRESETS = ("i_gelu", "accurate")


@dataclass(frozen=True)
class Numerics:
    """Rounding and granularity of requantisation, and the presets of the tables."""

    rounding: str = "floor"
    per_channel: bool = False
    softmax: str = "authors"
    gelu: str = "i_gelu"

    @staticmethod
    def parse(values: Mapping[str, Any]) -> Numerics:
        """Numerics of a mapping; what it does not name has its default."""
        allowed: dict[str, tuple[Any, ...]] = {
            "rounding": ROUNDINGS,
            "per_channel": (False, True),
            "softmax": SOFTMAX_PRESETS,
            "gelu": GELU_PRESETS,
        }
        for name, value in values.items():
            if name not in allowed:
                raise GoldenError(f"numerics: unknown name {name}")
            if value not in allowed[name] or isinstance(value, bool) != (name == "per_channel"):
                choices = ", ".join(str(choice) for choice in allowed[name])
                raise GoldenError(f"numerics: {name} must be one of {choices}, not {value}")
        return Numerics(**values)
