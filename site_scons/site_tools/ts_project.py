# SPDX-License-Identifier: Apache-2.0
"""Touchstone in somebody else's SConstruct.

    env = Environment(tools=["ts_project"], toolpath=[PyPackageDir("touchstone_scons")])
    env.Touchstone(config="matrix.yaml", others=["debug"])

The project's kernels/, targets/ and golden/ are found beside Touchstone's own. Keywords are
variables of the command line (`scons --help`) for when they are not said there; `others` names the
variables that are the project's. What is built is one node for each cell, a gate over them that is
a default target and the alias `touchstone`, and the reports in build/report when the build ends.
Words such as `scons list` answer as they do in Touchstone's checkout. Where targets are named on
the command line and `touchstone` is not among them, nothing is added. docs/builders.md has more.
"""

import sys
from pathlib import Path

import SCons.Script
from SCons.Errors import UserError

_CHECKOUT = Path(__file__).resolve().parents[1]


def _find_checkout():
    """A checkout in the project (a submodule) is not installed; a wheel's tools are.

    SCons takes back what is added to the path while a tool or an SConstruct is read.
    """
    if (_CHECKOUT / "site_tools").is_dir() and str(_CHECKOUT) not in sys.path:
        sys.path.insert(0, str(_CHECKOUT))


_find_checkout()

from touchstone.rooms import rooms_folder  # noqa: E402


def _touchstone(env, others=(), **words):
    """Adds the matrix to the build; returns nothing: its results are in build/report."""
    for name, value in words.items():
        if not isinstance(value, (str, int)):
            raise UserError(f"env.Touchstone: {name}: found {value!r}, allowed text or a number")
        SCons.Script.ARGUMENTS.setdefault(name, str(value))
    _find_checkout()
    folder = rooms_folder()
    if str(env.Dir("#").abspath) == str(folder):
        raise UserError("env.Touchstone: its own checkout needs no such call")
    # Only while it is read: what the project names stays where the project is.
    env.SConscriptChdir(False)
    try:
        env.SConscript(str(folder / "SConstruct"), exports={"touchstone_others": tuple(others)})
    finally:
        env.SConscriptChdir(True)


def generate(env):
    """Called by SCons: adds this tool to `env`."""
    env.AddMethod(_touchstone, "Touchstone")


def exists(env):
    """Called by SCons: whether the tool can be used here."""
    return True
