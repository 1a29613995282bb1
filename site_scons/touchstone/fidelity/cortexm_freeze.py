# SPDX-License-Identifier: Apache-2.0
"""Freezes images of STM32 cells for the recorded comparison, for both memory maps.

A frozen image has the timed case alone, so that it stays small.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from touchstone import app
from touchstone.errors import UserError
from touchstone.fidelity.cortexm_compare import EMBEDDED
from touchstone.fidelity.cortexm_live import build
from touchstone.fidelity.cortexm_machines import Machines, toolchains
from touchstone.fidelity.cortexm_oracle import BOARD, SUFFIX, folder
from touchstone.files import write_atomically
from touchstone.graph import CellPlan
from touchstone.run_cell import build_image
from touchstone.vectors import read_container


def freeze(root: Path, selection: Mapping[str, str], machines: Machines) -> list[str]:
    """Build the selected cells with every toolchain here and keep their images; the names."""
    if BOARD not in machines.present:
        raise UserError("fidelity: freeze=1 needs qemu; " + "; ".join(machines.missing))
    target = machines.catalogue.targets[selection["target"].partition(",")[0]]
    chosen = (selection["toolchain"],) if "toolchain" in selection else toolchains(target)[0]
    made = []
    for toolchain in chosen:
        for simulator, suffix in ((EMBEDDED, SUFFIX), (BOARD, f".{BOARD}{SUFFIX}")):
            build(root, selection, simulator, toolchain)
            words = {**selection, "sim": simulator, "toolchain": toolchain}
            for plan in app.prepare(root, words).plans:
                if plan.planned.skip is None:
                    path = root / _place(plan, toolchain, suffix)
                    write_atomically(path, gzip.compress(_image(root, plan), 9, mtime=0))
                    made.append(path.relative_to(root).as_posix())
    return made


def _place(plan: CellPlan, toolchain: str, suffix: str) -> str:
    cell = plan.cell
    words = cell.id.split("/")[1:]
    plain = [word for word in words if word not in (cell.toolchain, cell.simulator)]
    return f"{folder(cell.target.name)}/{'_'.join([*plain, toolchain])}{suffix}"


def _image(root: Path, plan: CellPlan) -> bytes:
    inputs = read_container((root / plan.packed.inputs).read_bytes())
    timed = replace(inputs, cases=inputs.cases[:1])
    loadable = (root / plan.firmware.path("firmware.load")).read_bytes()
    return build_image(loadable, timed, json.loads(plan.run_spec)).data
