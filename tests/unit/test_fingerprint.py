# SPDX-License-Identifier: Apache-2.0
"""Fingerprints: which files a module depends on, and that stages know no more than they use."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from touchstone.fingerprint import ModuleGraph, binary_digest, file_digest
from touchstone.graph import CellPlan
from touchstone.simulators.registry import adapter_of
from touchstone.stamps import Stamps

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "site_scons" / "touchstone"


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    files = {
        "a/__init__.py": "",
        "a/one.py": "import os\nfrom a import two\n",
        "a/two.py": "def f():\n    from a.three import x\n",
        "a/three.py": "import b.deep.leaf\n",
        "a/alone.py": "import json\n",
        "a/circle.py": "import a.circle2\n",
        "a/circle2.py": "from a.circle import y\n",
        "b/__init__.py": "import b.other\n",
        "b/other.py": "",
        "b/deep/__init__.py": "",
        "b/deep/leaf.py": "from c import z\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def closure(folder: Path, *modules: str) -> set[str]:
    graph = ModuleGraph([("a", folder / "a"), ("b", folder / "b")])
    return {path.relative_to(folder).as_posix() for path in graph.closure(*modules)}


def test_closure(packages: Path) -> None:
    """Imports within functions count, and so does what importing runs: the packages."""
    assert closure(packages, "a.alone") == {"a/__init__.py", "a/alone.py"}
    assert closure(packages, "b.other") == {"b/__init__.py", "b/other.py"}
    assert closure(packages, "a.circle") == {"a/__init__.py", "a/circle.py", "a/circle2.py"}
    everything = {"a/__init__.py", "a/one.py", "a/two.py", "a/three.py"}
    everything |= {"b/__init__.py", "b/other.py", "b/deep/__init__.py", "b/deep/leaf.py"}
    assert closure(packages, "a.one") == everything


def test_digest_follows_the_closure(packages: Path) -> None:
    def digest(*modules: str) -> str:
        return ModuleGraph([("a", packages / "a"), ("b", packages / "b")]).digest(*modules)

    before = digest("a.one"), digest("a.alone")
    (packages / "b/deep/leaf.py").write_text("from c import z  # changed\n")
    assert digest("a.one") != before[0]
    assert digest("a.alone") == before[1]


def test_digest_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "big"
    data = bytes(range(256)) * 10_000
    path.write_bytes(data)
    assert file_digest(path) == hashlib.sha256(data).hexdigest()


def test_digest_of_a_binary_is_remembered(tmp_path: Path) -> None:
    path, memory = tmp_path / "zig", tmp_path / "digests.json"
    path.write_bytes(b"one")
    first = binary_digest(path, memory)
    status = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    second = binary_digest(path, memory)
    assert second != first, "an installer that keeps size and time fools nobody"
    memory.write_text(memory.read_text().replace(second, "remembered"))
    assert binary_digest(path, memory) == "remembered", "nothing has changed: not read again"
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert binary_digest(path, memory) == hashlib.sha256(b"two").hexdigest()
    memory.write_bytes(b"{damaged")
    assert binary_digest(path, memory) == hashlib.sha256(b"two").hexdigest()


def stage_files(module: str) -> set[str]:
    graph = ModuleGraph([("golden", ROOT / "golden"), ("touchstone", PACKAGE)])
    files = graph.closure(*module.split())
    return {path.relative_to(PACKAGE).as_posix() for path in files if PACKAGE in path.parents}


SIMULATORS = ("xpulp", "unicorn", "gvsoc", "qemu")
REPORT = {"table.py", "results.py", "locate.py", "app.py", "cli.py", "session.py", "doctor.py"}
PLANNING = {"manifest.py", "plan.py", "config.py", "request.py", "cells.py", "graph.py"}


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_run_stage_is_narrow(simulator: str) -> None:
    adapter = adapter_of(simulator)
    files = stage_files(f"touchstone.run_cell {adapter}")
    assert files & (REPORT | PLANNING | {"check.py", "schema.py", "stages.py"}) == set()
    assert {"run_cell.py", "job.py", "records.py", "process.py", "image.py", "runfile.py"} <= files
    others = {adapter_of(name) for name in ("gvsoc", "qemu")} - {adapter}
    assert files & {f"simulators/{name.rpartition('.')[2]}.py" for name in others} == set()
    assert f"simulators/{adapter.rpartition('.')[2]}.py" in files


def test_check_stage_is_narrow() -> None:
    files = stage_files("touchstone.check")
    unwanted = {"run_cell.py", "image.py", "simulators/embedded.py", "simulators/factory.py"}
    assert files & (REPORT | PLANNING | unwanted) == set()
    assert {"check.py", "runfile.py", "vectors.py"} <= files


def test_loadable_and_costs_are_narrow() -> None:
    for module in ("touchstone.image", "touchstone.simulators.cortexm_costs"):
        assert stage_files(module) & (REPORT | PLANNING | {"check.py", "run_cell.py"}) == set()


@pytest.fixture
def stamps(tmp_path: Path) -> Stamps:
    return Stamps(ROOT, None, tmp_path / "digests.json")


def test_vectors_depend_on_the_models_that_they_import(stamps: Stamps) -> None:
    gelu = set(stamps.vectors_modules("gelu"))
    assert {"golden/gelu.py", "golden/gelu_table.py", "golden/generate.py"} <= gelu
    assert gelu & {"golden/softmax.py", "golden/softmax_table.py", "golden/mhsa.py"} == set()
    mhsa = set(stamps.vectors_modules("mhsa"))
    assert {"golden/linear_qk.py", "golden/attention_scores.py", "golden/ecg.py"} <= mhsa
    assert "golden/gelu.py" not in mhsa
    assert gelu & {f"site_scons/touchstone/{name}" for name in REPORT | PLANNING} == set()
    assert all((ROOT / name).is_file() for name in gelu | mhsa)


def test_layout_depends_on_its_packer(stamps: Stamps) -> None:
    files = stamps.packer_modules((("weight", "words4"),))
    assert "golden/packers/words4.py" in files
    assert "golden/pack.py" in files
    assert "golden/linear_qk.py" not in files


def test_specifications_carry_the_stage(stamps: Stamps, default_plans: list[CellPlan]) -> None:
    plan = default_plans[0]
    run, check = stamps.run_spec(plan), stamps.check_spec(plan)
    graph = ModuleGraph([("golden", ROOT / "golden"), ("touchstone", PACKAGE)])
    assert graph.digest("touchstone.check") in check
    assert graph.digest("touchstone.check") not in run
    assert str(ROOT) not in run + check
