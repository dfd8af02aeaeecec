#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Linux finds its devices under our firmware, which sets up next to nothing of them: a disk is read, a network
card has its address, their interrupts arrive, and the kernel has no complaint about resources."""

import itertools
import re
import subprocess
import unittest

import firmware
import linux
import settings
import suite
from machine import Machine

mac = "52:54:00:74:64:78"
message = "read from the disk"
buses = {"q35": "pci", "microvm": "device"}  # of a virtio device's name
# An interrupt's controller as /proc/interrupts names it: message-signalled on PCI, the IOAPIC's wires elsewhere.
controllers = {"q35": r"PCI-MSI\S*", "microvm": "IO-APIC"}
complaints = (r"can't claim BAR", r"no compatible bridge window", r"BAR \d+.*: (failed to assign|no space)",
              r"can't (find|derive) (IRQ|routing)", r"\bno GSI\b", r"No IRQ", r"ACPI (BIOS )?Error", r"Firmware Bug")

cases = {f"{qemu}_{series.replace('.', '_')}_{machine}_{cpus}cpu": (qemu, series, machine, cpus)
         for qemu, series, machine, cpus in itertools.product(
             ("system", "new"), ("6.1", "6.12"), linux.machines, (1, 4))}


def make_disk(test):
    """An ext4 file system with hello.txt in it."""
    folder = suite.temporary_folder(test)
    (folder / "content").mkdir()
    (folder / "content" / "hello.txt").write_text(message + "\n")
    disk = folder / "disk.img"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", folder / "content", disk, "8M"], check=True)
    return disk


def arguments(machine, disk):
    bus = buses[machine]
    return ("-drive", f"file={disk},format=raw,if=none,readonly=on,id=disk", "-device", f"virtio-blk-{bus},drive=disk",
            "-netdev", "user,id=net,restrict=on", "-device", f"virtio-net-{bus},netdev=net,mac={mac}")


def check_devices(test, qemu, series, machine, cpus):
    guest = settings.Guest(series)
    items = {firmware.named_kernel: guest.kernel, firmware.named_initrd: guest.initrd,
             firmware.named_command_line: linux.command_line(machine).encode()}
    with Machine(settings.qemu(qemu), settings.image(), machine=linux.machines[machine], cpus=cpus, items=items,
                 arguments=arguments(machine, make_disk(test))) as vm:
        vm.wait_for(r"^guest: done$", timeout=120)
        vm.wait_for_end()
        console = vm.console
    test.assertEqual(linux.guest_line(console, "disk"), message)
    test.assertRegex(console, rf"(?m)^guest: net e\S+ {mac}$")
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
