# SPDX-License-Identifier: Apache-2.0
"""Somebody else's repository, docs/examples/outside: with the wheel and with a checkout in it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import ROOT, Ended, Project, copy_checkout, kill_below, share_compiler_cache

from tests.conftest import Once

SHAPE = "S7-E18-P6-H3"
MINE = {f"gap9/leaky_relu/{SHAPE}/c8", f"stm32h7/leaky_relu/{SHAPE}/c1"}
MINE |= {f"stm32l4/leaky_relu/{SHAPE}/c1"}
GELU = f"gap9/gelu/{SHAPE}/c8"
KERNEL = "kernels/leaky_relu/portable.c"


@pytest.fixture(scope="session")
def library(once: Once) -> Path:
    """The wheel of this checkout, installed into a folder of its own."""
    for module in ("hatchling", "pip"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"the package {module} is not installed")
    return once("library", install) / "lib"


def install(folder: Path) -> None:
    source = copy_checkout(folder / "source").folder
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    made = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, source]
    subprocess.run(made, check=True, capture_output=True)
    (wheel,) = folder.glob("touchstone-*.whl")
    installed = [*pip, "install", "--no-deps", "--no-index", "--target", folder / "lib", wheel]
    subprocess.run(installed, check=True, capture_output=True)


class Outside(Project):
    """The example in a folder of its own; `run` is `scons` as its owner types it."""

    def __init__(self, folder: Path, library: Path | None) -> None:
        super().__init__(folder)
        self.library = library

    @classmethod
    def new(cls, folder: Path, library: Path | None) -> Outside:
        """The example as it is, nothing built."""
        shutil.copytree(ROOT / "docs/examples/outside", folder, dirs_exist_ok=True)
        share_compiler_cache(folder)
        return cls(folder, library)

    def scons(self, *words: str) -> Ended:
        extra = {} if self.library is None else {"PYTHONPATH": str(self.library)}
        return self.run(*words, config=None, **extra)


@pytest.fixture(scope="session")
def built(library: Path, once: Once) -> Outside:
    def make(folder: Path) -> None:
        ended = Outside.new(folder / "project", library).scons()
        assert ended.status == 0, ended.output + ended.error
        assert ended.statuses == dict.fromkeys([*sorted(MINE), GELU], "PASS")

    return Outside(once("outside", make) / "project", library)


@pytest.fixture
def outside(built: Outside, tmp_path: Path) -> Iterator[Outside]:
    """A copy of the built example elsewhere."""
    shutil.copytree(built.folder, tmp_path / "project", symlinks=True)
    yield Outside(tmp_path / "project", built.library)
    assert kill_below(tmp_path) == []


def test_nothing_left_to_do(outside: Outside) -> None:
    """Also in another folder: nothing of the place is in what is built."""
    ended = outside.scons()
    assert (ended.status, ended.built) == (0, {"gate": {"build/report/gate"}})
    assert all(row["cached"] for row in ended.cells.values())
    assert ended.cells[GELU]["code_bytes"] > 0


def test_a_wrong_kernel_fails(outside: Outside) -> None:
    outside.replace(KERNEL, ">> args->shift", ">> 1")
    ended = outside.scons()
    assert ended.status != 0
    assert {name for name, status in ended.statuses.items() if status == "FAIL"} == MINE
    assert ended.simulated == MINE
    assert f"  rerun  scons cell={min(MINE)}\n" in ended.output


def test_an_edit_of_its_golden_model_checks_its_cells(outside: Outside) -> None:
    outside.replace("golden/leaky_relu.py", "x < 0, x >>", "x <= 0, x >>")
    ended = outside.scons()
    assert ended.status == 0
    assert set(ended.built) == {"vectors", "gate"}


def test_its_own_targets_and_variables(outside: Outside) -> None:
    """Nothing of Touchstone runs for them."""
    before = outside.path("build/report/results.json").stat().st_mtime_ns
    ended = outside.scons("notice", "owner=me")
    assert ended.status == 0
    assert outside.path("build/notice.txt").read_text().strip() == "Kernels of me"
    assert outside.path("build/report/results.json").stat().st_mtime_ns == before
    assert "PASS" not in ended.output


def test_words_and_variables(outside: Outside) -> None:
    listed = outside.scons("list").output.split()
    assert set(listed) == {*MINE, GELU}
    ended = outside.scons("touchstone", "target=gap9", "kernel=leaky_relu", "owner=me")
    assert list(ended.cells) == [f"gap9/leaky_relu/{SHAPE}/c8"]
    refused = outside.scons("kernal=gelu")
    assert refused.status == 2
    assert refused.error == (
        "touchstone: command line: variable: found 'kernal', allowed "
        + refused.error.partition("allowed ")[2]
    )
    assert "did you mean kernel?" in refused.error


def test_a_target_of_its_own(outside: Outside) -> None:
    """It may use what Touchstone's targets share."""
    shutil.copytree(ROOT / "targets/stm32l4", outside.path("targets/mine"))
    manifest = outside.path("targets/mine/target.yaml")
    manifest.write_text(re.sub("(?m)^name: .*", "name: mine", manifest.read_text()))
    ended = outside.scons("target=mine")
    assert ended.status == 0, ended.output + ended.error
    assert ended.statuses == {f"mine/leaky_relu/{SHAPE}/c1": "PASS"}


def test_submodule(tmp_path: Path) -> None:
    """A checkout inside the project is used where it lies; the same three lines otherwise."""
    project = Outside.new(tmp_path / "project", None)
    copy_checkout(project.path("third_party/touchstone"))
    project.replace(
        "SConstruct",
        'PyPackageDir("touchstone_scons")',
        '"third_party/touchstone/site_scons/site_tools"',
    )
    ended = project.scons("kernel=leaky_relu", "target=gap9")
    assert ended.status == 0, ended.output + ended.error
    assert ended.statuses == {f"gap9/leaky_relu/{SHAPE}/c8": "PASS"}
    assert not project.path("build/touchstone").exists()


def test_sconstruct_is_short() -> None:
    lines = (ROOT / "docs/examples/outside/SConstruct").read_text().splitlines()
    code = [line for line in lines if line and not line.startswith(("#", '"""'))]
    assert len(code) <= 10
