# SPDX-License-Identifier: Apache-2.0
"""The recorded comparison: frozen images of the STM32 cells, and what every simulator made of them.

`configs/baselines/fidelity-stm32l4.json` and `-stm32h7.json` hold, for each frozen cell, the hash
of its images, of its outputs, and each simulator's instructions (the embedded one's cycles, too).
The images lie beside them, `ID.elf.gz` for the chip's memory and `ID.qemu.elf.gz` for QEMU's board.
A cell whose images are not the recorded ones is STALE: nothing is known of it, it never passes.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.fidelity.cortexm_compare import SIMULATORS, Comparison, Row, Seen
from touchstone.fidelity.cortexm_machines import Machines
from touchstone.files import canonical_json, read_json, write_atomically

BASELINES = "configs/baselines"
TARGETS = ("stm32l4", "stm32h7")
SUFFIX = ".elf.gz"
BOARD = "qemu"
BOARD_SUFFIX = f".{BOARD}{SUFFIX}"
STALE = "STALE: the images are not the recorded ones; ./scons fidelity target=stm32l4 record=1"
DRIFT = "cells have other cycles on unicorn than when they were recorded"


@dataclass(frozen=True)
class Case:
    """One frozen cell: its image for the chip's memory and that for QEMU's board."""

    target: str
    name: str
    images: Mapping[str, bytes]

    @property
    def id(self) -> str:
        """Which cell, with which toolchain."""
        return f"{self.target}/{self.name}"

    @property
    def toolchain(self) -> str:
        """The last part of a frozen image's name."""
        return self.name.rpartition("_")[2]

    @property
    def sha256(self) -> dict[str, str]:
        """Which images they are."""
        return {place: hashlib.sha256(image).hexdigest() for place, image in self.images.items()}

    def image(self, simulator: str) -> bytes:
        """The image for a simulator's memory."""
        return self.images[BOARD if simulator == BOARD else "chip"]


def folder(target: str) -> str:
    """Where a target's frozen images lie."""
    return f"{BASELINES}/fidelity-{target}"


def cases(root: Path, target: str) -> list[Case]:
    """A target's frozen cells, by name."""
    found = []
    for path in sorted((root / folder(target)).glob(f"*{SUFFIX}")):
        if not path.name.endswith(BOARD_SUFFIX):
            name = path.name.removesuffix(SUFFIX)
            board = path.with_name(f"{name}{BOARD_SUFFIX}")
            found.append(Case(target, name, {"chip": _thawed(path), BOARD: _thawed(board)}))
    return found


def _thawed(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"fidelity: {path.parent.name}/{path.name}: {error}") from error


def record(root: Path, targets: Iterable[str], machines: Machines) -> Comparison:
    """Run everything on every simulator and write the records."""
    if machines.missing:
        raise UserError("fidelity: record=1 needs every simulator; " + "; ".join(machines.missing))
    rows = []
    versions = machines.versions(SIMULATORS)
    for target in targets:
        entries = []
        for case in cases(root, target):
            seen = _run(case, SIMULATORS, machines)
            row = Row(case.id, case.toolchain, seen)
            if row.fault is not None:
                raise UserError(f"fidelity: {case.id} cannot be recorded: {row.fault}")
            entries.append(_entry(case, seen))
            rows.append(row)
        text = _text(versions, entries)
        write_atomically(root / f"{folder(target)}.json", text.encode("ascii"))
    return Comparison("recorded", versions, tuple(rows))


def _run(case: Case, names: Iterable[str], machines: Machines) -> dict[str, Seen]:
    return {name: machines.run(case.image(name), case.target, name) for name in names}


def _entry(case: Case, seen: Mapping[str, Seen]) -> dict[str, Any]:
    ours = seen[SIMULATORS[0]]
    return {
        "id": case.id,
        "image_sha256": case.sha256,
        "output_sha256": ours.outputs,
        "instructions": {name: part.instructions for name, part in seen.items()},
        "cycles": ours.cycles,
        "cycles_cold": ours.cycles_cold,
    }


def _text(versions: Mapping[str, str], entries: Iterable[Mapping[str, Any]]) -> str:
    """The record as JSON, a line for each cell."""
    head = f'{{"versions":{canonical_json(versions)},\n'
    return head + '"cells":[\n' + ",\n".join(map(canonical_json, entries)) + "\n]}\n"


def replay(root: Path, targets: Iterable[str], machines: Machines) -> Comparison:
    """Hold what is here against the records."""
    rows: list[Row] = []
    notes = list(machines.missing)
    versions: dict[str, str] = {}
    for target in targets:
        document = read_json(root / f"{folder(target)}.json")
        if not isinstance(document, dict) or "cells" not in document:
            raise UserError(f"fidelity: {folder(target)}.json is missing or damaged")
        versions = dict(document["versions"])
        found, drifted = _replay(root, target, document["cells"], machines)
        rows += found
        if drifted:
            notes.append(f"{target}: {drifted} {DRIFT}")
    return Comparison("recorded", versions, tuple(rows), tuple(notes))


def _replay(
    root: Path, target: str, recorded: Iterable[Mapping[str, Any]], machines: Machines
) -> tuple[list[Row], int]:
    entries = {entry["id"]: entry for entry in recorded}
    rows, drifted = [], 0
    for case in cases(root, target):
        entry = entries.pop(case.id, None)
        if entry is None or entry["image_sha256"] != case.sha256:
            rows.append(Row(case.id, case.toolchain, {}, STALE))
            continue
        seen = _run(case, machines.present, machines)
        ours = seen[SIMULATORS[0]]
        drifted += (ours.cycles, ours.cycles_cold) != (entry["cycles"], entry["cycles_cold"])
        # Simulators that are not here answer as they did then; so there is always a second one.
        then = {
            f"{name} (recorded)": Seen(entry["output_sha256"], count)
            for name, count in entry["instructions"].items()
        }
        rows.append(Row(case.id, case.toolchain, {**seen, **then}))
    rows += [Row(name, name.rpartition("_")[2], {}, STALE) for name in entries]
    return rows, drifted
