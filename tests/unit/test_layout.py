# SPDX-License-Identifier: Apache-2.0
"""The generated part of the linker script."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from touchstone.errors import UserError
from touchstone.job import kernel_tag
from touchstone.layout import layout_text


def region(origin: int, size: int) -> dict[str, int]:
    return {"origin": origin, "bytes": size}


TARGET: dict[str, Any] = {
    "name": "board",
    "cores": {"max": 4, "default": 2},
    "stack_bytes": 1024,
    "memory": {
        "data": region(0x20000000, 0x1000),
        "arena": region(0x20001000, 0x3000),
        "code": region(0x08000000, 0x40000),
        "job": region(0x08040000, 0xC0000),
    },
    "memory_maps": {
        "qemu": {
            "code": region(0, 0x1000),
            "job": region(0x1000, 0x1000),
            "data": region(0x20000000, 0x1000),
            "arena": region(0x20001000, 0x1000),
        }
    },
}
BINDINGS = {"ts_add_scratch": "ts_add_portable_scratch", "ts_add": "ts_add_portable"}


def test_text() -> None:
    assert layout_text(TARGET, "add", BINDINGS) == (
        "/* Generated. */\n"
        "MEMORY {\n"
        "    CODE (rx) : ORIGIN = 0x08000000, LENGTH = 0x40000\n"
        "    JOB (r) : ORIGIN = 0x08040000, LENGTH = 0xc0000\n"
        "    DATA (rw) : ORIGIN = 0x20000000, LENGTH = 0x1000\n"
        "    ARENA (rw) : ORIGIN = 0x20001000, LENGTH = 0x3000\n"
        "}\n"
        f"ts_kernel_tag_value = {kernel_tag('add'):#010x};\n"
        "ts_stack_bytes_per_core = 1024;\n"
        "ts_max_cores = 4;\n"
        "ts_console_is_text = 0;\n"
        "ts_add = ts_add_portable;\n"
        "ts_add_scratch = ts_add_portable_scratch;\n"
    )


def test_counter_of_the_memory_map() -> None:
    target = {**TARGET, "cycle_counter": {"default": 0xE0001004, "qemu": 0x40028018}}
    assert "ts_cycle_counter = 0xe0001004;\n" in layout_text(target, "add", BINDINGS)
    assert "ts_cycle_counter = 0x40028018;\n" in layout_text(target, "add", BINDINGS, "qemu")
    del target["cycle_counter"]["qemu"]
    assert "ts_cycle_counter = 0xe0001004;\n" in layout_text(target, "add", BINDINGS, "qemu")


def test_console_of_the_memory_map() -> None:
    target = {**TARGET, "console": {"default": "bytes", "qemu": "text"}}
    assert "ts_console_is_text = 0;\n" in layout_text(target, "add", BINDINGS)
    assert "ts_console_is_text = 1;\n" in layout_text(target, "add", BINDINGS, "qemu")


def test_order_of_bindings_does_not_matter() -> None:
    turned = dict(reversed(BINDINGS.items()))
    assert layout_text(TARGET, "add", turned) == layout_text(TARGET, "add", BINDINGS)


def test_memory_map_of_a_simulator() -> None:
    assert "ORIGIN = 0x00001000, LENGTH = 0x1000" in layout_text(TARGET, "add", BINDINGS, "qemu")


def test_unknown_memory_map() -> None:
    with pytest.raises(UserError, match="found 'qenu', allowed qemu; did you mean qemu"):
        layout_text(TARGET, "add", BINDINGS, "qenu")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("memory", "job", "origin"), 0x0803FFF0, "regions code and job overlap"),
        (("memory", "arena", "origin"), 0x20001004, "memory.arena.origin is not a multiple of 16"),
        (("stack_bytes",), 1000, "stack_bytes: found 1000, allowed multiples of 16"),
    ],
)
def test_manifest_that_cannot_be_linked(path: tuple[str, ...], value: int, message: str) -> None:
    target = copy.deepcopy(TARGET)
    place = target
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(UserError, match=message):
        layout_text(target, "add", BINDINGS)
