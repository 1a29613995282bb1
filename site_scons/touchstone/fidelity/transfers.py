# SPDX-License-Identifier: Apache-2.0
"""Programs of the cluster DMA (MCHAN): both directions, lines, queues, beside computing cores."""

from __future__ import annotations

from touchstone.fidelity.mnemonics import lines, load_post, times
from touchstone.fidelity.programs import ALL, Program

TO_L1, INCREMENT, TWO_DIMENSIONAL, EVENT = 1 << 17, 1 << 18, 1 << 19, 1 << 20
# The first kilobyte of the program itself is L2 with known contents.
CODE_AS_DATA = lines("li a5, 0x1C010000")
# Far from what the checksums look at: memory that nobody has written is not the same everywhere.
FAR_L1, FAR_L2 = lines("li a4, 0x1000C000"), lines("li a5, 0x1C120000")
OWN = lines("mv a4, s1", "mv a5, s3")
WAIT = lines("li t5, 1", "sll t5, t5, t3") + "1:" + lines("lw t6, 0x404(s0)", "and t6, t6, t5")
WAIT += lines("bnez t6, 1b", "sw t5, 0x404(s0)")
SLEEP = lines("li t5, 1", "sll t5, t5, t3", "j 2f") + "1:"
SLEEP += lines(".insn i 0x03, 6, t0, 0x3c(s0)  # p.elw") + "2:"
SLEEP += lines("lw t6, 0x404(s0)", "and t6, t6, t5", "bnez t6, 1b", "sw t5, 0x404(s0)")
ALLOCATE = lines("lw t3, 0x400(s0)")
DONE = lines("li a4, 0", "li a5, 0", "li t4, 0")


def start(length: int, flags: int, line: int = 0, stride: int = 0) -> str:
    """Queues a transfer of `length` bytes between a4 in L1 and a5 in L2."""
    if line:
        flags |= TWO_DIMENSIONAL
    text = lines(f"li t4, {length | INCREMENT | flags:#x}", "sw t4, 0x400(s0)", "sw a4, 0x400(s0)")
    text += lines("sw a5, 0x400(s0)")
    if line:
        text += lines(f"li t4, {line}", "sw t4, 0x400(s0)", f"li t4, {stride}", "sw t4, 0x400(s0)")
    return text


def transfer_programs() -> list[Program]:
    """Every program of the DMA."""
    found = []
    for length in (4, 64, 61, 256, 1024):
        body = ALLOCATE + start(length, TO_L1) + WAIT + DONE
        found.append(Program(f"dma/in-{length}", body, lines("mv a4, s1") + CODE_AS_DATA))
    for length in (4, 64, 61, 256, 1024):
        body = ALLOCATE + start(length, 0) + WAIT + DONE
        found.append(Program(f"dma/out-{length}", body, OWN))
    for name, flags in (("in", TO_L1), ("out", 0)):
        body = ALLOCATE + start(8192, flags) + WAIT + DONE
        found.append(Program(f"dma/{name}-8192", body, FAR_L1 + FAR_L2))
        body = ALLOCATE + start(512, flags, line=32, stride=48) + WAIT + DONE
        source = lines("mv a4, s1") + CODE_AS_DATA if flags else OWN
        found.append(Program(f"dma/{name}-lines", body, source))
        body = ALLOCATE + start(119, flags, line=17, stride=29) + WAIT + DONE
        odd = lines("addi a4, a4, 3", "addi a5, a5, 5")
        found.append(Program(f"dma/{name}-odd-lines", body, source + odd))
    queued = ALLOCATE + times(6, start(96, TO_L1) + lines("addi a4, a4, 96", "addi a5, a5, 32"))
    found.append(Program("dma/queue", queued + WAIT + DONE, lines("mv a4, s1") + CODE_AS_DATA))
    both = ALLOCATE + start(512, TO_L1) + lines("addi a4, a4, 512", "mv a5, s3") + start(512, 0)
    found.append(Program("dma/both-ways", both + WAIT + DONE, lines("mv a4, s1") + CODE_AS_DATA))
    sleep = ALLOCATE + start(1024, TO_L1 | EVENT) + SLEEP + DONE
    listen = lines("mv a4, s1", "li t4, 0x100", "sw t4, 8(s0)") + CODE_AS_DATA
    found.append(Program("dma/sleep", sleep, listen))
    return [*found, *_beside_others()]


def _beside_others() -> list[Program]:
    """The DMA and the cores at the same banks, and all cores at the DMA."""
    sweep = lines("mv a6, s1") + times(24, load_post("lw", "a0", "a6", 4) + lines("add a1, a1, a0"))
    sweep += lines("li a6, 0")
    first = lines("bnez s10, 3f") + "{}" + "3:\n"
    begin = first.format(ALLOCATE + start(4096, TO_L1))
    found = []
    for cores in (2, ALL):
        body = begin + times(2, sweep) + first.format(WAIT) + DONE
        found.append(Program(f"dma/overlap-{cores}-cores", body, FAR_L1 + FAR_L2, cores=cores))
    own = lines("mv a4, s1", "slli a5, s10, 6") + lines("li t4, 0x1C010000", "add a5, a5, t4")
    each = ALLOCATE + start(512, TO_L1) + WAIT + DONE
    found.append(Program("dma/each-core-in", each, own, cores=ALL))
    each = ALLOCATE + start(512, 0) + WAIT + DONE
    found.append(Program("dma/each-core-out", each, OWN, cores=ALL))
    for round_trip in (32, 200):
        body = ALLOCATE + start(round_trip, 0) + WAIT + lines("addi a4, a4, 512")
        body += ALLOCATE + start(round_trip, TO_L1) + WAIT + DONE
        found.append(Program(f"dma/there-and-back-{round_trip}", body, OWN, cores=ALL))
    return found
