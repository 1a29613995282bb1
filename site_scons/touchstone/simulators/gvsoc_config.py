# SPDX-License-Identifier: Apache-2.0
"""The configuration of one GVSOC run: the prepared one of `pulp-open`, edited for an image.

`gvsoc ... prepare` describes the whole SoC in one JSON file, which the launcher reads back. What
makes the open SoC a GAP9 (128 KB of L1) and what models bank conflicts are values in it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.errors import UserError, unknown
from touchstone.simulators.registry import FOR_THE_IMAGE

BANK = re.compile(r"bank\d+")
L1_MAPPINGS = ("l1", "l1_alias", "l1_ts", "l1_ts_alias")
# L1 and its test-and-set window, and the addresses that each of them can have.
L1_WINDOWS = (0x10000000, 0x10100000)
L1_SPACE = 0x100000
# log2 of the bytes that a bank serves per cycle; the other value takes any number at once.
ONE_WORD_A_CYCLE = 2
NO_CONFLICTS = -1
CONFLICTS = {"off": NO_CONFLICTS, "on": ONE_WORD_A_CYCLE}
OPTIONS = ("platform", "bank_conflicts", "l1_bytes")


class GvsocError(UserError):
    """A GVSOC that cannot be used as it is; one clear line."""


@dataclass(frozen=True)
class GvsocSettings:
    """What of the cluster is set. `conflicts`: "on" where two cores at one L1 bank wait."""

    l1_bytes: int
    conflicts: str

    def __post_init__(self) -> None:
        if self.conflicts not in CONFLICTS:
            raise GvsocError(f"bank_conflicts: found {self.conflicts!r}, allowed on, off")
        power = self.l1_bytes > 0 and self.l1_bytes & (self.l1_bytes - 1) == 0
        if not power or self.l1_bytes > L1_SPACE:
            allowed = f"allowed a power of two up to {L1_SPACE}"
            raise GvsocError(f"l1_bytes: found {self.l1_bytes}, {allowed}")

    @classmethod
    def from_options(cls, options: Mapping[str, Any], l1_used: int = 0) -> GvsocSettings:
        """From `simulator_settings`; what is not said: the L1 that is used, and no conflicts."""
        for name in options:
            if name not in (*OPTIONS, *FOR_THE_IMAGE):
                raise GvsocError(unknown("settings (gvsoc)", name, OPTIONS))
        fitting = 1 << max(l1_used - 1, 0).bit_length()
        text = str(options.get("l1_bytes", fitting))
        l1_bytes = int(text) if text.isascii() and text.isdigit() else 0
        return cls(l1_bytes, str(options.get("bank_conflicts", "off")))

    def __str__(self) -> str:
        return f"pulp-open, L1 {self.l1_bytes // 1024} KB, bank conflicts {self.conflicts}"


def configure(
    prepared: Mapping[str, Any], settings: GvsocSettings, image: Path
) -> Mapping[str, Any]:
    """`prepared` for one image. GvsocError where this GVSOC keeps its values elsewhere."""
    document = copy.deepcopy(dict(prepared))
    try:
        chip = document["target"]["chip"]
        chip["soc"]["loader"]["binary"] = [str(image)]
        _set_banks(chip["cluster"]["l1"], settings)
        _set_mappings(chip["cluster"], settings.l1_bytes)
        _fence_l1(chip["cluster"]["cluster_ico"]["mappings"], settings.l1_bytes)
    except (KeyError, TypeError, AttributeError) as error:
        raise GvsocError(f"this GVSOC's configuration of pulp-open is unknown: {error}") from None
    return document


def _set_banks(l1: dict[str, Any], settings: GvsocSettings) -> None:
    banks = [value for name, value in l1.items() if BANK.fullmatch(name)]
    if len(banks) != l1["interleaver"]["nb_slaves"]:
        raise KeyError("the banks of L1")
    for bank in banks:
        # Both must be there already: a new key would be ignored without a word.
        if not {"size", "width_bits"} <= bank.keys():
            raise KeyError("size and width_bits of a bank")
        bank["size"] = settings.l1_bytes // len(banks)
        bank["width_bits"] = CONFLICTS[settings.conflicts]


def _set_mappings(cluster: dict[str, Any], l1_bytes: int) -> None:
    """Every router on the way to L1 has the size of its own."""
    routers = [value for name, value in cluster["l1"].items() if name.endswith("_ico")]
    for router in (*routers, cluster["cluster_ico"]):
        mappings = router["mappings"]
        if "l1" not in mappings:
            raise KeyError("the mapping of L1")
        for name in L1_MAPPINGS:
            if name in mappings:
                mappings[name]["size"] = hex(l1_bytes)


def _fence_l1(mappings: dict[str, Any], l1_bytes: int) -> None:
    """Let the addresses behind L1 lead to a port that is tied to nothing, which is an error.

    Else an access there goes to the SoC, which sends it back to the cluster, for ever.
    """
    for base in L1_WINDOWS if l1_bytes < L1_SPACE else ():
        mappings[f"behind_l1_{base:x}"] = {
            **mappings["l1"],
            "base": hex(base + l1_bytes),
            "size": hex(L1_SPACE - l1_bytes),
        }


def components(document: Any) -> Iterator[str]:
    """The models that a configuration names, with repetitions."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "vp_component" and isinstance(value, str):
                yield value
            else:
                yield from components(value)
    elif isinstance(document, list):
        for value in document:
            yield from components(value)
