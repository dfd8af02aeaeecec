#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""QEMU's machines by their ACPI: where there is none that Linux can use, one line says what it will lack and what
helps, and Linux lacks just that; where there is, nothing is said."""

import re
import unittest

import firmware
import kernels
import linux
import settings
import suite
from machine import Machine

lacks = ": no event log for the OS (CCEL), no power-off; use a machine with ACPI, such as -machine q35"
no_tables = f"tdshim: acpi: the VMM offers no tables{lacks}"
# Nobody has put the registers of pc's PIIX4 anywhere.
no_registers = f"tdshim: acpi: the VMM's FADT has no event registers, so Linux leaves ACPI off{lacks}"

# Machine -> what is said of it.
without_acpi = {"pc": no_registers, "microvm,acpi=off": no_tables, "q35,acpi=off": no_tables}
with_acpi = ("q35", "microvm,acpi=on")


def said(console):
    return re.findall(r"^tdshim: acpi: the VMM.*$", console, re.MULTILINE)


def check_line(test, qemu, machine):
    with Machine(settings.qemu(qemu), settings.image(), machine=machine,
                 items={firmware.named_kernel: kernels.bzimage()}) as vm:
        vm.wait_for(firmware.started)
        test.assertEqual(said(vm.console), [without_acpi[machine]] if machine in without_acpi else [])


def check_linux(test, machine):
    guest = settings.Guest("6.12")
    # On microvm nothing but a clock that Linux is told of is sure to go on; its timer's check fails on a busy host.
    items = {firmware.named_kernel: guest.kernel, firmware.named_initrd: guest.initrd,
             firmware.named_command_line: linux.command_line(machine.split(",")[0]).encode()}
    with Machine(settings.qemu(), settings.image(), machine=machine, items=items) as vm:
        vm.wait_for(r"^guest: done$", timeout=600)
        vm.wait_for(r"reboot: Power off not available: System halted instead$", timeout=600)
        test.assertEqual(said(vm.console), [without_acpi[machine]])
        test.assertEqual(linux.guest_line(vm.console, "ccel"), "none")


def name_of(machine):
    return re.sub(r"\W", "_", machine)


class Machines(unittest.TestCase):
    maxDiff = None


suite.add_cases(Machines, check_line, {f"line_{qemu}_{name_of(machine)}": (qemu, machine)
                                       for qemu in ("system", "new") for machine in (*without_acpi, *with_acpi)})
suite.add_cases(Machines, check_linux, {f"linux_{name_of(machine)}": (machine,) for machine in without_acpi})

if __name__ == "__main__":
    suite.main()
