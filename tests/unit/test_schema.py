# SPDX-License-Identifier: Apache-2.0
"""Schemas: the one line of each class of bad input, and what is remembered."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from touchstone.errors import UserError
from touchstone.schema import SCHEMAS, key_path, load_validated, validate
from touchstone.yamlio import load_yaml

ROOT = Path(__file__).resolve().parents[2]
KERNEL: dict[str, Any] = {
    "name": "add",
    "summary": "Sum",
    "header": "add.h",
    "glue": "job.c",
    "golden": "add",
    "macs": 0,
    "elements": "S*E",
    "peak": "none",
    "params": ["shift"],
    "operands": [
        {"name": "a", "role": "activation", "type": "int8", "shape": ["S", "E"]},
        {"name": "output", "role": "output", "type": "int8", "shape": ["S", "E"]},
    ],
    "variants": [{"name": "portable", "isa": "any", "sources": ["portable.c"], "scratch": "0"}],
}
OPERAND: dict[str, Any] = KERNEL["operands"][0]
VARIANT: dict[str, Any] = KERNEL["variants"][0]


def line(document: dict[str, Any], schema: str) -> str:
    with pytest.raises(UserError) as caught:
        validate(document, schema, Path("k.yaml"))
    return str(caught.value)


def manifests(room: str, name: str) -> list[Path]:
    return sorted((ROOT / room).glob(f"*/{name}"))


@pytest.mark.parametrize("path", manifests("kernels", "kernel.yaml"), ids=lambda p: p.parent.name)
def test_our_kernels_are_valid(path: Path) -> None:
    validate(load_yaml(path), "kernel", path)


@pytest.mark.parametrize("path", manifests("targets", "target.yaml"), ids=lambda p: p.parent.name)
def test_our_targets_are_valid(path: Path) -> None:
    validate(load_yaml(path), "target", path)


def test_a_schema_is_a_schema() -> None:
    from jsonschema import Draft202012Validator

    for path in sorted(SCHEMAS.glob("*.json")):
        Draft202012Validator.check_schema(json.loads(path.read_bytes()))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"header": 3},
            "k.yaml: header: found 3, allowed a file name ending in .h",
        ),
        (
            {"operand": []},
            "k.yaml: top level: key: found 'operand', allowed args, check, elements, glue, "
            "golden, header, layouts, macs, name, operands, params, peak, summary, variants; "
            "did you mean operands?",
        ),
        (
            {"peak": "dot9"},
            "k.yaml: peak: found 'dot9', allowed dot8, none; did you mean dot8?",
        ),
        (
            {"operands": [OPERAND, {**OPERAND, "type": "int9"}]},
            "k.yaml: operands[1].type: found 'int9', allowed int16, int32, int8, uint16, uint32, "
            "uint8; did you mean int8?",
        ),
        (
            {"operands": [OPERAND, {**OPERAND, "shape": ["S", "Q*E"]}]},
            "k.yaml: operands[1].shape[1]: name in 'Q*E': found 'Q', allowed E, F, H, P, S, "
            "cores, heads, order, per_channel, tile",
        ),
        (
            {"operands": [OPERAND, {**OPERAND, "shape": []}]},
            "k.yaml: operands[1].shape: found an empty list, allowed a list of 1 to 4 expressions",
        ),
        (
            {"operands": [OPERAND]},
            "k.yaml: operands: found a list of 1, allowed a list of at least an input and the "
            "output",
        ),
        (
            {"macs": -1},
            "k.yaml: macs: found -1, allowed a whole number of at least 0",
        ),
        (
            {"macs": 1.0},
            "k.yaml: macs: found 1.0, allowed a whole number or an expression",
        ),
        (
            {"macs": True},
            "k.yaml: macs: found true, allowed a whole number or an expression",
        ),
        (
            {"macs": None},
            "k.yaml: macs: found nothing, allowed a whole number or an expression",
        ),
        (
            {"name": "Add\n"},
            "k.yaml: name: found 'Add\\n', allowed a name of lower-case letters, digits and _",
        ),
        (
            {"params": ["shift", "shift"]},
            "k.yaml: params: found a list of 2, allowed a list of different names",
        ),
        (
            {"variants": [{**VARIANT, "sources": ["/etc/passwd"]}]},
            "k.yaml: variants[0].sources[0]: found '/etc/passwd', allowed a file below the "
            "manifest's folder",
        ),
        (
            {"variants": [{"name": "portable", "isa": "any", "scratch": "0"}]},
            "k.yaml: variants[0]: found keys 'name', 'isa', 'scratch'; 'sources' is missing",
        ),
        (
            {"layouts": {"words": {}}},
            "k.yaml: layouts.words: found an empty mapping, allowed a mapping of operand to packer",
        ),
        (
            {"summary": "x" * 99, "glue": "x" * 99},
            f"k.yaml: glue: found '{'x' * 56}..., allowed a file name ending in .c",
        ),
    ],
)
def test_bad_input_is_one_line(change: dict[str, Any], expected: str) -> None:
    validate(KERNEL, "kernel", Path("k.yaml"))
    assert line({**KERNEL, **change}, "kernel") == expected


def test_a_misspelt_key_explains_the_missing_one() -> None:
    document = {**KERNEL, "gleu": KERNEL["glue"]}
    del document["glue"]
    assert line(document, "kernel").endswith("did you mean glue?")


def test_key_paths() -> None:
    assert key_path(["cells", 0, "shapes", 1, "S"]) == "cells[0].shapes[1].S"
    assert key_path([]) == ""


def test_a_valid_document_is_remembered_by_content(tmp_path: Path) -> None:
    path, cache = tmp_path / "s.yaml", tmp_path / "cache"
    path.write_text("schema: 1\nskips: []\n")
    assert load_validated(path, "skips", cache) == {"schema": 1, "skips": []}
    assert len(list(cache.iterdir())) == 1
    assert load_validated(path, "skips", cache) == {"schema": 1, "skips": []}
    path.write_text("schema: 1\nskips: [{cell: a/b, reason: r}]\n")
    assert load_validated(path, "skips", cache)["skips"] == [{"cell": "a/b", "reason": "r"}]
    assert len(list(cache.iterdir())) == 2


def test_what_is_remembered_keeps_its_order(tmp_path: Path) -> None:
    text = (SCHEMAS.parents[2] / "targets" / "stm32l4" / "target.yaml").read_text(encoding="utf-8")
    path, cache = tmp_path / "target.yaml", tmp_path / "cache"
    path.write_text(text, encoding="utf-8")
    for _ in range(2):
        document = load_validated(path, "target", cache)
        assert list(document["toolchains"]) == ["llvm", "gnu"]


def test_what_is_remembered_needs_neither_yaml_nor_jsonschema(tmp_path: Path) -> None:
    path, cache = tmp_path / "s.yaml", tmp_path / "cache"
    path.write_text("schema: 1\nskips: []\n")
    load_validated(path, "skips", cache)
    program = (
        "import sys; from pathlib import Path; from touchstone.schema import load_validated; "
        f"print(load_validated(Path({str(path)!r}), 'skips', Path({str(cache)!r}))); "
        "print(sorted({'yaml', 'jsonschema', 'ast'} & set(sys.modules)))"
    )
    command = [sys.executable, "-S", "-c", program]
    environ = {"PYTHONPATH": str(ROOT / "site_scons")}
    result = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert result.stdout == "{'schema': 1, 'skips': []}\n[]\n"


@pytest.mark.parametrize("damage", [b"", b"{}", b"0\n{}", b"\xff\xfe", b"flipped"])
def test_a_damaged_memory_is_ignored(tmp_path: Path, damage: bytes) -> None:
    path, cache = tmp_path / "s.yaml", tmp_path / "cache"
    path.write_text("schema: 1\nskips: []\n")
    load_validated(path, "skips", cache)
    (remembered,) = cache.iterdir()
    whole = remembered.read_bytes()
    remembered.write_bytes(whole.replace(b"skips", b"skipz") if damage == b"flipped" else damage)
    assert load_validated(path, "skips", cache) == {"schema": 1, "skips": []}
    assert remembered.read_bytes() == whole


def test_what_is_wrong_is_not_remembered(tmp_path: Path) -> None:
    path, cache = tmp_path / "s.yaml", tmp_path / "cache"
    path.write_text("schema: 2\nskips: []\n")
    for _ in range(2):
        with pytest.raises(UserError, match=r"s\.yaml: schema: found 2, allowed 1$"):
            load_validated(path, "skips", cache)
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    path, cache = tmp_path / "s.yaml", tmp_path / "cache"
    path.write_text("schema: 1\nskips: []\n")
    cache.write_text("not a folder")
    assert load_validated(path, "skips", cache) == {"schema": 1, "skips": []}


def test_results_schema_has_what_results_have() -> None:
    """A field or a status that is added to results is published too."""
    from dataclasses import fields

    from touchstone.results import SCHEMA, STATUSES, CellResult

    schema = json.loads((SCHEMAS / "results.schema.json").read_bytes())
    cell = schema["properties"]["cells"]["items"]
    names = {field.name for field in fields(CellResult)}
    assert set(cell["properties"]) == set(cell["required"]) == names
    assert set(cell["properties"]["status"]["enum"]) == set(STATUSES)
    assert schema["properties"]["schema"]["const"] == SCHEMA
