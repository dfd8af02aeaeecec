#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What shim-measure --plain-vm computes is what the firmware keeps and prints in a VM that is no TD, under the
machine's own QEMU and a newer one."""

import hashlib
import json
import subprocess
import unittest

import event_log
import firmware
import kernels
import linux
import settings
import suite
from handover import Handover
from machine import Machine

command_line = "console=ttyS0 quiet"
initrd = bytes(range(256)) * 40 + b"odd"


def predict(test, qemu, machine, memory, cpus, *more):
    program = settings.tool("shim-measure")
    if program is None:
        settings.skip("shim-measure is not built")
    folder = suite.temporary_folder(test)
    (folder / "kernel").write_bytes(kernels.bzimage())
    (folder / "initrd").write_bytes(initrd)
    output = subprocess.run(
        [program, "--plain-vm", settings.image(), "--qemu", qemu, "--machine", linux.machines[machine], "--memory",
         memory, "--cpus", str(cpus), "--kernel", folder / "kernel", "--initrd", folder / "initrd", "--append",
         command_line, "--json", *(["--", *more] if more else [])], check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def check_shape(test, which, machine, memory, cpus):
    qemu = settings.qemu(which)
    predicted = predict(test, qemu, machine, memory, cpus)
    test.assertIsNone(predicted["mrtd"])
    items = {firmware.named_kernel: kernels.bzimage(), firmware.named_initrd: initrd,
             firmware.named_command_line: command_line.encode()}
    with Machine(qemu, settings.image(), machine=linux.machines[machine], memory=memory, cpus=cpus,
                 items=items, gdb=True) as running:
        handover = Handover(running, kernels.bzimage())
        log = firmware.check_log(test, handover.report)
        firmware.check_closed(test, log, event_log.separator_digest, bytes(4))
        handover.gdb.detach()
    for rtmr in (0, 1):
        test.assertEqual(handover.report.rtmr[rtmr].hex(), predicted[f"rtmr{rtmr}"], f"RTMR[{rtmr}]")


def digest_of(file):
    return hashlib.sha384(file.read_bytes()).digest()


class PlainVm(unittest.TestCase):
    pass


class DisksInUse(unittest.TestCase):
    """Of a guest that runs: its disks are locked, and are to stay as they are."""

    def check(self, which):
        qemu, file = settings.qemu(which), suite.temporary_folder(self) / "a, disk"
        file.write_bytes(bytes(1 << 20))
        name = str(file).replace(",", ",,")
        before = digest_of(file)
        disks = {options: ("-drive", f"file={name},format=raw,{options}", *device) for options, device in (
            ("if=virtio", ()), ("if=none,id=d", ("-device", "virtio-blk-pci,drive=d")), ("media=cdrom", ()),
            ("if=virtio,readonly=on", ()), ("if=virtio,snapshot=on", ()))}
        with Machine(qemu, settings.image(), machine="q35", memory="256M", cpus=1, items={},
                     arguments=disks["if=virtio"], holds_reset=True) as running:
            running.command_monitor("query-status")  # it has opened them
            for options, words in disks.items():
                with self.subTest(options):
                    predict(self, qemu, "q35", "256M", 1, *words)
        self.assertEqual(digest_of(file), before)

    def test_system(self):
        self.check("system")

    def test_new(self):
        self.check("new")


suite.add_cases(PlainVm, check_shape, {
    f"{which}_{machine}_{memory}_{cpus}": (which, machine, memory, cpus)
    for which in ("system", "new") for machine in linux.machines
    for memory, cpus in (("256M", 1), ("3G", 2), ("6G", 4))})

if __name__ == "__main__":
    suite.main()
