# SPDX-License-Identifier: Apache-2.0
"""Vectors: inputs and golden outputs of a kernel at a shape, and inputs in other layouts.

    env.TouchstoneVectors([inputs.bin, golden.bin], Value(specification))
    env.TouchstonePack(inputs.LAYOUT.bin, inputs.bin, TS_PACKERS=((operand, packer), ...))

What the Python behind them consists of is added by ts_matrix as a value, the hash of just those
files, so that an edit of one golden model concerns the kernels that import it and no others.
"""

from SCons.Builder import Builder

from site_tools_common import stage_action
from touchstone import stages


def _vectors(target, source, env):
    registry = env["TS_SESSION"].registry
    inputs, golden = map(str, target)
    stages.make_vectors(source[0].read(), inputs, golden, env["TS_ROOT"], registry)


def _pack(target, source, env):
    registry = env["TS_SESSION"].registry
    inputs, packed = str(source[0]), str(target[0])
    stages.pack_inputs(inputs, packed, env["TS_PACKERS"], env["TS_ROOT"], registry)


def generate(env):
    """Called by SCons: adds this tool to `env`."""
    vectors = stage_action(_vectors, "vectors")
    pack = stage_action(_pack, "pack", varlist=["TS_PACKERS"])
    env["BUILDERS"]["TouchstoneVectors"] = Builder(action=vectors)
    env["BUILDERS"]["TouchstonePack"] = Builder(action=pack)


def exists(env):
    """Called by SCons: whether the tool can be used here."""
    return True
