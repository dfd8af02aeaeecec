# SPDX-License-Identifier: Apache-2.0
"""QEMU's machine protocol, as much of it as the tests need: one command, its answer, and the events that came before
it [QEMU docs/interop/qmp-spec.rst]."""

import json

patience = 30


class QmpError(AssertionError):
    """QEMU refused a command or went away."""


class Qmp:
    def __init__(self, connection):
        connection.settimeout(patience)
        self._connection = connection
        self._stream = connection.makefile("rwb")
        self._greeted = False
        self.events = []

    def open(self):
        """QEMU keeps events for itself until this is done; the first command does it too."""
        if not self._greeted:
            self._greeted = True
            self._receive("QMP")
            self.command("qmp_capabilities")

    def command(self, name, **arguments):
        """The answer's "return" member."""
        self.open()
        self._stream.write(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        self._stream.flush()
        return self._receive("return")

    def _receive(self, member):
        while line := self._stream.readline():
            message = json.loads(line)
            if "error" in message:
                raise QmpError(message["error"]["desc"])
            if member in message:
                return message[member]
            self.events.append(message)
        raise QmpError("QEMU closed the connection")

    def close(self):
        try:
            self._stream.close()
        except OSError:
            pass  # QEMU has gone with our last command unread
        self._connection.close()
