# SPDX-License-Identifier: Apache-2.0
"""Firmware and host programs: objects, layout.ld, firmware.elf, its loadable part, its costs.

    env.TouchstoneAssembly(source.S, [], TS_GENERATOR=module)
    env.TouchstoneObject(object, source, TS_WORDS=compile words)
    env.TouchstoneLayout(layout.ld, Value(text))
    env.TouchstoneFirmware(firmware.elf, objects, TS_WORDS=link words, TS_TAIL=last words)
    env.TouchstoneLoadable([firmware.load, firmware.json], firmware.elf)
    env.TouchstoneCosts(firmware.costs, [firmware.load, Value(core)])
    env.TouchstoneHostProgram(program, C sources, TS_WORDS=compile words)

All but the first take TS_PROGRAM besides, the compiler's name. Construction variables: TS_PROGRAMS
(touchstone.toolchains.registry.Programs) finds compilers and knows their fingerprints, TS_ROOT is
the checkout, TS_SESSION the notes of this command. Words are lists, never a shell's line, so paths
may hold spaces.
"""

import os
import shlex
from pathlib import Path

from SCons.Builder import Builder
from SCons.Scanner.C import CScanner

from site_tools_common import stage_action
from touchstone import stages


def _tool(env, words, folder="."):
    programs, program = env["TS_PROGRAMS"], env["TS_PROGRAM"]
    if env["TS_SESSION"].verbose:
        env["TS_SESSION"].say(shlex.join([program, *words]))
    output = stages.run_tool(
        [str(programs.path(program)), *programs.local_words(program, env["TS_ROOT"]), *words],
        env["TS_ROOT"] / folder,
        env["TS_SESSION"].registry,
        programs.environment(program),
    )
    if output:
        env["TS_SESSION"].say(output.rstrip())


def _assembly(target, source, env):
    registry = env["TS_SESSION"].registry
    stages.make_assembly(env["TS_GENERATOR"], str(target[0]), env["TS_ROOT"], registry)


def _compile(target, source, env):
    _tool(env, [*env["TS_WORDS"], "-c", str(source[0]), "-o", str(target[0])])


def _host_program(target, source, env):
    _tool(env, [*env["TS_WORDS"], *map(str, source), "-o", str(target[0]), *env["TS_TAIL"]])


def _layout(target, source, env):
    stages.write_atomically(Path(str(target[0])), source[0].read().encode("ascii"))


def _link(target, source, env):
    folder, name = os.path.split(str(target[0]))
    objects = [os.path.relpath(str(node), folder) for node in source]
    _tool(env, [*env["TS_WORDS"], *objects, *env["TS_TAIL"], "-o", name], folder)


def _loadable(target, source, env):
    stages.make_loadable(Path(str(source[0])), Path(str(target[0])), Path(str(target[1])))


def _costs(target, source, env):
    registry = env["TS_SESSION"].registry
    core = source[1].read()
    stages.make_costs(str(source[0]), str(target[0]), core, env["TS_ROOT"], registry)


def generate(env):
    """Called by SCons: adds this tool to `env`."""
    scanner = CScanner()
    builders = {
        "TouchstoneAssembly": Builder(action=stage_action(_assembly, "generate")),
        "TouchstoneObject": Builder(
            action=stage_action(_compile, "compile"), source_scanner=scanner
        ),
        "TouchstoneHostProgram": Builder(
            action=stage_action(_host_program, "simulator"), source_scanner=scanner
        ),
        "TouchstoneLayout": Builder(action=stage_action(_layout, "layout", quiet=True)),
        "TouchstoneFirmware": Builder(action=stage_action(_link, "link")),
        "TouchstoneLoadable": Builder(action=stage_action(_loadable, "loadable", quiet=True)),
        "TouchstoneCosts": Builder(action=stage_action(_costs, "costs")),
    }
    env["BUILDERS"].update(builders)


def exists(env):
    """Called by SCons: whether the tool can be used here."""
    return True
