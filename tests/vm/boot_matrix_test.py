#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real kernels, booted to the small guest's last line, on combinations of QEMU, kernel, machine, number of
processors and memory size (suite.every_three): what the guest finds is what the machine has, the measurements are
those of the files, and the event log that Linux shows is the one that the firmware wrote."""

import hashlib
import re
import time
import unittest

import event_log
import firmware
import linux
import results
import settings
import suite
from handover import Handover
from machine import Machine

MIB = 1024 * 1024
# With the wait for the machine's end, less than ctest's limit in CMakeLists.txt.
boot_limit = 150
memories = {"256M": 256, "3G": 3072, "6G": 6144}
# The kernel whose ACPI code shows a CCEL table's log in /sys.
shows_event_log = {"6.1": False, "6.12": True}

cells = {f"{qemu}_{series.replace('.', '_')}_{machine}_{cpus}cpu_{memory}": (qemu, series, machine, cpus, memory)
         for qemu, series, machine, cpus, memory in suite.every_three(
             ("system", "new"), ("6.1", "6.12"), linux.machines, (1, 4), memories)}


def check_inputs(test, report, log, inputs):
    """The digests of kernel, initrd and command line, in the log and on the console, are those of the files."""
    first, *events = log.of_rtmr(1)
    test.assertEqual(first.data, event_log.contents("td_payload=bzimage td_initrd td_payload_info"))
    test.assertEqual(len(events), 4, "kernel, initrd, command line, separator")
    for event, what, content in zip(events, ("kernel", "initrd", "command line"), inputs):
        digest = hashlib.sha384(content).hexdigest()
        test.assertEqual(event.digest.hex(), digest, what)
        _, size, printed = report.printed_digest(what)
        test.assertEqual((size, printed.hex()), (len(content), digest), what)


def check_guest(test, console, guest, cpus, memory, command_line):
    test.assertRegex(console, rf"(?m)^\[ *0\.000000\] Linux version {re.escape(guest.version)} ")
    test.assertEqual(linux.guest_line(console, "kernel"), guest.version)
    test.assertEqual(int(linux.guest_line(console, "cpus")), cpus)
    test.assertEqual(linux.guest_line(console, "command-line"), command_line)
    # The kernel keeps its code, the page structures and the initrd's copy out of its total.
    found = int(linux.guest_line(console, "memory-kib")) // 1024
    test.assertTrue(memories[memory] * 0.7 < found < memories[memory], f"{found} MiB of {memory}")


def check_event_log_in_guest(test, console, series, report):
    """The guest prints what is used of the log; that the rest is empty check_log has seen."""
    found = linux.event_log(console)
    test.assertEqual(found is not None, shows_event_log[series], "event log in the guest's /sys")
    if found:
        test.assertEqual(found, report.log_area[:report.log_used], "the guest's event log")


def boot(test, qemu, series, machine, cpus, memory):
    guest = settings.Guest(series)
    command_line = f"{linux.command_line(machine)} tdshim.cell={qemu}-{machine}-{cpus}-{memory}"
    items = {firmware.named_kernel: guest.kernel, firmware.named_initrd: guest.initrd,
             firmware.named_command_line: command_line.encode()}
    kernel = guest.kernel.read_bytes()
    with Machine(settings.qemu(qemu), settings.image(), machine=linux.machines[machine], memory=memory,
                 cpus=cpus, items=items, gdb=True) as vm:
        handover = Handover(vm, kernel)
        handover.gdb.detach()
        vm.wait_for(r"^guest: done$", timeout=boot_limit)
        vm.wait_for_end()
        results.keep(test, "console", vm.console)
    report = handover.report
    test.assertRegex(report.console, f"(?m){firmware.banner}")
    test.assertIn(f"\ntdshim: memory: {memories[memory] - 1} MiB usable\n", report.console)
    log = firmware.check_log(test, report)
    firmware.check_closed(test, log, event_log.separator_digest, bytes(4))
    check_inputs(test, report, log, (kernel, guest.initrd.read_bytes(), command_line.encode()))
    check_guest(test, vm.console, guest, cpus, memory, command_line)
    check_event_log_in_guest(test, vm.console, series, report)


def boot_and_note(test, qemu, series, machine, cpus, memory):
    """Boots a cell and leaves a row for the table."""
    program = settings.qemu(qemu)
    row = {"qemu": settings.qemu_version(program), "kernel": settings.Guest(series).version, "machine": machine,
           "cpus": cpus, "memory": memory, "result": "FAILED", "seconds": 0}
    began = time.monotonic()
    try:
        boot(test, qemu, series, machine, cpus, memory)
        row["result"] = "ok"
    finally:
        row["seconds"] = round(time.monotonic() - began, 1)
        results.keep_row(test, row)


class BootMatrix(unittest.TestCase):
    maxDiff = None


suite.add_cases(BootMatrix, boot_and_note, cells)


class Table(unittest.TestCase):
    """Runs behind the cells."""

    def test_table(self):
        rows = results.print_table(self, BootMatrix, cells)
        print(f"{len(rows)} of {len(cells)} combinations were run")
        self.assertEqual([row for row in rows if row["result"] != "ok"], [])


if __name__ == "__main__":
    suite.main()
