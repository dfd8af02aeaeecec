#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shim-ld: the image byte for byte, its metadata by QEMU's way of reading, and every refusal."""

import json
import os
import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

from kernels import bzimage
from support import (
    CFV_SIZE, CODE, CODE_BYTES, CONSTANTS, CONSTANT_BYTES, GRANULE, IMAGE_END, INFO_ENTRY, LINK_ROOM,
    MAX_IMAGE_SIZE, METADATA, MIN_IMAGE_SIZE, RESET_VECTOR_SIZE, SHIM_CODE, SHIM_DATA, SHIM_ROM_SIZE, TDX_ENTRY,
    TD_HOB, TEMPORARY, ToolTest, elf, find_table_entry, program_header, reset_vector, sections_of,
)


class LinkTest(ToolTest):
    def link(self, *extra, vector=None, shim=None):
        self.output = os.path.join(self.folder, "out", "final.bin")
        os.makedirs(os.path.dirname(self.output), exist_ok=True)
        return ("shim-ld", self.put("reset", reset_vector() if vector is None else vector),
                self.put("shim", elf() if shim is None else shim), "-o", self.output, *extra)

    def linked(self, *extra):
        self.text = self.good(*self.link(*extra))
        with open(self.output, "rb") as file:
            return file.read()

    def test_an_image_without_payload(self):
        image = self.linked()
        self.assertEqual(len(image), MIN_IMAGE_SIZE)
        self.assertEqual(os.listdir(os.path.dirname(self.output)), ["final.bin"])
        rom = image[CFV_SIZE : CFV_SIZE + SHIM_ROM_SIZE]
        self.assertEqual(rom[:0x1000], CODE_BYTES + b"\xff" * (0x1000 - len(CODE_BYTES)))
        self.assertEqual(rom[0x1000:], (CONSTANT_BYTES + bytes(0x40 - len(CONSTANT_BYTES))).ljust(
            SHIM_ROM_SIZE - 0x1000, b"\xff"))
        self.assertEqual(image[:CFV_SIZE], bytes(CFV_SIZE))
        vector = reset_vector()
        self.assertEqual(image[-RESET_VECTOR_SIZE:-LINK_ROOM], vector[:-LINK_ROOM])
        self.assertEqual(image[-0x1C:], struct.pack("<IQ", 0x1040, SHIM_CODE + 8) + vector[-0x10:])

    def test_a_payload_that_nothing_starts_is_noted(self):
        self.linked("--payload", self.put("payload", b"p" * 5000))
        self.assertRegex(self.text, r"\nnote: no firmware of ours starts it: .*/payload: payload is no bzImage")
        self.linked("--payload", self.put("kernel", bzimage()))
        self.assertNotIn("note:", self.text)

    def check_metadata(self, image):
        (from_end,) = struct.unpack("<I", find_table_entry(image, TDX_ENTRY))
        offset = len(image) - from_end
        self.assertEqual(struct.unpack("<I", image[-0x20:-0x1C])[0], offset)
        self.assertEqual(image[offset - 16 : offset], METADATA)
        base, rest = IMAGE_END - len(image), len(image) - CFV_SIZE
        self.assertEqual(sections_of(image, offset), [
            (CFV_SIZE, rest, base + CFV_SIZE, rest, 0, 1),
            (0, CFV_SIZE, base, CFV_SIZE, 1, 1),
            (0, 0, *TEMPORARY[0], 3, 0),
            (0, 0, *TEMPORARY[1], 3, 0),
            (0, 0, 0xB30000, 0x1000, 3, 1),
            (0, 0, *TD_HOB, 2, 0),
            (0, 0, *TEMPORARY[2], 3, 0),
        ])

    def test_metadata_is_what_qemu_reads(self):
        self.check_metadata(self.linked())
        self.check_metadata(self.linked("--payload", self.put("payload", b"p" * 70000), "--profile", "qemu"))

    def test_a_payload_stands_after_the_cfv_and_makes_the_image_grow(self):
        payload = os.urandom(GRANULE + 1)
        image = self.linked("--payload", self.put("payload", payload))
        self.assertEqual(len(image), MIN_IMAGE_SIZE + 2 * GRANULE)
        end = CFV_SIZE + len(payload)
        self.assertEqual(image[CFV_SIZE:end], payload)
        slack = -end % 0x1000  # of the payload's last page
        self.assertEqual(image[end : end + slack], bytes(slack))
        self.assertEqual(image[end + slack : end + GRANULE - 1], b"\xff" * (GRANULE - 1 - slack))
        self.assertEqual(image[end + GRANULE - 1 : end + GRANULE - 1 + len(CODE_BYTES)], CODE_BYTES)
        self.assertEqual(find_table_entry(image, INFO_ENTRY),
                         struct.pack("<IIII", len(image), len(image) - CFV_SIZE, len(payload), 0))
        self.assertIn("payload", self.text)

    def test_the_largest_image_is_16_mib(self):
        room = MAX_IMAGE_SIZE - MIN_IMAGE_SIZE
        self.assertEqual(len(self.linked("--payload", self.put("payload", bytes(room)))), MAX_IMAGE_SIZE)

    def test_what_the_image_does_about_aml_stands_in_it(self):
        for word, bits in (("measured", 0), ("refuse", 8), ("drop", 16), ("enrolled", 24)):
            image = self.linked("--aml", word, "--measurement", "portable")
            self.assertEqual(struct.unpack("<IIII", find_table_entry(image, INFO_ENTRY)), (len(image), 0, 0, bits | 1))
            options = ["portable measurement"] + ([f"AML of the VMM: {word}"] if bits else [])
            self.assertEqual(json.loads(self.good("shim-info", "--json", self.output))["image_info"]["options"], options)
            text = self.good("shim-info", self.output)
            for option in options:
                self.assertIn(f"option: {option}\n", text)
            note = "note: the AML policy keeps out the VMM's tables; "
            self.assertEqual([note in text, note in self.text], [bits != 0] * 2)
        os.remove(self.output)
        for word in ("refuse", "drop", "enrolled"):
            self.refused(f"--aml: {word} has no meaning with --acpi static, which takes no table of the VMM's\n", "--aml",
                         word, "--acpi", "static")
        self.assertEqual(self.linked("--aml", "measured", "--acpi", "static"), self.linked("--acpi", "static"))

    def test_a_service_td_gets_nothing_that_cannot_work(self):
        payload, profile = ("--payload", self.put("payload", b"\x7fELF" + bytes(8 << 20))), ("--profile", "service-td")
        self.linked(*profile, *payload)
        os.remove(self.output)
        self.refused("--measurement: portable has no meaning with --profile service-td, whose RTMR[0] depends on nothing of "
                     "the VMM's\n", *profile, *payload, "--measurement", "portable")
        for name, value in (("--td-params", payload[1]), ("--td-info-guid", "11111111-2222-3333-4444-555555555555")):
            self.refused(f"{name}: goes with --profile service-td alone: QEMU and Cloud Hypervisor refuse an image with such a "
                         "section\n", *payload, name, value)
        for address in ("0xfb000000", "0xfe000000", "0xff300000", "0x140000000", "0x7ffffffff000", "0xfffffffff000"):
            with self.subTest(address):
                self.bad(*self.link(*profile, *payload, "--payload-address", address))
                self.assertFalse(os.path.exists(self.output))

    def test_two_links_give_the_same_bytes(self):
        self.assertEqual(self.linked(), self.linked())

    def test_the_printed_sizes_and_layout(self):
        self.linked()
        self.assertIn(f"{MIN_IMAGE_SIZE} bytes (320 KiB)", self.text)
        self.assertIn("code (RX) 64 bytes, constants (R) 64 bytes, memory (RW) 196608 bytes; entry 0x800008", self.text)
        self.assertRegex(self.text, r" 0x10000 +0x1040 +0xfffc0000 - 0xfffc103f +shim: code and constants\n")
        self.assertRegex(self.text, r" BFV +0x10000 +0x40000 +0xfffc0000 - 0xffffffff +0x40000 +MR.EXTEND\n")
        self.assertRegex(self.text, r" TD_HOB +- +- +0xb00000 - 0xb1ffff +0x20000 +-\n")

    def test_json_says_the_same(self):
        self.linked("--json")
        report = json.loads(self.text)
        self.assertEqual(report["image_size"], MIN_IMAGE_SIZE)
        self.assertEqual(report["shim"], {"entry": SHIM_CODE + 8, "rom_size": 0x1040, "code_size": 64,
                                          "constants_size": 64, "memory_size": 0x30000})
        self.assertEqual(sum(part["size"] for part in report["layout"]), MIN_IMAGE_SIZE)
        self.assertEqual([section["name"] for section in report["metadata"]["sections"]],
                         ["BFV", "CFV", "TempMem", "TempMem", "TempMem", "TD_HOB", "TempMem"])

    def test_the_output_has_the_mode_of_any_new_file(self):
        self.linked()
        mask = os.umask(0)
        os.umask(mask)
        self.assertEqual(os.stat(self.output).st_mode & 0o777, 0o666 & ~mask)

    def refused(self, message, *extra, **inputs):
        """Exit code 2, the message, and nothing written."""
        result = self.bad(*self.link(*extra, **inputs))
        self.assertIn(message, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(os.listdir(os.path.dirname(self.output)), [])

    def test_a_bad_reset_vector_is_refused(self):
        self.refused("reset: reset vector has a wrong size at offset 0x7fff: expected 0x8000, found 0x7fff",
                     vector=reset_vector()[1:])
        self.refused("reset: reset vector has a wrong size at offset 0x0: expected 0x8000, found 0x0", vector=b"")
        self.refused("reset: reset vector has no room where shim-ld writes at offset 0x7fef: expected 0x0, found 0xcc",
                     vector=reset_vector(at_0x7fef=b"\xcc"))

    def test_a_bad_shim_is_refused(self):
        def with_segment(*arguments, **options):
            return elf((CODE, CONSTANTS, program_header(*arguments, **options)))
        third = 64 + 2 * 56
        cases = {
            "input ends too early at offset 0x0: expected 0x40, found 0x0": b"",
            "input ends too early at offset 0x40: expected 0x38, found 0x20": elf()[:0x60],
            "not a little-endian x86-64 ELF file at offset 0x0: expected 0x7f, found 0x4d": b"MZ" + elf()[2:],
            "not a little-endian x86-64 ELF file at offset 0x12: expected 0x3e, found 0xb7": elf(machine=183),
            "not a static ELF executable of the kind that is asked for at offset 0x10: expected 0x2, found 0x3": elf(kind=3),
            "ELF segment lies outside the file at offset 0x98: expected 0x0, found 0x15": elf()[:0x2000],
            f"both writable and executable at offset {third + 4:#x}: expected 0x0, found 0x3":
                with_segment(7, 0, SHIM_DATA, 0, 0x1000),
            f"initialised writable data, which the image cannot carry at offset {third + 32:#x}: "
            "expected 0x0, found 0x4": with_segment(6, 0x1000, SHIM_DATA, 4, 0x1000),
            f"outside the place that it is given at offset {third + 16:#x}: expected 0xa00000, found 0x100000":
                with_segment(6, 0, 0x100000, 0, 0x1000),
            f"outside the place that it is given at offset {third + 40:#x}: expected 0xb00000, found 0xb00001":
                with_segment(6, 0, SHIM_DATA, 0, 0x100001),
            f"outside the place that it is given at offset {third + 24:#x}: expected 0xa00000, found 0xa01000":
                with_segment(6, 0, SHIM_DATA, 0, 0x1000, physical=SHIM_DATA + 0x1000),
            f"ELF segments overlap in memory at offset {third + 16:#x}": with_segment(4, 0, SHIM_CODE + 0x1000, 0, 8),
            f"does not begin on a 4 KiB page at offset {third + 16:#x}: expected 0xa00000, found 0xa00010":
                with_segment(6, 0, SHIM_DATA + 0x10, 0, 8),
            f"smaller in memory than in the file at offset {third + 40:#x}: expected 0x8, found 0x4":
                with_segment(4, 0, SHIM_CODE + 0x2000, 8, 4),
            "entry point is not in an executable segment at offset 0x18: expected 0x0, found 0x801000":
                elf(entry=SHIM_CODE + 0x1000),
        }
        for message, shim in cases.items():
            with self.subTest(message):
                self.refused("shim: ", shim=shim)
                self.refused(message, shim=shim)

    def test_a_bad_payload_is_refused(self):
        room = MAX_IMAGE_SIZE - MIN_IMAGE_SIZE
        message = "payload: payload is empty or leaves no room in a 16 MiB image"
        self.refused(message + " at offset 0x0: expected 0x1, found 0x0", "--payload", self.put("payload", b""))
        self.refused(f"{message} at offset 0x0: expected {room:#x}, found {room + 1:#x}",
                     "--payload", self.put("payload", bytes(room + 1)))

    def test_wrong_usage_writes_nothing(self):
        self.refused("cannot open: No such file", "--payload", os.path.join(self.folder, "missing"))
        self.refused("--profile", "--profile", "bochs")

    def test_a_failure_leaves_an_older_image_untouched(self):
        before = self.linked()
        result = self.bad(*self.link(shim=b"no ELF"))
        self.assertIn("shim: ", result.stderr)
        with open(self.output, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_an_output_that_cannot_be_written_leaves_nothing(self):
        arguments = list(self.link())
        arguments[4] = os.path.join(self.folder, "no such folder", "final.bin")
        self.assertIn("final.bin: cannot create: No such file", self.bad(*arguments).stderr)
        os.mkdir(self.output)  # a folder stands where the image should: the last step fails
        self.assertIn("final.bin: is a folder", self.bad(*self.link()).stderr)
        self.assertEqual(os.listdir(os.path.dirname(self.output)), ["final.bin"])


if __name__ == "__main__":
    unittest.main()
