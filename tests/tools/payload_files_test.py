#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The payloads as files: permissions by whole pages, no instruction that the runtime has switched off, nothing left to
be looked up; and what elf_to_pe.py makes and refuses."""

import pathlib
import re
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import payloads
import settings
import suite

page = 0x1000
names = ("hello", "selftest")
vector_register = re.compile(r"%(?:[xyz]mm|mm|st)\d*\b")


def output_of(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def segments(content):
    """(flags, address, size) of what is loaded."""
    headers, = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    for at in range(headers, headers + size * count, size):
        kind, flags, _, address, _, _, in_memory, _ = struct.unpack_from("<IIQQQQQQ", content, at)
        if kind == 1 and in_memory:
            yield flags, address, in_memory


def sections(content):
    """(name, address, size, characteristics) of a PE file's, and the size of its image."""
    at, = struct.unpack_from("<I", content, 60)
    count, = struct.unpack_from("<H", content, at + 6)
    optional, = struct.unpack_from("<H", content, at + 20)
    image_size, = struct.unpack_from("<I", content, at + 24 + 56)
    found = []
    for index in range(count):
        name, size, address = struct.unpack_from("<8sII", content, at + 24 + optional + 40 * index)
        kind, = struct.unpack_from("<I", content, at + 24 + optional + 40 * index + 36)
        found.append((name.rstrip(b"\0").decode(), address, size, kind))
    return found, image_size


def check_elf(test, file):
    found = list(segments(payloads.payload(file).read_bytes()))
    test.assertEqual(sum(flags & 1 for flags, _, _ in found), 1)
    end = 0
    for flags, address, size in found:
        test.assertNotEqual(flags & 3, 3, "writable and executable")
        test.assertEqual(address % page, 0)
        test.assertGreaterEqual(address, end, "a page shared")
        end = -(-(address + size) // page) * page


def check_pe(test, name):
    found, image_size = sections(payloads.payload(f"{name}.pe").read_bytes())
    end = page
    for _, address, size, kind in found:
        test.assertNotEqual(kind & 0xA0000000, 0xA0000000, "writable and executable")
        test.assertEqual(address % page, 0)
        test.assertGreaterEqual(address, end, "a page shared")
        end = -(-(address + size) // page) * page
    test.assertEqual(end, image_size)
    test.assertIn(".reloc", [section[0] for section in found])


def check_code(test, name):
    code = output_of("llvm-objdump-19", "-d", "--no-show-raw-insn", payloads.payload(f"{name}.elf"))
    test.assertIn("payload_entry", code)
    test.assertEqual([line for line in code.splitlines() if vector_register.search(line)], [])
    for form in ("elf", "pie.elf"):
        symbols = output_of("llvm-nm-19", "-u", payloads.payload(f"{name}.{form}"))
        test.assertEqual(symbols.strip(), "")
    kinds = re.findall(r"R_X86_64_\w+", output_of("llvm-readelf-19", "-r", payloads.payload(f"{name}.pie.elf")))
    test.assertLessEqual(set(kinds), {"R_X86_64_RELATIVE"})


# name: (change of selftest.pe.elf, the line behind the file's name)
def patched(at, value):
    return lambda content: content[:at] + value + content[at + len(value):]


refusals = {
    "no_elf": (patched(0, b"MZ"), "not an ELF file of 64 bits (at 0x0: expected 0x7f454c460201, found 0x4d5a4c460201)"),
    "fixed_addresses": (patched(16, b"\x02\0"), "not position-independent (at 0x10: expected 0x3, found 0x2)"),
    "another_machine": (patched(18, b"\xb7\0"), "not for x86-64 (at 0x12: expected 0x3e, found 0xb7)"),
    "writable_code": (patched(64 + 4, b"\x07"),
                      "a segment both writable and executable (at 0x44: expected 0x0, found 0x1)"),
    "cut_short": (lambda content: content[:100], "ends too early (at 0x40: expected 0x38 bytes, found 0x24)"),
    "program_headers": (patched(54, b"\x20\0"), "program headers of another size (at 0x36: expected 0x38, found 0x20)"),
}


def convert(*arguments):
    return subprocess.run([sys.executable, settings.source() / "payload" / "elf_to_pe.py", *arguments],
                          capture_output=True, text=True)


def check_refusal(test, change, line):
    folder = suite.temporary_folder(test)
    (folder / "in").write_bytes(change(payloads.payload("selftest.pe.elf").read_bytes()))
    done = convert(folder / "in", "-o", folder / "out")
    test.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", f"{folder / 'in'}: {line}\n"))
    test.assertEqual([entry.name for entry in folder.iterdir()], ["in"])


class Files(unittest.TestCase):
    maxDiff = None

    def test_relocations_move_every_pointer(self):
        folder = suite.temporary_folder(self)
        elf = payloads.payload("selftest.pe.elf")
        contents = []
        for base in (0x2000000, 0x5550000):
            done = convert(elf, "-o", folder / "out", "--image-base", hex(base))
            self.assertEqual(done.returncode, 0, done.stderr)
            contents.append((folder / "out").read_bytes())
        pointers = output_of("llvm-readelf-19", "-r", elf).count("R_X86_64_RELATIVE")
        self.assertGreater(pointers, 0)
        # Two bytes of each pointer differ, and of the base in the header.
        differing = sum(one != other for one, other in zip(*contents, strict=True))
        self.assertEqual(differing, 2 * (pointers + 1))
        listed = output_of("llvm-readobj-19", "--coff-basereloc", folder / "out").count("Type: DIR64")
        self.assertEqual(listed, pointers)

    def test_a_base_that_no_image_can_have(self):
        for base in ("0x1000", str(1 << 47)):
            self.assertEqual(convert("in", "-o", "out", "--image-base", base).returncode, 2)

    def test_nothing_but_a_pe_file_is_written_over(self):
        folder = suite.temporary_folder(self)
        elf = folder / "in.elf"
        elf.write_bytes(payloads.payload("selftest.pe.elf").read_bytes())
        for name, content in (("in.elf", elf.read_bytes()), ("key.pem", b"-----BEGIN PRIVATE KEY-----")):
            (folder / name).write_bytes(content)
            done = convert(elf, "-o", folder / name)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{folder / name} is there and is no PE file", done.stderr)
            self.assertEqual((folder / name).read_bytes(), content)

    def test_help_has_an_example(self):
        self.assertIn("example: elf_to_pe.py hello.pe.elf -o hello.pe", convert("--help").stdout)


suite.add_cases(Files, check_elf, {f"elf_{name}_{form.replace('.', '_')}": (f"{name}.{form}",)
                                   for name in names for form in ("elf", "pie.elf", "pe.elf")})
suite.add_cases(Files, check_pe, {f"pe_{name}": (name,) for name in names})
suite.add_cases(Files, check_code, {f"code_{name}": (name,) for name in names})
suite.add_cases(Files, check_refusal, {f"refusal_{name}": case for name, case in refusals.items()})

if __name__ == "__main__":
    suite.main()
