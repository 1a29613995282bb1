# SPDX-License-Identifier: Apache-2.0
"""Stands in for the launcher of a GAP SDK: it prints what the image's text tells it to.

Called as the SDK's `gvsoc` or `gapy`, in an environment that the board's script has set up.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

image = Path(sys.argv[sys.argv.index("--binary") + 1])
work = next(word.split("=", 1)[1] for word in sys.argv if word.startswith("--work-dir="))
what, _, payload = image.read_text("ascii").partition(" ")
if not os.environ.get("BOARD") or sys.argv[-3:] != ["image", "flash", "run"]:
    sys.exit("called wrongly")
print("a word of the launcher's", flush=True)
if what == "file":
    Path(work, ":tt").write_bytes(bytes.fromhex(payload))
elif what == "stdout":
    sys.stdout.buffer.write(bytes.fromhex(payload))
    sys.stdout.flush()
elif what == "hang":
    time.sleep(600)
elif what == "garbage":
    sys.stdout.buffer.write(b"\x00\xffTSR\n#ts zz\n" * 50)
elif what == "status":
    sys.exit(int(payload))
elif what == "trap":
    print("trap: hart 0x00000003, mcause 0x00000002, pc 0x1c010084")
    sys.exit(1)
