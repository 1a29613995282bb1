# SPDX-License-Identifier: Apache-2.0
"""What GVSOC was recorded to do, held against the embedded simulator; and GVSOC where it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from touchstone.errors import UserError
from touchstone.fidelity.machines import Machines
from touchstone.fidelity.oracle import FROZEN, RECORD, cases, record, replay

ROOT = Path(__file__).parents[2]
# Of the recorded cells so many are run live by default; all of them by the nightly test.
EVERY = 12


@pytest.fixture(scope="session")
def machines() -> Machines:
    return Machines(ROOT)


@pytest.fixture(scope="session")
def machines_with_gvsoc(machines: Machines) -> Machines:
    try:
        assert machines.gvsoc_program
    except UserError as error:
        pytest.skip(str(error))
    return machines


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with nothing but the recorded comparison."""
    shutil.copytree(ROOT / FROZEN, tmp_path / FROZEN)
    shutil.copy(ROOT / RECORD, tmp_path / RECORD)
    return tmp_path


def change(root: Path, name: str, **fields: Any) -> None:
    document = json.loads((root / RECORD).read_text())
    (entry,) = (cell for cell in document["cells"] if cell["id"] == name)
    entry.update(fields)
    (root / RECORD).write_text(json.dumps(document))


def test_the_record_holds(machines: Machines) -> None:
    """Outputs and cycles, also ours: ./scons fidelity record=1 writes both anew."""
    found = replay(ROOT, machines)
    assert (found.faults, found.notes) == ((), ())
    programs = [row for row in found.rows if not row.id.startswith("image/")]
    assert len(programs) >= 40
    assert len(found.rows) - len(programs) >= 20
    assert {row.conflicts for row in found.rows} == {"off", "on"}


def test_what_is_not_as_recorded_fails(machines: Machines, copy: Path) -> None:
    change(copy, "latency/mul/bank_conflicts-off", gvsoc_cycles=12)
    change(copy, "latency/load/bank_conflicts-off", output_sha256="0" * 64)
    change(copy, "latency/store/bank_conflicts-off", image_sha256="0" * 64)
    change(copy, "latency/jump/bank_conflicts-off", id="latency/hop/bank_conflicts-off")
    change(copy, "hazard/load-to-mac/bank_conflicts-off", cycles=1)
    found = replay(copy, machines)
    faults = dict(fault.split(": ", 1) for fault in found.faults)
    names = [name.removeprefix("latency/").partition("/")[0] for name in faults]
    assert sorted(names) == ["hop", "jump", "load", "mul", "store"]
    assert faults["latency/mul/bank_conflicts-off"] == "the cycles of a single instruction differ"
    assert faults["latency/load/bank_conflicts-off"] == "outputs differ"
    for name in ("store", "jump", "hop"):
        assert faults[f"latency/{name}/bank_conflicts-off"].startswith("STALE")
    assert found.notes == ("1 cells have other cycles on xpulp than when they were recorded",)


def test_a_damaged_record_is_refused(machines: Machines, copy: Path) -> None:
    (copy / RECORD).write_text('{"gvsoc": "abc"}')
    with pytest.raises(UserError, match="missing, damaged or of other settings"):
        replay(copy, machines)
    path = next((copy / FROZEN).iterdir())
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match=f"{path.name} is damaged"):
        cases(copy, machines)


def test_gvsoc_does_what_was_recorded(machines_with_gvsoc: Machines) -> None:
    """Another version of it may count other cycles; outputs are the same on all."""
    document = json.loads((ROOT / RECORD).read_text())
    known = {cell["id"]: cell for cell in document["cells"]}
    same_version = document["gvsoc"] == machines_with_gvsoc.gvsoc_version
    for case in cases(ROOT, machines_with_gvsoc)[::EVERY]:
        found, entry = machines_with_gvsoc.gvsoc(case.image, case.conflicts), known[case.id]
        assert found.output_sha256 == entry["output_sha256"], case.id
        cycles = (found.cycles, found.cycles_cold)
        recorded = (entry["gvsoc_cycles"], entry["gvsoc_cycles_cold"])
        assert cycles == recorded or not same_version, case.id


@pytest.mark.nightly
def test_the_record_is_made_again_byte_for_byte(machines_with_gvsoc: Machines, copy: Path) -> None:
    """Beside the GVSOC that it was made with."""
    before = (copy / RECORD).read_bytes()
    if json.loads(before)["gvsoc"] != machines_with_gvsoc.gvsoc_version:
        pytest.skip("another GVSOC than the recorded one")
    assert record(copy, machines_with_gvsoc).exit_status == 0
    assert (copy / RECORD).read_bytes() == before
