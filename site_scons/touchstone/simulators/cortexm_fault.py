# SPDX-License-Identifier: Apache-2.0
"""What the Cortex-M firmware's fault handler logs, read back (targets/common/cortexm/board.c)."""

from __future__ import annotations

import re

from touchstone.simulators.base import Fault

LINE = re.compile(
    r"fault: exception (0x[0-9a-f]{8}), CFSR (0x[0-9a-f]{8}), HFSR (0x[0-9a-f]{8}), "
    r"address (0x[0-9a-f]{8})(?:, pc (0x[0-9a-f]{8}))?"
)
# Of CFSR: the address register holds the address of the access at fault.
ADDRESS_IS_VALID = 1 << 15


def find_fault(log: str) -> Fault | None:
    """The fault that a log tells of, None where there is none with a place in the code."""
    found = LINE.search(log)
    if found is None or found[5] is None:
        return None
    exception, cfsr, hfsr, address, pc = (int(word, 16) for word in found.groups())
    detail = f"exception {exception}, CFSR {cfsr:#010x}, HFSR {hfsr:#010x}"
    return Fault("fault", 0, pc, address if cfsr & ADDRESS_IS_VALID else None, detail)
