# SPDX-License-Identifier: Apache-2.0
"""The seed project's testConfig.yml, read as it is."""

import json
from pathlib import Path

import pytest

from touchstone.cells import Numerics, Shape
from touchstone.config import Matrix, load_matrix
from touchstone.errors import UserError
from touchstone.schema import SCHEMAS
from touchstone.seed_config import MAPPING, mapping_rows

ROOT = Path(__file__).resolve().parents[2]
# The file of the seed project's README, in its own words.
README_CONFIG = """\
cores: 8
seed: 42

### MHSA Parameters ###
S:
  - 81
E:
  - 32
P:
  - 32
H:
  - 8

testToRun:
  - projQK

# Projection QK
projQK:
  kernelName: linearQK_4x2_H
  appFolder: ./Application/GAP9LinProjQK
  inputGen: generateInputsQKV
  templateGen: generateTemplateQKV
  goldenKernel: linearProjectionQK
  platform: gvsoc
"""
TESTS = ", ".join(sorted(row.test for row in MAPPING))


def load(folder: Path, text: str) -> Matrix:
    path = folder / "t.yml"
    path.write_text(text)
    return load_matrix(path, folder / "cache")


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_readmes_file(tmp_path: Path) -> None:
    (entry,) = load(tmp_path, README_CONFIG).entries
    assert (entry.name, entry.where) == ("projQK", "t.yml: testToRun[0]")
    assert (entry.targets, entry.kernels, entry.variants) == (("gap9",), ("linear_qk",), ())
    assert entry.shapes == (Shape(S=81, E=32, P=32, H=8),)
    assert (entry.cores, entry.seed, entry.data) == ((8,), 42, "random")
    assert entry.numerics == Numerics()


def test_the_full_file_uses_every_test(tmp_path: Path) -> None:
    matrix = load_matrix(ROOT / "tests" / "data" / "seed_testConfig.yml", tmp_path / "cache")
    assert {entry.name for entry in matrix.entries} == {row.test for row in MAPPING}
    sizes = [(16, 16, 8), (16, 16, 16), (32, 16, 8), (32, 16, 16)]
    shapes = tuple(Shape(S=s, E=e, P=p, H=8) for s, e, p in sizes)
    assert {entry.shapes for entry in matrix.entries} == {shapes}
    assert {entry.seed for entry in matrix.entries} == {7}


def test_pulp_nn_names_mean_the_portable_variants(tmp_path: Path) -> None:
    text = README_CONFIG.replace("- projQK", "- matmulM2PULPNN\n  - MHSAFWA\n  - matmulM2_H")
    found = [(entry.kernels, entry.variants) for entry in load(tmp_path, text).entries]
    portable = (("attention_context",), ("portable",))
    assert found == [portable, (("mhsa_fwsa",), ()), (("attention_context",), ())]


def test_the_mapping_names_what_exists() -> None:
    kernels = {path.parent.name for path in (ROOT / "kernels").glob("*/kernel.yaml")}
    assert {row.kernel for row in MAPPING} <= kernels
    assert len({row.test for row in MAPPING}) == len(MAPPING) == 18
    assert ("projQK", "linear_qk", "default") in mapping_rows()


def test_the_schema_knows_the_tests_of_the_mapping() -> None:
    schema = json.loads((SCHEMAS / "seed_config.schema.json").read_bytes())
    settings = {"cores", "seed", "board", "S", "E", "P", "H", "testToRun"}
    assert set(schema["properties"]) - settings == {row.test for row in MAPPING}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "- projQK",
            "- projQKV",
            f"t.yml: testToRun[0]: found 'projQKV', allowed {TESTS}; did you mean projQK?",
        ),
        ("cores: 8", "corse: 8", "did you mean cores?"),
        ("projQK:\n", "projQQ:\n", "did you mean projQK?"),
        (
            "platform: gvsoc",
            "platform: board",
            "t.yml: projQK.platform: found 'board', allowed gvsoc",
        ),
        (
            "  kernelName:",
            "  kernalName:",
            "t.yml: projQK: key: found 'kernalName', allowed appFolder, goldenKernel, inputGen, "
            "kernelName, platform, templateGen; did you mean kernelName?",
        ),
        ("- 81", "- 0", "t.yml: S[0]: found 0, allowed a whole number from 1 to 65535"),
        (
            "  - projQK\n",
            "  []\n",
            "t.yml: testToRun: found an empty list, allowed a list of at least one test",
        ),
        (
            "H:\n  - 8\n",
            "",
            "t.yml: top level: found keys 'cores', 'seed', 'S', 'E', 'P', 'testToRun', 'projQK'; "
            "'H' is missing",
        ),
        (
            "cores: 8",
            "cores: [8]",
            "t.yml: cores: found a list of 1, allowed a whole number from 1 to 1024",
        ),
        (
            "testToRun:\n",
            "S: 3\ntestToRun:\n",
            "t.yml:14: found the key 'S' again, allowed once (first in line 5)",
        ),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, old: str, new: str, line: str) -> None:
    assert old in README_CONFIG
    with pytest.raises(UserError) as caught:
        load(tmp_path, README_CONFIG.replace(old, new))
    found = str(caught.value)
    assert found == line if line.startswith("t.yml") else found.endswith(line)
