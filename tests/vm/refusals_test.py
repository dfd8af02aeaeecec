#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every bad input that a stock QEMU can hand to the firmware: one clear line on the console, error separators
with the reason in the log and in both registers, a machine that was reset, and no payload entered. Hostile memory
maps, ACPI scripts and directories, which QEMU does not make, are in tests/native."""

import hashlib
import re
import unittest

import event_log
import firmware
import kernels
import settings
import suite
from machine import Machine

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
stub = kernels.bzimage()
kernel_item = firmware.named_kernel


def numbers(at, expected, found):
    return f" (at {at:#x}: expected {expected:#x}, found {found:#x})"


def less_than(at, expected):
    """Of memory there is some, how much is the machine's affair: check_refusal() puts that in."""
    return f" (at {at:#x}: expected {expected:#x}, found LESS)"


def kernel_cut_at(length):
    return {kernel_item: stub[:length]}


def kernel_with(**changes):
    return {kernel_item: kernels.bzimage(**changes)}


def beside_stub(name, content, **changes):
    return {kernel_item: kernels.bzimage(**changes), name: content}


header_size = 0x26C - 0x1F1
smallest = kernels.setup_size + kernels.entry_offset + 1
code_size = len(stub) - kernels.setup_size
no_kernel = "no kernel: neither a named fw_cfg item, nor etc/boot/kernel, nor the legacy keys hold one"
no_payload = "payload is no bzImage, vmlinux, ELF, PE, unified kernel image or Linux bundle"
not_bzimage = "kernel has no boot flag 0xAA55: not a bzImage"
too_early = "input ends too early"
too_short = "kernel is shorter than its setup header says"
bad_alignment = "kernel's alignment is not a power of two from 4 KiB to 1 GiB"
bad_init_size = "kernel's init_size is smaller than its code or absurd"
wraps = "kernel's preferred address and size wrap around"
no_room = "kernel does not fit into memory"
too_long = "command line is longer than the kernel takes"
no_initrd_room = "initrd does not fit into memory"

# Of refusals of the kernel: fw_cfg items -> what the line says behind the item's name.
kernel_cases = {
    "empty_file": (kernel_cut_at(0), no_payload),
    "cut_before_header": (kernel_cut_at(0x100), no_payload),
    "cut_in_header": (kernel_cut_at(0x220), too_early + numbers(0x1F1, header_size, 0x220 - 0x1F1)),
    "cut_in_setup": (kernel_cut_at(0x300), too_short + numbers(0x1F1, smallest, 0x300)),
    "cut_at_setup_end": (kernel_cut_at(1024), too_short + numbers(0x1F1, smallest, 1024)),
    "cut_before_entry": (kernel_cut_at(1024 + 0x200), too_short + numbers(0x1F1, smallest, smallest - 1)),
    "cut_in_code": (kernel_cut_at(2048), too_short + numbers(0x1F4, len(stub), 2048)),
    "cut_by_one_sector": (kernel_cut_at(len(stub) - 512),
                          too_short + numbers(0x1F4, len(stub), len(stub) - 512)),
    "no_boot_flag": (kernel_with(boot_flag=0xAA54), not_bzimage + numbers(0x1FE, 0xAA55, 0xAA54)),
    "no_magic": (kernel_with(header=0x53726449),
                 "kernel has no header signature HdrS: not a bzImage"
                 + numbers(0x202, 0x53726448, 0x53726449)),
    "old_protocol": (kernel_with(version=0x20B), "kernel's boot protocol is older than 2.12"
                     + numbers(0x206, 0x20C, 0x20B)),
    "loaded_low": (kernel_with(loadflags=0), "kernel is not made to be loaded at 1 MiB or above"
                   + numbers(0x211, 1, 0)),
    "no_64bit_entry": (kernel_with(xloadflags=2), "kernel has no 64-bit entry point"
                       + numbers(0x236, 1, 2)),
    "setup_sects_past_end": (kernel_with(setup_sects=255),
                             too_short + numbers(0x1F1, 256 * 512 + 0x201, len(stub))),
    # 0 stands for 4, which leaves less code than the header promises.
    "setup_sects_zero": (kernel_with(setup_sects=0), too_short
                         + numbers(0x1F4, 5 * 512 + code_size, len(stub))),
    "syssize_past_end": (kernel_with(syssize=0xFFFFFFFF), too_short
                         + numbers(0x1F4, kernels.setup_size + 0xFFFFFFFF * 16, len(stub))),
    "alignment_zero": (kernel_with(kernel_alignment=0), bad_alignment + numbers(0x230, 2 * MIB, 0)),
    "alignment_odd": (kernel_with(kernel_alignment=3 * MIB),
                      bad_alignment + numbers(0x230, 2 * MIB, 3 * MIB)),
    "alignment_huge": (kernel_with(kernel_alignment=2 * GIB),
                       bad_alignment + numbers(0x230, 2 * MIB, 2 * GIB)),
    "init_size_zero": (kernel_with(init_size=0), bad_init_size + numbers(0x260, code_size, 0)),
    "init_size_below_code": (kernel_with(init_size=code_size - 1),
                             bad_init_size + numbers(0x260, code_size, code_size - 1)),
    "init_size_absurd": (kernel_with(init_size=0xFFFFFFFF),
                         bad_init_size + numbers(0x260, code_size, 0xFFFFFFFF)),
    "init_size_above_memory": (kernel_with(init_size=GIB), no_room + less_than(16 * MIB, GIB)),
    "pref_address_wraps": (kernel_with(pref_address=2**64 - 2 * MIB, init_size=4 * MIB),
                           wraps + numbers(0x258, 2**64 - 1 - 4 * MIB, 2**64 - 2 * MIB)),
    "pref_address_at_the_end": (kernel_with(pref_address=2**64 - 2 * MIB),
                                no_room + numbers(2**64 - 2 * MIB, MIB, 0)),
    "pref_address_wraps_by_alignment": (kernel_with(pref_address=2**64 - 1),
                                        wraps + numbers(0x258, 2**64 - 1 - MIB, 2**64 - 1)),
    "pref_address_above_memory": (kernel_with(pref_address=GIB), no_room + numbers(GIB, MIB, 0)),
    "pref_address_above_4g": (kernel_with(pref_address=8 * GIB), no_room + numbers(8 * GIB, MIB, 0)),
    "not_relocatable_and_taken": (kernel_with(relocatable_kernel=0, pref_address=8 * MIB),
                                  "kernel runs only where the shim itself is"
                                  + numbers(8 * MIB, 0xC00000, 8 * MIB)),
}

