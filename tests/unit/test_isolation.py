# SPDX-License-Identifier: Apache-2.0
"""What somebody else wrote, configs, manifests and vectors, runs no code by being read and names no
file outside of the project."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from touchstone.errors import UserError
from touchstone.executors import cluster
from touchstone.expression import evaluate
from touchstone.manifest import load_kernel, load_target
from touchstone.yamlio import parse_yaml

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted(
    path
    for room in ("site_scons", "golden", "kernels", "targets", "docs")
    for path in (ROOT / room).rglob("*.py")
)
# Functions that make objects, or run something, of what they read.
FORBIDDEN = {
    "yaml": {"full_load", "full_load_all", "unsafe_load", "unsafe_load_all", "load_all"},
    "pickle": {"load", "loads", "Unpickler"},
    "marshal": {"load", "loads"},
    "shelve": {"open"},
    "os": {"system", "popen"},
}
# Whole-number expressions: what it lets through to eval() has neither attributes nor strings.
# Manifest expressions; golden models that the mutation tool has broken, which are our own code.
EVALUATES = ("expression.py", "golden_checks.py")
PLACES = [
    "/etc/passwd",
    "../../x.c",
    "a/../../x.c",
    "~/x.c",
    "C:\\x.c",
    "a//b.c",
    "./a.c",
    "a\nb.c",
]
FLAGS = [
    *("-fplugin=evil", "-fplugin-arg-x", "-wrapper,sh", "-specs=x", "-Bbin", "@flags", "-o", "out"),
    *("-ox", "-MF", "-MMD", "-save-temps", "-fdump-tree-all", "-Wl,-Map,x", "-Wl,-o,x", "-Wa,-a=x"),
    *("-Wp,-MD,x", "-Xclang", "-load", "-include", "-T", "-ftime-trace=x", "-fstack-usage", "x.c"),
    *("-fsave-optimization-record", "-fcrash-diagnostics-dir=x", "-I/usr/include", "-D X", ""),
    *("-fprofile-generate", "-fcallgraph-info", "-fopt-info-all=x", "-L/tmp", "-lx", "--sysroot=x"),
]
GOOD_FLAGS = [
    *("-mcpu=cortex-m4", "-mabi=ilp32", "-fomit-frame-pointer", "-O3", "-Os", "-DX=1", "-UX"),
    *("-Wextra", "-Wno-error", "-g3", "-std=c11", "-march=rv32imc_zicsr", "-fno-inline", "-mPE=8"),
    *("-Wl,--gc-sections", "-nostdlib", "-misa-spec=2.2"),
]


def calls(path: Path) -> Iterator[tuple[ast.Call, str, str]]:
    """Calls module.function(...) and function(...) of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
                yield node, function.value.id, function.attr
            elif isinstance(function, ast.Name):
                yield node, "", function.id


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_that_is_read_is_run(path: Path) -> None:
    for node, module, name in calls(path):
        where = f"{path.relative_to(ROOT)}:{node.lineno}: {module}.{name}"
        assert name not in FORBIDDEN.get(module, ()), where
        assert name not in ("eval", "exec") or module or path.name in EVALUATES, where
        words = {word.arg: word.value for word in node.keywords}
        if (module, name) == ("yaml", "load"):
            assert ast.unparse(words["Loader"]) == "_Loader", where
        if module in ("np", "numpy") and name == "load":
            assert ast.unparse(words["allow_pickle"]) == "False", where
        if "shell" in words:
            assert ast.unparse(words["shell"]) == "False", where


@pytest.mark.parametrize(
    "text",
    [
        "().__class__",
        "S.real",
        "__import__('os')",
        "eval('1')",
        "min.__self__",
        "(lambda: 1)()",
        "[S for S in (1,)]",
        "f'{S}'",
        "min(*range(9))",
        "9**9",
        "1<<99",
        "S:=1",
        "'a'*9",
        "open",
    ],
)
def test_expressions_only_count(text: str) -> None:
    refused(evaluate, text, {"S": 1}, "k.yaml: macs")


def test_there_is_code_to_look_at() -> None:
    found = {(module, name) for path in CODE for _, module, name in calls(path)}
    assert {("yaml", "load"), ("np", "load")} <= found


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system", "!!python/name:os.system", "!x"]
)
def test_yaml_makes_no_objects(tag: str) -> None:
    with pytest.raises(UserError, match=r"x.yaml:2: found a tag \(!\), allowed plain values only"):
        parse_yaml(f"a: 1\nb: {tag} [x]\n", "x.yaml")


