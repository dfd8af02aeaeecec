# SPDX-License-Identifier: Apache-2.0
"""A virtual machine that runs the firmware: QEMU with emulated processors, its serial port read as text,
its monitor (QMP) and, when asked for, its gdb stub. Nothing here waits for a fixed time: every wait is
for an event and has a bound."""

import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time

from qmp import Qmp

tail_length = 3000


class MachineError(AssertionError):
    """Something that the test waited for did not come."""


class Machine:
    """Use as a context manager: QEMU ends with the block.

    items: name of a fw_cfg item -> its bytes, or the path of a file.
    gdb: start stopped, with a gdb stub whose socket is `gdb_socket`.
    holds_reset: a reset stops the machine as it is, for wait_until_reset(), in place of ending QEMU.
    """

    def __init__(self, qemu, image, *, machine="q35", memory="512M", cpus=1, items=None,
                 arguments=(), gdb=False, holds_reset=False):
        self._scratch = tempfile.TemporaryDirectory(prefix="tdshim-vm-")
        self._folder = pathlib.Path(self._scratch.name)
        self._arrived = threading.Condition()
        self._text = ""
        self._ended = False
        self._inherited = []
        self._errors = open(self._folder / "stderr", "w+b")
        monitor = self._socket_for_qemu()
        # A test that is killed takes its QEMU with it. One thread for all processors: with several, now and then
        # one executes a breakpoint of Linux's code patching that another has taken out already.
        command = ["setpriv", "--pdeathsig", "KILL", str(qemu), "-nodefaults", "-no-user-config", "-no-reboot",
                   "-display", "none", "-machine", machine, "-accel", "tcg,thread=single", "-m", memory,
                   "-smp", str(cpus), "-bios", str(image), "-chardev", "stdio,id=console,signal=off",
                   "-serial", "chardev:console", *self._chardev("monitor"), "-qmp", "chardev:monitor"]
        self.gdb_socket = None
        if gdb:
            self.gdb_socket = self._socket_for_qemu()
            command += [*self._chardev("gdb"), "-gdb", "chardev:gdb"]
        if holds_reset:
            command += ["-action", "reboot=shutdown,shutdown=pause"]
        if gdb or holds_reset:
            command.append("-S")
        for name, content in (items or {}).items():
            command += ["-fw_cfg", f"name={name},file={self._file_of(name, content)}"]
        self.command = command + [str(argument) for argument in arguments]
        self._start()
        self._monitor = Qmp(monitor)
        if holds_reset:
            self._monitor.open()  # or the event would be lost
            if not gdb:
                self.command_monitor("cont")

    def _socket_for_qemu(self):
        """Our end of a connected pair; QEMU inherits the other."""
        ours, theirs = socket.socketpair()
        self._inherited.append(theirs)
        return ours

    def _chardev(self, name):
        """A character device on the pair that was made last."""
        return ["-chardev", f"socket,id={name},fd={self._inherited[-1].fileno()}"]

    def _file_of(self, name, content):
        path = content
        if isinstance(content, bytes):
            path = self._folder / name.replace("/", "_")
            path.write_bytes(content)
        return str(path).replace(",", ",,")

    def _start(self):
        self._process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors,
            pass_fds=[end.fileno() for end in self._inherited])
        for end in self._inherited:
            end.close()
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def _collect(self):
        while chunk := self._process.stdout.read1(65536):
            with self._arrived:
                # The firmware ends its lines as a terminal wants it.
                self._text += chunk.decode("utf-8", "replace").replace("\r", "")
                self._arrived.notify_all()
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        self._monitor.close()
        if self.gdb_socket:
            self.gdb_socket.close()
        self._errors.close()
        self._scratch.cleanup()

    @property
    def console(self):
        """All that the guest printed so far."""
        with self._arrived:
            return self._text

    def wait_for(self, pattern, timeout=60):
        """The match of a regular expression (lines apart) on the console."""
        expression = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + timeout
        with self._arrived:
            while not (match := expression.search(self._text)):
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    raise MachineError(self._report(pattern, timeout))
                self._arrived.wait(left)
        return match

    def _report(self, pattern, timeout):
        reason = "QEMU ended" if self._ended else f"{timeout} s went by"
        self._errors.flush()
        errors = pathlib.Path(self._errors.name).read_text(errors="replace")
        return (f"{reason} before the console showed {pattern!r}\n--- console's end\n"
                f"{self._text[-tail_length:]}\n--- QEMU's errors\n{errors}"
                f"--- QEMU's command\n{' '.join(self.command)}")

    def wait_for_end(self, timeout=60):
        """Waits until QEMU ends by itself, as it does when the guest powers off or resets."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise MachineError(self._report("the machine's end", timeout)) from None
        self._reader.join()

    def command_monitor(self, name, **arguments):
        """The answer to a QMP command."""
        return self._monitor.command(name, **arguments)

    def human_monitor(self, line):
        """What the monitor for people prints for a command."""
        return self.command_monitor("human-monitor-command", **{"command-line": line})

    def read_memory(self, address, size):
        """Bytes of guest physical memory."""
        path = self._folder / "memory"
        self.command_monitor("pmemsave", val=address, size=size, filename=str(path))
        return path.read_bytes()

    def registers(self):
        """Control and general registers of the first processor by QEMU's names for them (RIP, CR2, HLT, ...)."""
        text = self.human_monitor("info registers")
        return {name: int(value, 16)
                for name, value in re.findall(r"\b([A-Z][A-Z0-9]+) *=([0-9a-f]+)", text)}

    def is_halted(self):
        """Whether the first processor is in HLT with interrupts off: only an NMI or a reset ends that."""
        registers = self.registers()
        return registers["HLT"] == 1 and registers["RFL"] & (1 << 9) == 0

    def wait_until_halted(self, timeout=10):
        """The last character of a message leaves a little before the processor halts."""
        deadline = time.monotonic() + timeout
        while not self.is_halted():
            if time.monotonic() > deadline:
                raise MachineError(self._report("a halted processor", timeout))
            time.sleep(0.01)

    def wait_until_reset(self, timeout=10):
        """Waits for the shim's own reset of a machine that holds it: of its causes a triple fault that nobody meant
        would leave an IDT."""
        deadline = time.monotonic() + timeout
        while self.command_monitor("query-status")["status"] != "shutdown":
            if time.monotonic() > deadline:
                raise MachineError(self._report("a reset", timeout))
            time.sleep(0.01)
        ends = [event["data"] for event in self._monitor.events if event["event"] == "SHUTDOWN"]
        table = re.search(r"^IDT=\s*(\S+) (\S+)", self.human_monitor("info registers"), re.MULTILINE)
        if ends != [{"guest": True, "reason": "guest-reset"}] or int(table[1], 16) or int(table[2], 16):
            raise MachineError(f"not the shim's reset: {ends}, {table[0]}\n{self._report('a reset', timeout)}")
