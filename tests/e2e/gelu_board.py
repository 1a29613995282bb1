# SPDX-License-Identifier: Apache-2.0
"""A simulator of one kernel, for `sim=command`: it reads the job in an image and answers as the
firmware would, output[i] = table[input[i]]. It can also fail in every way.

Usage: gelu_board.py IMAGE. FAULTS in the environment: comma-separated names of functions `fault_*`
below; a job of S rows takes the S-th of them (the last one where there are fewer). FAULT_NOTES is a
folder where faults that happen once take notes, FAULT_SHARE the part of the jobs, in 1/1000, that
fail: which, their run ids decide.
"""

import mmap
import os
import signal
import struct
import sys
import time
import zlib

ABI, MARK = 1, b"TSJB"
HELLO, OUTPUT, CASE, END = 1, 2, 3, 4
DATA, HEADER = 64, 96


def find_job(image):
    """The one place that is a job by its CRC: code that knows the mark has it too."""
    at = image.find(MARK)
    while at >= 0:
        _, size, crc = struct.unpack_from("<3I", image, at + 4)
        if DATA <= size <= len(image) - at and zlib.crc32(image[at + DATA : at + size]) == crc:
            return image[at : at + size]
        at = image.find(MARK, at + 1)
    sys.exit("no job in the image")


class Job:
    def __init__(self, image):
        self.data = find_job(image)
        self.run_id = self.data[16:32]
        self.tag, self.cores, _, self.cases, params, operands = struct.unpack_from(
            "<6I", self.data, 32
        )
        (self.rows,) = struct.unpack_from("<I", self.data, DATA)
        assert (params, operands) == (0, 3), "not the job of gelu"

    def output(self, case):
        words = struct.unpack_from("<14I", self.data, HEADER + 56 * case)
        source, table = words[2], words[6]
        block = self.data[source : source + words[3]]
        return block.translate(self.data[table : table + 256])


def frame(run_id, kind, case, index, payload):
    checked = struct.pack("<4I", kind, case, index, len(payload)) + run_id
    return b"TSRC" + checked + struct.pack("<I", zlib.crc32(checked + payload)) + payload


def answer(job, run_id=None, change=bytes):
    """The whole record stream."""
    run_id = run_id or job.run_id
    frames = [frame(run_id, HELLO, 0, 0, struct.pack("<3I", ABI, job.tag, job.cores))]
    for case in range(job.cases):
        output = change(job.output(case))
        hashed = zlib.crc32(output)
        done = struct.pack("<IIiII", 0, 0, 0, hashed, hashed)
        frames += [frame(run_id, OUTPUT, case, 2, output), frame(run_id, CASE, case, 0, done)]
    end = struct.pack("<5I", 0, 2000, 1000, 64, job.cases)
    return b"".join([*frames, frame(run_id, END, 0, 0, end)])


def say(data):
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def fault_none(job):
    say(answer(job))


def fault_garbage(job):
    noise = bytes((7 * i * i + 13 * i) & 255 for i in range(5000))
    say(noise + b"TSRC" + noise)


def fault_truncated(job):
    say(answer(job)[:-7])


def fault_half(job):
    data = answer(job)
    say(data[: len(data) // 2])


def fault_stale(job):
    """The result of an earlier image: whole, right, and not of this one."""
    say(answer(job, run_id=bytes(reversed(job.run_id))))


def fault_silent(job):
    sys.exit(0)


def fault_flipped(job):
    data = bytearray(answer(job))
    data[len(data) // 2] ^= 4
    say(bytes(data))


def fault_twice(job):
    say(answer(job) + answer(job))


def fault_wrong(job):
    """Records without fault, with another output."""
    say(answer(job, change=lambda data: bytes([data[0] ^ 1]) + data[1:]))


def fault_status(job):
    say(answer(job))
    sys.exit(9)


def fault_forks(job):
    """A child that holds the console open; neither of them ends."""
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def fault_orphan(job):
    """A child that outlives a parent that has done its work."""
    if os.fork() == 0:
        time.sleep(600)
    say(answer(job))


def fault_memory(job):
    """All that there is: pages that nobody touches, so that it costs nobody anything."""
    blocks = []
    while True:
        blocks.append(mmap.mmap(-1, 256 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


def fault_floods(job):
    """Output without an end."""
    while True:
        say(b"all work and no play " * 50000)


def fault_killed(job):
    os.kill(os.getpid(), signal.SIGKILL)


def fault_killed_once(job):
    note = os.path.join(os.environ["FAULT_NOTES"], job.run_id.hex())
    if not os.path.exists(note):
        open(note, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    say(answer(job))


def main():
    with open(sys.argv[1], "rb") as file:
        job = Job(file.read())
    names = os.environ.get("FAULTS", "none").split(",")
    name = names[min(job.rows, len(names)) - 1]
    drawn = int.from_bytes(job.run_id[:4], "little") % 1000
    if drawn >= int(os.environ.get("FAULT_SHARE", "1000")):
        name = "none"
    globals()[f"fault_{name}"](job)


if __name__ == "__main__":
    main()
