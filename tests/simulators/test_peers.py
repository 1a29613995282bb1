# SPDX-License-Identifier: Apache-2.0
"""`./scons peers` on stand-ins for the libraries: same functions, the plainest code, ours."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import share_compiler_cache
from touchstone import app
from touchstone.errors import UserError
from touchstone.peers import command
from touchstone.peers.compositions import PEERS
from touchstone.peers.measure import NOISE_LIMIT, Figure
from touchstone.peers.report import Comparison, Row, markdown

ROOT = Path(__file__).parents[2]
STAND_INS = ROOT / "tests/data/peers"
PRODUCTS = "Source/FullyConnectedFunctions/arm_fully_connected_s8.c"
BLOCKED = "Source/NNSupportFunctions/arm_nn_mat_mult_nt_t_s8.c"
SOFTMAX = "Source/SoftmaxFunctions/arm_softmax_s8.c"
SHAPE = {"S": "5", "E": "6", "P": "3", "H": "2"}


@pytest.fixture
def cmsis_nn(tmp_path: Path) -> Path:
    """A folder that has every file of a CMSIS-NN checkout that the adapters ask for."""
    folder = tmp_path / "CMSIS NN"
    for composition in PEERS["cmsis_nn"].compositions:
        for name in composition.sources:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("")
    (folder / "Include").mkdir()
    shutil.copy(STAND_INS / "arm_nnfunctions.h", folder / "Include")
    (folder / "Include/arm_nnsupportfunctions.h").write_text("")
    for name in (PRODUCTS, BLOCKED):
        shutil.copy(STAND_INS / "products.c", folder / name)
    shutil.copy(STAND_INS / "softmax.c", folder / SOFTMAX)
    return folder


@pytest.fixture
def pulp_nn(tmp_path: Path) -> Path:
    folder = tmp_path / "pulp-nn"
    for composition in PEERS["pulp_nn"].compositions:
        for name in composition.sources:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            kind = "u" if "_u8_" in name else ""
            shape = "LINEAR" if "linear" in name else "MATMUL"
            text = f'#include "pulp_nn_utils.h"\nSTAND_IN_{shape}({path.stem}, {kind}int8_t)\n'
            path.write_text(text)
    (folder / "XpulpV2/32bit/include").mkdir(parents=True)
    shutil.copy(STAND_INS / "pulp_nn_utils.h", folder / "XpulpV2/32bit/include")
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout's sources: the command builds in it. What it has built of ours for
    one test serves the next; each test has its own peer."""
    folder = tmp_path_factory.mktemp("peers") / "checkout"
    for name in ("golden", "kernels", "targets", "site_scons", "configs"):
        skipped = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    shutil.copy(ROOT / "SConstruct", folder)
    share_compiler_cache(folder)
    return folder


def peers(project: Path, **words: str) -> tuple[int, list[dict[str, Any]]]:
    status = command.peers(project, {"toolchain": "llvm", **SHAPE, **words})
    return status, json.loads((project / app.REPORT / "peers.json").read_text())["rows"]


def test_compositions_of_cmsis_nn(project: Path, cmsis_nn: Path) -> None:
    status, rows = peers(project, cmsis_nn=str(cmsis_nn), target="stm32l4")
    assert status == 0
    assert [row["composition"] for row in rows] == ["cmsis_nn.plain", "cmsis_nn.best"]
    for row in rows:
        whole, rest = row["with_softmax"], row["without_softmax"]
        assert 0 < whole["noise"] < NOISE_LIMIT
        assert whole["cycles"] > rest["cycles"] > 0
        assert whole["cycles"] > row["our_cycles"] > row["our_cycles_without_softmax"] > 0
    assert (project / app.REPORT / "peers.md").read_text().startswith("# Attention layers")


def test_a_peer_that_computes_something_else_is_said_to_be_wrong(
    project: Path, cmsis_nn: Path
) -> None:
    """An even map has the right costs and the wrong values."""
    source = cmsis_nn / SOFTMAX
    text = source.read_text()
    assert "exponential(max - input[i]) / sum" in text
    source.write_text(text.replace("exponential(max - input[i]) / sum", "1 / (float)row_size"))
    status, rows = peers(project, cmsis_nn=str(cmsis_nn), target="stm32l4")
    assert status == 1
    assert all("times as far from attention" in row["trouble"] for row in rows)


def test_a_peer_that_does_not_compile_is_said_so(project: Path, cmsis_nn: Path) -> None:
    (cmsis_nn / BLOCKED).write_text("#error no such core\n")
    status, rows = peers(project, cmsis_nn=str(cmsis_nn), target="stm32l4")
    assert status == 1
    assert rows[0]["trouble"] is None
    assert "no such core" in rows[1]["trouble"]


@pytest.mark.parametrize("rows", ["4", "5"])
def test_compositions_of_pulp_nn(project: Path, pulp_nn: Path, rows: str) -> None:
    """An even and an odd number of rows: the last pair of an odd number shares one."""
    status, found = peers(project, pulp_nn=str(pulp_nn), target="gap9", S=rows)
    assert status == 0
    assert [row["composition"] for row in found] == ["pulp_nn.plain", "pulp_nn.best"]
    assert all(0 < row["with_softmax"]["noise"] < NOISE_LIMIT for row in found)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "found no checkout, allowed cmsis_nn=DIR or pulp_nn=DIR"),
        ({"cmsis_n": "x"}, "did you mean cmsis_nn?"),
        ({"cmsis_nn": "/no/such/folder"}, "cmsis_nn=/no/such/folder: found no folder there"),
        ({"pulp_nn": "."}, "found no XpulpV2/32bit/include"),
    ],
)
def test_bad_words_are_one_line(words: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        command.peers(tmp_path, words)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_target_of_another_instruction_set_has_no_peers(project: Path, cmsis_nn: Path) -> None:
    with pytest.raises(UserError, match="nothing to compare"):
        peers(project, cmsis_nn=str(cmsis_nn), target="gap9")


def row(**fields: Any) -> Row:
    ours = {"status": "PASS", "cycles": 100, "macs": 600}
    composition = PEERS["cmsis_nn"].compositions[0]
    figures = {"whole": Figure(300, 280, 1.0), "rest": Figure(200, 190)}
    given = {"ours": ours, "our_softmax": {"cycles": 20}, **figures, **fields}
    return Row(cell="stm32l4/mhsa", toolchain="llvm", composition=composition, **given)


def test_ratios() -> None:
    text = markdown(Comparison((row(),)))
    cells = [cell.strip() for cell in text.splitlines()[-1].split("|")]
    assert cells[3:12] == [
        *("cmsis_nn.plain", "300", "2.000", "100", "3.00x"),
        *("200", "80", "2.50x", "1.00"),
    ]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 0),
        ({"ours": {"status": "SKIP", "reason": "does not fit"}}, 0),
        ({"ours": {"status": "FAIL", "reason": "wrong"}}, 1),
        ({"ours": {}}, 1),
        ({"whole": Figure(None, None, trouble="CRASH")}, 1),
        ({"whole": Figure(None, None, skip="does not fit")}, 0),
        ({"rest": Figure(None, None, trouble="TIMEOUT")}, 1),
    ],
)
def test_the_status_says_whether_every_row_can_be_believed(
    fields: dict[str, Any], status: int
) -> None:
    assert Comparison((row(**fields),)).exit_status == status


def test_no_rows_are_no_success() -> None:
    assert Comparison(()).exit_status == 1
