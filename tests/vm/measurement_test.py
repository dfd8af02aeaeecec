#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is measured, in which order and with which events, for each way in which QEMU can hand in a kernel: the
digests are those of the files, but for the legacy keys, which older QEMUs change on the way (specs/measurement.md)."""

import hashlib
import struct
import unittest

import event_log
import firmware
import kernels
import settings
import suite
from handover import Handover
from machine import Machine

MIB = 1024 * 1024
memory_size = 64 * MIB
stub = kernels.bzimage()
initrd = bytes(range(256)) * 40 + b"odd"
command_line = b"quiet root=/dev/vda"
setup_dtb = 2  # a setup_data entry's type [Linux arch/x86/include/uapi/asm/setup_data.h]
configuration_files = {b"etc/table-loader", b"etc/acpi/rsdp", b"etc/acpi/tables"}


def sha384(content):
    return hashlib.sha384(content).hexdigest()


def patched(kernel, initrd_size=0, video_mode=None):
    """A kernel as QEMU 7.2's x86_load_linux() hands it over in the legacy keys."""
    command_line_address, real_mode_address, acpi_room = 0x20000, 0x10000, 0x28000
    changed = bytearray(kernel)
    changed[0x210] = 0xB0  # type_of_loader: QEMU
    changed[0x211] |= 0x80  # loadflags: the heap may be used
    struct.pack_into("<H", changed, 0x224, command_line_address - real_mode_address - 0x200)
    struct.pack_into("<I", changed, 0x228, command_line_address)
    if initrd_size:
        address = (memory_size - acpi_room - 1 - initrd_size) & ~4095
        struct.pack_into("<II", changed, 0x218, address, initrd_size)
    if video_mode is not None:
        struct.pack_into("<H", changed, 0x1FA, video_mode)
    return bytes(changed)


def with_device_tree(kernel, tree):
    """What the option -dtb adds to patched(): a setup_data entry behind the code, loaded at 1 MiB."""
    code_size = len(kernel) - kernels.setup_size
    changed = bytearray(patched(kernel))
    struct.pack_into("<Q", changed, 0x250, MIB + code_size)
    return bytes(changed) + struct.pack("<QII", 0, setup_dtb, len(tree)) + tree


class Measured:
    """A boot of the stub, stopped at its first instruction, and its checked event log."""

    def __init__(self, test, qemu="system", kernel=stub, **options):
        with Machine(settings.qemu(qemu), settings.image(), memory=f"{memory_size // MIB}M", gdb=True,
                     **options) as machine:
            handover = Handover(machine, kernel)
            self.report = handover.report
            self.log = firmware.check_log(test, self.report)
            firmware.check_closed(test, self.log, event_log.separator_digest, bytes(4))
            self.memory_of_blobs = [machine.read_memory(place, size) for _, place, size in self.blobs(0)]
            handover.gdb.detach()
            machine.wait_for(kernels.message_pattern)

    def blobs(self, rtmr):
        return [event.blob() for event in self.log.of_rtmr(rtmr)
                if event.kind == event_log.platform_firmware_blob2]

    def sources(self):
        """Where kernel, initrd and command line came from, as the console says."""
        digests = [self.report.printed_digest(what) for what in ("kernel", "initrd", "command line")]
        return [digest and digest[0] for digest in digests]


def check_payload(test, log, kernel, initrd_content, text):
    """RTMR[1]'s events are these three inputs, in this order, and the separator."""
    first, *events = log.of_rtmr(1)
    words = ["td_payload=bzimage", *(["td_initrd"] if initrd_content is not None else []), "td_payload_info"]
    test.assertEqual(first.data, event_log.contents(" ".join(words)))
    test.assertEqual(first.digest.hex(), sha384(first.data))
    expected = [(b"td_payload\0", kernel)]
    if initrd_content is not None:
        expected.append((b"td_initrd\0", initrd_content))
    test.assertEqual(len(events), len(expected) + 2)
    for event, (description, content) in zip(events, expected):
        test.assertEqual(event.kind, event_log.platform_firmware_blob2)
        found, _, size = event.blob()
        test.assertEqual((found, size, event.digest.hex()), (description, len(content), sha384(content)))
    event = events[len(expected)]
    test.assertEqual(event.kind, event_log.platform_config_flags)
    test.assertEqual(event.data, struct.pack("<16sI", b"td_payload_info", len(text)) + text)
    test.assertEqual(event.digest.hex(), sha384(text))


def check_configuration(test, measured):
    """RTMR[0]'s events: the memory map, the table-loader script, the files that it loads, the separator."""
    memory_map, *files, _ = measured.log.of_rtmr(0)
    test.assertEqual(memory_map.kind, event_log.platform_config_flags)
    descriptor, entries = memory_map.configuration()
    test.assertEqual((descriptor, len(entries) % 20), (b"etc/e820", 0))
    test.assertEqual(memory_map.digest.hex(), sha384(memory_map.data))
    names = [name.removesuffix(b"\0") for name, _, _ in measured.blobs(0)]
    test.assertEqual((names[0], set(names), len(names)), (b"etc/table-loader", configuration_files, len(files)))
    # The script stays in memory as it came; the files are linked there.
    test.assertEqual(files[0].digest.hex(),
                     sha384(event_log.named_file(b"etc/table-loader", measured.memory_of_blobs[0])))


