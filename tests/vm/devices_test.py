#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Linux finds its devices under our firmware, which sets up next to nothing of them: a disk is read, a network
card has its address, their interrupts arrive, and the kernel has no complaint about resources."""

import itertools
import re
import unittest

import firmware
import guest_devices
import linux
import settings
import suite
from machine import Machine

buses = {"q35": "pci", "microvm": "device"}  # of a virtio device's name
# An interrupt's controller as /proc/interrupts names it: message-signalled on PCI, the IOAPIC's wires elsewhere.
controllers = {"q35": r"PCI-MSI\S*", "microvm": "IO-APIC"}
complaints = (r"can't claim BAR", r"no compatible bridge window", r"BAR \d+.*: (failed to assign|no space)",
              r"can't (find|derive) (IRQ|routing)", r"\bno GSI\b", r"No IRQ", r"ACPI (BIOS )?Error", r"Firmware Bug")

cases = {f"{qemu}_{series.replace('.', '_')}_{machine}_{cpus}cpu": (qemu, series, machine, cpus)
         for qemu, series, machine, cpus in itertools.product(
             ("system", "new"), ("6.1", "6.12"), linux.machines, (1, 4))}


def check_devices(test, qemu, series, machine, cpus):
    guest = settings.Guest(series)
    items = {firmware.named_kernel: guest.kernel, firmware.named_initrd: guest.initrd,
             firmware.named_command_line: linux.command_line(machine).encode()}
    with Machine(settings.qemu(qemu), settings.image(), machine=linux.machines[machine], cpus=cpus, items=items,
                 arguments=guest_devices.arguments(guest_devices.make_disk(test), buses[machine])) as vm:
        vm.wait_for(r"^guest: done$", timeout=120)
        vm.wait_for_end()
        console = vm.console
    guest_devices.check_found(test, console)
    check_interrupts(test, console, machine)
    for complaint in complaints:
        test.assertNotRegex(console, complaint)
    if machine == "q35":
        # 6.1 and 6.12 word it differently; both name the 256 MiB that the firmware switched on.
        test.assertRegex(console, r"PCI: (MMCONFIG|ECAM) .*(b0000000-bfffffff|b0000000-0xbfffffff)")


def check_interrupts(test, console, machine):
    """The disk was read, so its interrupts have come; the card's queues have theirs."""
    interrupts = [(kind, int(count), name)
                  for kind, count, name in re.findall(r"(?m)^guest: irq (\S+) (\d+) (\S+)$", console)]
    test.assertGreaterEqual(len({name.split("-")[0] for _, _, name in interrupts}), 2, interrupts)
    test.assertEqual([kind for kind, _, _ in interrupts if not re.match(controllers[machine], kind)], [])
    test.assertGreater(max(count for _, count, _ in interrupts), 0, interrupts)


class Devices(unittest.TestCase):
    maxDiff = None


suite.add_cases(Devices, check_devices, cases)

if __name__ == "__main__":
    suite.main()
