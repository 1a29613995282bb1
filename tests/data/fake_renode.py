#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for Renode where the adapter's own behaviour is tested: its monitor as far as the
adapter uses it. The image says in words what the firmware is to do."""

import os
import sys
import time
from pathlib import Path

VERSION = os.environ.get("FAKE_RENODE_VERSION", "Renode v1.16.1.1")
LOG = "12:00:00.0000 [{}] {}"


def say(text: str) -> None:
    print(text, flush=True)


class Monitor:
    """Variables and commands."""

    def __init__(self) -> None:
        self.variables = {"$CWD": os.getcwd()}
        self.runs = 0

    def expand(self, word: str) -> str:
        for name in sorted(self.variables, key=len, reverse=True):
            word = word.replace(name, self.variables[name])
        return word

    def carry_out(self, line: str) -> None:
        say(f"(monitor) {line}")
        if line.startswith("$"):
            name, _, value = line.partition("=")
            self.variables[name] = self.expand(value)
            return
        words = [self.expand(word) for word in line.split()]
        if words[0] == "i":
            self.include(words[1].removeprefix("@"))
        elif words[0] == "touchstone_ready":
            Path(words[1]).write_text("")
        elif words[0] == "touchstone":
            self.run(Path(words[1]).read_bytes().decode(), Path(words[2]), *words[3:])

    def include(self, path: str) -> None:
        if not Path(path).is_file():
            say(f"There was an error executing command 'i @{path}'\nFile does not exist: {path}")
        elif "broken" in Path(path).read_text("utf-8"):
            say("No such command or device: broken")

    def run(self, image: str, result: Path, seconds: str, instructions: str) -> None:
        self.runs += 1
        word, _, rest = image.partition(" ")
        say(LOG.format("WARNING", "dwt: Unhandled write to offset 0xFB0 (X), value 0xC5ACCE55."))
        if word == "die":
            os.abort()
        if word == "leave":
            sys.exit(3)
        if word == "hang":
            time.sleep(600)
        if word == "complain":
            say(LOG.format("WARNING", rest))
        if word == "refuse":
            say("There was an error executing command 'touchstone'\nno such thing")
            time.sleep(600)
        result.mkdir()
        (result / "stream.bin").write_bytes(rest.encode() if word != "silent" else b"")
        (result / "log.txt").write_text(f"run {self.runs}\n" if word == "exit" else rest)
        text = "ended: exit\ncode: 0\ninstructions: 1000\n"
        if word == "garbage":
            text = rest
        elif word == "endless":
            text = f"ended: instructions\ncode: -1\ninstructions: {int(instructions) + 5}\n"
        elif word == "fail":
            text = text.replace("code: 0", "code: 101")
        elif word == "long":
            text = text.replace("1000", str(int(instructions) + 1))
        (result / "result.new").write_text(text)
        (result / "result.new").rename(result / "result.txt")


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        say(VERSION)
        return
    monitor = Monitor()
    for line in sys.stdin:
        monitor.carry_out(line.rstrip("\n"))


main()
