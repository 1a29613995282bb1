# SPDX-License-Identifier: Apache-2.0
"""`./scons model=NAME` and `./scons describe model=NAME`.

The networks are generated as kernels of a project (project.py), which the ordinary build compiles,
simulates and checks. Afterwards: latency, energy, memory and each layer's share of the cycles.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.app import prepare
from touchstone.errors import UserError
from touchstone.files import read_json, write_atomically, write_json
from touchstone.manifest import Catalogue, load_catalogue
from touchstone.network.deviation import Investigator, explained
from touchstone.network.model import Described, find_models
from touchstone.network.report import Cell, html, markdown, read_cells, terminal
from touchstone.rooms import python_path
from touchstone.simulators.registry import EMBEDDED

YAML_CACHE = "build/yaml"
PROJECT = "build/networks"
REPORT = "build/report"
# The same as for cells of the matrix; the network itself says kernel, shape and variant.
PASSED_ON = ("target", "cores", "sim", "toolchain", "settings", "cflags", "verbose", "dump", "seed")
PASSED_ON_TOO = ("profile", "trace", "gdb", "image", "only", "fail_fast", "retries", "flaky")
PASSED_ON_TO_BENCH = ("bench", "reason", "thresholds")
ALLOWED = (*PASSED_ON, *PASSED_ON_TOO, *PASSED_ON_TO_BENCH)
# The networks' baselines: of this project, and where the generated one looks for its own.
BASELINES, THEIRS = "configs/baselines/networks", f"{PROJECT}/configs/baselines"
MOST_PROFILES = 20
UNTIMED = ("dump", "image", *PASSED_ON_TO_BENCH)


def run(root: Path, arguments: Mapping[str, str]) -> int:
    """Build, simulate and check networks, and print what came of it; the exit status."""
    status, cells = measure(root, arguments)
    if not cells:
        return status
    write_atomically(root / REPORT / "networks.md", markdown(cells).encode("utf-8"))
    write_atomically(root / REPORT / "networks.html", html(cells).encode("utf-8"))
    print(f"\n{terminal(cells)}", flush=True)
    return status


def measure(root: Path, arguments: Mapping[str, str]) -> tuple[int, list[Cell]]:
    """The build's exit status, and the cells with their layers: none where nothing was planned."""
    words = dict(arguments)
    said = words.pop("model")
    models = find_models(root, said, root / YAML_CACHE, words.pop("rounding", ""))
    models = _with_data(models) if said == "all" else models
    for name in words:
        if name not in ALLOWED:
            raise UserError(f"model=: found {name}= beside it, allowed {', '.join(ALLOWED)}")
    facts = generate(root, models)
    words["kernel"] = ",".join(model.name for model in models)
    _refuse_what_fits_nowhere(root, words, facts)
    _copy(root / BASELINES, root / THEIRS)
    status = run_scons(root, words)
    if words.get("bench") == "accept" and status == 0:
        _copy(root / THEIRS, root / BASELINES)
    results = read_json(root / PROJECT / REPORT / "results.json")
    if status == 2 or not isinstance(results, dict):
        return status, []
    _profile(root, words, results["cells"])
    cells = read_cells(root / PROJECT, results["cells"], facts, _clocks(root))
    if any(cell.wrong for cell in cells):
        cells = explained(cells, models, Investigator(root, _catalogue(root), run_quietly, words))
    return status, cells


def _copy(source: Path, target: Path) -> None:
    """Baselines of the networks, which are no part of what is generated: all, and no others."""
    for path in target.glob("*.json"):
        if not (source / path.name).is_file():
            path.unlink()
    for path in sorted(source.glob("*.json")):
        data = path.read_bytes()
        if not (target / path.name).is_file() or (target / path.name).read_bytes() != data:
            write_atomically(target / path.name, data)


def _with_data(models: Sequence[Described]) -> list[Described]:
    """What `all` means: without networks whose recordings are in packages that are not here."""
    from golden.case import GoldenError
    from golden.network.datasets import load_dataset

    kept = []
    for model in models:
        try:
            if model.data and model.weights:
                load_dataset(model.data)
            kept.append(model)
        except GoldenError as error:
            print(f"left out of model=all: {model.name}: {error}", flush=True)
    return kept


def _refuse_what_fits_nowhere(
    root: Path, words: Mapping[str, str], facts: Mapping[str, Any]
) -> None:
    """A network that fits on none of the targets is bad input, said before anything is built."""
    targets = _catalogue(root).targets.items()
    spans = {name: target.memory["arena"].bytes for name, target in targets}
    if all(
        one["arena_bytes"][name] + one["weight_bytes"][name] <= span
        for one in facts.values()
        for name, span in spans.items()
    ):
        return
    join_rooms(root)
    said = {**words, "config": str(root / PROJECT / "matrix.yaml")}
    plans = prepare(root / PROJECT, said).plans
    if all(plan.planned.skip is not None for plan in plans):
        first = plans[0]
        where = f"{first.cell.kernel.name} on {first.cell.target.name}"
        raise UserError(f"{where}: {first.planned.skip}")


