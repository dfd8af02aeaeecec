#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a boot costs from reset to the kernel's first instruction, as counts: guest instructions, bytes read from
the VMM, bytes hashed. QEMU's -icount makes the time stamp counter count instructions, so the figures do not
depend on the host."""

import itertools
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import event_log
import firmware
import linux
import results
import settings
import suite
from machine import Machine

# Virtual time advances 2^1 ns an instruction, and QEMU's time stamp counter once a nanosecond.
instruction_clock = ("-icount", "shift=1,sleep=off")
ticks_of_an_instruction = 2
separator = bytes(4)

cells = {f"{machine}_{qemu}": (machine, qemu) for machine, qemu in itertools.product(linux.machines, ("system", "new"))}


class Cost:
    def __init__(self, machine, qemu, kernel, initrd, command_line, image=None):
        items = {firmware.named_kernel: kernel, firmware.named_initrd: initrd, firmware.named_command_line: command_line}
        items = {name: item for name, item in items.items() if item is not None}
        with Machine(settings.qemu(qemu), image or settings.image(), machine=linux.machines[machine], memory="3G", items=items,
                     arguments=instruction_clock) as vm:
            vm.wait_for(firmware.started, timeout=120)
            self.report = firmware.Report(vm.console, vm.read_memory)
        self.read, self.hashed, ticks = self.report.counts()
        self.instructions = ticks // ticks_of_an_instruction


def size_of_input(event):
    """Bytes behind an event's digest, as the event says."""
    if event.kind == event_log.platform_firmware_blob2:
        return event.blob()[2]
    if event.kind == event_log.platform_config_flags:
        return len(event.configuration()[1])
    return len(event.data)


def check_hashed(test, cost, inputs):
    """What RTMR[1] is made of, kernel, initrd, command line, the configuration that RTMR[0] logs, two separators: each hashed once."""
    log = firmware.check_log(test, cost.report)
    firmware.check_closed(test, log, event_log.separator_digest, separator)
    contents, *files = [size_of_input(event) for event in log.of_rtmr(1)[:-1]]
    test.assertEqual(files, inputs)
    configuration = sum(size_of_input(event) for event in log.of_rtmr(0)[:-1])
    test.assertEqual(cost.hashed, contents + sum(inputs) + configuration + 2 * len(separator))


def check_cost(test, machine, qemu):
    guest = settings.Guest("6.12")
    command_line = linux.command_line(machine).encode()
    inputs = (guest.kernel, guest.initrd, command_line)
    first, second = Cost(machine, qemu, *inputs), Cost(machine, qemu, *inputs)
    test.assertEqual((first.read, first.hashed), (second.read, second.hashed))
    # The console waits for the serial port, whose emulation lives in the host's time.
    test.assertAlmostEqual(first.instructions / second.instructions, 1, delta=0.001)

    check_hashed(test, first, [guest.kernel.stat().st_size, guest.initrd.stat().st_size, len(command_line)])
    test.assertGreaterEqual(first.read, first.hashed - 2 * len(separator), "the separators alone are not read")
    # Each byte is hashed once, at the cost that SHA-384 in portable C has; nothing else comes near.
    test.assertLess(first.instructions, 60 * first.hashed)
    results.keep_row(test, {
        "machine": f"{machine}, QEMU {settings.qemu_version(settings.qemu(qemu))}",
        "instructions": f"{first.instructions:,}", "bytes read": f"{first.read:,}", "bytes hashed": f"{first.hashed:,}",
        "instructions a hashed byte": f"{first.instructions / first.hashed:.1f}"})


class BootCost(unittest.TestCase):
    pass


suite.add_cases(BootCost, check_cost, cells)


if __name__ == "__main__":
    suite.main()
