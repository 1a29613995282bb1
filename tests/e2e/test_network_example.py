# SPDX-License-Identifier: Apache-2.0
"""docs/examples/network, as its README says: a network of somebody's own, and one too big."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from project import ROOT, Project

EXAMPLE = "docs/examples/network"
MODEL = f"model={EXAMPLE}/mine.yaml"


def commands() -> list[tuple[str, ...]]:
    """What a reader types."""
    text = (ROOT / EXAMPLE / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return [tuple(line.removeprefix("./scons ").split()) for line in block[1].splitlines()]


@pytest.mark.nightly
def test_it_is_described_deployed_and_tried_on_all_its_recordings(project: Project) -> None:
    describe, deploy, accuracy = commands()
    assert deploy == (MODEL, "target=gap9")
    described = project.run(*describe, config=None)
    assert described.status == 0, described.error
    assert "\n2,788 parameters, 44,096 MACs " in described.output
    deployed = project.run(*deploy, config=None)
    assert deployed.status == 0, deployed.output + deployed.error
    assert "1 cells: 1 PASS\n" in deployed.output
    tried = project.run(*accuracy, config=None)
    assert tried.status == 0, tried.output + tried.error
    assert "| 87.00 % | 87.00 %       | 87.00 %   | all equal | PASS |" in tried.output


def test_one_that_fits_nowhere_is_one_line(project: Project) -> None:
    """Said before anything is compiled."""
    path = project.path(f"{EXAMPLE}/mine.yaml")
    text = re.sub(r"(?m)^(weights|calibration|test):.*\n", "", path.read_text(encoding="utf-8"))
    path.write_text(text.replace("[3, 64]", "[3, 2048]").replace("16", "128"), encoding="utf-8")
    ended = project.run(MODEL, "target=gap9", config=None)
    assert (ended.status, ended.output) == (2, "")
    said = r"touchstone: mine on gap9: does not fit: arena memory of gap9 has \d+ bytes, "
    assert re.fullmatch(said + r"needed \d+ \(\d+ too many\)\n", ended.error)


def test_its_files_are_what_its_script_makes(tmp_path: Path) -> None:
    """To the last bits, which a library for matrices may round otherwise."""
    script = ROOT / EXAMPLE / "make.py"
    subprocess.run([sys.executable, script, str(tmp_path)], check=True)
    for name in ("mine.npz", "mine_inputs.npz", "mine_test.npz"):
        with np.load(ROOT / EXAMPLE / name) as old, np.load(tmp_path / name) as new:
            assert set(old) == set(new)
            assert all(np.allclose(old[key], new[key], atol=1e-4) for key in old)
