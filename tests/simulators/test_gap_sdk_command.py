# SPDX-License-Identifier: Apache-2.0
"""The GAP SDK's GVSOC and compiler as a user says them; scripts stand in for both."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from installed import CONFIG, needs, passed

from tests.e2e.project import Project

FAKE = Path(__file__).parents[1] / "data" / "fake_gap_sdk.py"
CELL = ("target=gap9", "kernel=layernorm")
EVK = ("sim=gvsoc", "settings=platform:gap9_evk")
# The distribution's compiler under the SDK's words.
COMPILER = """#!/usr/bin/env python3
import os, sys
own = ("-march=", "-mPE=", "-mFC=", "-mint64")
asked = [word for word in sys.argv[1:] if word.startswith(own)]
words = [word for word in sys.argv[1:] if word not in asked]
if not any("-print" in word for word in words):
    assert asked == ["-march=rv32imcxgap9", "-mPE=8", "-mFC=1", "-mint64"], asked
machine = ["-march=rv32imc", "-misa-spec=2.2", "-mabi=ilp32", "-mno-relax"]
os.execvp("riscv64-unknown-elf-gcc", ["riscv64-unknown-elf-gcc", *machine, *words])
"""


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A GAP SDK with a board, a launcher and a compiler."""
    script(tmp_path / "configs" / "gap9_evk_audio.sh", "export BOARD=evk\n")
    tools = tmp_path / "install" / "workstation" / "bin"
    script(tools / "gvsoc", f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
    script(tools / "riscv32-unknown-elf-gcc", COMPILER)
    return tmp_path


def test_a_cell_runs_on_the_sdk_and_is_marked_unverified(checkout: Project, home: Path) -> None:
    plain = passed(checkout, *CELL)
    simulator = str(checkout.path("build/simulators/xpulp_sim"))
    variables = {"GAP_SDK_HOME": str(home), "FAKE_SIMULATOR": simulator}
    ended = checkout.run(*CELL, *EVK, config=CONFIG, **variables)
    assert ended.status == 0, ended.output + ended.error
    ((name, row),) = ended.cells.items()
    assert name == f"{next(iter(plain))}/gvsoc/platform-gap9_evk"
    assert (row["status"], row["settings"]) == ("PASS", {"platform": "gap9_evk"})
    assert row["cycles"] is not None
    assert "cycles of gvsoc (platform gap9_evk): UNVERIFIED: GVSOC gap9.evk" in ended.output
    assert "compile" not in ended.built
    again = checkout.run(f"cell={name}", config=CONFIG, **variables)
    assert again.built.keys() == {"gate"}
    script(home / "configs" / "gap9_evk_audio.sh", "export BOARD=another\n")
    assert "simulate" in checkout.run(f"cell={name}", config=CONFIG, **variables).built


def test_what_the_sdk_says_is_the_cells_reason(checkout: Project, home: Path) -> None:
    script(home / "install/workstation/bin/gvsoc", "#!/bin/sh\necho garbage\nexit 7\n")
    ended = checkout.run(*CELL, *EVK, config=CONFIG, GAP_SDK_HOME=str(home))
    assert ended.status == 1
    (row,) = ended.cells.values()
    assert (row["status"], row["reason"]) == ("CRASH", "the firmware exited with 7: garbage")


@needs("riscv64-unknown-elf-gcc")
def test_the_sdks_compiler_builds(checkout: Project, home: Path) -> None:
    variables = {"GAP_SDK_HOME": str(home), "GAP_RISCV_GCC_TOOLCHAIN": ""}
    ended = checkout.run(*CELL, "toolchain=gap_sdk", config=CONFIG, **variables)
    assert ended.status == 0, ended.output + ended.error
    (row,) = ended.cells.values()
    assert (row["status"], row["toolchain"]) == ("PASS", "gap_sdk")
    again = checkout.run(*CELL, "toolchain=gap_sdk", config=CONFIG, **variables)
    assert again.built.keys() == {"gate"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((*CELL, *EVK), "sim: gvsoc of the GAP SDK is not installed: no install/"),
        ((*CELL, "toolchain=gap_sdk"), "toolchain: gap_sdk is not installed: GAP_SDK_HOME is"),
        (
            ("cell=gap9/layernorm/S7-E18-P6-H3/c8/gvsoc/platform-gap9_evk",),
            "/platform-gap9_evk: gvsoc of the GAP SDK is not installed: no install/",
        ),
        ((*CELL, "sim=gvsoc", "settings=platform:gap9"), "did you mean gap9_evk?"),
    ],
)
def test_absence_is_one_line(checkout: Project, words: tuple[str, ...], reason: str) -> None:
    ended = checkout.run(*words, config=CONFIG, GAP_SDK_HOME="")
    assert ended.status == 2
    assert ended.error.count("\n") == 1
    assert reason in ended.error


def test_doctor_says_that_nobody_has_run_it(checkout: Project, home: Path) -> None:
    ended = checkout.run("doctor", config=None, GAP_SDK_HOME=str(home), GAP_RISCV_GCC_TOOLCHAIN="")
    lines = [line for line in ended.output.splitlines() if "SDK " in line or "gap_sdk" in line]
    assert len(lines) == 2
    for line in lines:
        assert f" ok       {home}/" in line
        assert line.endswith("(unverified: never run by Touchstone's developers)")
