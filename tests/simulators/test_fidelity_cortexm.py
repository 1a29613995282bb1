# SPDX-License-Identifier: Apache-2.0
"""What QEMU and Renode were recorded to make of frozen STM32 images, held against what is here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from installed import QEMU, needs

from touchstone.errors import UserError
from touchstone.fidelity.cortexm_machines import Machines
from touchstone.fidelity.cortexm_oracle import STALE, TARGETS, cases, folder, record, replay

ROOT = Path(__file__).parents[2]
CHANGED = "gelu_S7-E18-P6-H3_c1_llvm"


def machines_with(*names: str) -> Machines:
    machines = Machines(ROOT)
    object.__setattr__(machines, "present", names)
    object.__setattr__(machines, "missing", ())
    return machines


@pytest.fixture(scope="module")
def embedded() -> Machines:
    return machines_with("unicorn")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with nothing but one of the recorded comparisons, of a single cell."""
    place = folder("stm32l4")
    (tmp_path / place).mkdir(parents=True)
    for path in (ROOT / place).glob(f"{CHANGED}.*"):
        shutil.copy(path, tmp_path / place)
    document = json.loads((ROOT / f"{place}.json").read_text())
    document["cells"] = [cell for cell in document["cells"] if cell["id"].endswith(CHANGED)]
    (tmp_path / f"{place}.json").write_text(json.dumps(document))
    return tmp_path


def change(root: Path, **fields: Any) -> None:
    path = root / f"{folder('stm32l4')}.json"
    document = json.loads(path.read_text())
    document["cells"][0].update(fields)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("target", TARGETS)
def test_the_record_holds(embedded: Machines, target: str) -> None:
    """Instructions, outputs, and the cycles of the model: record=1 writes them anew."""
    found = replay(ROOT, [target], embedded)
    assert (found.faults, found.notes) == ((), ())
    assert len(found.rows) >= 10
    assert {row.toolchain for row in found.rows} == {"llvm", "gnu"}
    for row in found.rows:
        assert set(row.seen) == {
            "unicorn", "unicorn (recorded)", "qemu (recorded)", "renode (recorded)"
        }  # fmt: skip


@needs(QEMU)
def test_qemu_still_does_what_was_recorded() -> None:
    found = replay(ROOT, ["stm32l4"], machines_with("unicorn", "qemu"))
    assert found.faults == ()


def test_each_recorded_cell_has_its_images() -> None:
    for target in TARGETS:
        document = json.loads((ROOT / f"{folder(target)}.json").read_text())
        names = [cell["id"] for cell in document["cells"]]
        assert names == [case.id for case in cases(ROOT, target)]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"image_sha256": {"chip": "0", "qemu": "0"}}, STALE),
        ({"output_sha256": "0"}, "outputs differ"),
        ({"instructions": {"qemu": 1, "renode": 984, "unicorn": 984}}, "instructions differ: "),
    ],
)
def test_a_changed_record(
    copy: Path, embedded: Machines, fields: dict[str, Any], fault: str
) -> None:
    assert replay(copy, ["stm32l4"], embedded).faults == ()
    change(copy, **fields)
    found = replay(copy, ["stm32l4"], embedded)
    assert found.exit_status == 1
    assert found.rows[0].fault is not None
    assert found.rows[0].fault.startswith(fault)


def test_other_cycles_are_told(copy: Path, embedded: Machines) -> None:
    change(copy, cycles=1)
    found = replay(copy, ["stm32l4"], embedded)
    assert found.faults == ()
    assert found.notes == (
        "stm32l4: 1 cells have other cycles on unicorn than when they were recorded",
    )


def test_an_image_that_nobody_recorded(copy: Path, embedded: Machines) -> None:
    place = copy / folder("stm32l4")
    for suffix in (".elf.gz", ".qemu.elf.gz"):
        shutil.copy(place / f"{CHANGED}{suffix}", place / f"new_llvm{suffix}")
    assert replay(copy, ["stm32l4"], embedded).faults == (f"stm32l4/new_llvm (llvm): {STALE}",)


def test_a_record_without_its_image(copy: Path, embedded: Machines) -> None:
    for path in (copy / folder("stm32l4")).iterdir():
        path.unlink()
    assert replay(copy, ["stm32l4"], embedded).faults == (f"stm32l4/{CHANGED} (llvm): {STALE}",)


def test_damaged_files(copy: Path, embedded: Machines) -> None:
    (copy / folder("stm32l4") / f"{CHANGED}.elf.gz").write_bytes(b"no gzip")
    with pytest.raises(UserError, match=f"{CHANGED}.elf.gz"):
        replay(copy, ["stm32l4"], embedded)
    (copy / f"{folder('stm32l4')}.json").write_text("{}")
    with pytest.raises(UserError, match="is missing or damaged"):
        replay(copy, ["stm32l4"], embedded)


@needs(QEMU, "renode")
def test_recording_again_gives_the_same_bytes(copy: Path) -> None:
    machines = Machines(ROOT)
    record(copy, ["stm32l4"], machines)
    machines.registry.workers.close()
    place = f"{folder('stm32l4')}.json"
    (line,) = [text for text in (copy / place).read_text().splitlines() if CHANGED in text]
    assert line.rstrip(",") in [
        text.rstrip(",") for text in (ROOT / place).read_text().splitlines()
    ]
