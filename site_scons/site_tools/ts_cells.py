# SPDX-License-Identifier: Apache-2.0
"""Cells: simulate an image, hold the run against the golden outputs, gate the build on it.

    env.TouchstoneRun(CELL/cell.run, [firmware.load, inputs, Value(run spec), (simulator, (costs))])
    env.TouchstoneVerdict(CELL/verdict.json, [cell.run, golden.bin, Value(check spec)])
    env.TouchstoneGate(name, verdicts)

CELL is a cell's folder, build/cells/ID. (An override such as TS_CELL=ID would cost a null build of
500 cells a twentieth: SCons makes an environment for each call that has one.)

A run that did not complete is kept (the verdict needs it) but never cached; a verdict always
succeeds and is never cached; the gate fails unless every verdict is PASS.
"""

import json
from pathlib import Path

from SCons.Builder import Builder

from site_tools_common import stage_action
from touchstone import stages
from touchstone.files import read_json
from touchstone.graph import CELLS
from touchstone.simulators.base import RunStatus
from touchstone.simulators.registry import EMBEDDED, EXTERNAL, find_external


def _cell(target):
    """The id of the cell whose file `target` is."""
    folder = str(target[0].dir)
    return folder.removeprefix(f"{CELLS}/")


def _run(target, source, env):
    session = env["TS_SESSION"]
    spec = json.loads(source[2].read())
    session.note_simulated(_cell(target))
    result = stages.make_run(
        Path(str(target[0])),
        Path(str(source[0])),
        Path(str(source[1])),
        _simulator_files(spec["simulator"], source[3:], env),
        spec,
        session.registry,
        env["TS_ROOT"] / "build" / "tmp",
    )
    if result.status is not RunStatus.COMPLETED:
        # Asked when the cache would be filled, which is after the action.
        target[0].set_nocache()


def _simulator_files(name, built, env):
    """The adapter's files: what the graph built, and what of the machine it needs besides."""
    if name in EXTERNAL:
        return [Path(find_external(EXTERNAL[name]) or ""), env["TS_ROOT"] / "build"]
    files = [Path(str(node)).absolute() for node in built]
    return [*files, env["TS_UNICORN"]] if EMBEDDED[name].needs_costs else files


def _verdict(target, source, env):
    document = stages.make_verdict(
        Path(str(target[0])),
        Path(str(source[0])),
        Path(str(source[1])),
        json.loads(source[2].read()),
    )
    env["TS_SESSION"].note_checked(_cell(target), document["status"], document.get("cycles"))


def _gate(target, source, env):
    verdicts = [read_json(Path(str(node))) or {} for node in source]
    bad = sum(verdict.get("status") != "PASS" for verdict in verdicts)
    if bad:
        raise stages.StageError(f"{bad} of {len(verdicts)} cells did not pass")


def generate(env):
    """Called by SCons: adds this tool to `env`."""
    env["BUILDERS"]["TouchstoneRun"] = Builder(action=stage_action(_run, "simulate", quiet=True))
    env["BUILDERS"]["TouchstoneVerdict"] = Builder(
        action=stage_action(_verdict, "check", quiet=True)
    )
    env["BUILDERS"]["TouchstoneGate"] = Builder(action=stage_action(_gate, "gate", quiet=True))


def exists(env):
    """Called by SCons: whether the tool can be used here."""
    return True
