# SPDX-License-Identifier: Apache-2.0
"""The part of a firmware's linker script that its target and its kernel decide.

It defines the memory regions CODE, JOB, DATA and ARENA, the symbols that the harness takes the
addresses of, and binds the names that a kernel's glue calls to one variant's functions. A target's
link.ld includes it as layout.ld. zig hands no search path on to its linker: the link has to run in
the folder of layout.ld.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from touchstone.errors import UserError, unknown
from touchstone.job import kernel_tag

STACK_ALIGNMENT = 16
REGIONS = {"code": "rx", "job": "r", "data": "rw", "arena": "rw"}


def layout_text(
    target: Mapping[str, Any],
    kernel: str,
    bindings: Mapping[str, str],
    memory_map: str | None = None,
) -> str:
    """The text of layout.ld.

    `target` is the document of target.yaml; `memory_map` names one of its memory_maps, None its
    memory. `bindings` maps the names that the glue calls to those of a variant.
    """
    if target["stack_bytes"] % STACK_ALIGNMENT:
        where = f"targets/{target['name']}/target.yaml: stack_bytes"
        raise UserError(f"{where}: found {target['stack_bytes']}, allowed multiples of 16")
    lines = ["/* Generated. */", "MEMORY {"]
    lines += [
        f"    {name.upper()} ({REGIONS[name]}) : ORIGIN = {region['origin']:#010x}, "
        f"LENGTH = {region['bytes']:#x}"
        for name, region in _memory(target, memory_map).items()
    ]
    lines.append("}")
    values = {
        "ts_kernel_tag_value": f"{kernel_tag(kernel):#010x}",
        "ts_stack_bytes_per_core": str(target["stack_bytes"]),
        "ts_max_cores": str(target["cores"]["max"]),
        "ts_console_is_text": _console(target, memory_map),
        **_counter(target, memory_map),
        **dict(sorted(bindings.items())),
    }
    # lld takes `a=b` for one name: the spaces matter.
    lines += [f"{name} = {value};" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def _console(target: Mapping[str, Any], memory_map: str | None) -> str:
    """1 where the console that the firmware writes to only passes text."""
    consoles = target.get("console", {})
    kind = consoles.get(memory_map or "default", consoles.get("default", "bytes"))
    return str(int(kind == "text"))


def _counter(target: Mapping[str, Any], memory_map: str | None) -> dict[str, str]:
    """The register that firmware reads before and after a kernel, where it is one in memory."""
    counters = target.get("cycle_counter", {})
    address = counters.get(memory_map or "default", counters.get("default"))
    return {} if address is None else {"ts_cycle_counter": f"{address:#010x}"}


def _memory(target: Mapping[str, Any], memory_map: str | None) -> Mapping[str, Mapping[str, int]]:
    where = f"targets/{target['name']}/target.yaml"
    if memory_map is None:
        memory = target["memory"]
    elif memory_map in target.get("memory_maps", {}):
        memory = target["memory_maps"][memory_map]
    else:
        raise UserError(unknown(f"{where}: memory_maps", memory_map, target.get("memory_maps", {})))
    regions = {name: memory[name] for name in REGIONS}
    _refuse_overlap(regions, where)
    for name in ("job", "arena"):
        if regions[name]["origin"] % 16:
            raise UserError(f"{where}: memory.{name}.origin is not a multiple of 16")
    return regions


def _refuse_overlap(regions: Mapping[str, Mapping[str, int]], where: str) -> None:
    ordered = sorted(regions, key=lambda name: regions[name]["origin"])
    for low, high in pairwise(ordered):
        if regions[low]["origin"] + regions[low]["bytes"] > regions[high]["origin"]:
            raise UserError(f"{where}: memory regions {low} and {high} overlap")
