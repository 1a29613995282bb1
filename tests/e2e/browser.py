# SPDX-License-Identifier: Apache-2.0
"""A real browser without a window, where the machine has one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 60.0


def chromium() -> str:
    """Its path; the test is skipped where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium: install your distribution's chromium to test the page in it")
    return found


def browse(page: Path, folder: Path, *options: str) -> tuple[str, list[str]]:
    """Open a page; what the options print, and what the page's console said."""
    command = [
        *(chromium(), "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
        *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000"),
        *("--enable-logging=stderr", "--window-size=1280,2400", *options),
        page.as_uri(),
    ]
    if os.geteuid() == 0:
        command.insert(1, "--no-sandbox")  # it refuses root otherwise
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout, re.findall(r"CONSOLE[^\]]*\] (.*)", ended.stderr)