def named(kernel=stub, initrd_content=None, text=None):
    items = {firmware.named_kernel: kernel, firmware.named_initrd: initrd_content,
             firmware.named_command_line: text}
    return {name: content for name, content in items.items() if content is not None}


def check_named(test, initrd_content, text, measured_initrd, measured_text):
    measured = Measured(test, items=named(stub, initrd_content, text))
    check_payload(test, measured.log, stub, measured_initrd, measured_text)


longest = b"x" * kernels.valid["cmdline_size"]
named_cases = {  # initrd, command line, and what is measured of them
    "all_three": (initrd, command_line, initrd, command_line),
    "kernel_alone": (None, None, None, b""),
    "empty_initrd": (b"", command_line, None, command_line),
    "empty_command_line": (initrd, b"", initrd, b""),
    "command_line_with_its_nul": (None, command_line + b"\0", None, command_line),
    "longest_command_line": (None, longest, None, longest),
    "longest_command_line_with_its_nul": (None, longest + b"\0", None, longest),
    "command_line_of_other_bytes": (None, bytes(range(1, 256)), None, bytes(range(1, 256))),
}


class NamedItems(unittest.TestCase):
    maxDiff = None

    def test_order_of_all_events(self):
        measured = Measured(self, items=named(stub, initrd, command_line))
        check_configuration(self, measured)
        registers = [event.mr_index for event in measured.log.events]
        configured = len(configuration_files) + 1
        self.assertEqual(registers, [1] * configured + [2] * 4 + [1, 2])

    def test_same_events_on_microvm_under_the_newest_qemu(self):
        measured = Measured(self, "new", items=named(stub, initrd, command_line), machine="microvm,acpi=on")
        check_configuration(self, measured)
        check_payload(self, measured.log, stub, initrd, command_line)

    def test_payload_register_follows_from_the_files(self):
        items = named(stub, initrd, command_line)
        first = Measured(self, items=items).report
        other = Measured(self, "new", items=items, machine="microvm,acpi=on", cpus=3).report
        self.assertEqual(first.rtmr[1].hex(), other.rtmr[1].hex())
        self.assertNotEqual(first.rtmr[0].hex(), other.rtmr[0].hex())

    def test_same_machine_same_registers(self):
        items = named(stub, initrd, command_line)
        first, second = Measured(self, items=items), Measured(self, items=items)
        self.assertEqual(first.report.rtmr, second.report.rtmr)
        self.assertEqual(first.report.log_area, second.report.log_area)

    def test_one_bit_of_an_input_changes_the_register(self):
        first = Measured(self, items=named(stub, initrd, command_line)).report
        other = Measured(self, items=named(stub, initrd[:-1] + b"e", command_line)).report
        self.assertEqual(first.rtmr[0].hex(), other.rtmr[0].hex())
        self.assertNotEqual(first.rtmr[1].hex(), other.rtmr[1].hex())


suite.add_cases(NamedItems, check_named, named_cases)


class OtherSources(unittest.TestCase):
    """QEMU's own options -kernel, -initrd and -append."""
    maxDiff = None

    def options(self, with_initrd=True):
        """Arguments for QEMU."""
        arguments = ["-kernel", self.file("kernel", stub), "-append", command_line.decode()]
        return arguments + (["-initrd", self.file("initrd", initrd)] if with_initrd else [])

    def file(self, name, content):
        folder = suite.temporary_folder(self)
        (folder / name).write_bytes(content)
        return folder / name

    def test_kernel_of_etc_boot_kernel_is_the_file(self):
        measured = Measured(self, "new", arguments=self.options())
        check_payload(self, measured.log, stub, initrd, command_line)
        self.assertEqual(measured.sources(),
                         ["etc/boot/kernel", "fw_cfg legacy initrd", "fw_cfg legacy command line"])

    def test_legacy_keys_are_measured_as_they_came(self):
        measured = Measured(self, arguments=self.options())
        check_payload(self, measured.log, patched(stub, len(initrd)), initrd, command_line)
        self.assertEqual(measured.sources(), ["fw_cfg legacy kernel", "fw_cfg legacy initrd",
                                              "fw_cfg legacy command line"])

    def test_legacy_keys_without_initrd(self):
        measured = Measured(self, arguments=self.options(with_initrd=False))
        check_payload(self, measured.log, patched(stub), None, command_line)

    def test_legacy_keys_with_a_video_mode(self):
        for mode, value in {"ext": 0xFFFE, "0x317": 0x317}.items():
            with self.subTest(mode):
                text = f"quiet vga={mode}"
                measured = Measured(self, arguments=["-kernel", self.file("kernel", stub), "-append", text])
                check_payload(self, measured.log, patched(stub, video_mode=value), None, text.encode())

    def test_legacy_keys_with_a_device_tree(self):
        tree = struct.pack(">I", 0xD00DFEED) + bytes(60)
        measured = Measured(self, arguments=[*self.options(with_initrd=False), "-dtb", self.file("tree", tree)])
        check_payload(self, measured.log, with_device_tree(stub, tree), None, command_line)

    def test_named_items_come_first(self):
        other = kernels.bzimage(version=0x20E)
        for qemu in ("system", "new"):
            with self.subTest(qemu):
                measured = Measured(self, qemu, items=named(other, b"another initrd", b"other"),
                                    arguments=self.options())
                check_payload(self, measured.log, other, b"another initrd", b"other")


if __name__ == "__main__":
    suite.main()
