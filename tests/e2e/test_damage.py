# SPDX-License-Identifier: Apache-2.0
"""Damaged files of every kind: they are seen, made again, and never pass for something else."""

from __future__ import annotations

import shutil

import pytest
from project import CELLS, Project, both, checks, simulations
from states import GELU_M4, M4_ROW, SOFTMAX_M4, all_pass, break_row_function, others_pass

from touchstone.runfile import MAGIC


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "gone"])
def test_damaged_state_of_scons(project: Project, damage: str) -> None:
    (path,) = project.path("build").glob(".sconsign*")
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(
            {"empty": b"", "cut": data[: len(data) // 2], "noise": b"\x00zz" * 99}[damage]
        )
    ended = project.run()
    assert all_pass(ended), ended.output + ended.error
    assert "simulate" not in ended.built, "the runs come from the cache"
    assert "compile" not in ended.built
    assert project.run().built == both()


def test_damaged_reports(project: Project) -> None:
    report = project.path("build/report")
    for path in report.iterdir():
        path.write_bytes(b"\xff{[")
    ended = project.run()
    assert all_pass(ended)
    assert ended.built == both()
    shutil.rmtree(report)
    assert all_pass(project.run())


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"status": "FAIL"}', None])
def test_damaged_verdict(project: Project, damage: bytes | None) -> None:
    path = project.cell(GELU_M4, "verdict.json")
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    ended = project.run()
    assert ended.built == both(checks(GELU_M4))
    assert all_pass(ended)


def test_deleted_run(project: Project) -> None:
    project.cell(GELU_M4, "cell.run").unlink()
    ended = project.run()
    assert ended.built == both(), "it comes from the cache and is what it was"
    assert all_pass(ended)
    assert project.cell(GELU_M4, "cell.run").is_file()


def test_deleted_run_without_a_cache(project: Project) -> None:
    shutil.rmtree(project.path("build/cache"))
    project.cell(GELU_M4, "cell.run").unlink()
    ended = project.run()
    assert ended.built == both(simulations(GELU_M4)), "the run is what it was"
    assert all_pass(ended)


def test_deleted_cell(project: Project) -> None:
    shutil.rmtree(project.path(f"build/cells/{GELU_M4}"))
    ended = project.run()
    assert ended.built == both(checks(GELU_M4))
    assert all_pass(ended)


@pytest.mark.parametrize("size", [0, 5, 40, -1])
def test_truncated_run(project: Project, size: int) -> None:
    path = project.cell(GELU_M4, "cell.run")
    data = path.read_bytes()
    path.write_bytes(data[:size])
    ended = project.run()
    assert all_pass(ended)
    assert path.read_bytes() == data


def test_changed_run(project: Project) -> None:
    """A bit of the output has tipped over: it is noticed, and made good."""
    path = project.cell(GELU_M4, "cell.run")
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    ended = project.run()
    assert all_pass(ended)
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    "name",
    [
        "vectors/softmax/S4-H2/random-seed42/golden.bin",
        "vectors/linear_qk/S4-E6-P3-H2/random-seed42/inputs.panels.bin",
        "firmware/gap9/llvm/obj/kernels/softmax/xpulp.o",
        "firmware/stm32l4/llvm/softmax.armv7em/layout.ld",
        "firmware/stm32l4/llvm/softmax.armv7em/firmware.elf",
        "firmware/stm32l4/llvm/softmax.armv7em/firmware.load",
        "firmware/stm32l4/llvm/softmax.armv7em/firmware.json",
        "firmware/stm32l4/llvm/softmax.armv7em/firmware.costs",
        "simulators/xpulp_sim",
    ],
)
def test_damaged_file(project: Project, name: str) -> None:
    """It is made again, or comes from the cache, before anything uses it."""
    path = project.path(f"build/{name}")
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    ended = project.run()
    assert all_pass(ended), ended.output + ended.error
    assert "simulate" not in ended.built
    assert path.read_bytes() == data


def test_files_of_a_killed_build_pass_for_no_others(project: Project) -> None:
    """SCons remembers a wrong kernel; a build of the right one is killed; the edit is undone."""
    right = project.path(M4_ROW).read_text()
    break_row_function(project)
    wrong = project.path(M4_ROW).read_text()
    assert project.run().statuses[SOFTMAX_M4] == "FAIL"
    (notes,) = project.path("build").glob(".sconsign*")
    kept = notes.read_bytes()
    project.path(M4_ROW).write_text(right)
    assert all_pass(project.run())
    notes.write_bytes(kept)  # a killed SCons leaves everything but its notes
    project.path(M4_ROW).write_text(wrong)
    ended = project.run()
    assert ended.status != 0
    assert ended.statuses[SOFTMAX_M4] == "FAIL"
    assert others_pass(ended, SOFTMAX_M4)


@pytest.mark.parametrize("cut", [True, False])
def test_damaged_cache(project: Project, cut: bool) -> None:
    """What the cache gives back damaged is made anew, and nothing is wrong with any cell."""
    for path in project.path("build/cache").glob("??/*"):
        data = path.read_bytes()
        path.write_bytes(data[:-1] if cut else data[:-1] + bytes([data[-1] ^ 1]))
    shutil.rmtree(project.path("build/cells"))
    shutil.rmtree(project.path("build/firmware/gap9"))
    ended = project.run()
    assert all_pass(ended), ended.output + ended.error
    assert ended.simulated == set(CELLS)
    shutil.rmtree(project.path("build/cells"))
    ended = project.run()
    assert all_pass(ended)
    assert "simulate" not in ended.built, "the cache is whole again"


def test_swapped_cache_entries(project: Project) -> None:
    """Two whole entries, each under the other's name: neither is taken for what it is not."""
    entries = list(project.path("build/cache").glob("??/*"))
    runs = [path for path in entries if path.read_bytes().startswith(MAGIC)]
    assert len(runs) == len(CELLS)
    first, *others = [path.read_bytes() for path in runs]
    for path, data in zip(runs, [*others, first], strict=True):
        path.write_bytes(data)
    shutil.rmtree(project.path("build/cells"))
    ended = project.run()
    assert all_pass(ended), ended.output + ended.error
    assert ended.simulated == set(CELLS)
    assert ended.output.count("is damaged and counts as missing") == len(CELLS)
