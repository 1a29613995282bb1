# SPDX-License-Identifier: Apache-2.0
"""Makes the simulator that a run names, from what the graph built or somebody installed.

Adapters are imported by name, so that an edit of one concerns the cells that it runs and no others.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.simulators.base import Simulator


def make_simulator(
    adapter: str, name: str, settings: Mapping[str, Any], files: Sequence[Path]
) -> Simulator:
    """The simulator `name`, ready to run.

    `files` are the adapter's: an embedded one's program, costs and library, an installed one's
    program.
    """
    module = importlib.import_module(adapter)
    simulator: Simulator = module.make(name, settings, files)
    return simulator
