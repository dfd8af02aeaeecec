#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Machines of other shapes as plain VMs: Linux boots to power-off and finds what is there, and the registers are those
that shim-measure predicts for the same options of QEMU."""

import json
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "td_emu"))

import firmware
import guest_devices
import linux
import settings
import shapes
import suite
import td_emu
import td_guest
from machine import Machine

bound = 600  # seconds, for what hangs: a busy machine takes minutes for twelve processors
two_nodes = ("-object", "memory-backend-ram,id=a,size=512M", "-object", "memory-backend-ram,id=b,size=512M",
             "-numa", "node,memdev=a,cpus=0", "-numa", "node,memdev=b,cpus=1")
cases = {
    "vga": (1, ("-device", "VGA"), None),
    "virtio_vga": (1, ("-device", "virtio-vga"), None),
    "two_nodes": (2, two_nodes, None),
    "sockets_cores_and_threads": (12, shapes.several_sockets, None),
    "root_ports_and_a_large_bar": (1, (*shapes.root_ports, *shapes.large_device, *shapes.large_window),
                                   shapes.large_bar_assigned),
}


def predict(guest, initrd, cpus, more, image):
    output = subprocess.run(
        [settings.tool("shim-measure"), "--plain-vm", image, "--qemu", settings.qemu("new"), "--memory", "1G",
         "--cpus", str(cpus), "--kernel", guest.kernel, "--initrd", initrd, "--append", linux.plain_command_line,
         "--json", "--", *more], check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def check_boot(test, cpus, more, said=None, program=None, image=None):
    image = image or settings.image()
    guest = settings.Guest("6.12")
    initrd = td_guest.initrd_with(test, guest, program) if program else guest.initrd
    items = {firmware.named_kernel: guest.kernel, firmware.named_initrd: initrd,
             firmware.named_command_line: linux.plain_command_line.encode()}
    with Machine(settings.qemu("new"), image, memory="1G", cpus=cpus, items=items, arguments=more) as vm:
        vm.wait_for(r"^guest: done$", timeout=bound)
        vm.wait_for_end(bound)
        console = vm.console
    test.assertEqual(linux.guest_line(console, "cpus"), str(cpus))
    if said:
        test.assertRegex(console, said)
    predicted = predict(guest, initrd, cpus, more, image)
    for rtmr in (0, 1):
        shown = re.search(rf"(?m)^tdshim: RTMR\[{rtmr}\] ([0-9a-f]{{96}})$", console)[1]
        test.assertEqual(shown, predicted[f"rtmr{rtmr}"], f"RTMR[{rtmr}]")


class Shapes(unittest.TestCase):
    def test_disks(self):
        check_boot(self, 1, shapes.many_disks(guest_devices.make_disk(self)), rf"(?m)^guest: td-report {shapes.disks}$",
                   td_guest.script(shapes.count_disks))

    def test_qxl(self):
        settings.require_device(settings.qemu("new"), "qxl-vga")
        check_boot(self, 1, ("-device", "qxl-vga"))


    def test_an_image_for_a_vmm_that_fills_sections(self):
        """...of which a plain VM has none: all comes by fw_cfg."""
        image = td_emu.linked(suite.temporary_folder(self) / "final.bin", "--profile", "tdvf-payload")
        check_boot(self, 1, (), image=image)


suite.add_cases(Shapes, check_boot, cases)

if __name__ == "__main__":
    suite.main()
