#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What protects the shim while it runs as a TD: the stacks of all processors, and page tables that td-emu walks each
time they are loaded. Instructions put into the image break one protection each, to see that it is missed."""

import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import suite
import td_emu
from exceptions_test import stacks_from, symbols
from td_rules_test import run_with

work_symbol = "_ZN6tdshim2td12_GLOBAL__N_14workEv"
stacks_symbol = "_ZN6tdshim3x866stacksE"


class Stacks(unittest.TestCase):
    maxDiff = None

    def test_a_worker_that_overflows_says_so(self):
        """The first processor waits while the second runs out of its stack."""
        workers = [(guard, bottom) for name, guard, bottom, _ in stacks_from(symbols()[stacks_symbol]) if name == "worker"]
        guard, bottom = workers[0]
        overflow = b"\xbc" + struct.pack("<I", bottom) + b"\x50"  # mov esp, bottom; push rax
        first = b"\x48\x81\xfc" + struct.pack("<I", guard) + b"\x77\x04" + b"\xf3\x90\xeb\xfc"  # cmp rsp; ja; pause; jmp
        place, run = run_with(self, work_symbol, first + overflow, "--cpus", "2", "--stats")
        self.assertEqual((run.exit_code, run.result["finding"]), (td_emu.reported_fatal_error, ""), run.console)
        run.line(rf"^tdshim: exception 14, error code 0x2, RIP {place + len(first) + 5:#x}, RSP {bottom:#x}, "
                 rf"CR2 {bottom - 8:#x}, guard page of the stack: worker: halted$")
        self.assertTrue(run.result["fatal_error"].startswith("tdshim: exception 14"))
        used = {stack["name"]: stack for stack in run.result["stacks"]}["worker 1 exceptions"]
        self.assertTrue(64 < used["used"] < used["size"] // 2, used)


if __name__ == "__main__":
    suite.main()
