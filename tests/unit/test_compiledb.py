# SPDX-License-Identifier: Apache-2.0
"""compile_commands.json: an entry for each object, in words that clang's tools know."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from touchstone.compiledb import clang_words, database
from touchstone.graph import CellPlan
from touchstone.toolchains.registry import Programs

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("zig", "clang"),
    [
        (
            ["cc", "-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+c+m", "-O2"],
            ["--target=riscv32-unknown-elf", "-march=rv32imc", "-O2"],
        ),
        (
            ["cc", "-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp"],
            ["--target=thumbv7em-none-eabihf", "-mcpu=cortex-m4"],
        ),
        (["cc", "-fno-sanitize=all", "-Xclang", "-O3"], ["-Xclang", "-O3"]),
    ],
)
def test_words(zig: list[str], clang: list[str]) -> None:
    assert clang_words(zig) == clang


def test_each_object_once(default_plans: list[CellPlan], tmp_path: Path) -> None:
    entries = database(ROOT, default_plans, Programs(tmp_path))
    objects = {item.object for plan in default_plans for item in plan.firmware.objects}
    assert sorted(entry["output"] for entry in entries) == sorted(objects)
    for entry in entries:
        assert (ROOT / entry["file"]).is_file()
        assert entry["directory"] == str(ROOT)
        assert entry["arguments"][-4:] == ["-c", entry["file"], "-o", entry["output"]]
        assert "-Ikernels/include" in entry["arguments"]


@pytest.mark.parametrize("source", ["kernels/gelu/portable.c", "kernels/fwsa/xpulp.c"])
def test_clangd_understands_them(
    default_plans: list[CellPlan], tmp_path: Path, source: str
) -> None:
    clangd = shutil.which("clangd")
    if clangd is None:
        pytest.skip("no clangd")
    entries = database(ROOT, default_plans, Programs(tmp_path))
    (tmp_path / "compile_commands.json").write_text(json.dumps(entries))
    command = [clangd, f"--check={source}", f"--compile-commands-dir={tmp_path}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "All checks completed, 0 errors" in ended.stderr
