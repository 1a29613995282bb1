# SPDX-License-Identifier: Apache-2.0
"""Freezes images of cells for the recorded comparison: kernels change, what was recorded must not.

A frozen image has the timed case alone, so that it stays small.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from touchstone import app
from touchstone.fidelity.live import OURS, build
from touchstone.fidelity.oracle import FROZEN, SUFFIX
from touchstone.files import write_atomically
from touchstone.graph import CellPlan
from touchstone.run_cell import build_image
from touchstone.vectors import read_container


def freeze(root: Path, selection: Mapping[str, str]) -> list[str]:
    """Build the selected cells and keep their images; the files' names."""
    build(root, selection, OURS, "off")
    made = []
    for plan in app.prepare(root, {**selection, "sim": OURS}).plans:
        if plan.planned.skip is None:
            name = plan.cell.id.partition("/")[2].replace("/", "_")
            path = root / FROZEN / f"{name}{SUFFIX}"
            write_atomically(path, gzip.compress(_image(root, plan), 9, mtime=0))
            made.append(path.relative_to(root).as_posix())
    return made


def _image(root: Path, plan: CellPlan) -> bytes:
    inputs = read_container((root / plan.packed.inputs).read_bytes())
    timed = replace(inputs, cases=inputs.cases[:1])
    loadable = (root / plan.firmware.path("firmware.load")).read_bytes()
    return build_image(loadable, timed, json.loads(plan.run_spec)).data
