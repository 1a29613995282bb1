# SPDX-License-Identifier: Apache-2.0
"""Reads a cell's id back, so that one word on the command line reruns exactly that cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from touchstone.cells import (
    DEFAULT_DATA,
    DEFAULT_SEED,
    Cell,
    Numerics,
    Shape,
    flags_digest,
    id_dimensions,
)
from touchstone.errors import UserError, unknown
from touchstone.manifest import Catalogue, Kernel, Target
from touchstone.schedule import OWN, with_word
from touchstone.simulators.registry import EMBEDDED, EXTERNAL

FORM = "TARGET/KERNEL[.VARIANT]/S81-E32-P32-H8/c8[/EXTRAS]"
DATA_SOURCES = ("ecg",)

Entry = TypeVar("Entry")


def parse_cell_id(
    catalogue: Catalogue, text: str, cflags: tuple[str, ...], command: str | None = None
) -> Cell:
    """The cell whose id is `text`; a UserError says which part is wrong."""
    parts = text.split("/")
    if len(parts) < 4:
        raise UserError(f"cell={text}: found {len(parts)} parts, allowed {FORM}")
    target_name, kernel_name, shape_text, cores_text = parts[:4]
    target = _lookup(catalogue.targets, target_name, f"cell={text}: target")
    kernel_name, _, variant_name = kernel_name.partition(".")
    kernel = _lookup(catalogue.kernels, kernel_name, f"cell={text}: kernel")
    default = kernel.default_variant(target.isas)
    variant = kernel.variant(variant_name) if variant_name else default
    if variant is None:
        raise UserError(f"cell={text}: {kernel.where} has no variant for {target.name}")
    extras = _Extras(text, target, parts[4:])
    cell = Cell(
        target=target,
        kernel=kernel,
        variant=variant,
        shape=_shape(text, shape_text, kernel),
        cores=_cores(text, cores_text, target),
        seed=extras.seed,
        numerics=extras.numerics(),
        data=extras.data,
        toolchain=extras.toolchain,
        simulator=extras.simulator,
        cflags=cflags,
        settings=tuple(sorted(extras.settings)),
        command=command,
        schedule=extras.schedule,
    )
    if not cell.schedule.obeyed(variant.schedule):
        allowed = ", ".join(variant.schedule) or "no schedule"
        words = "/".join(cell.schedule.words())
        raise UserError(f"cell={text}: found {words}, allowed {allowed}")
    if extras.line and command is None:
        raise UserError(f"cell={text}: found no command=, allowed the one that the cell was run by")
    if cell.id != text and not (cflags and extras.flags == flags_digest(cflags)):
        raise UserError(f"cell={text}: found no such cell, allowed {cell.id}")
    return cell


def _lookup(table: Mapping[str, Entry], name: str, where: str) -> Entry:
    if name not in table:
        raise UserError(unknown(where, name, table))
    return table[name]


def _shape(text: str, part: str, kernel: Kernel) -> Shape:
    words = dict(re.findall(r"([SEPHF])([1-9][0-9]{0,4})(?:-|$)", part))
    if tuple(words) != id_dimensions(kernel):
        wanted = "-".join(f"{name}<n>" for name in id_dimensions(kernel))
        raise UserError(f"cell={text}: found shape {part!r}, allowed {wanted}")
    return Shape(**{name: int(value) for name, value in words.items()})


def _cores(text: str, part: str, target: Target) -> int:
    match = re.fullmatch(r"c([1-9][0-9]{0,3})", part)
    if match is None or int(match[1]) > target.max_cores:
        raise UserError(f"cell={text}: found {part!r}, allowed c1 to c{target.max_cores}")
    return int(match[1])


class _Extras:
    """The words after the cores: whatever is not the default."""

    def __init__(self, text: str, target: Target, words: list[str]) -> None:
        self.data = DEFAULT_DATA
        self.seed = DEFAULT_SEED
        self.toolchain = target.toolchains[0].name
        self.simulator = target.simulators[0]
        self.flags = ""
        self.line = ""
        self.settings: list[tuple[str, str]] = []
        self.schedule = OWN
        self._numerics: dict[str, object] = {}
        toolchains = [toolchain.name for toolchain in target.toolchains]
        for word in words:
            if word in DATA_SOURCES or re.fullmatch("inputs-[0-9a-f]{8}", word):
                self.data = word
            elif re.fullmatch(r"seed[0-9]{1,19}", word):
                self.seed = int(word[len("seed") :])
            elif word in toolchains:
                self.toolchain = word
            elif word in EMBEDDED or word in EXTERNAL:
                self.simulator = word
            elif word.startswith("line-"):
                self.line = word[len("line-") :]
            elif word.startswith("cflags-"):
                self.flags = word[len("cflags-") :]
            else:
                self._other(text, target, word)

    def _other(self, text: str, target: Target, word: str) -> None:
        scheduled = with_word(self.schedule, word)
        if scheduled is not None:
            self.schedule = scheduled
            return
        name, _, value = word.partition("-")
        if name in target.simulator_settings.get(self.simulator, {}):
            self.settings.append((name, value))
        else:
            self._numeric(text, word)

    def _numeric(self, text: str, word: str) -> None:
        if word == "half_up":
            self._numerics["rounding"] = word
        elif word == "per_channel":
            self._numerics[word] = True
        elif word.startswith(("softmax_", "gelu_")):
            name, _, value = word.partition("_")
            self._numerics[name] = value
        else:
            raise UserError(f"cell={text}: found {word!r}, allowed {FORM}")

    def numerics(self) -> Numerics:
        """The arithmetic that the words name."""
        return Numerics(**self._numerics)  # type: ignore[arg-type]
