#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How td-emu tells the end of a firmware of another make, the smallest there is: its image copies a few instructions
to memory and goes there, where no rule of a TD's holds any more, and what they do is its end."""

import pathlib
import struct
import sys
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent / folder) for folder in ("vm", "tools")]

import suite
import td_emu
from support import BFV, HOB, IMAGE_END, foreign_image

memory = 0x810000
temporary_memory = (0, 0, memory, 0x1000, 3, 0)
code_in_image = 0x400  # from the image's start
instructions_of_image = 7  # and the jump of the reset vector

triple_fault = b"\x0f\x0b"  # UD2 without an IDT
reset_by_port = b"\x66\xba\xf9\x0c" b"\xb0\x06" b"\xee" b"\xeb\xfe"  # reset control register 0xCF9, and wait
power_off = (b"\xb8\x40\xf8\0\x80" b"\x66\xba\xf8\x0c" b"\xef" b"\xb8\x01\x06\0\0" b"\xb2\xfc" b"\xef"  # PMBASE 0x600
             b"\xb8\x44\xf8\0\x80" b"\xb2\xf8" b"\xef" b"\xb8\x80\0\0\0" b"\xb2\xfc" b"\xef"  # ACPI_EN
             b"\x66\xba\x04\x06" b"\x66\xb8\0\x20" b"\x66\xef" b"\xeb\xfe")  # SLP_EN of PM1_CNT, S5


def image_with(code):
    """32-bit code that copies `code` to memory and jumps there."""
    image = bytearray(foreign_image([BFV, HOB, temporary_memory]))
    start = IMAGE_END - len(image) + code_in_image
    copy = (b"\xbe" + struct.pack("<I", start + 0x20) + b"\xbf" + struct.pack("<I", memory) +  # mov esi; mov edi
            b"\xb9" + struct.pack("<I", len(code)) + b"\xfc\xf3\xa4"  # mov ecx; cld; rep movsb
            b"\xb8" + struct.pack("<I", memory) + b"\xff\xe0")  # mov eax; jmp eax
    image[code_in_image:code_in_image + len(copy)] = copy
    image[code_in_image + 0x20:code_in_image + 0x20 + len(code)] = code
    image[-16:-11] = b"\xe9" + struct.pack("<i", start - (IMAGE_END - 11))
    return bytes(image)


def run(test, code, *options):
    file = suite.temporary_folder(test) / "image"
    file.write_bytes(image_with(code))
    return td_emu.Run("--memory", "256M", *options, image=file, timeout=100)


def check_end(test, code, end, text):
    ended = run(test, code)
    test.assertEqual((ended.exit_code, ended.result["end"]), (1, end), ended.errors)
    in_memory = f"{memory:#x}"[:-2] + "[0-9a-f]{2}"
    test.assertRegex(ended.result["finding"], rf"^RIP {in_memory} \(vCPU 0\): the TD {text}")
    test.assertEqual((ended.result["fatal_error"], ended.result["payload_entered"]), ("", False))


class Foreign(unittest.TestCase):
    def test_its_image_is_memory(self):
        """What is copied is what was written over it: NOPs over a wait without an end."""
        image = bytearray(image_with(b"\xeb\xfe" + triple_fault))
        start = IMAGE_END - len(image) + code_in_image
        code = image[code_in_image:code_in_image + 0x20].rstrip(b"\0")
        store = b"\x66\xc7\x05" + struct.pack("<I", start + 0x20) + b"\x90\x90"  # mov word [wait], two NOPs
        image[code_in_image + 0x40:code_in_image + 0x40 + len(store) + len(code)] = store + code
        image[-16:-11] = b"\xe9" + struct.pack("<i", start + 0x40 - (IMAGE_END - 11))
        file = suite.temporary_folder(self) / "image"
        file.write_bytes(image)
        ended = td_emu.Run("--memory", "256M", image=file, timeout=20)
        self.assertEqual((ended.exit_code, ended.result and ended.result["end"]), (1, "reset"), ended.errors)

    def test_its_code_in_memory_is_counted(self):
        """A repeated string instruction counts as often as QEMU comes back to it, which it does for each byte."""
        ended = run(self, triple_fault, "--stats")
        counted, = ended.result["instructions"]
        self.assertGreaterEqual(counted, instructions_of_image + 2)
        longer = run(self, b"\x90" * 100 + triple_fault, "--stats").result["instructions"][0]
        self.assertIn(longer - counted, (100, 200), "with the copy's own bytes")

    def test_its_log_is_not_looked_for(self):
        ended = run(self, triple_fault, "--ccel", "/dev/null")
        self.assertEqual((ended.exit_code, ended.result), (2, None))
        self.assertIn("is of another make", ended.errors)


suite.add_cases(Foreign, check_end, {
    "triple_fault": (triple_fault, "reset", "was reset, by a triple fault or because it asked for it"),
    "reset_by_port": (reset_by_port, "reset", "was reset, by a triple fault or because it asked for it"),
    "power_off": (power_off, "power-off", "powered off before a payload began"),
})

if __name__ == "__main__":
    suite.main()
