#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Linux asks the VMM for HLT when it has nothing to do: it then sleeps until an interrupt comes."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import settings
import suite
import td_emu
import td_guest

naps, seconds = 100, 5
program = td_guest.script(
    "now() { cut -d ' ' -f 1 /proc/uptime; }",
    "begin=$(now); i=0",
    f"while [ $i -lt {naps} ]; do sleep 0.01; i=$((i + 1)); done",
    f"napped=$(now); sleep {seconds}",
    "echo $begin $napped $(now)")


def check_idle(test, cpus):
    guest = settings.Guest("6.12")
    run = td_emu.Run("--kernel", guest.kernel, "--initrd", td_guest.initrd_with(test, guest, program),
                     "--append", "console=ttyS0 panic=-1", "--memory", "512M", "--cpus", cpus)
    test.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console[-3000:] + run.errors)
    begin, napped, end = map(float, run.line(r"^guest: td-report (\S+) (\S+) (\S+)$").groups())
    test.assertGreaterEqual(end - napped, seconds - 0.05)
    # A guest that misses its interrupts never comes so far: the run has a bound.
    test.assertGreaterEqual(napped - begin, naps * 0.01)
    # A pause of 200 microseconds was 20,000 calls and more for each processor.
    halts = run.result["tdvmcalls_by_name"]["HLT"]
    test.assertTrue(naps <= halts < 6000 * cpus, halts)
    test.assertIsNone(re.search("rcu.*stall|soft lockup", run.console))


class Idle(unittest.TestCase):
    pass


suite.add_cases(Idle, check_idle, {f"{cpus}cpu": (cpus,) for cpus in (1, 2)})

if __name__ == "__main__":
    suite.main()
