#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A firmware of another make: the distribution's OVMF gets its MRTD from td-emu and boots Linux as a TD, to the guest's
power-off. What it measured on the way is in the log that Linux shows, and leads to the registers of the TDREPORT."""

import collections
import json
import pathlib
import struct
import subprocess
import sys
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent / folder) for folder in ("vm", "vectors")]

import linux
import settings
import suite
import td_emu
import td_guest
from mrtd import mrtd

tdg_vp_vmcall, tdg_vp_info, tdg_mr_rtmr_extend, tdg_mem_page_accept = 0, 1, 2, 6
mib = 1 << 20


def json_of(tool, *arguments):
    output = subprocess.run([settings.tool(tool), *map(str, arguments), "--json"], check=True, capture_output=True,
                            text=True).stdout
    return json.loads(output)


def digests_of(log, count):
    """By the register's number plus 1, of the log's first `count` events behind the header, each with SHA-384 alone."""
    digests = collections.defaultdict(list)
    at = 32 + struct.unpack_from("<I", log, 28)[0]
    for _ in range(count):
        register, _, algorithms, algorithm, digest, size = struct.unpack_from("<IIIH48sI", log, at)
        assert (algorithms, algorithm) == (1, 0xC), hex(at)
        digests[register].append(digest)
        at += 66 + size
    return digests


class Ovmf(unittest.TestCase):
    def test_linux_to_power_off(self):
        file, guest = settings.required_path("TDSHIM_OVMF"), settings.Guest("6.12")
        initrd = td_guest.initrd_with(self, guest, (settings.required_path("TDSHIM_TEST_BIN") / "td-report").read_bytes())
        run = td_emu.Run("--memory", "1G", "--deliver-exceptions", "--stats", "--kernel", guest.kernel,
                         "--initrd", initrd, "--append", linux.plain_command_line, image=file)
        self.assertEqual((run.exit_code, run.result and (run.result["finding"], run.result["end"])),
                         (0, ("", "power-off")), run.console[-3000:] + run.errors)
        run.line(r"efi: EFI v\S+ by .*EDK II")
        run.line(r"Memory Encryption Features active: Intel TDX$")
        run.line(r"reboot: Power down$")
        self.assertEqual(run.result["mrtd"], mrtd(file.read_bytes()))
        self.assertEqual(run.result["mrtd"], json_of("shim-measure", file, "--vmm", "none")["mrtd"])
        calls = dict(run.result["tdcalls"])
        for leaf in (tdg_vp_vmcall, tdg_vp_info, tdg_mr_rtmr_extend, tdg_mem_page_accept):
            self.assertIn(leaf, calls)
        self.assertGreaterEqual(run.result["pages_4k"], 900 * mib // 4096)
        self.check_log(linux.event_log(run.console), td_emu.Report(bytes.fromhex(
            linux.guest_line(run.console, "td-report"))))
        # Its image alone, which unpacks the rest, takes a few millions.
        self.assertGreater(run.result["instructions"][0], 100_000_000)

    def check_log(self, area, report):
        file = suite.temporary_folder(self) / "ccel"
        file.write_bytes(area)
        decoded = json_of("shim-log", "decode", file)
        digests = digests_of(area, len(decoded["events"]))
        for rtmr in (0, 1, 2):
            self.assertNotEqual(report.rtmr[rtmr], bytes(48))
            self.assertEqual(td_emu.replay(digests[rtmr + 1]), report.rtmr[rtmr], f"RTMR[{rtmr}]")
            self.assertEqual(decoded["registers"][f"rtmr{rtmr}"], report.rtmr[rtmr].hex())


if __name__ == "__main__":
    suite.main()
