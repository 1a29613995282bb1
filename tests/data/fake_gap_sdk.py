# SPDX-License-Identifier: Apache-2.0
"""Stands in for the launcher of a GAP SDK: it does what the image's text tells it to, or runs it.

Called as the SDK's `gvsoc` or `gapy`, in an environment that the board's script has set up.
FAKE_SIMULATOR names an embedded simulator, which runs real images.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

image = Path(sys.argv[sys.argv.index("--binary") + 1])
work = next(word.split("=", 1)[1] for word in sys.argv if word.startswith("--work-dir="))
if not os.environ.get("BOARD") or sys.argv[-3:] != ["image", "flash", "run"]:
    sys.exit("called wrongly")
simulator = os.environ.get("FAKE_SIMULATOR")
if simulator is not None:
    files = {name: Path(work, f"fake.{name}") for name in ("stream", "log", "report")}
    words = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    subprocess.run([simulator, str(image), *words, "--max-instructions", "100000000"], check=True)
    Path(work, ":tt").write_bytes(files["stream"].read_bytes())
    sys.exit()
what, _, payload = image.read_text("ascii").partition(" ")
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