def join_rooms(root: Path) -> None:
    """Golden models of the generated project are found beside the others."""
    places = python_path(root / PROJECT)
    sys.path[:0] = [place for place in places if place not in sys.path]
    importlib.invalidate_caches()  # they may have just been written
    for name in ("golden", "golden.packers"):
        if name in sys.modules:
            package = sys.modules[name]
            package.__path__ = pkgutil.extend_path(package.__path__, name)


def generate(root: Path, models: Sequence[Described]) -> Mapping[str, Any]:
    """The project with these networks, made where anything it comes from is new: what the reports
    need to know of them."""
    stamp = _stamp(root, models)
    path = root / PROJECT / "facts.json"
    known = read_json(path)
    if isinstance(known, dict) and known.get("stamp") == stamp:
        return dict(known["networks"])
    # Imported here: golden models need numpy, and nothing to do needs neither.
    from touchstone.network.project import write_project
    from touchstone.network.source import network_of

    catalogue = load_catalogue(root, root / YAML_CACHE)
    made = write_project(root, [(model, network_of(model)) for model in models], catalogue)
    networks = {
        name: {
            "layers": [layer.name for layer in deployments[0].network.layers],
            "functions": {
                one.target.name: [call.function for call in one.calls] for one in deployments
            },
            "arena_bytes": {one.target.name: one.arena.bytes for one in deployments},
            "weight_bytes": {one.target.name: one.weight_bytes for one in deployments},
        }
        for name, deployments in made.items()
    }
    write_json(path, {"stamp": stamp, "networks": networks})
    return networks


def _stamp(root: Path, models: Iterable[Described]) -> str:
    """A hash of everything that generated files come from."""
    digest = hashlib.sha256(repr(list(models)).encode())
    for model in models:
        digest.update(_contents(model.path))
        for name in filter(None, (model.weights, model.calibration)):
            digest.update(_contents(model.path.parent / name))
    places = ("golden/**/*.py", "kernels/*/kernel.yaml", "targets/*/target.yaml")
    for pattern in (*places, "site_scons/touchstone/network/*.py"):
        for path in sorted(root.glob(pattern)):
            data = path.read_bytes()
            digest.update(f"{path.relative_to(root)}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def _contents(path: Path) -> bytes:
    """A file's hash; of one that is not there nothing, which is refused where it is read."""
    return hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b""


def run_quietly(project: Path, words: Mapping[str, str]) -> int:
    """Build in a generated project below build/, unseen; the exit status."""
    return run_scons(project.parents[1], words, quiet=True, project=project)


def run_scons(
    root: Path, words: Mapping[str, str], *, quiet: bool = False, project: Path | None = None
) -> int:
    """Build in the generated project; the exit status."""
    said = [f"{name}={value}" for name, value in words.items()]
    command = [sys.executable, "-m", "touchstone.start", "-Q", *said]
    environment = {**os.environ, "PYTHONPATH": str(root / "site_scons")}
    output = subprocess.DEVNULL if quiet else None
    errors = subprocess.DEVNULL if project is not None else None
    place = project or root / PROJECT
    sys.stdout.flush()
    ran = subprocess.run(
        command, cwd=place, env=environment, stdout=output, stderr=errors, check=False
    )
    return ran.returncode


def _profile(root: Path, words: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Run once more, looked at, what has no profile of just this run."""
    missing = [
        row["id"]
        for row in rows
        if row["status"] == "PASS" and row["simulator"] in EMBEDDED and not _profiled(root, row)
    ]
    if missing and len(rows) <= MOST_PROFILES:
        kept = {name: value for name, value in words.items() if name not in UNTIMED}
        run_scons(root, {**kept, "profile": "1"}, quiet=True)


def _profiled(root: Path, row: Mapping[str, Any]) -> bool:
    folder = root / PROJECT / "build" / "cells" / str(row["id"])
    profile, run_file = folder / "profile" / "folded.txt", folder / "cell.run"
    if not profile.is_file():
        return False
    return profile.stat().st_mtime_ns >= run_file.stat().st_mtime_ns


def _clocks(root: Path) -> dict[str, int]:
    return {name: target.clock_hz for name, target in _catalogue(root).targets.items()}


def _catalogue(root: Path) -> Catalogue:
    return load_catalogue(root, root / YAML_CACHE)


def describe(root: Path, arguments: Mapping[str, str]) -> int:
    """Layers, parameters, MACs and memory of networks; an estimate of their energy."""
    if "model" not in arguments or set(arguments) - {"model", "rounding"}:
        found = ", ".join(sorted(arguments)) or "nothing"
        raise UserError(f"describe: found {found}, allowed model=NAME, rounding=")
    from touchstone.network.describe import describe_model
    from touchstone.network.source import network_of

    catalogue = _catalogue(root)
    rounding = arguments.get("rounding", "")
    models = find_models(root, arguments["model"], root / YAML_CACHE, rounding)
    print("\n\n".join(describe_model(model, network_of(model), catalogue) for model in models))
    return 0
