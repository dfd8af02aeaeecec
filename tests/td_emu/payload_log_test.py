#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""td-emu's --ccel: the log has the events of a payload that extends registers itself, and without them, where the
payload does not log what it extends, td-emu says so."""

import json
import pathlib
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import payloads
import settings
import suite
import td_emu

entry, in_file = 0x2000000, 0x1000  # of the payload hello
# TDG.MR.RTMR.EXTEND of RTMR[2] by the 48 bytes at the entry, and a HLT, which ends the run in a finding.
extend_and_halt = b"\xb8\2\0\0\0" b"\xb9" + struct.pack("<I", entry) + b"\xba\2\0\0\0" b"\x66\x0f\x01\xcc" b"\xf4"


class PayloadLog(unittest.TestCase):
    def setUp(self):
        folder = suite.temporary_folder(self)
        self.ccel, self.report, self.unlogged = folder / "ccel", folder / "report", folder / "unlogged.elf"
        content = bytearray(payloads.payload("hello.elf").read_bytes())
        content[in_file:in_file + len(extend_and_halt)] = extend_and_halt
        self.unlogged.write_bytes(content)

    def run_payload(self, file, *options):
        return td_emu.Run("--memory", "512M", "--kernel", file, "--ccel", self.ccel, "--report", self.report, *options)

    def log(self, *words):
        return subprocess.run([settings.tool("shim-log"), words[0], self.ccel, *words[1:]], capture_output=True, text=True)

    def events_of(self, register):
        decoded = json.loads(self.log("decode", "--json").stdout)
        return [event for event in decoded["events"] if event["register"] == register]

    def test_the_payload_s_own_event_is_in_the_log(self):
        """Which is that of the end: selftest logs its event behind the extension."""
        run = self.run_payload(payloads.payload("selftest.elf"), "--deliver-exceptions", "--stats")
        self.assertEqual((run.exit_code, run.result["ccel_is_whole"]), (0, True), run.console + run.errors)
        event, = self.events_of("rtmr3")
        self.assertEqual(event["digest"], td_emu.sha384(b"TDSH\x08\0\0\0selftest").hex())
        checked = self.log("check", "--report", self.report)
        self.assertEqual(checked.returncode, 0, checked.stdout)
        self.assertIn("1 event appended by the OS in RTMR[3]", checked.stdout)
        self.assertIn("hashed_bytes", run.result)  # of the firmware's events alone

    def test_an_extension_that_the_log_does_not_have(self):
        run = self.run_payload(self.unlogged)
        self.assertEqual((run.exit_code, run.result["ccel_is_whole"]), (1, False), run.console + run.errors)
        self.assertIn("HLT raises #VE", run.result["finding"])
        self.assertEqual(self.events_of("rtmr2"), [])
        self.assertEqual(self.log("replay").returncode, 0)

    def test_a_payload_that_extends_nothing(self):
        run = self.run_payload(payloads.payload("hello.elf"))
        self.assertNotIn("ccel_is_whole", run.result)
        self.assertEqual(self.log("check", "--report", self.report).returncode, 0)

    def test_it_is_said_in_a_line(self):
        said = subprocess.run([settings.tool("td-emu"), "--qemu", settings.qemu("new"), "--firmware", settings.image(),
                               "--memory", "512M", "--kernel", self.unlogged, "--ccel", self.ccel],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=100)
        self.assertIn(f"td-emu: {self.ccel} is the log as the payload began: the payload extended registers, and the log "
                      "in memory does not say by what\n", said.stdout)


if __name__ == "__main__":
    suite.main()
