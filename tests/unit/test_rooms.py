# SPDX-License-Identifier: Apache-2.0
"""Touchstone's rooms seen from another project: a copy that is kept up to date, or a submodule."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from touchstone import rooms
from touchstone.errors import UserError
from touchstone.graph import ObjectPlan, common_sources, include_folders, target_sources
from touchstone.manifest import load_catalogue

ROOT = Path(__file__).resolve().parents[2]
LISTS = r'"([^"]+)"'


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_checkout_supports_itself() -> None:
    assert rooms.rooms_folder() == ROOT
    assert rooms.support_of(ROOT) == ""
    assert rooms.python_path(ROOT) == [str(ROOT / "site_scons"), str(ROOT)]
    assert rooms.tools_folder() == ROOT / "site_scons" / "site_tools"


def test_other_project_has_a_copy(tmp_path: Path) -> None:
    assert rooms.support_of(tmp_path) == "build/touchstone"
    copy = tmp_path / "build/touchstone"
    for name in ("kernels/include/ts_kernel.h", "targets/gap9/link.ld", "golden/gelu.py"):
        assert (copy / name).read_bytes() == (ROOT / name).read_bytes()
    assert (copy / "site_scons/touchstone/simulators/xpulp/main.c").is_file()
    assert not list(copy.rglob("*.pyc"))


def test_copy_is_mended_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changed in Touchstone is written again, what went away is taken away, no more."""
    home = tmp_path / "home"
    for room in rooms.ROOMS:
        (home / room).mkdir(parents=True)
    (home / "targets/common").mkdir()
    (home / "kernels/a.c").write_text("a")
    (home / "kernels/b.c").write_text("b")
    package = home / "site_scons/touchstone"
    package.mkdir(parents=True)
    (package / "rooms.py").write_text("r")
    monkeypatch.setattr(rooms, "PACKAGE", package)
    project = tmp_path / "project"
    assert rooms.support_of(project) == rooms.COPY
    copy = project / rooms.COPY
    first = (copy / "kernels/a.c").stat().st_mtime_ns
    (home / "kernels/b.c").write_text("changed")
    (home / "golden/new.py").write_text("n")
    rooms.support_of(project)
    assert (copy / "kernels/a.c").stat().st_mtime_ns == first
    assert (copy / "kernels/b.c").read_text() == "changed"
    (home / "kernels/b.c").unlink()
    (home / "golden/new.py").unlink()
    rooms.support_of(project)
    assert set(tree(copy)) == {"kernels/a.c", "site_scons/touchstone/rooms.py", rooms.STAMP}
    (copy / rooms.STAMP).unlink()
    (copy / "kernels/a.c").write_text("edited by somebody")
    rooms.support_of(project)
    assert (copy / "kernels/a.c").read_text() == "a"


def test_checkout_in_a_project_is_used_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "third_party/touchstone/site_scons/touchstone"
    (tmp_path / "third_party/touchstone/targets/common").mkdir(parents=True)
    package.mkdir(parents=True)
    monkeypatch.setattr(rooms, "PACKAGE", package)
    assert rooms.support_of(tmp_path) == "third_party/touchstone"
    assert not (tmp_path / "build").exists()


def test_package_without_rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "PACKAGE", tmp_path / "site-packages" / "touchstone")
    with pytest.raises(UserError, match="found no targets/common, allowed a checkout or"):
        rooms.rooms_folder()


def test_catalogue_of_a_project(tmp_path: Path) -> None:
    """Its own kernels and targets beside Touchstone's; sources of ../common are Touchstone's."""
    example = ROOT / "docs/examples/outside/kernels/leaky_relu"
    shutil.copytree(example, tmp_path / "kernels/leaky_relu")
    shutil.copytree(ROOT / "docs/examples/outside/golden", tmp_path / "golden")
    mine = tmp_path / "targets/mine"
    mine.mkdir(parents=True)
    text = (ROOT / "targets/stm32l4/target.yaml").read_text()
    (mine / "target.yaml").write_text(re.sub("(?m)^name: .*", "name: mine", text))
    found = load_catalogue(tmp_path, tmp_path / "yaml")
    assert found.kernels["leaky_relu"].where == "kernels/leaky_relu/kernel.yaml"
    assert found.kernels["gelu"].where == "build/touchstone/kernels/gelu/kernel.yaml"
    sources = target_sources(found.targets["mine"], found.support)
    assert sources == ["targets/mine/startup.S", "targets/mine/board.c"]
    common = replace(found.targets["mine"], sources=("../common/printf.c",))
    assert target_sources(common, found.support) == ["build/touchstone/targets/common/printf.c"]
    theirs = target_sources(found.targets["stm32l4"], found.support)
    assert "build/touchstone/targets/stm32l4/board.c" in theirs
    assert "build/touchstone/targets/common/main.c" in common_sources(tmp_path, found.support)
    assert include_folders(found.support)[0] == "build/touchstone/kernels/include"
    assert include_folders("") == ("kernels/include", "targets/common")


def test_names_of_touchstone_are_taken(tmp_path: Path) -> None:
    folder = tmp_path / "kernels/mine"
    folder.mkdir(parents=True)
    (folder / "kernel.yaml").write_text((ROOT / "kernels/gelu/kernel.yaml").read_text())
    with pytest.raises(UserError) as caught:
        load_catalogue(tmp_path, tmp_path / "yaml")
    assert str(caught.value) == (
        "kernels/mine/kernel.yaml: name: found 'gelu', which "
        "build/touchstone/kernels/gelu/kernel.yaml has"
    )
    text = (ROOT / "kernels/gelu/kernel.yaml").read_text()
    folder.rename(tmp_path / "kernels/gelu")
    (tmp_path / "kernels/gelu/kernel.yaml").write_text(re.sub("(?m)^name: .*", "name: my", text))
    with pytest.raises(UserError, match="kernels/gelu: found a name that build/touchstone/kernels"):
        load_catalogue(tmp_path, tmp_path / "yaml")


def test_objects_lie_alike_in_every_project(tmp_path: Path) -> None:
    from touchstone.graph import CompilerPlan

    catalogue = load_catalogue(ROOT, tmp_path / "yaml")
    for support in ("", "build/touchstone"):
        compiler = CompilerPlan(catalogue.targets["gap9"], "llvm", (), support)
        prefix = f"{support}/" if support else ""
        plan = ObjectPlan(compiler, f"{prefix}targets/common/main.c")
        assert plan.object == "build/firmware/gap9/llvm/obj/targets/common/main.o"


def test_wheel_needs_what_the_checkout_needs() -> None:
    lines = (ROOT / "requirements.in").read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    text = (ROOT / "pyproject.toml").read_text()
    found = re.search(r"^dependencies = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert re.findall(LISTS, found[1]) == wanted
    dask = re.search(r"^dask = \[(.*)\]$", text, re.MULTILINE)
    assert dask is not None
    lines = (ROOT / "requirements-dask.in").read_text().splitlines()
    assert re.findall(LISTS, dask[1]) == [line for line in lines if line[0] not in "#-"]
