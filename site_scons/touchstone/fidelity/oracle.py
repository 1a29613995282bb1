# SPDX-License-Identifier: Apache-2.0
"""The recorded comparison: programs and frozen images with what GVSOC made of them.

`configs/baselines/fidelity-gap9.json` holds GVSOC's outputs (as a hash) and cycles beside ours.
Programs are assembled from their texts, tuned kernels lie as frozen images beside the file. A cell
whose image is not the recorded one is STALE: nothing is known of it, so that it never passes.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.fidelity.assembly import assemble
from touchstone.fidelity.compare import CONFLICTS, Comparison, Row
from touchstone.fidelity.machines import SETTINGS, Machines
from touchstone.fidelity.observe import Observation
from touchstone.fidelity.programs import Program
from touchstone.fidelity.suite import programs
from touchstone.files import canonical_json, read_json, write_atomically

RECORD = "configs/baselines/fidelity-gap9.json"
FROZEN = "configs/baselines/fidelity-gap9"
SUFFIX = ".elf.gz"
STALE = "STALE: the image is not the recorded one; ./scons fidelity record=1 beside GVSOC"


@dataclass(frozen=True)
class Case:
    """One image under one setting of bank conflicts."""

    id: str
    conflicts: str
    image: bytes
    exact: bool

    @property
    def sha256(self) -> str:
        """Which image it is."""
        return hashlib.sha256(self.image).hexdigest()


def cases(root: Path, machines: Machines) -> list[Case]:
    """All of them: programs in their order, then the frozen images."""
    found: list[Case] = []
    suite = programs()
    images = assemble(suite, machines.compiler, machines.cache)
    for program in suite:
        image = images[program.id]
        found += (_case(program.id, word, image, program) for word in _settings(program))
    for path in sorted((root / FROZEN).glob(f"*{SUFFIX}")):
        name = f"image/{path.name[: -len(SUFFIX)]}"
        image = _thawed(path)
        found += (_case(name, word, image, None) for word in CONFLICTS)
    return found


def _thawed(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"fidelity: {FROZEN}/{path.name} is damaged: {error}") from error


def _settings(program: Program) -> Sequence[str]:
    """One core has nobody to share a bank with."""
    return CONFLICTS if program.cores > 1 else CONFLICTS[:1]


def _case(name: str, conflicts: str, image: bytes, program: Program | None) -> Case:
    exact = program is not None and program.exact
    return Case(f"{name}/bank_conflicts-{conflicts}", conflicts, image, exact)


def record(root: Path, machines: Machines) -> Comparison:
    """Run everything on both simulators and write the record."""
    entries, rows = [], []
    for case in cases(root, machines):
        theirs = machines.gvsoc(case.image, case.conflicts)
        ours = machines.xpulp(case.image, case.conflicts)
        if theirs.trouble is not None:
            raise UserError(f"fidelity: GVSOC cannot run {case.id}: {theirs.trouble}")
        equal = theirs.output_sha256 == ours.output_sha256
        entries.append(
            {
                "id": case.id,
                "image_sha256": case.sha256,
                "output_sha256": theirs.output_sha256,
                "gvsoc_cycles": theirs.cycles,
                "gvsoc_cycles_cold": theirs.cycles_cold,
                "cycles": ours.cycles,
                "cycles_cold": ours.cycles_cold,
                "equal": equal,
            }
        )
        rows.append(
            Row(
                case.id, case.conflicts, theirs.cycles, ours.cycles, equal, case.exact, ours.trouble
            )
        )
    version = machines.gvsoc_version
    write_atomically(root / RECORD, _text(version, entries).encode("ascii"))
    return Comparison("recorded", version, tuple(rows))


def _text(version: str, entries: Sequence[Mapping[str, Any]]) -> str:
    """The record as JSON, a line for each cell."""
    head = f'{{"gvsoc":{canonical_json(version)},\n"settings":{canonical_json(SETTINGS)},\n'
    return head + '"cells":[\n' + ",\n".join(map(canonical_json, entries)) + "\n]}\n"


def replay(root: Path, machines: Machines) -> Comparison:
    """Hold the embedded simulator against the record."""
    document = read_json(root / RECORD)
    if not isinstance(document, dict) or document.get("settings") != SETTINGS:
        raise UserError(f"fidelity: {RECORD} is missing, damaged or of other settings")
    entries: dict[str, Mapping[str, Any]] = {entry["id"]: entry for entry in document["cells"]}
    rows = []
    drifted = 0
    for case in cases(root, machines):
        entry = entries.pop(case.id, None)
        if entry is None or entry["image_sha256"] != case.sha256:
            rows.append(Row(case.id, case.conflicts, None, None, False, case.exact, STALE))
            continue
        ours = machines.xpulp(case.image, case.conflicts)
        drifted += (ours.cycles, ours.cycles_cold) != (entry["cycles"], entry["cycles_cold"])
        rows.append(_replayed(case, entry, ours))
    for name in entries:
        rows.append(Row(name, name.rpartition("-")[2], None, None, False, False, STALE))
    note = f"{drifted} cells have other cycles on xpulp than when they were recorded"
    notes = (note,) if drifted else ()
    return Comparison("recorded", str(document["gvsoc"]), tuple(rows), notes)


def _replayed(case: Case, entry: Mapping[str, Any], ours: Observation) -> Row:
    equal = ours.output_sha256 == entry["output_sha256"]
    gvsoc = entry["gvsoc_cycles"]
    return Row(case.id, case.conflicts, gvsoc, ours.cycles, equal, case.exact, ours.trouble)
