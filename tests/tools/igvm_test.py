#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""IGVM files: what shim-ld writes, read by igvm_reader.py and held against the flat image; what shim-info and
shim-measure say of them; and what they refuse."""

import json
import os
import struct
import unittest
import zlib

import igvm_reader as igvm
import measured_boot
from support import (
    BOOT_SECTOR, BIN, CFV_SIZE, IMAGE_END, KIB, MIN_IMAGE_SIZE, TDX_ENTRY, TD_HOB, ToolTest, elf, find_table_entry, reset_vector,
    sections_of,
)

PLATFORM_AT, PAGE_AT = 24, 72


def signed(headers, data=b""):
    fixed = struct.pack("<4sIIII", b"IGVM", 1, 24, len(headers), 24 + len(headers) + len(data))
    return fixed + struct.pack("<I", zlib.crc32(fixed + bytes(4) + headers)) + headers + data


def header(kind, form, *fields):
    content = struct.pack(form, *fields)
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


class IgvmTest(ToolTest):
    def link(self, *options, vector=None, shim=None):
        """The flat image, the IGVM file of the same inputs, and its path."""
        inputs = (self.put("vector", vector or reset_vector()), self.put("elf", shim or elf()))
        contents = []
        for name, form in (("final.bin", "tdvf"), ("final.igvm", "igvm")):
            path = os.path.join(self.folder, name)
            self.text = self.good("shim-ld", *inputs, "-o", path, "--image-format", form, *options)
            with open(path, "rb") as file:
                contents.append(file.read())
        return *contents, path

    def pages_by_metadata(self, image):
        """As igvm_reader.pages_of, from the image's sections."""
        (from_end,) = struct.unpack("<I", find_table_entry(image, TDX_ENTRY))
        pages = []
        for offset, raw, address, size, kind, attributes in sections_of(image, len(image) - from_end):
            if attributes & 2:  # memory that is there later
                continue
            content = image[offset:offset + raw].ljust(size, b"\0")
            pages += [(address + at, None if kind in (2, 6) else content[at:at + 4096], attributes & 1 == 1)
                      for at in range(0, size, 4096)]
        return pages

    def check_against_image(self, image, file, path):
        self.assertEqual(igvm.pages_of(file), self.pages_by_metadata(image))
        flat = {address: content for address, content, _ in igvm.pages_of(file) if address >= IMAGE_END - len(image)}
        self.assertEqual(b"".join(flat[address] for address in sorted(flat)), image)
        found = json.loads(self.good("shim-measure", path, "--json"))
        self.assertEqual((found["mrtd"], found["rtmr0"], found["rtmr1"]), (igvm.mrtd(file), None, None))
        self.assertEqual(found["mrtd"], measured_boot.mrtd(image))
        self.assertEqual([run["pages"] for run in found["runs"]],
                         [run["pages"] for run in json.loads(self.good("shim-info", path, "--json"))["pages"]])

    def test_the_file_loads_what_the_flat_image_loads(self):
        self.check_against_image(*self.link())
        self.check_against_image(*self.link("--payload", self.put("payload", BOOT_SECTOR + os.urandom(150000)), "--acpi", "static"))

    def test_images_for_other_vmms(self):
        """A service TD gets memory only, a VMM that places a payload has nothing to place."""
        payload = ("--payload", self.put("payload", measured_boot.KERNEL))
        for profile, added, parameters in (("service-td", 4, 0), ("tdvf-payload", 0, 2)):
            with self.subTest(profile):
                image, file, path = self.link("--profile", profile, *payload)
                self.assertEqual(igvm.pages_of(file), self.pages_by_metadata(image))
                kinds = [kind for kind, _ in igvm.headers_of(file)]
                self.assertEqual((kinds.count(igvm.REQUIRED), kinds.count(igvm.INSERT)), (added, parameters))
                self.assertEqual(igvm.COMMAND_LINE in kinds, parameters == 2)
                found = json.loads(self.good("shim-measure", path, "--json"))["mrtd"]
                flat = json.loads(self.good("shim-measure", path[:-4] + "bin", "--vmm", "none", "--json"))["mrtd"]
                self.assertEqual((found, found), (igvm.mrtd(file), flat))
        output = os.path.join(self.folder, "out")
        self.assertIn("IGVM has nothing by which a VMM fills this section", self.bad(
            "shim-ld", self.put("v", reset_vector()), self.put("e", elf()), "-o", output, "--profile", "tdvf-payload",
            "--image-format", "igvm").stderr)
        self.assertFalse(os.path.exists(output))

    def test_the_release_image_too(self):
        build = os.path.dirname(BIN)
        inputs = []
        for name in ("resetvector.bin", "shim.elf"):
            path = os.path.join(build, name)
            if not os.path.exists(path):
                self.skipTest(f"{name} is not built")
            with open(path, "rb") as file:
                inputs.append(file.read())
        self.check_against_image(*self.link(vector=inputs[0], shim=inputs[1]))

    def test_headers_name_tdx_and_the_memory_map(self):
        _, file, _ = self.link()
        headers = igvm.headers_of(file)
        self.assertEqual(headers[:2], [(igvm.PLATFORM, (1, 0, 3, 1, 1 << 47)), (igvm.POLICY, (2, 1, 0))])
        self.assertEqual([entry for entry in headers[2:] if entry[0] != igvm.PAGE],
                         [(igvm.AREA, (TD_HOB[1], 0, 0)), (igvm.MEMORY_MAP, (0, 0)), (igvm.INSERT, (TD_HOB[0], 1, 0))])

    def test_two_links_give_the_same_bytes(self):
        self.assertEqual(self.link()[1], self.link()[1])

    def test_shim_ld_says_what_it_wrote(self):
        _, file, path = self.link()
        self.assertTrue(self.text.startswith(
            f"{path}: {len(file)} bytes ({len(file) // KIB} KiB)\nIGVM file of this image of {MIN_IMAGE_SIZE} bytes:\n"))
        self.link("--json")
        report = json.loads(self.text)
        self.assertEqual((report["image_format"], report["file_size"], report["image_size"]),
                         ("igvm", len(file), MIN_IMAGE_SIZE))

    def test_wrong_formats_leave_no_file(self):
        output = os.path.join(self.folder, "out")
        self.bad("shim-ld", self.put("v", reset_vector()), self.put("e", elf()), "-o", output, "--image-format", "elf")
        self.bad("shim-ld", self.put("v", reset_vector()), self.put("e", b"no ELF"), "-o", output, "--image-format", "igvm")
        self.assertFalse(os.path.exists(output))

    def test_shim_info_shows_headers_and_runs(self):
        _, file, path = self.link()
        text = self.good("shim-info", path)
        checksum = struct.unpack_from("<I", file, 20)[0]
        self.assertTrue(text.startswith(f"{path}: {len(file)} bytes: IGVM file of version 1, checksum {checksum:#010x}\n"))
        self.assertIn("platform: TDX, version 1, mask 0x1, highest VTL 0, shared from 0x800000000000\n", text)
        self.assertIn("guest policy: mask 0x1: SEPT_VE_DISABLE\n", text)
        self.assertRegex(text, r" 0xfffb0000 - 0xfffbffff +16 +0x1  measured, zero\n")
        self.assertRegex(text, r" 0xb00000 - 0xb1ffff +32 +0x1  unmeasured, parameter area 0\n")
        self.assertIn("parameter area 0: 131072 bytes, MEMORY_MAP at 0x0\n", text)
        report = json.loads(self.good("shim-info", path, "--json"))
        self.assertEqual(report["platforms"], [{"type": "TDX", "version": 1, "mask": 1, "highest_vtl": 0,
                                                "shared_gpa_boundary": 1 << 47}])
        self.assertEqual(report["parameter_areas"], [{"index": 0, "size": TD_HOB[1], "file_offset": 0, "parameters": [
            {"type": "MEMORY_MAP", "byte_offset": 0}]}])
        covered = [(run["address"] + 4096 * page, run["measured"], run["parameter_area"])
                   for run in report["pages"] for page in range(run["pages"])]
        self.assertEqual(covered, [(address, measured, 0 if content is None else None)
                                   for address, content, measured in igvm.pages_of(file)])
        zero = [run for run in report["pages"] if run["address"] == IMAGE_END - MIN_IMAGE_SIZE]
        self.assertEqual([(run["pages"], run["zero"]) for run in zero], [(CFV_SIZE // 4096, True)])

    def test_shim_measure_explains(self):
        text = self.good("shim-measure", self.link()[2], "--explain")
        self.assertRegex(text, r"  0xfffc0000 - 0x\w+ +\d+ pages added and extended\n")
        self.assertRegex(text, r"  0xb00000 - 0xb1ffff +32 pages added, parameter area 0\n")

    def test_a_boot_from_igvm_is_not_predicted(self):
        path = self.link()[2]
        for options in (("--kernel", path), ("--append", "x"), ("--hob", path), ("--plain-vm",), ("--accept-all",)):
            with self.subTest(options):
                self.assertIn("final.igvm: is an IGVM file, of which MRTD is computed and no boot is predicted\n",
                              self.bad("shim-measure", path, *options).stderr)
        self.assertIn("says itself in what order to load", self.bad("shim-measure", path, "--load-order", "section").stderr)

    def test_files_for_other_platforms_are_shown_but_have_no_mrtd(self):
        snp = header(1, "<IBBHQ", 2, 2, 2, 1, 0) + header(0x302, "<QIIIHH", 0x1000, 2, 0, 0, 1, 0)
        snp += header(0x305, "<QIIII", 0x4000, 2, 0x2000, 0, 0) + header(0x80000999, "<HB", 1, 2)
        path = self.put("snp", signed(snp))
        text = self.good("shim-info", path)
        for line in ("platform: SEV_SNP, version 1, mask 0x2, highest VTL 2, no shared boundary\n",
                     "measured, zero, page type 1\n", "required memory: 0x4000 - 0x5fff, mask 0x2\n",
                     "other header: 0x80000999, 3 bytes\n"):
            self.assertIn(line, text)
        report = json.loads(self.good("shim-info", path, "--json"))
        self.assertEqual(report["required_memory"], [{"address": 0x4000, "size": 0x2000, "mask": 2}])
        self.assertEqual(report["other_headers"], [{"type": "0x80000999", "length": 3}])
        self.assertEqual(self.bad("shim-measure", path).stderr, f"shim-measure: {path}: IGVM file is not for TDX\n")

    def test_broken_files_are_refused(self):
        _, file, _ = self.link()
        size = struct.unpack_from("<I", file, 12)[0]

        def patched(at, form, value):
            changed = bytearray(file)
            struct.pack_into(form, changed, at, value)
            return signed(bytes(changed[24:24 + size]), bytes(changed[24 + size:]))
        cases = {
            "input ends too early at offset 0x0: expected 0x18, found 0x8": file[:8],
            f"IGVM file has not the size that it states at offset 0x10: expected {len(file) - 1:#x}, found {len(file):#x}":
                file[:-1],
            "IGVM headers have a wrong checksum at offset 0x14": file[:PAGE_AT + 8] + b"\1" + file[PAGE_AT + 9:],
            "IGVM header is for a platform that the file does not name at offset 0x58: expected 0x1, found 0x2":
                patched(PAGE_AT + 16, "<I", 2),
            "IGVM address or size is not made of whole pages at offset 0x50: expected 0xfffd0000, found 0xfffd0001":
                patched(PAGE_AT + 8, "<Q", 0xFFFD0001),
            f"IGVM header names data outside the file's data at offset 0x5c: expected {len(file):#x}, found 0xfffffff0":
                patched(PAGE_AT + 20, "<I", 0xFFFFFFF0),
            "IGVM platform is unknown, of an unknown version or named twice at offset 0x25: expected 0x6, found 0x9":
                patched(PLATFORM_AT + 13, "<B", 9),
        }
        for message, content in cases.items():
            for tool in ("shim-info", "shim-measure"):
                with self.subTest(message, tool=tool):
                    path = self.put("broken", content)
                    result = self.bad(tool, path)
                    self.assertTrue(result.stderr.startswith(f"{tool}: {path}: {message}"), result.stderr)
                    self.assertEqual(result.stdout, "")


if __name__ == "__main__":
    unittest.main()
