# SPDX-License-Identifier: Apache-2.0
"""`toolchain=gnu`: the distribution's GCC builds what the embedded compiler builds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from installed import CONFIG, DEFAULT_MATRIX, GNU, MATRIX, needs, passed

from tests.e2e.project import Project, copy_checkout
from touchstone.toolchains import gnu
from touchstone.toolchains.registry import Programs

M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
M7 = ("-mcpu=cortex-m7", "-mthumb", "-mfpu=fpv5-d16", "-mfloat-abi=hard")


@needs(*GNU)
def test_every_target(checkout: Project) -> None:
    rows = passed(checkout, "toolchain=gnu")
    assert {row["target"] for row in rows.values()} == {"gap9", "stm32l4", "stm32h7"}
    assert {row["toolchain"] for row in rows.values()} == {"gnu"}
    again = checkout.run("toolchain=gnu", config=CONFIG)
    assert again.built.keys() == {"gate"}


@needs(*GNU)
def test_two_checkouts_make_the_same_bytes(checkout: Project, tmp_path: Path) -> None:
    words = ("toolchain=gnu", "kernel=layernorm")
    passed(checkout, *words)
    other = copy_checkout(tmp_path / "a rather longer way to it")
    other.path(CONFIG).write_text(MATRIX, encoding="utf-8")
    passed(other, *words)
    made = [*other.path("build/firmware").glob("*/gnu/**/*.o")]
    made += other.path("build/firmware").glob("*/gnu/*/firmware.*")
    assert len(made) > 50
    for path in made:
        same = checkout.path(str(path.relative_to(other.folder)))
        assert path.read_bytes() == same.read_bytes(), path
        assert os.fsencode(other.folder) not in path.read_bytes(), path


@needs("arm-none-eabi-gcc")
def test_fingerprint_is_of_what_really_runs(tmp_path: Path) -> None:
    driver = gnu.find("arm-none-eabi-gcc")
    parts = gnu.parts(driver, M4)
    names = [path.name for path in parts[1:]]
    assert names[0] == "cc1"
    assert [name.rpartition("-")[2] for name in names[1:3]] == ["as", "ld"]
    assert names[3:] == ["collect2", "libgcc.a"]
    assert parts[-1] != gnu.parts(driver, M7)[-1]
    programs = Programs(tmp_path)
    stamps = [programs.stamp(driver.name, [*machine, "-O2"]) for machine in (M4, M7)]
    assert len({*stamps, programs.stamp(driver.name, [*M4, "-O1"])}) == 3
    assert stamps[0] == Programs(tmp_path).stamp(driver.name, [*M4, "-O2"])


@needs("arm-none-eabi-gcc")
def test_a_driver_without_its_compiler(tmp_path: Path) -> None:
    driver = tmp_path / "arm-none-eabi-gcc"
    driver.write_text("#!/bin/sh\necho cc1\n")
    driver.chmod(0o755)
    with pytest.raises(gnu.UserError, match="arm-none-eabi-gcc is not whole: found no cc1"):
        gnu.parts(driver, M4)


def test_missing_toolchain_is_one_line(checkout: Project, tmp_path: Path) -> None:
    for name in ("git", "sh"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    ended = checkout.run("toolchain=gnu", "target=stm32l4", config=CONFIG, PATH=str(tmp_path))
    assert ended.status == 2
    assert ended.error.splitlines() == [
        "touchstone: toolchain: gnu is not installed: no arm-none-eabi-gcc in PATH; install your "
        "distribution's gcc-arm-none-eabi, or use toolchain=llvm"
    ]
    assert ended.built == {}


@pytest.mark.nightly
@needs(*GNU)
def test_default_matrix(checkout: Project) -> None:
    rows = passed(checkout, "toolchain=gnu", config=DEFAULT_MATRIX)
    assert len(rows) > 200
