# SPDX-License-Identifier: Apache-2.0
"""python -m touchstone.executors.task FOLDER FILES: one simulation on a worker.

FOLDER has firmware, inputs and task.json; cell.run is put beside them. FILES was sent once.
Ends with its worker: whoever is killed takes its simulators along.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.process import ProcessRegistry
from touchstone.run_cell import run_cell
from touchstone.runfile import write_run
from touchstone.simulators.factory import make_simulator
from touchstone.simulators.registry import EXTERNAL, external_of, find_external, require

POLL_SECONDS = 0.5


def main(arguments: list[str]) -> int:
    """0, or 2 and one line."""
    place, files = map(Path, arguments)
    registry = ProcessRegistry()
    threading.Thread(target=_end_with, args=(os.getppid(), registry), daemon=True).start()
    task = json.loads((place / "task.json").read_bytes())
    spec = task["spec"]
    try:
        there = _files(task, files)
        simulator = make_simulator(spec["adapter"], spec["simulator"], spec["settings"], there)
        run = run_cell(place / "firmware", place / "inputs", spec, simulator, registry, place)
    except (UserError, OSError) as error:
        print(error)
        return 2
    finally:
        registry.workers.close()
    write_run(place / "cell.run", run)
    return 0


def _files(task: Mapping[str, Any], files: Path) -> list[Path]:
    """The adapter's files: those sent, or what is installed here if it is the same."""
    name = task["spec"]["simulator"]
    if name not in EXTERNAL:
        return [files / sent for sent in task["files"]]
    settings = task["spec"]["settings"]
    require(name, "worker: sim", settings["options"])
    external = external_of(name, settings["options"])
    program = find_external(external) or settings.get("line", "")
    module = importlib.import_module(task["spec"]["adapter"])
    found = str(module.fingerprint(program, files / "digests.json"))
    if found != task["spec"]["fingerprint"]:
        raise UserError(f"worker: sim: found another {name} than the client has, allowed the same")
    return [Path(program), files]


def _end_with(parent: int, registry: ProcessRegistry) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    registry.interrupt()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
