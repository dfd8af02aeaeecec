#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What shim-measure --plain-vm computes is what the firmware keeps and prints in a VM that is no TD, under the
machine's own QEMU and a newer one."""

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


def predict(test, qemu, machine, memory, cpus):
    program = settings.tool("shim-measure")
    if program is None:
        settings.skip("shim-measure is not built")
    folder = suite.temporary_folder(test)
    (folder / "kernel").write_bytes(kernels.bzimage())
    (folder / "initrd").write_bytes(initrd)
    output = subprocess.run(
        [program, "--plain-vm", settings.image(), "--qemu", qemu, "--machine", linux.machines[machine], "--memory",
         memory, "--cpus", str(cpus), "--kernel", folder / "kernel", "--initrd", folder / "initrd", "--append",
         command_line, "--json"], check=True, capture_output=True, text=True).stdout
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


class PlainVm(unittest.TestCase):
    pass


suite.add_cases(PlainVm, check_shape, {
    f"{which}_{machine}_{memory}_{cpus}": (which, machine, memory, cpus)
    for which in ("system", "new") for machine in linux.machines
    for memory, cpus in (("256M", 1), ("3G", 2), ("6G", 4))})

if __name__ == "__main__":
    suite.main()
