#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a TD's boot costs in td-emu, from reset to the kernel's first instruction, as counts: the firmware's
instructions, TDCALLs, TDVMCALLs, pages."""

import pathlib
import sys
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent / folder) for folder in ("vm", "td_emu")]

import results
import settings
import suite
import td_emu

cells = {f"{memory}_{cpus}cpu{'_large' if large else ''}": (memory, cpus, large)
         for large in (False, True) for memory in ("512M", "64G") for cpus in (1, 4, 8)}


def check_cost(test, memory, cpus, large):
    guest = settings.Guest("6.12")
    run = td_emu.Run("--kernel", guest.kernel, "--initrd", guest.initrd, "--append", "console=ttyS0", "--memory", memory,
                     "--cpus", cpus, "--until", "payload", "--stats", *(["--large-pages"] if large else []))
    test.assertEqual(run.exit_code, 0, run.console[-2000:] + run.errors)
    instructions, result = run.result["instructions"], run.result
    test.assertEqual(len(instructions), cpus)
    tdcalls, tdvmcalls = (sum(count for _, count in result[kind]) for kind in ("tdcalls", "tdvmcalls"))
    hashed = result["hashed_bytes"]
    # SHA-384 in portable C is nearly all of it; 600 instructions a page are plenty beside.
    test.assertLess(instructions[0], 60 * hashed + 600 * result["pages_4k"])
    # One a character of the console, of which there are few, and one for each half of a MiB.
    test.assertLessEqual(tdvmcalls, 700)
    counts = {"instructions of the first vCPU": instructions[0], "of all": sum(instructions), "TDCALLs": tdcalls,
              "TDVMCALLs": tdvmcalls, "pages of 4 KiB": result["pages_4k"], "pages of 2 MiB": result["pages_2m"]}
    results.keep_row(test, {"vCPUs": cpus, "memory": memory, "pages": "2 MiB" if large else "4 KiB",
                            **{column: f"{count:,}" for column, count in counts.items()}})


class TdCost(unittest.TestCase):
    pass


suite.add_cases(TdCost, check_cost, cells)


if __name__ == "__main__":
    suite.main()
