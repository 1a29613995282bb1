# SPDX-License-Identifier: Apache-2.0
"""What `./scons` runs: SCons, without what costs time at both of its ends.

    python -m touchstone.start ARGUMENTS

Thousands of nodes die with the process: neither is garbage looked for among them while they are
made, nor are they taken apart at the end. Plain `scons` does the same, a little slower.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from pathlib import Path

from touchstone.errors import UserError
from touchstone.watch import wanted, warm, watch


def main() -> None:
    """Run SCons with the command line's words; never returns."""
    try:
        again, words = wanted(sys.argv[1:])
    except UserError as error:
        sys.stderr.write(f"touchstone: {error}\n")
        sys.exit(2)
    sys.argv[1:] = words
    gc.disable()
    if not again:
        build()
    root = Path.cwd()
    # As SCons does it, so that the modules are the same ones.
    sys.path.insert(0, str(root / "site_scons"))
    warm()
    os._exit(watch(root, words, build))


def build() -> None:
    """One command; never returns."""
    # It was for finding this module; installed simulators are Python programs too.
    os.environ.pop("PYTHONPATH", None)
    # Imported here: with the garbage collector off it takes less long.
    import SCons.Script

    try:
        SCons.Script.main()
        status = 0
    except SystemExit as end:
        status = _status(end.code)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 2
    leave(status)


def _status(code: object) -> int:
    """What the interpreter makes of sys.exit's argument."""
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def leave(status: int) -> None:
    """End the process as the interpreter would, but leave its memory to the system."""
    # The exit hooks: among them the one that writes the results and may end the process itself.
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads it any more
        status = status or 2
    os._exit(status)


if __name__ == "__main__":
    main()
