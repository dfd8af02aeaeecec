#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Machines of other shapes as TDs: displays whose memory is no RAM, processors whose APIC IDs are not their numbers, and
memory in nodes. The registers are those that shim-measure predicts for the same options of QEMU."""

import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import linux
import settings
import suite
import td_emu

two_nodes = ("-object", "memory-backend-ram,id=a,size=512M", "-object", "memory-backend-ram,id=b,size=512M",
             "-numa", "node,memdev=a,cpus=0", "-numa", "node,memdev=b,cpus=1")


def check_predicted(test, run, options, more):
    predicted = json.loads(subprocess.run(
        [settings.tool("shim-measure"), settings.image(), "--qemu", settings.qemu("new"), *map(str, options), "--json", "--", *more],
        check=True, capture_output=True, text=True).stdout)
    test.assertEqual([register.hex() for register in run.report.rtmr[:2]], [predicted["rtmr0"], predicted["rtmr1"]])


def begin(test, *more, cpus=1):
    """Comes to the kernel's first instruction."""
    options = ("--kernel", settings.Guest("6.12").kernel, "--memory", "1G", "--append", linux.plain_command_line, "--cpus", cpus)
    run = td_emu.Run(*options, "--until", "payload", "--", *more)
    test.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console + run.errors)
    check_predicted(test, run, options, more)


class Displays(unittest.TestCase):
    def test_vga(self):
        begin(self, "-device", "VGA")

    def test_virtio_vga(self):
        begin(self, "-device", "virtio-vga")

    def test_none_of_vga(self):
        begin(self, "-device", "bochs-display")


class Memory(unittest.TestCase):
    def test_nodes(self):
        begin(self, *two_nodes, cpus=2)

    def test_slots(self):
        begin(self, "-m", "1G,slots=2,maxmem=4G")


class Processors(unittest.TestCase):
    maxDiff = None

    def test_sparse_ids(self):
        """Sockets and cores that are no powers of two: all of them are started."""
        guest = settings.Guest("6.12")
        options = ("--kernel", guest.kernel, "--initrd", guest.initrd, "--memory", "1G", "--append", linux.plain_command_line,
                   "--cpus", "6")
        more = ("-smp", "6,sockets=2,cores=3,threads=1", "-device", "VGA")
        run = td_emu.Run(*options, "--", *more)
        self.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console[-3000:] + run.errors)
        self.assertEqual(linux.guest_line(run.console, "cpus"), "6")
        check_predicted(self, run, options, more)


if __name__ == "__main__":
    suite.main()
