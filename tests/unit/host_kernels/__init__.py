# SPDX-License-Identifier: Apache-2.0
"""The portable kernels on the host: built with the embedded toolchain's compiler, run on threads.

`build` compiles every kernel's glue and portable variant with `runner.c` into one program; `run`
lets that program work on a container of vectors.
"""

from __future__ import annotations

import functools
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from touchstone.expression import evaluate, evaluate_with_terms
from touchstone.schedule import OWN, Schedule
from touchstone.vectors import Container

ROOT = Path(__file__).resolve().parents[3]
KERNELS = ROOT / "kernels"
RUNNER = Path(__file__).with_name("runner.c")
PAGES, HEAP = (RUNNER.with_name(name) for name in ("buffers_pages.c", "buffers_heap.c"))
VARIANT = "portable"
# Undefined behaviour ends the program at once; there is no run-time library to report it.
FLAGS = [
    *("-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"),
    *("-fsanitize=undefined", "-fsanitize-trap=undefined"),
]
EMBEDDED = (sys.executable, "-m", "ziglang", "cc")
SANITIZED = (
    *("-std=c11", "-O1", "-g", "-pthread", "-fno-omit-frame-pointer"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
)
# A write one byte beyond a block, and a sum that overflows: what a sanitizer is for.
PLANTED = """#include <stdlib.h>
int main(int argc, char **argv) {
    (void)argv;
    if (argc == 2) {
        volatile size_t size = 5;
        volatile char *block = malloc(size);
        block[4 + argc / 2] = 1;
        free((void *)block);
    }
    volatile int large = 0x7FFFFFFF;
    return argc == 3 ? (large + argc) & 1 : 0;
}
"""


@functools.cache
def _read() -> tuple[dict[str, Any], ...]:
    """Every manifest, once: reading YAML takes longer than most tests do."""
    paths = sorted(KERNELS.glob("*/kernel.yaml"))
    return tuple(yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths)


@functools.cache
def manifests_with(variant: str) -> dict[str, dict[str, Any]]:
    """Manifest of every kernel that has the variant, by name."""
    return {
        manifest["name"]: manifest
        for manifest in _read()
        if any(entry["name"] == variant for entry in manifest["variants"])
    }


def manifests() -> dict[str, dict[str, Any]]:
    """Manifest of every kernel that has a portable variant, by name."""
    return manifests_with(VARIANT)


def glue(kernel: str, variant: str) -> str:
    """The kernel's job.c under names of its own, bound to the variant as the link would do."""
    names = ("ts_job_run", "ts_job_scratch")
    lines = [f"#define {name} {name}_{kernel}" for name in names]
    lines += [
        f"#define ts_{kernel} ts_{kernel}_{variant}",
        f"#define ts_{kernel}_scratch ts_{kernel}_{variant}_scratch",
        f'#include "{(KERNELS / kernel / "job.c").as_posix()}"',
    ]
    return "\n".join(lines) + "\n"


def checked_glue(manifest: dict[str, Any], variant: str) -> str:
    """The same, and each call's arguments are checked first: they must be right, but for where
    operands lie, which have to end or begin at a page here."""
    kernel, header = manifest["name"], (KERNELS / manifest["name"]).as_posix()
    args = manifest.get("args", f"ts_{kernel}_args")
    return f"""#include <stdlib.h>
#define ts_{kernel}_scratch ts_{kernel}_{variant}_scratch
#include "{header}/check.c"
static void checked(const ts_team *team, const {args} *args, void *scratch) {{
    const ts_status status = ts_{kernel}_check(team, args, scratch);
    if (status != TS_OK && status != TS_ERROR_ALIGNMENT)
        abort();
    ts_{kernel}_{variant}(team, args, scratch);
}}
#define ts_job_run ts_job_run_{kernel}
#define ts_job_scratch ts_job_scratch_{kernel}
#define ts_{kernel} checked
#include "{header}/job.c"
"""


def build_checks(directory: Path) -> Path:
    """checks.c with the portable kernels under the operations' own names."""
    from touchstone.library import entry_source
    from touchstone.manifest import load_kernel

    sources = [Path(__file__).with_name("checks.c")]
    for name in manifests():
        kernel = load_kernel(ROOT, name, directory / "yaml")
        entry = directory / f"{name}.c"
        text = entry_source(kernel, kernel.variant(VARIANT))
        entry.write_text(text.replace('#include "', f'#include "{name}/', 1))
        sources += [entry, KERNELS / name / "check.c", KERNELS / name / f"{VARIANT}.c"]
    program = directory / "checks"
    includes = [f"-I{KERNELS}", f"-I{KERNELS / 'include'}"]
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, "-UNDEBUG", *includes]
    command += [*map(str, sources), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


def _table(kernels: list[str]) -> str:
    """kernels.h: the entry points in the order of `kernels`."""
    lines = ['#include "ts_job.h"', f"enum {{ HOST_KERNELS = {len(kernels)} }};"]
    for kernel in kernels:
        lines.append(f"void ts_job_run_{kernel}(const ts_team *, const ts_case *);")
        lines.append(f"uint32_t ts_job_scratch_{kernel}(const ts_shape *, uint32_t);")
    lines.append("typedef struct {")
    lines.append("    void (*run)(const ts_team *, const ts_case *);")
    lines.append("    uint32_t (*scratch)(const ts_shape *, uint32_t);")
    lines.append("} host_kernel;")
    lines.append("static const host_kernel host_kernels[HOST_KERNELS] = {")
    lines += [f"    {{ts_job_run_{kernel}, ts_job_scratch_{kernel}}}," for kernel in kernels]
    return "\n".join([*lines, "};"]) + "\n"


def sanitizing_compiler(directory: Path) -> tuple[str, ...] | None:
    """The first compiler here whose AddressSanitizer and UndefinedBehaviorSanitizer find what is
    planted; None where there is none. The embedded one comes without their run-time library."""
    source, program = directory / "planted.c", directory / "planted"
    source.write_text(PLANTED)
    for compiler in (EMBEDDED, ("clang",), ("gcc",), ("cc",)):
        try:
            command = [*compiler, *SANITIZED, str(source), "-o", str(program)]
            if subprocess.run(command, capture_output=True).returncode != 0:
                continue
            ends = [
                subprocess.run([program, *words], capture_output=True, env=sanitizer_options())
                for words in ([], ["1"], ["1", "2"])
            ]
        except OSError:
            continue
        said = [end.stderr for end in ends]
        if [end.returncode != 0 for end in ends] == [False, True, True] and (
            b"AddressSanitizer: heap-buffer-overflow" in said[1]
            and b"signed integer overflow" in said[2]
        ):
            return compiler
    return None


def sanitizer_options() -> dict[str, str]:
    """The environment of sanitized programs; leaks are no matter of kernels."""
    return {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}


def build(
    directory: Path,
    compiler: Sequence[str] = EMBEDDED,
    flags: Sequence[str] = tuple(FLAGS),
    buffers: Path = PAGES,
) -> Path:
    """The program, in `directory`."""
    kernels = list(manifests())
    (directory / "kernels.h").write_text(_table(kernels))
    sources = [RUNNER, buffers]
    for kernel in kernels:
        path = directory / f"{kernel}_glue.c"
        path.write_text(checked_glue(manifests()[kernel], VARIANT))
        sources += [path, KERNELS / kernel / f"{VARIANT}.c"]
    program = directory / "runner"
    includes = [f"-I{directory}", f"-I{RUNNER.parent}", f"-I{KERNELS / 'include'}"]
    command = [*compiler, *flags, *includes, *map(str, sources)]
    done = subprocess.run([*command, "-o", str(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


def scratch_bytes(variant: dict[str, Any], sizes: dict[str, int]) -> int:
    """Scratch of a variant as its manifest writes it; `sizes` as in `evaluate`."""
    values = {"tile": 0, "heads": 0, "order": 0, "per_channel": 0, **sizes}
    return evaluate_with_terms(variant["scratch"], variant.get("terms", {}), values, "scratch")


def _request(
    manifest: dict[str, Any], container: Container, cores: int, schedule: Schedule
) -> bytes:
    sizes = {**container.shape, "cores": cores}
    variant = next(entry for entry in manifest["variants"] if entry["name"] == VARIANT)
    scratch = scratch_bytes(variant, {**sizes, **schedule.values()})
    index = list(manifests()).index(manifest["name"])
    shape = [container.shape[name] for name in "SEPHF"]
    counts = [len(container.cases), len(manifest["params"]), len(manifest["operands"])]
    order = schedule.values().values()
    request = struct.pack("=14I", index, *shape, *order, cores, scratch, *counts)
    for case in container.cases:
        request += b"".join(struct.pack("=I", case.params[name]) for name in manifest["params"])
        for operand in manifest["operands"][:-1]:
            data = case.operand(operand["name"]).data
            request += struct.pack("=I", len(data)) + data
        request += struct.pack("=I", output_bytes(manifest, sizes))
    return request


def output_bytes(manifest: dict[str, Any], sizes: dict[str, int]) -> int:
    """Size of the output; outputs are int8 or uint8, so elements are bytes."""
    count = 1
    for dimension in manifest["operands"][-1]["shape"]:
        count *= evaluate(str(dimension), {**sizes, "per_channel": 0}, "output")
    return count


def run(
    program: Path,
    manifest: dict[str, Any],
    container: Container,
    cores: int,
    scratch: Path,
    schedule: Schedule = OWN,
) -> list[bytes]:
    """The output of every case; `scratch` is a directory for files of this call."""
    request = scratch / "request.bin"
    request.write_bytes(_request(manifest, container, cores, schedule))
    done = subprocess.run(
        [str(program), str(request)], capture_output=True, timeout=120, env=sanitizer_options()
    )
    assert done.returncode == 0, f"exit status {done.returncode}: {done.stderr.decode()}"
    size = len(done.stdout) // len(container.cases)
    return [done.stdout[i * size : (i + 1) * size] for i in range(len(container.cases))]
