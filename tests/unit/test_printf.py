# SPDX-License-Identifier: Apache-2.0
"""ts_printf against the C library's printf, on the host."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from touchstone.toolchains import llvm

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = r"""
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "ts_printf.h"
static char said[1024];
static int bad;
void ts_log(const char *text) { snprintf(said, sizeof(said), "%s", text); }
#define SAME(...) do { char want[1024]; snprintf(want, sizeof(want), __VA_ARGS__); \
    ts_printf(__VA_ARGS__); \
    if (strcmp(want, said) != 0) { bad++; printf("want %s, found %s\n", want, said); } } while (0)
int main(void) {
    SAME("plain\n");
    SAME("%d %d %d %d", 0, 7, -7, 2147483647);
    SAME("%d|%i", INT32_MIN, -1);
    SAME("%u %u", 0u, 4294967295u);
    SAME("%x %X %08x %8x|%-8x|", 0xbeefu, 0xBEEFu, 0x12u, 0x12u, 0x12u);
    SAME("%5d|%-5d|%05d|%05d|%1d", 42, 42, 42, -42, 12345);
    SAME("%c%c|%3c|", 'a', 'b', 'c');
    SAME("%s|%6s|%-6s|%2s", "one", "two", "three", "longer");
    SAME("100%% of %d", 3);
    SAME("%hd %hhu", (short)-5, (unsigned char)200);
    char longest[400];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = 0;
    ts_printf("%s", longest);
    if (strlen(said) != TS_PRINTF_BYTES || strcmp(said + TS_PRINTF_BYTES - 5, "x...\n") != 0) {
        bad++;
        printf("too long: %s\n", said);
    }
    ts_printf("%500d", 1);
    if (strlen(said) != TS_PRINTF_BYTES) { bad++; printf("too wide: %s\n", said); }
    ts_printf("ends in %");
    if (strcmp(said, "ends in ") != 0) { bad++; printf("lone sign: %s\n", said); }
    printf("checked\n");
    return bad;
}
"""


def test_printf_is_printf(tmp_path: Path) -> None:
    source = tmp_path / "program.c"
    source.write_text(PROGRAM)
    flags = [
        "-Wno-format",
        "-Wno-error",
        *(f"-I{ROOT / name}" for name in ("kernels/include", "targets/common")),
    ]
    command = [str(llvm.zig_path()), *llvm.host_command(), *flags]
    command += [str(source), str(ROOT / "targets/common/printf.c"), "-o", str(tmp_path / "p")]
    cache = Path(os.environ.get("ZIG_GLOBAL_CACHE_DIR", ROOT / "build" / "zig"))
    built = subprocess.run(command, env=llvm.environment(cache), capture_output=True, text=True)
    if built.returncode != 0:
        pytest.fail(built.stderr)
    ran = subprocess.run([tmp_path / "p"], capture_output=True, text=True, timeout=10)
    assert (ran.stdout, ran.returncode) == ("checked\n", 0)
