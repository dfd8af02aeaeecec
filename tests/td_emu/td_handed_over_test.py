#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pages that the shim hands to Linux, and that the VMM removes and adds anew just before Linux begins: nobody accepts
them a second time, so that the TD ends where one is missed."""

import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import linux
import settings
import suite
import td_emu
from call_trace import Call

append = linux.plain_command_line + " panic_on_warn=1 nosoftlockup efi=debug"
page = 0x1000
places = {
    "data of EFI's runtime": r"efi: mem\d+: \[Runtime Data.*range=\[(0x[0-9a-f]+)-",
    "table of unaccepted memory": r"efi: .*Unaccepted=(0x[0-9a-f]+)",
    "SMBIOS": r"efi: .*SMBIOS 3\.0=(0x[0-9a-f]+)",
}


def boot(*options, **more):
    """Of one processor, so that each boot makes the same calls."""
    guest = settings.Guest("6.12")
    return td_emu.Run("--kernel", guest.kernel, "--initrd", guest.initrd, "--append", append, "--memory", "1G", *options,
                      "--", "-fw_cfg", "name=opt/org.tdshim/smbios,string=pass", **more)


class HandedOver(unittest.TestCase):
    maxDiff = None

    def check_missed(self, address, call):
        """Linux's first use of the page is the last thing that happens."""
        faults = suite.temporary_folder(self) / "faults.json"
        faults.write_text(json.dumps([{"readd": {"address": hex(address), "call": call}}]))
        run = boot("--watch-payload", "--fault", faults)
        self.assertEqual((run.exit_code, run.result and run.result["pages_readded"]), (1, 1),
                         run.console[-2000:] + run.errors)
        found = re.search(r"access to memory that .* \(address (0x[0-9a-f]+)\)$", run.result["finding"])
        self.assertIsNotNone(found, run.result["finding"])
        self.assertEqual(int(found[1], 16) // page * page, address)
        run.line("^tdshim: starting Linux at")

    def test_missed(self):
        """An honest boot says where things are, and when the last register was extended: what the shim does then is
        to print lines, of which Linux gets a copy in another page."""
        trace = suite.temporary_folder(self) / "trace"
        honest = boot("--trace", trace, end_at=rb"EFI runtime memory map")
        calls = [Call(line) for line in trace.read_text().splitlines()]
        last = max(call.number for call in calls if call.name == "TDG.MR.RTMR.EXTEND")
        for name, pattern in places.items():
            with self.subTest(name):
                self.check_missed(int(honest.line(pattern)[1], 16) // page * page, last + 1)


if __name__ == "__main__":
    suite.main()