# Refusals of what comes beside the kernel: item's name, fw_cfg items, reason.
other_cases = {
    "command_line_one_too_long": (
        firmware.named_command_line, beside_stub(firmware.named_command_line, b"x" * 2048),
        too_long + numbers(0, 2047, 2048)),
    "command_line_far_too_long": (
        firmware.named_command_line, beside_stub(firmware.named_command_line, b"x" * MIB),
        too_long + numbers(0, 2047, MIB)),
    "command_line_where_none_is_taken": (
        firmware.named_command_line, beside_stub(firmware.named_command_line, b"quiet", cmdline_size=0),
        too_long + numbers(0, 0, 5)),
    "command_line_nul_inside": (
        firmware.named_command_line, beside_stub(firmware.named_command_line, b"quiet\0init=/x"),
        "command line has a NUL byte inside (at 0x5)"),
    "command_line_nul_twice": (
        firmware.named_command_line, beside_stub(firmware.named_command_line, b"quiet\0\0"),
        "command line has a NUL byte inside (at 0x5)"),
    "command_line_nul_first": (
        firmware.named_command_line, beside_stub(firmware.named_command_line, b"\0quiet"),
        "command line has a NUL byte inside"),
    "initrd_larger_than_memory": (
        firmware.named_initrd, beside_stub(firmware.named_initrd, bytes(80 * MIB)),
        no_initrd_room + less_than(MIB, 80 * MIB)),
    "initrd_below_kernels_limit": (
        firmware.named_initrd,
        beside_stub(firmware.named_initrd, bytes(64 * KIB), xloadflags=1, initrd_addr_max=MIB),
        no_initrd_room + numbers(MIB, 64 * KIB, 0)),
}


def check_reset(test, machine):
    machine.wait_until_reset()
    test.assertNotRegex(machine.console, re.compile(kernels.message_pattern, re.MULTILINE))
    test.assertNotRegex(machine.console, re.compile(firmware.started, re.MULTILINE))
    test.assertNotRegex(machine.console, re.compile(firmware.exception, re.MULTILINE))


