#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""td-emu asked to end, by a key or a signal: QEMU ends with it, the terminal echoes again, and no temporary file is
left."""

import os
import pathlib
import pty
import re
import signal
import sys
import termios
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import kernels
import settings
import suite

endless = b"\xeb\xfe"  # jmp to itself
bound = 300  # seconds, for what hangs


class Signals(unittest.TestCase):
    def run_on_terminal(self, end, qemu=None, when=b"starting Linux"):
        """All that td-emu writes to a terminal of its own, and its exit code; `end(child, terminal)` asks it to end when
        it has come to `when`."""
        folder = suite.temporary_folder(self)
        (folder / "kernel").write_bytes(kernels.bzimage(endless))
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        command = list(map(str, [settings.tool("td-emu"), "--qemu", qemu or settings.qemu("new"), "--firmware", settings.image(),
                                 "--kernel", folder / "kernel", "--memory", "256M"]))
        child, terminal = pty.fork()
        if child == 0:
            os.execve(command[0], command, {**os.environ, "TMPDIR": str(self.temporary)})
        killer = threading.Timer(bound, os.kill, (child, signal.SIGKILL))
        killer.start()
        output = b""
        try:
            while chunk := os.read(terminal, 4096):
                output += chunk
                if end and when in output:
                    self.assertFalse(not qemu and self.echoes(terminal))
                    end(child, terminal)
                    end = None
        except OSError:  # EIO: nobody has the other end open any more
            pass
        _, status = os.waitpid(child, 0)
        killer.cancel()
        self.addCleanup(os.close, terminal)
        return output.decode("utf-8", "replace"), os.waitstatus_to_exitcode(status), terminal

    @staticmethod
    def echoes(terminal):
        return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)

    def check_ended(self, end):
        output, code, terminal = self.run_on_terminal(end)
        ended = re.search("td-emu: the run was ended from outside, (before|after) a payload began", output)
        self.assertIsNotNone(ended, output)
        self.assertEqual(code, 0 if ended[1] == "after" else 1, output)
        self.assertTrue(self.echoes(terminal))
        self.assertEqual(list(self.temporary.iterdir()), [])

    def test_interrupted_by_a_key(self):
        self.check_ended(lambda child, terminal: os.write(terminal, b"\3"))

    def test_what_does_not_end_is_killed(self):
        """A QEMU whose main loop waits for a vCPU, as one that does not listen."""
        deaf = suite.temporary_folder(self) / "qemu"
        deaf.write_text("#!/bin/sh\ntrap '' TERM\necho deaf to SIGTERM\nwhile :; do sleep 1; done\n")
        deaf.chmod(0o755)
        output, _, _ = self.run_on_terminal(lambda child, _: os.kill(child, signal.SIGTERM), qemu=deaf, when=b"deaf")
        self.assertEqual(list(self.temporary.iterdir()), [], output)

    def test_told_to_end(self):
        self.check_ended(lambda child, terminal: os.kill(child, signal.SIGTERM))


if __name__ == "__main__":
    suite.main()
