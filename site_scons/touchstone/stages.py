# SPDX-License-Identifier: Apache-2.0
"""The stages of the graph: each makes its files from its files, and knows nothing of SCons."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from touchstone.check import check_cell
from touchstone.files import canonical_json, write_atomically
from touchstone.image import extract_loadable, symbol_values
from touchstone.process import ProcessRegistry
from touchstone.rooms import python_path
from touchstone.run_cell import run_cell
from touchstone.runfile import CellRun, write_run
from touchstone.simulators.factory import make_simulator

TOOL_SECONDS = 300.0
KERNEL_CODE = ("__ts_kernel_code_start", "__ts_kernel_code_end")


class Executor(Protocol):
    """Somebody who simulates cells elsewhere (touchstone.executors)."""

    def simulate(
        self,
        firmware: Path,
        inputs: Path,
        spec: Mapping[str, Any],
        files: Sequence[Path],
        run: Path,
        registry: ProcessRegistry,
    ) -> CellRun:
        """Simulate one cell and write what came of it to `run`."""
        ...


class StageError(Exception):
    """A stage that could not make its files. `output` is what the tool said."""

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason)
        self.output = output


def run_tool(
    command: Sequence[str],
    root: Path,
    registry: ProcessRegistry,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a compiler or a Python stage in the folder `root`; its output, or StageError."""
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            command,
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            start_new_session=True,
        )
        with registry.hold(child.pid):
            try:
                child.wait(timeout=TOOL_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, 9)
                child.wait()
                raise StageError(f"no end within {TOOL_SECONDS:g} s: {command[0]}") from None
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if child.returncode != 0:
        raise StageError(first_error(text) or f"status {child.returncode}", text)
    return text


def first_error(text: str) -> str:
    """The line of a tool's output that says what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line.lower()]
    return (errors or lines[-1:] or [""])[0]


def python_stage(
    module: str, arguments: Sequence[str], root: Path, registry: ProcessRegistry
) -> None:
    """Run a module of ours in a fresh interpreter: numpy and friends stay out of the build."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(python_path(root)),
        "PYTHONHASHSEED": "0",
        # One build job is one core; a BLAS that takes all of them makes the others wait.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    run_tool([sys.executable, "-m", module, *arguments], root, registry, environment)


def make_vectors(
    spec: str, inputs: str, golden: str, root: Path, registry: ProcessRegistry
) -> None:
    """Inputs and golden outputs of one specification."""
    path = root / f"{inputs}.spec.json"
    write_atomically(path, spec.encode("ascii"))
    python_stage("golden.generate", [str(path), inputs, golden], root, registry)


def pack_inputs(
    inputs: str,
    packed: str,
    packers: Sequence[tuple[str, str]],
    root: Path,
    registry: ProcessRegistry,
) -> None:
    """The inputs with some operands in another layout."""
    words = [f"{operand}={packer}" for operand, packer in packers]
    python_stage("golden.pack", [inputs, packed, *words], root, registry)


def make_assembly(generator: str, assembly: str, root: Path, registry: ProcessRegistry) -> None:
    """The assembly that a generator of kernels/generators/ writes."""
    (root / assembly).parent.mkdir(parents=True, exist_ok=True)
    python_stage(generator, [assembly], root, registry)


def make_costs(loadable: str, costs: str, core: str, root: Path, registry: ProcessRegistry) -> None:
    """The static instruction costs of a firmware."""
    arguments = [loadable, costs, "--core", core]
    python_stage("touchstone.simulators.cortexm_costs", arguments, root, registry)


def make_loadable(elf: Path, loadable: Path, facts: Path) -> None:
    """The part of a firmware that is loaded, and what reports want to know of it."""
    write_atomically(loadable, extract_loadable(elf))
    document = {"code_bytes": kernel_code_bytes(elf)}
    write_atomically(facts, canonical_json(document).encode("ascii"))


def kernel_code_bytes(elf: Path) -> int | None:
    """Code and constants of the kernel alone, as link.ld groups them."""
    # Imported here: elftools is slow to import and wanted only after a link.
    from elftools.elf.elffile import ELFFile

    with elf.open("rb") as file:
        found = symbol_values(ELFFile(file), KERNEL_CODE)
    if len(found) != len(KERNEL_CODE):
        return None
    start, end = (found[name] for name in KERNEL_CODE)
    return end - start


def make_run(
    run: Path,
    loadable: Path,
    inputs: Path,
    files: Sequence[Path],
    spec: Mapping[str, Any],
    registry: ProcessRegistry,
    scratch: Path,
    *,
    retries: int = 0,
    note_retry: Callable[[str], None] = lambda reason: None,
    executor: Executor | None = None,
) -> CellRun:
    """Simulate one cell, here or where `executor` has it done, and keep what came of it.

    Only where the infrastructure failed, not the cell, is it simulated anew, `retries` times.
    """

    def simulate() -> CellRun:
        if executor is not None:
            return executor.simulate(loadable, inputs, spec, files, run, registry)
        name, settings = spec["simulator"], spec["settings"]
        simulator = make_simulator(spec["adapter"], name, settings, files)
        return run_cell(loadable, inputs, spec, simulator, registry, scratch)

    for attempt in range(retries + 1):
        result = simulate()
        if not result.infrastructure or attempt == retries or registry.interrupted:
            break
        note_retry(result.reason)
    write_run(run, result)
    return result


def make_verdict(verdict: Path, run: Path, golden: Path, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Hold a run against the golden outputs; what the simulator said lies beside the verdict."""
    document = check_cell(run, golden, spec)
    log = f"{document['status']} {document['reason']}".rstrip() + "\n" + document.get("log", "")
    write_atomically(verdict.with_name("log.txt"), log.encode("utf-8"))
    write_atomically(verdict, json.dumps(document, sort_keys=True, indent=1).encode("ascii"))
    return document
