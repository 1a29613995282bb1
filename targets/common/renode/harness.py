# SPDX-License-Identifier: Apache-2.0
"""Renode monitor commands that run a firmware image and take its results from memory.

Included by a target's renode.resc; runs in Renode's own Python (IronPython 2.7), whose standard
library is not needed.

    touchstone ELF RESULT SECONDS INSTRUCTIONS

runs the image ELF, loaded before, on the machine at hand until the firmware ends. RESULT becomes a
folder: stream.bin (the record stream), log.txt (the firmware's log) and, written last, result.txt
with the lines

    ended: exit | seconds | instructions        how the run ended
    code: N                                     the firmware's exit code, -1 where it did not end
    instructions: N                             executed in all

SECONDS and INSTRUCTIONS bound the run, 0 for no bound. With SECONDS, a Renode that does not come
back from the run ends itself.

    touchstone_debug ELF PORT

has GDB's protocol served on a TCP port instead: the machine stands ahead of its first instruction
until a debugger lets it go, and Renode ends with the firmware.

The firmware's only way out is a semihosting call (`bkpt 0xab`). Renode 1.16 carries out none of
those in use and later versions differ, so each such instruction gets a hook that carries out the
call and goes on behind it.

`touchstone` has the cycle counter answer with the instructions executed ahead of the read. Renode's
own answer is another number: its time stands still within a translated block of code, and where the
block with the read begins depends on where slices of simulated time ended and cut one, thus on the
runs before. So a watchpoint has Renode go back and begin a block with the read; then its count,
which is of blocks, is exact.
"""

from Antmicro.Renode.Core import EmulationManager
from Antmicro.Renode.Logging import Logger
from Antmicro.Renode.Peripherals.Bus import Access, BusHookDelegate, SysbusAccessWidth
from Antmicro.Renode.Peripherals.CPU import CpuAddressHook, RegisterValue
from Antmicro.Renode.Peripherals.Memory import MappedMemory
from System import Array, BitConverter, Byte, Func, Int64, UInt32, UInt64
from System.Diagnostics import Process, Stopwatch
from System.IO import Directory, File, FileMode, FileStream, Path
from System.Threading import Thread, ThreadStart, Timer, TimerCallback

SYS_OPEN, SYS_WRITE, SYS_EXIT_EXTENDED = 0x01, 0x05, 0x20
MODE_WRITE = 4
STREAM, LOG = 1, 2
BKPT_LOW, BKPT_HIGH = 0xAB, 0xBE
DWT_CTRL, DWT_CYCCNT = 0xE0001000, 0xE0001004
DWT_CTRL_CYCCNTENA = 1
PT_LOAD = 1
PROGRAM_HEADER_BYTES = 32
REGISTER_BITS = 32
POLL_MILLISECONDS = 1
GRACE_SECONDS = 30


class _Run(object):
    """What a run has left so far."""

    def __init__(self, machine, elf):
        self.machine = machine
        self.bus = machine["sysbus"]
        self.cpu = machine["sysbus.cpu"]
        self.output = {STREAM: [], LOG: []}
        self.code = -1
        self.ended = ""
        self.instructions = 0
        self.before = int(self.cpu.ExecutedInstructions)
        self.start = self.microseconds()
        self.debugged = False
        self.begins_block = False
        segments = _segments(elf)
        self.cpu.VectorTableOffset = min(address for address, _, _ in segments)
        for address in _semihosting_calls(elf, segments):
            self.cpu.AddHook(UInt64(address), CpuAddressHook(self.call))

    def count_exactly(self):
        """Have the cycle counter answer with the instructions ahead of the read; see above."""
        address, word = UInt64(DWT_CYCCNT), SysbusAccessWidth.DoubleWord
        self.bus.RemoveAllWatchpointHooks(address)
        self.bus.AddWatchpointHook(address, word, Access.Read, BusHookDelegate(self.watched))
        answer = Func[UInt32, Int64, UInt32](self.count)
        self.bus.SetHookAfterPeripheralRead[UInt32](self.machine["sysbus.dwt"], answer)

    def watched(self, cpu, address, width, value):
        """The counter is about to be read; the same read comes again, first in its block."""
        self.begins_block = True

    def count(self, value, offset):
        """What a read of the counter answers; `value` is Renode's own answer."""
        if offset != DWT_CYCCNT - DWT_CTRL or not self.word(DWT_CTRL) & DWT_CTRL_CYCCNTENA:
            return value
        if not self.begins_block:
            raise RuntimeError("the cycle counter was read in the middle of a block")
        self.begins_block = False
        return UInt32(self.executed() & 0xFFFFFFFF)

    def word(self, address):
        """The 32-bit word at an address."""
        return int(self.bus.ReadDoubleWord(UInt64(address)))

    def register(self, number):
        """A core register's value."""
        return int(self.cpu.GetRegister(number).RawValue)

    def call(self, cpu, address):
        """Carry out the semihosting call in r0 and r1; the core stands in front of `bkpt`."""
        operation, block = self.register(0), self.register(1)
        if operation == SYS_EXIT_EXTENDED:
            self.finish("exit", self.word(block + 4))
            if self.debugged:
                _end_process(None)
            # The firmware can be quicker than whoever started the machine.
            while not EmulationManager.Instance.CurrentEmulation.IsStarted:
                Thread.Sleep(POLL_MILLISECONDS)
            self.machine.PauseAndRequestEmulationPause()
            return
        answer = 0xFFFFFFFF
        if operation == SYS_OPEN:
            answer = STREAM if self.word(block + 4) == MODE_WRITE else LOG
        elif operation == SYS_WRITE and self.word(block) in self.output:
            start, count = self.word(block + 4), self.word(block + 8)
            self.output[self.word(block)].append(self.bus.ReadBytes(UInt64(start), count))
            answer = 0
        self.cpu.SetRegister(0, RegisterValue.Create(UInt64(answer), REGISTER_BITS))
        # Behind the two bytes of bkpt; the lowest bit says Thumb.
        self.cpu.PC = RegisterValue.Create(UInt64((address + 2) | 1), REGISTER_BITS)

    def finish(self, how, code=-1):
        """The run is over."""
        self.code = code
        self.instructions = self.executed()
        self.ended = how

    def wait(self, seconds, instructions):
        """Start the machine and come back when the run is over."""
        emulation = EmulationManager.Instance.CurrentEmulation
        watch = Stopwatch.StartNew()
        # Starting sleeps for a while after it has started the machine.
        Thread(ThreadStart(emulation.StartAll)).Start()
        while not self.ended:
            Thread.Sleep(POLL_MILLISECONDS)
            if 0 < seconds <= watch.Elapsed.TotalSeconds:
                self.finish("seconds")
            elif 0 < instructions < self.due():
                self.finish("instructions")
        if self.ended != "exit":
            emulation.PauseAll()
        while emulation.IsStarted:
            Thread.Sleep(POLL_MILLISECONDS)

    def executed(self):
        """Instructions since the run began."""
        return int(self.cpu.ExecutedInstructions) - self.before

    def microseconds(self):
        """Simulated time."""
        return float(self.machine.ElapsedVirtualTime.TimeElapsed.TotalMicroseconds)

    def due(self):
        """Instructions for which there was time: a jump to itself takes time and executes none."""
        return (self.microseconds() - self.start) * int(self.cpu.PerformanceInMips)

    def write(self, folder):
        """Leave the results in `folder`, result.txt last and at once."""
        for handle, name in ((STREAM, "stream.bin"), (LOG, "log.txt")):
            output = FileStream(Path.Combine(folder, name), FileMode.Create)
            for data in self.output[handle]:
                output.Write(data, 0, data.Length)
            output.Close()
        lines = "ended: %s\ncode: %d\ninstructions: %d\n"
        temporary = Path.Combine(folder, "result.new")
        File.WriteAllText(temporary, lines % (self.ended, self.code, self.instructions))
        # What Renode had to say must be out before somebody reads the result.
        Logger.Flush()
        File.Move(temporary, Path.Combine(folder, "result.txt"))


