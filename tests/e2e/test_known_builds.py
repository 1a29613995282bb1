# SPDX-License-Identifier: Apache-2.0
"""A big build that is known whole is not planned into nodes; whatever changes, it is not known."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from project import Ended, Project, both

from tests.conftest import Once
from touchstone.known import FEWEST_CELLS

CONFIG = "big.yaml"
MATRIX = """\
# SPDX-License-Identifier: Apache-2.0
schema: 1
cells:
  - name: small ones
    targets: stm32l4
    kernels: gelu
    shapes:
"""
# Without the cache: what SCons takes for new is really made anew, and seen in nodes.json.
WORDS = ("cache_mode=off",)
CELL = "stm32l4/gelu/S3-E4-P2-H1/c1"
VECTORS = "build/vectors/gelu/S3-E4/random-seed42"
FIRMWARE = "build/firmware/stm32l4/llvm/gelu.portable"
SOURCE = "kernels/gelu/portable.c"


def run(project: Project, *words: str) -> Ended:
    return project.run(*WORDS, *words, config=CONFIG)


@pytest.fixture(scope="session")
def big_template(copy_of_template: Callable[[Path], Project], once: Once) -> Project:
    def make(folder: Path) -> None:
        project = copy_of_template(folder / "big")
        shapes = range(1, FEWEST_CELLS + 1)
        lines = "".join(f"      - {{S: {s}, E: 4, P: 2, H: 1}}\n" for s in shapes)
        project.path(CONFIG).write_text(MATRIX + lines)
        ended = run(project)
        assert ended.status == 0, ended.output + ended.error
        assert len(ended.cells) == FEWEST_CELLS

    return Project(once("known", make) / "big")


@pytest.fixture
def big(big_template: Project, tmp_path: Path) -> Project:
    shutil.copytree(big_template.folder, tmp_path / "big", symlinks=True)
    return Project(tmp_path / "big")


def stamps_of(project: Project) -> dict[str, str]:
    """What a report says of compilers and simulators."""
    document = json.loads(project.path("build/report/provenance.json").read_text())
    return dict(document["stamps"])


def forget(project: Project) -> None:
    """What SCons knows: it would make everything anew."""
    (path,) = project.path("build").glob(".sconsign*")
    path.unlink()


def test_a_known_build_needs_no_nodes(big: Project) -> None:
    stamps = stamps_of(big)
    forget(big)
    ended = run(big)
    assert ended.built == both()
    assert ended.status == 0
    assert set(ended.statuses.values()) == {"PASS"}
    assert all(row["cached"] for row in ended.cells.values())
    assert stamps_of(big) == stamps != {}


def damage_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        (lambda big: big.prepend(SOURCE, "#define TS_EDITED 1\n"), {"compile"}),
        (lambda big: big.path("kernels/gelu/stdint.h").write_text('#error "shadow"\n'), None),
        (lambda big: damage_byte(big.path(f"{VECTORS}/golden.bin")), {"vectors"}),
        (lambda big: big.path(f"{FIRMWARE}/firmware.elf").unlink(), {"link"}),
        (lambda big: big.path(f"{FIRMWARE}/firmware.json").write_text("{}"), {"loadable"}),
        (lambda big: damage_byte(big.cell(CELL, "cell.run")), {"simulate"}),
        (lambda big: big.cell(CELL, "verdict.json").write_text("{}"), {"check"}),
        (lambda big: big.append("golden/gelu.py", "# edited\n"), {"vectors"}),
        (lambda big: big.append("site_scons/touchstone/check.py", "# edited\n"), {"check"}),
    ],
    ids=["source", "shadow", "golden", "elf", "facts", "run", "verdict", "model", "check"],
)
def test_what_changed_is_seen(
    big: Project, change: Callable[[Project], None], stages: set[str] | None
) -> None:
    change(big)
    ended = run(big)
    if stages is not None:
        assert stages <= ended.built.keys()
        assert ended.status == 0, ended.output + ended.error
        assert set(ended.statuses.values()) == {"PASS"}
    assert run(big).built == both()


def test_another_compiler_flag_is_another_build(big: Project) -> None:
    ended = run(big, "cflags=-O1")
    assert ended.built["compile"]
    assert ended.simulated == set(ended.cells)
    assert run(big).built == both()


def test_options_of_scons_reach_its_nodes(big: Project) -> None:
    assert "verdict.json" in run(big, "--tree=all").output


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"seal": "", "made": {}, "stamps": {}}', None])
def test_a_damaged_record_counts_as_none(big: Project, damage: bytes | None) -> None:
    (record,) = big.path("build/known").glob("*.json")
    whole = record.read_bytes()
    if damage is None:  # it still reads well, but lacks a file
        damage = whole.replace(f"{VECTORS}/golden.bin".encode(), b"build/known/none")
        assert damage != whole
    record.write_bytes(damage)
    ended = run(big)
    assert ended.built == both()
    assert ended.status == 0
    assert record.read_bytes() == whole, "it is recorded again"


def test_an_edit_undone_is_built_again(big: Project) -> None:
    """The record is of the last build: files of the one in between never pass for it."""
    text = big.path(SOURCE).read_text()
    big.path(SOURCE).write_text(text.replace("{\n", '{\n    __asm__ volatile("nop");\n', 1))
    assert run(big).built["compile"]
    big.path(SOURCE).write_text(text)
    assert run(big).built["compile"]


def test_small_builds_leave_no_record(project: Project) -> None:
    assert project.run().status == 0
    assert not project.path("build/known").exists()
