#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A firmware of another make: the distribution's TDVF image of OVMF gets its MRTD from td-emu and runs as a TD up to
its boot menu, measuring on the way. It has no embedded end: the test ends QEMU when the menu is there."""

import json
import pathlib
import re
import subprocess
import sys
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent / folder) for folder in ("vm", "vectors")]

import settings
import td_emu
from mrtd import mrtd

menu = rb"BdsDxe: (No bootable option|failed to load|loading)"
tdg_vp_vmcall, tdg_vp_info, tdg_mr_rtmr_extend, tdg_mem_page_accept = 0, 1, 2, 6


def mrtd_by_shim_measure(file):
    output = subprocess.run([settings.tool("shim-measure"), file, "--vmm", "none", "--json"], check=True,
                            capture_output=True, text=True).stdout
    return json.loads(output)["mrtd"]


class Ovmf(unittest.TestCase):
    def test_runs_to_its_boot_menu(self):
        file = settings.required_path("TDSHIM_OVMF")
        run = td_emu.Run("--memory", "512M", "--deliver-exceptions", image=file, end_at=menu)
        self.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console + run.errors)
        self.assertEqual(run.result["mrtd"], mrtd(file.read_bytes()))
        self.assertEqual(run.result["mrtd"], mrtd_by_shim_measure(file))
        calls = dict(run.result["tdcalls"])
        for leaf in (tdg_vp_vmcall, tdg_vp_info, tdg_mr_rtmr_extend, tdg_mem_page_accept):
            self.assertIn(leaf, calls)
        self.assertNotEqual(run.report.rtmr[0], bytes(48))
        self.assertTrue(re.search("BdsDxe", run.console))


if __name__ == "__main__":
    import suite
    suite.main()
