#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel in every form that the firmware takes, through fw_cfg and embedded in the image: it boots to the
small guest's last line, and what is measured are the files that it was made from."""

import hashlib
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "td_emu"))

import firmware
import linux
import kernel_forms
import settings
import suite
from machine import Machine
from td_emu import linked

boot_limit = 150
command_line = linux.command_line("q35")


class Form:
    """A form of the kernel: the payload file, what goes beside it, and the contents of the events of RTMR[1]."""

    def __init__(self, folder, name):
        guest = settings.Guest("6.12")
        kernel, initrd, text = guest.kernel.read_bytes(), guest.initrd.read_bytes(), command_line.encode()
        self.items = {}
        if name == "bzimage":
            self.payload, self.events = guest.kernel, [kernel, initrd, text]
        elif name == "vmlinux":
            vmlinux = kernel_forms.vmlinux_of(kernel)
            self.payload, self.events = folder / "vmlinux", [vmlinux, initrd, text]
            self.payload.write_bytes(vmlinux)
        elif name == "uki":
            self.payload = kernel_forms.unified(folder, kernel, initrd, text)
            self.events = [kernel, kernel_forms.os_release, initrd, text]
        elif name == "uki_with_initrd_beside":
            self.payload = kernel_forms.unified(folder, kernel)
            self.events = [kernel, kernel_forms.os_release, initrd, text]
        if name != "uki":
            self.items = {firmware.named_initrd: guest.initrd, firmware.named_command_line: text}


def check(test, name, is_embedded):
    folder = suite.temporary_folder(test)
    form = Form(folder, name)
    image, items = settings.image(), dict(form.items)
    if is_embedded:
        image = linked(folder / "final.bin", "--payload", form.payload)
    else:
        items[firmware.named_kernel] = form.payload
    with Machine(settings.qemu("new"), image, machine="q35", memory="1G", items=items) as vm:
        vm.wait_for(r"^guest: done$", timeout=boot_limit)
        vm.wait_for_end()
    report = firmware.Report(vm.console, lambda address, size: linux.event_log(vm.console))
    log = firmware.check_log(test, report)
    digests = [event.digest.hex() for event in log.of_rtmr(1)][1:-1]
    test.assertEqual(digests, [hashlib.sha384(content).hexdigest() for content in form.events])
    test.assertEqual(linux.guest_line(vm.console, "command-line"), command_line)


class PayloadKinds(unittest.TestCase):
    pass


# A vmlinux is larger than an image may be.
suite.add_cases(PayloadKinds, check, {
    "bzimage": ("bzimage", False), "bzimage_embedded": ("bzimage", True), "vmlinux": ("vmlinux", False),
    "uki": ("uki", False), "uki_embedded": ("uki", True), "uki_with_initrd_beside": ("uki_with_initrd_beside", False)})

if __name__ == "__main__":
    suite.main()
