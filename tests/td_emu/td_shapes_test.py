#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Machines of other shapes as TDs: displays whose memory is no RAM, processors whose APIC IDs are not their numbers, and
memory in nodes. The registers are those that shim-measure predicts for the same options of QEMU."""

import json
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import guest_devices
import linux
import settings
import shapes
import suite
import td_emu
import td_guest

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


def check_large(test, console):
    """A BAR of 128 GiB got a place behind a bridge, and all disks are there."""
    placed = int(re.search(shapes.large_bar_assigned, console)[1], 16)
    test.assertIsNone(re.search(r"(failed to|can't) assign", console), console)
    test.assertEqual(linux.guest_line(console, "td-report"), str(shapes.disks))
    return placed


def boot_large(test, *more, image=None):
    guest = settings.Guest("6.12")
    initrd = td_guest.initrd_with(test, guest, td_guest.script(shapes.count_disks))
    options = ("--kernel", guest.kernel, "--initrd", initrd, "--memory", "1G", "--append", linux.plain_command_line)
    more = (*shapes.root_ports, *shapes.large_device, *more,
            *shapes.many_disks(guest_devices.make_disk(test), ",disable-legacy=on,iommu_platform=on"))
    run = td_emu.Run(*options, "--", *more, image=image)
    test.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console[-3000:] + run.errors)
    if image is None:
        check_predicted(test, run, options, more)
    return run


class Pci(unittest.TestCase):
    def test_root_ports_a_large_bar_and_disks(self):
        check_large(self, boot_large(self, *shapes.large_window).console)

    def test_a_large_bar_by_static_tables(self):
        """They have a window for it whatever QEMU's options say."""
        image = td_emu.linked(suite.temporary_folder(self) / "static.bin", *td_emu.static)
        placed = check_large(self, boot_large(self, image=image).console)
        self.assertTrue(1 << 45 <= placed < 1 << 46, hex(placed))


class Displays(unittest.TestCase):
    def test_vga(self):
        begin(self, "-device", "VGA")

    def test_virtio_vga(self):
        begin(self, "-device", "virtio-vga")

    def test_qxl(self):
        settings.require_device(settings.qemu("new"), "qxl-vga")
        begin(self, "-device", "qxl-vga")

    def test_none_of_vga(self):
        begin(self, "-device", "bochs-display")


class Memory(unittest.TestCase):
    def test_nodes(self):
        begin(self, *two_nodes, cpus=2)

    def test_slots(self):
        begin(self, "-m", "1G,slots=2,maxmem=4G")


class Processors(unittest.TestCase):
    maxDiff = None

    def check_all_started(self, cpus, topology):
        guest = settings.Guest("6.12")
        options = ("--kernel", guest.kernel, "--initrd", guest.initrd, "--memory", "1G", "--append", linux.plain_command_line,
                   "--cpus", cpus)
        more = (*topology, "-device", "VGA")
        run = td_emu.Run(*options, "--", *more)
        self.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console[-3000:] + run.errors)
        self.assertEqual(linux.guest_line(run.console, "cpus"), str(cpus))
        check_predicted(self, run, options, more)

    def test_sparse_ids(self):
        """Sockets and cores that are no powers of two: all of them are started."""
        self.check_all_started(6, ("-smp", "6,sockets=2,cores=3,threads=1"))

    def test_sockets_cores_and_threads(self):
        self.check_all_started(12, shapes.several_sockets)


if __name__ == "__main__":
    suite.main()
