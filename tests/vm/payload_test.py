#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""selftest and hello in a plain VM: what applies there passes, and the machine is switched off."""

import unittest

import payloads
import settings
import suite
from machine import Machine

skipped = ["report", "RTMR[3]", "sharing", "processors"]


def run(image, cpus=1, items=None, **options):
    with Machine(settings.qemu(), image, cpus=cpus, items=items, **options) as machine:
        machine.wait_for_end()
        return machine.console


def check(test, form, is_embedded, cpus):
    file = payloads.payload(payloads.forms[form])
    if is_embedded:
        console = run(payloads.embedded(file, suite.temporary_folder(test) / "final.bin"), cpus)
    else:
        console = run(settings.image(), cpus, {"opt/org.tdshim/kernel": str(file)})
    payloads.check_console(test, console, "plain VM", skipped)


cases = {f"selftest_{form}_{'embedded' if is_embedded else 'item'}": (form, is_embedded, cpus)
         for form, is_embedded, cpus in (("elf", False, 1), ("pie", False, 4), ("pe", False, 1), ("elf", True, 4),
                                         ("pe", True, 1))}


class Payload(unittest.TestCase):
    maxDiff = None

    def test_hello(self):
        console = run(settings.image(), items={"opt/org.tdshim/kernel": str(payloads.payload("hello.elf"))})
        self.assertRegex(console, r"(?m)^hello from a payload in a plain VM$")
        self.assertRegex(console, r"(?m)^  0x800000 \d+ KiB reserved$")
        self.assertRegex(console, r"(?m)^  ACPI table CCEL, 56 bytes$")

    def test_selftest_as_a_pe_file_that_must_be_relocated(self):
        file = payloads.moved_pe(suite.temporary_folder(self) / "moved.pe")
        console = run(settings.image(), items={"opt/org.tdshim/kernel": str(file)})
        payloads.check_console(self, console, "plain VM", skipped)

    def test_selftest_on_microvm(self):
        with Machine(settings.qemu(), settings.image(), machine="microvm",
                     items={"opt/org.tdshim/kernel": str(payloads.payload("selftest.elf"))}) as machine:
            machine.wait_for(r"^selftest: \d+ passed, 0 failed, \d+ skipped$")
            machine.wait_until_halted()  # microvm has no port that switches it off
            payloads.check_console(self, machine.console, "plain VM", [*skipped[:2], "#VE", *skipped[2:]])


suite.add_cases(Payload, check, cases)

if __name__ == "__main__":
    suite.main()
