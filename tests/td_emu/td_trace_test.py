#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The trace has each call once, and says what was asked and answered."""

import collections
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import kernels
import suite
import td_emu
from call_trace import Call

def run(test, *options):
    """A boot, and its trace."""
    folder = suite.temporary_folder(test)
    (folder / "kernel").write_bytes(kernels.bzimage())
    ended = td_emu.Run("--kernel", folder / "kernel", "--memory", "256M", "--until", "payload", "--trace",
                       folder / "trace", *options)
    return ended, [Call(line) for line in (folder / "trace").read_text().splitlines()]


class Trace(unittest.TestCase):
    def check_counts(self, traced, counted):
        """The other vCPU may be inside a call, counted and not traced yet, when the run ends."""
        difference = collections.Counter(counted)
        difference.subtract(traced)
        self.assertLessEqual(sum(map(abs, difference.values())), 1, difference)

    def test_every_call(self):
        ended, calls = run(self, "--cpus", "2")
        self.assertEqual(ended.exit_code, 0, ended.console + ended.errors)
        self.assertEqual([call.number for call in calls], list(range(1, len(calls) + 1)))
        self.assertEqual({call.vcpu for call in calls}, {0, 1})
        leaves = collections.Counter("TDG.VP.VMCALL" if call.kind == "TDVMCALL" else call.name for call in calls)
        self.check_counts(leaves, ended.result["tdcalls_by_name"])
        subfunctions = collections.Counter(call.name for call in calls if call.kind == "TDVMCALL")
        self.check_counts(subfunctions, ended.result["tdvmcalls_by_name"])
        accepted = [call.operands["rcx"] for call in calls
                    if call.name == "TDG.MEM.PAGE.ACCEPT" and call.results["rax"] == 0]
        self.assertEqual(len(accepted), ended.result["pages_4k"])
        info = next(call for call in calls if call.name == "TDG.VP.INFO")
        self.assertEqual((info.operands, info.results["rcx"]), ({}, 53))
        window = next(call for call in calls if call.name == "MapGPA")
        self.assertEqual((window.operands["r13"], window.results["r10"]), (524288, 0))

    def test_no_access_to_a_pending_page_raises_an_exception(self):
        """It is the first that the module is asked for, and granted where the TD may choose."""
        status = {}
        for options in ([], ["--flexible-pending-ve"]):
            _, calls = run(self, "--attributes", "0", *options)
            asked = calls[0]
            self.assertEqual((asked.name, asked.operands["rdx"], asked.operands["r8"], asked.operands["r9"]),
                             ("TDG.VM.WR", 0x1110000300000017, 1, 1))
            status[bool(options)] = asked.results["rax"]
        self.assertEqual(status, {False: 0xC0000C0300000000, True: 0})

    def test_the_end(self):
        ended, calls = run(self, "--fault", "map-gpa-refused")
        self.assertEqual(ended.exit_code, td_emu.reported_fatal_error)
        self.assertEqual((calls[-1].name, calls[-1].end),
                         ("ReportFatalError", " fatal error: " + ended.result["fatal_error"]))
        refused = next(call for call in calls if call.name == "MapGPA")
        self.assertEqual(refused.results["r10"], 1 << 63)

    def test_a_file_that_cannot_be_written(self):
        ended = td_emu.Run("--memory", "256M", "--trace", "/nowhere/trace")
        self.assertEqual((ended.exit_code, ended.result), (2, None))
        self.assertIn("/nowhere/trace", ended.errors)


if __name__ == "__main__":
    suite.main()
