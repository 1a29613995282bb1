# SPDX-License-Identifier: Apache-2.0
"""What the command line asks for: `key=value` words, checked before anything is planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from touchstone.cachedir import DEFAULT_MEGABYTES, MODES
from touchstone.errors import UserError, unknown
from touchstone.manifest import DIMENSIONS
from touchstone.schedule import ORDERS, Schedule

MAX_DIMENSION = 65535
MAX_CORES = 1024
MAX_RETRIES = 10
FLAKY = ("warn", "fail")
BENCH = ("check", "accept", "record")

VARIABLES: Mapping[str, str] = {
    "target": "targets, a comma-separated list of names or globs (all)",
    "kernel": "kernels, a comma-separated list of names or globs (all)",
    "model": "whole networks: names of configs/models, all, or a .yaml or .onnx file of yours",
    "rounding": "floor or half_up: what requantisation in model=FILE.onnx means (half_up)",
    "cell": "one cell by its id, or a glob over the ids of the config",
    "variant": "kernel variants: names, globs, or all (the target's best)",
    "S": "sequence lengths, a comma-separated list (the config's)",
    "E": "embedding widths (the config's)",
    "P": "projection widths per head (the config's)",
    "H": "numbers of heads (the config's)",
    "F": "feed-forward widths (the config's)",
    "cores": "numbers of cores (the config's, or the target's default)",
    "config": "matrix file (configs/default.yaml), or the seed project's testConfig.yml",
    "tile": "query rows of a map tile, of depth-first kernels (the variant's own choice)",
    "heads": "heads whose keys and values exist at once, of depth-first kernels (the same)",
    "order": "what depth-first kernels keep: context, accumulate, recompute (the same)",
    "seed": "seed of the random vectors (the config's)",
    "sim": "simulator (the first that the target names)",
    "command": "what sim=command runs, with {elf} for the image (target.yaml's command)",
    "settings": "a simulator's settings, as name:value,... (those of target.yaml)",
    "toolchain": "toolchain (the first that the target names)",
    "cflags": "extra compiler flags for firmware and kernels",
    "inputs": "your own vectors: a .npz with arrays named as operands and parameters",
    "executor": "who simulates: dask://HOST:PORT is a cluster (local)",
    "shard": "i/n: this part of n of the plan; put together by `merge` (all of it)",
    "costs": "record of what cells cost, which shards are cut by (configs/costs.json)",
    "compare": "two variants, A,B: their cells side by side",
    "watch": "1 runs the command again whenever a file is saved (./scons only)",
    "bench": "check, accept or record: hold figures against configs/baselines, or write them",
    "reason": "why bench=accept may move a baseline",
    "thresholds": "metric:percent,... that bench=check allows (none)",
    "only": "failed: of what is selected, the cells that did not end well when last selected",
    "fail_fast": "1 stops at the first cell that fails",
    "retries": "how often a cell is simulated anew after an infrastructure error (1)",
    "flaky": "warn (the default) or fail: what a cell is that needed a retry",
    "cache": "folder of the cache of built files and runs (build/cache); may be shared",
    "cache_mode": "read-write (the default), read-only (adds nothing), off",
    "cache_size": "megabytes that the cache is pruned to, what was unused longest first (2048)",
    "dump": "1 writes inputs, output and golden of each cell as .npy",
    "gdb": "1 stops one cell at main, under a simulator that speaks GDB's protocol",
    "image": "elf, hex or both: writes each cell's image, to flash or to debug",
    "profile": "1 says where the timed run's cycles go: functions, lines, stalls",
    "trace": "1 writes the instructions of the timed run with their results",
    "verbose": "1 prints whole commands",
}


@dataclass(frozen=True)
class Request:
    """A checked command line; None means: not said."""

    target: tuple[str, ...] | None = None
    kernel: tuple[str, ...] | None = None
    cell: str | None = None
    variant: tuple[str, ...] | None = None
    dimensions: Mapping[str, tuple[int, ...]] | None = None
    cores: tuple[int, ...] | None = None
    schedules: tuple[Schedule, ...] | None = None
    config: str | None = None
    seed: int | None = None
    sim: str | None = None
    command: str | None = None
    settings: tuple[tuple[str, str], ...] = ()
    toolchain: str | None = None
    cflags: tuple[str, ...] = ()
    inputs: str | None = None
    executor: str = "local"
    shard: str | None = None
    costs: str | None = None
    compare: tuple[str, ...] | None = None
    bench: str | None = None
    reason: str | None = None
    thresholds: tuple[tuple[str, str], ...] = ()
    only: str | None = None
    fail_fast: bool = False
    retries: int = 1
    flaky: str = FLAKY[0]
    cache: str | None = None
    cache_mode: str = MODES[0]
    cache_size: int = DEFAULT_MEGABYTES
    dump: bool = False
    gdb: bool = False
    image: str | None = None
    profile: bool = False
    trace: bool = False
    verbose: bool = False


def parse_request(arguments: Mapping[str, str]) -> Request:
    """Check `key=value` words; UserError names key, value and what is allowed."""
    for name in arguments:
        if name not in VARIABLES:
            raise UserError(unknown("command line: variable", name, VARIABLES))
    for name in ("model", "rounding"):
        if name in arguments:
            raise UserError(f"{name}=: allowed without other words, and with describe")
    dimensions = {
        name: _integers(name, arguments[name], 1, MAX_DIMENSION)
        for name in DIMENSIONS
        if name in arguments
    }
    return Request(
        target=_names("target", arguments),
        kernel=_names("kernel", arguments),
        cell=_word("cell", arguments),
        variant=_names("variant", arguments) or _compared(arguments),
        dimensions=dimensions or None,
        cores=(
            _integers("cores", arguments["cores"], 1, MAX_CORES) if "cores" in arguments else None
        ),
        schedules=_schedules(arguments),
        config=_word("config", arguments),
        seed=(_integer("seed", arguments["seed"], 0, 2**63 - 1) if "seed" in arguments else None),
        sim=_word("sim", arguments),
        command=_word("command", arguments),
        settings=_pairs("settings", arguments),
        toolchain=_word("toolchain", arguments),
        cflags=tuple(arguments.get("cflags", "").split()),
        inputs=_word("inputs", arguments),
        executor=_word("executor", arguments) or "local",
        shard=_word("shard", arguments),
        costs=_word("costs", arguments),
        compare=_compared(arguments),
        bench=_choice("bench", arguments, BENCH) if "bench" in arguments else None,
        reason=_word("reason", arguments),
        thresholds=_pairs("thresholds", arguments),
        only=_choice("only", arguments, ("failed",)) if "only" in arguments else None,
        fail_fast=_switch("fail_fast", arguments),
        retries=_integer("retries", arguments.get("retries", "1"), 0, MAX_RETRIES),
        flaky=_choice("flaky", arguments, FLAKY),
        cache=_word("cache", arguments),
        cache_mode=_choice("cache_mode", arguments, MODES),
        cache_size=_integer(
            "cache_size", arguments.get("cache_size", str(DEFAULT_MEGABYTES)), 1, 2**40
        ),
        dump=_switch("dump", arguments),
        gdb=_switch("gdb", arguments),
        image=_word("image", arguments),
        profile=_switch("profile", arguments),
        trace=_switch("trace", arguments),
        verbose=_switch("verbose", arguments),
    )


def _names(key: str, arguments: Mapping[str, str]) -> tuple[str, ...] | None:
    if key not in arguments:
        return None
    names = tuple(name.strip() for name in arguments[key].split(","))
    if not all(names):
        raise UserError(f"{key}={arguments[key]}: found an empty name, allowed a list such as a,b")
    return names


def _schedules(arguments: Mapping[str, str]) -> tuple[Schedule, ...] | None:
    """The product of what tile=, heads= and order= list; None where none of them is said."""
    if not {"tile", "heads", "order"} & set(arguments):
        return None
    numbers = {
        key: _integers(key, arguments[key], 1, MAX_DIMENSION) if key in arguments else (0,)
        for key in ("tile", "heads")
    }
    orders = _names("order", arguments) or ("",)
    for order in orders:
        if order and order not in ORDERS:
            raise UserError(unknown("order", order, ORDERS[1:]))
    return tuple(
        Schedule(tile, heads, order)
        for order in orders
        for heads in numbers["heads"]
        for tile in numbers["tile"]
    )


def _pairs(key: str, arguments: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for part in _names(key, arguments) or ():
        name, separator, value = part.partition(":")
        if not (separator and name and value):
            raise UserError(f"{key}={arguments[key]}: found {part!r}, allowed name:value,...")
        pairs.append((name, value))
    return tuple(pairs)


def _compared(arguments: Mapping[str, str]) -> tuple[str, ...] | None:
    names = _names("compare", arguments)
    if names is None:
        return None
    if len(names) != 2 or names[0] == names[1]:
        found = arguments["compare"]
        raise UserError(f"compare={found}: found {found!r}, allowed two variants such as a,b")
    if "variant" in arguments:
        raise UserError("compare: found variant= too, allowed one of them")
    return names


def _word(key: str, arguments: Mapping[str, str]) -> str | None:
    value = arguments.get(key)
    if value is not None and not value.strip():
        raise UserError(f"{key}=: found nothing, allowed {VARIABLES[key]}")
    return value


def _choice(key: str, arguments: Mapping[str, str], allowed: Sequence[str]) -> str:
    value = arguments.get(key, allowed[0])
    if value not in allowed:
        raise UserError(unknown(f"{key}={value}", value, allowed))
    return value


def _switch(key: str, arguments: Mapping[str, str]) -> bool:
    value = arguments.get(key, "0")
    if value not in ("0", "1"):
        raise UserError(f"{key}={value}: found {value!r}, allowed 0, 1")
    return value == "1"


def _integers(key: str, text: str, low: int, high: int) -> tuple[int, ...]:
    values = [_integer(key, part.strip(), low, high, text) for part in text.split(",")]
    return tuple(dict.fromkeys(values))


def _integer(key: str, part: str, low: int, high: int, text: str | None = None) -> int:
    # int() would also take "1_000", " 7" and digits of other scripts.
    value = int(part) if part.isascii() and part.isdigit() and len(part) < 20 else None
    if value is None or not low <= value <= high:
        raise UserError(
            f"{key}={text or part}: found {part!r}, allowed whole numbers {low} to {high}"
        )
    return value


def help_text() -> str:
    """What `--help` prints."""
    width = max(map(len, VARIABLES))
    lines = ["", "Variables, as key=value (what holds without it in brackets):"]
    lines += [f"  {name.ljust(width)}  {meaning}" for name, meaning in VARIABLES.items()]
    lines += [
        "",
        "Words instead of a build: list, plan, describe, accuracy, fuzz, lib, merge, costs,",
        "report, image, compiledb, cluster, doctor, fidelity, mutation, peers, paper,",
        "trend, test. README.md says what they do.",
        "",
    ]
    return "\n".join(lines)