def check_refusal(test, input_name, items, reason, **options):
    """The whole of what a refusal is. Returns the log."""
    with Machine(settings.qemu(test.qemu), settings.image(), items=items,
                 **{"memory": "64M", "holds_reset": True, **options}) as machine:
        machine.wait_for(firmware.log_line)
        check_reset(test, machine)
        lines = re.findall(firmware.refused, machine.console, re.MULTILINE)
        if reason.endswith("LESS)"):
            expected, found = re.search(r"expected (0x\w+), found (0x\w+)\)$", lines[0]).groups()
            test.assertTrue(0 < int(found, 16) < int(expected, 16), lines)
            reason = reason.replace("LESS", found)
        test.assertEqual(lines, [f"tdshim: boot refused: {input_name}: {reason}"])
        report = firmware.Report(machine.console, machine.read_memory)
    log = firmware.check_log(test, report)
    firmware.check_closed(test, log, event_log.error_digest,
                          b"\1\0\0\0" + f"{input_name}: {reason}".encode())
    return log


def check_kernel_refusal(test, items, reason):
    """What is refused for its content was measured before."""
    log = check_refusal(test, kernel_item, items, reason)
    test.assertIn(hashlib.sha384(items[kernel_item]).digest(), [event.digest for event in log.of_rtmr(1)])


def check_end(test, machine, cpus):
    """QEMU, told not to start again, ends by itself, and all of the console came before."""
    with Machine(settings.qemu(test.qemu), settings.image(), machine=machine, cpus=cpus) as vm:
        vm.wait_for_end()
        whole = re.compile(rf"{firmware.refused}[^\0]*{firmware.log_line}\n\Z", re.MULTILINE)
        test.assertRegex(vm.console, whole)


# A triple fault takes no device, so that each of QEMU's machines has this end.
ends = {f"{machine}_{cpus}cpu": (options, cpus) for machine, options in (
    ("q35", "q35"), ("pc", "pc"), ("microvm", "microvm,acpi=on"), ("microvm_without_acpi", "microvm,acpi=off"))
    for cpus in (1, 4)}


class Refusals(unittest.TestCase):
    maxDiff = None
    qemu = "system"

    def test_no_kernel(self):
        check_refusal(self, "fw_cfg legacy kernel", {}, no_kernel)

    def test_no_kernel_on_microvm(self):
        check_refusal(self, "fw_cfg legacy kernel", {}, no_kernel, machine="microvm,acpi=on")

    def test_kernel_larger_than_memory(self):
        check_refusal(self, kernel_item, {kernel_item: bytes(80 * MIB)},
                      no_room + less_than(11 * MIB, 80 * MIB))

    def test_initrd_does_not_fit_beside_the_kernel(self):
        """Memory holds the initrd, but not the initrd and what the kernel needs to unpack itself."""
        check_refusal(self, firmware.named_initrd,
                      beside_stub(firmware.named_initrd, bytes(24 * MIB), init_size=40 * MIB),
                      no_initrd_room + less_than(MIB, 24 * MIB))

    def test_too_little_memory_for_the_kernel(self):
        check_refusal(self, kernel_item, {kernel_item: stub}, no_room + numbers(16 * MIB, MIB, 0),
                      memory="16M")

    def test_machine_that_may_start_again_does(self):
        """Over and over: the shim finds what it left behind, and refuses all the same."""
        boot = r"^tdshim \d[^\0]*?^tdshim: event log: .*\n"
        with Machine(settings.qemu(self.qemu), settings.image(), arguments=("-action", "reboot=reset")) as machine:
            machine.wait_for(rf"\A(?:{boot}){{3}}")
            boots = re.findall(boot, machine.console, re.MULTILINE)
        self.assertEqual(boots, boots[:1] * len(boots))

    def test_too_little_memory_for_the_log(self):
        """Without memory there is no event log to read, but there is the line."""
        with Machine(settings.qemu(self.qemu), settings.image(), items={kernel_item: stub},
                     memory="11M", holds_reset=True) as machine:
            machine.wait_for(firmware.log_line)
            check_reset(self, machine)
            self.assertIn("tdshim: boot refused: etc/e820: memory map has no usable memory where the shim"
                          " needs it" + numbers(0xB20000, 0x10000, 0), machine.console)


suite.add_cases(Refusals, check_kernel_refusal, kernel_cases)
suite.add_cases(Refusals, check_refusal, other_cases)
suite.add_cases(Refusals, check_end, {f"end_on_{name}": case for name, case in ends.items()})


class RefusalsUnderTheNewestQemu(Refusals):
    qemu = "new"


if __name__ == "__main__":
    suite.main()
