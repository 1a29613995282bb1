# SPDX-License-Identifier: Apache-2.0
"""Matrix files: which targets, kernels, variants, shapes and settings become cells.

A file has `schema: 1`, optional `defaults` (seed, numerics) and `cells`, a list of entries;
each entry stands for the product of what it lists. The seed project's testConfig.yml is
recognised by its `testToRun` and read as it is (touchstone.seed_config).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from touchstone.cells import DEFAULT_DATA, DEFAULT_SEED, Numerics, Shape
from touchstone.errors import UserError, unknown
from touchstone.schedule import OWN, Schedule
from touchstone.schema import load_validated
from touchstone.textfile import read_text, shown

ALL = ("*",)
MAX_SHAPES = 10_000
GLOB_SIGNS = frozenset("*?[")


@dataclass(frozen=True)
class ConfigEntry:
    """One entry of a matrix file. Names may be globs; the plan turns them into cells.

    `variants` is empty for each target's best variant, `cores` for each target's default.
    `where` is file and entry, for messages.
    """

    name: str
    where: str
    targets: tuple[str, ...]
    kernels: tuple[str, ...]
    variants: tuple[str, ...]
    shapes: tuple[Shape, ...]
    cores: tuple[int, ...]
    seed: int
    numerics: Numerics
    data: str
    schedules: tuple[Schedule, ...] = (OWN,)


@dataclass(frozen=True)
class Matrix:
    """A matrix file; `path` is how messages name it."""

    path: str
    entries: tuple[ConfigEntry, ...]


def load_matrix(path: Path, cache: Path) -> Matrix:
    """Read a matrix file, ours or the seed project's; UserError with one line if it is wrong."""
    if is_seed_config(read_text(path)):
        # Imported here, because it builds what this module defines.
        from touchstone.seed_config import load_seed_matrix

        return load_seed_matrix(path, cache)
    document = load_validated(path, "config", cache)
    defaults = document.get("defaults", {})
    entries = [
        _entry(entry, defaults, f"{shown(path)}: cells[{index}]")
        for index, entry in enumerate(document["cells"])
    ]
    return Matrix(shown(path), tuple(entries))


def is_seed_config(text: str) -> bool:
    """Whether a file is the seed project's: only that has a top-level `testToRun`."""
    return re.search(r"^testToRun\s*:", text, re.MULTILINE) is not None


def load_expected_skips(path: Path, cache: Path) -> dict[str, str]:
    """The committed skips: cell id to reason."""
    if not path.exists():
        return {}  # a project without the file has committed to no skip: each one fails
    skips: dict[str, str] = {}
    for index, entry in enumerate(load_validated(path, "skips", cache)["skips"]):
        if entry["cell"] in skips:
            where = f"{shown(path)}: skips[{index}].cell"
            raise UserError(f"{where}: found {entry['cell']!r} again, allowed once")
        skips[entry["cell"]] = entry["reason"]
    return skips


def select_names(patterns: Iterable[str], known: Sequence[str], where: str) -> tuple[str, ...]:
    """The known names that names, globs and `all` stand for, in the order of `known`.

    UserError where one of them stands for nothing.
    """
    chosen: set[str] = set()
    for pattern in patterns:
        matching = [name for name in known if pattern == "all" or fnmatchcase(name, pattern)]
        if not matching:
            raise UserError(unknown(where, pattern, known))
        chosen.update(matching)
    return tuple(name for name in known if name in chosen)


def _entry(entry: Mapping[str, Any], defaults: Mapping[str, Any], where: str) -> ConfigEntry:
    shapes = [
        shape
        for index, spec in enumerate(entry["shapes"])
        for shape in shapes_of(spec, f"{where}.shapes[{index}]")
    ]
    return ConfigEntry(
        name=entry["name"],
        where=where,
        targets=_names(entry.get("targets", "all")),
        kernels=_names(entry.get("kernels", "all")),
        variants=_names(entry.get("variants", "default")),
        shapes=tuple(dict.fromkeys(shapes)),
        cores=_cores(entry.get("cores", "default")),
        seed=entry.get("seed", defaults.get("seed", DEFAULT_SEED)),
        numerics=Numerics(**{**defaults.get("numerics", {}), **entry.get("numerics", {})}),
        data=entry.get("data", DEFAULT_DATA),
        schedules=tuple(Schedule(**schedule) for schedule in entry.get("schedules", [{}])),
    )


def _names(value: str | list[str]) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if "all" in names:
        return ALL
    return () if names == ["default"] else tuple(names)


def _cores(value: str | int | list[int]) -> tuple[int, ...]:
    if value == "default":
        return ()
    return tuple(value) if isinstance(value, list) else (int(value),)


def shapes_of(spec: Mapping[str, int | list[int]], where: str) -> list[Shape]:
    """The product of the listed dimensions; the first dimension turns slowest."""
    lists = {name: [v] if isinstance(v, int) else v for name, v in spec.items()}
    names = [name for name in "SEPHF" if name in lists]
    count = math.prod(len(lists[name]) for name in names)
    if count > MAX_SHAPES:
        raise UserError(f"{where}: found {count} shapes, allowed at most {MAX_SHAPES}")
    products = itertools.product(*(lists[name] for name in names))
    return [Shape(**dict(zip(names, values, strict=True))) for values in products]