def _segments(elf):
    """(load address, offset in the file, bytes in the file) of what an ELF loads."""
    start, count = BitConverter.ToInt32(elf, 28), BitConverter.ToUInt16(elf, 44)
    found = []
    for index in range(count):
        header = start + index * PROGRAM_HEADER_BYTES
        if BitConverter.ToInt32(elf, header) == PT_LOAD:
            offset, size = BitConverter.ToInt32(elf, header + 4), header + 16
            address = int(BitConverter.ToUInt32(elf, header + 12))
            found.append((address, offset, BitConverter.ToInt32(elf, size)))
    return found


def _semihosting_calls(elf, segments):
    """Addresses of all halfwords `bkpt 0xab`; constants that look so do no harm as hooks."""
    found = []
    for address, offset, size in segments:
        at = Array.IndexOf[Byte](elf, Byte(BKPT_LOW), offset, size)
        while at >= 0:
            rest = offset + size - at - 1
            if rest > 0 and int(elf[at + 1]) == BKPT_HIGH and (at - offset + address) % 2 == 0:
                found.append(address + at - offset)
            at = Array.IndexOf[Byte](elf, Byte(BKPT_LOW), at + 1, rest) if rest > 0 else -1
    return found


def mc_touchstone(elf, result, seconds=0, instructions=0):
    """Run the image and write its results; see above."""
    seconds, instructions = int(seconds), int(instructions)
    run = _Run(self.Machine, File.ReadAllBytes(str(elf)))
    Directory.CreateDirectory(str(result))
    guard = None
    if seconds > 0:
        guard = Timer(TimerCallback(_end_process), None, 1000 * (seconds + GRACE_SECONDS), -1)
    run.count_exactly()
    run.wait(seconds, instructions)
    run.write(str(result))
    if guard is not None:
        guard.Dispose()
    text = "touchstone: ended by %s, code %d, %d instructions"
    print(text % (run.ended, run.code, run.instructions))


def mc_touchstone_debug(elf, port):
    """Serve GDB's protocol with the image loaded; see above."""
    run = _Run(self.Machine, File.ReadAllBytes(str(elf)))
    run.debugged = True
    # It starts the machine when a debugger comes, which finds the core halted.
    self.Machine.StartGdbServer(int(port), True)


def mc_touchstone_ready(name):
    """Make a file: all commands up to here have been carried out."""
    File.WriteAllText(str(name), "")


def mc_touchstone_reset():
    """Bring a machine that has run an image back to its start, where the next one finds no trace.

    It ends with the machine's macro `reset`, which loads $elf.
    """
    cpu = self.Machine["sysbus.cpu"]
    cpu.RemoveAllHooks()
    for memory in self.Machine.GetPeripheralsOfType[MappedMemory]():
        memory.ZeroAll()
    cpu.ClearTranslationCache()
    self.Machine.Reset()


def _end_process(state):
    Process.GetCurrentProcess().Kill()