def copied(folder: Path, room: str, name: str, **changes: Any) -> Path:
    """A manifest of this checkout with changes, in a project of its own."""
    file = {"kernels": "kernel.yaml", "targets": "target.yaml"}[room]
    document = yaml.safe_load((ROOT / room / name / file).read_text(encoding="utf-8"))
    for key, value in changes.items():
        place = document
        *way, last = key.split("__")
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
    path = folder / room / name / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


def refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(UserError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", ["header", "glue", "check", "variants__0__sources"])
def test_a_kernels_files_are_its_own(tmp_path: Path, key: str, place: str) -> None:
    changed = {key: [place] if key.endswith("sources") else place}
    project = copied(tmp_path, "kernels", "gelu", **changed)
    said = refused(load_kernel, project, "gelu", tmp_path / "yaml")
    words = re.escape(key.split("__")[-1])
    assert re.match(rf"\S*kernel\.yaml: \S*{words}\S*: found .*, allowed a file ", said), said


@pytest.mark.parametrize("place", PLACES)
def test_a_targets_files_are_below_targets(tmp_path: Path, place: str) -> None:
    project = copied(tmp_path, "targets", "gap9", sources=[place])
    said = refused(load_target, project, "gap9", tmp_path / "yaml")
    assert "target.yaml: sources[0]: found " in said
    assert ", allowed a file below targets/" in said


@pytest.mark.parametrize(
    ("room", "folder", "name"),
    [
        *(("kernels", "gelu", name) for name in ("portable.c", "gelu.h", "job.c", "check.c")),
        *(("targets", "gap9", name) for name in ("startup.S", "link.ld", "target.yaml", "")),
        ("kernels", "gelu", ""),
    ],
)
def test_no_symbolic_link_leads_out_of_the_project(
    tmp_path: Path, room: str, folder: str, name: str
) -> None:
    project = tmp_path / "project"
    outside = ROOT / room / folder
    inside = project / room / folder
    shutil.copytree(outside, inside)
    place = inside / name
    shutil.move(place, kept := project / "kept")
    place.symlink_to(outside / name)
    load = load_kernel if room == "kernels" else load_target
    said = refused(load, project, folder, tmp_path / "yaml")
    assert f"found {name}" in said
    assert "which a symbolic link leads out of the project" in said
    # One that stays in it is nobody's business.
    place.unlink()
    place.symlink_to(kept)
    load(project, folder, tmp_path / "yaml")


@pytest.mark.parametrize("name", ["../gelu", "os", "golden.gelu", "/tmp/x", "gelu;x"])
def test_names_of_golden_models_and_generators_are_names(tmp_path: Path, name: str) -> None:
    project = copied(tmp_path, "kernels", "gelu", golden=name)
    if name == "os":
        # A name: of golden/os.py, never of another module.
        assert load_kernel(project, "gelu", tmp_path / "yaml").golden == "os"
        return
    assert "golden: found " in refused(load_kernel, project, "gelu", tmp_path / "yaml")
    project = copied(tmp_path, "kernels", "gelu", variants__0__generated=[name])
    assert "generated[0]: found " in refused(load_kernel, project, "gelu", tmp_path / "yaml")


@pytest.mark.parametrize("toolchain", ["llvm", "gnu", "gap_sdk"])
@pytest.mark.parametrize("kind", ["cflags", "ldflags"])
def test_flags_of_a_target_load_and_write_nothing(
    tmp_path: Path, toolchain: str, kind: str
) -> None:
    key = f"toolchains__{toolchain}__{kind}"
    for flag in FLAGS:
        project = copied(tmp_path, "targets", "gap9", **{key: [flag]})
        said = refused(load_target, project, "gap9", tmp_path / "yaml")
        assert f"toolchains.{toolchain}.{kind}[0]: found " in said, flag
    project = copied(tmp_path, "targets", "gap9", **{key: GOOD_FLAGS})
    load_target(project, "gap9", tmp_path / "yaml")


def test_a_cluster_listens_here_alone_unless_told() -> None:
    assert cluster.parse({})["host"] == "127.0.0.1"
    for host in ("0.0.0.0", "::", "192.168.1.2", "example.org", ""):
        said = refused(cluster.parse, {"host": host})
        assert "found an address that others reach" in said
        options = cluster.parse({"host": host, "open": "1"})
        assert options["host"] == host
    loopback = cluster.parse({"host": "::1"})
    assert loopback["dashboard_address"] == loopback["worker_dashboard_address"] == "[::1]:0"
