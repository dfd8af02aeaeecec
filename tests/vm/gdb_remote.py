# SPDX-License-Identifier: Apache-2.0
"""A client of QEMU's gdb stub: stop where a test says, see registers, change memory, go on [GDB manual, appendix
E, "Remote Protocol"; register order of QEMU's target/i386/gdbstub.c]."""

import struct

patience = 60

# The start of the `g` packet: seventeen registers of 8 bytes, then RFLAGS and selectors of 4.
wide = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
        "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip")
narrow = ("rflags", "cs", "ss", "ds", "es", "fs", "gs")
layout = struct.Struct(f"<{len(wide)}Q{len(narrow)}I")


class GdbError(AssertionError):
    """The stub answered with an error, or not at all."""


class GdbRemote:
    """The machine is stopped whenever no continue_() is under way."""

    def __init__(self, connection):
        connection.settimeout(patience)
        self._connection = connection
        self._buffer = b""

    def _send(self, payload):
        self._connection.sendall(f"${payload}#{sum(payload.encode()) % 256:02x}".encode())

    def _read(self, size):
        while len(self._buffer) < size:
            chunk = self._connection.recv(65536)
            if not chunk:
                raise GdbError("QEMU closed the connection")
            self._buffer += chunk
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _receive(self):
        while self._read(1) != b"$":
            pass
        payload = b""
        while (byte := self._read(1)) != b"#":
            payload += byte
        self._read(2)  # the checksum: a socket damages nothing
        self._connection.sendall(b"+")
        return payload.decode()

    def _command(self, payload):
        self._send(payload)
        answer = self._receive()
        if answer.startswith("E") or not answer:
            raise GdbError(f"{payload!r} was answered by {answer!r}")
        return answer

    def registers(self):
        values = layout.unpack_from(bytes.fromhex(self._command("g")))
        return dict(zip(wide + narrow, values))

    def read_memory(self, address, size):
        """Bytes at a virtual address, as the processor would see them."""
        return bytes.fromhex(self._command(f"m{address:x},{size:x}"))

    def write_memory(self, address, content):
        self._command(f"M{address:x},{len(content):x}:{content.hex()}")

    def set_breakpoint(self, address):
        # QEMU keeps breakpoints beside the memory, which stays as it is.
        self._command(f"Z0,{address:x},1")

    def remove_breakpoint(self, address):
        self._command(f"z0,{address:x},1")

    def continue_(self):
        """Runs until a breakpoint; returns the registers there."""
        self._send("c")
        while not (stop := self._receive()).startswith(("T", "S")):
            if stop.startswith(("W", "X")):
                raise GdbError(f"the machine ended instead of stopping: {stop}")
        return self.registers()

    def run_to(self, address):
        """Runs until an address is about to be executed; returns the registers there."""
        self.set_breakpoint(address)
        registers = self.continue_()
        if registers["rip"] != address:
            raise GdbError(f"stopped at {registers['rip']:#x} instead of {address:#x}")
        self.remove_breakpoint(address)
        return registers

    def detach(self):
        """Lets the machine run without the stub."""
        self._command("D")
