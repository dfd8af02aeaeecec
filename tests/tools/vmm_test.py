#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shim-check and shim-hob: images that a VMM takes and does not, hand-off blocks as VMMs write them."""

import json
import os
import struct
import unittest

from support import BFV, HOB, KIB, TD_HOB, ToolTest, elf, foreign_image, reset_vector

PAYLOAD = (0, 0, 0x2000000, 0x1000000, 5, 0)
MEMORY, MMIO, RESERVED, UNACCEPTED = 0, 1, 5, 7
MIB, GIB = 1 << 20, 1 << 30


class CheckTest(ToolTest):
    def link(self):
        image = os.path.join(self.folder, "final.bin")
        self.good("shim-ld", self.put("vector", reset_vector()), self.put("elf", elf()), "-o", image)
        return image

    def test_an_image_of_ours_is_good_for_vmms(self):
        image = self.link()
        for vmm in ("qemu", "cloud-hypervisor"):
            with self.subTest(vmm):
                self.assertEqual(self.good("shim-check", image, "--vmm", vmm, "--memory", "256M"),
                                 f"{image}: good for {vmm}\n")

    def test_cfv_and_mailbox_are_measured_against_td_shims_rules(self):
        result = self.run_tool("shim-check", self.link(), "--vmm", "tdshim-spec", "--memory", "256M", "--json")
        found = json.loads(result.stdout)["broken"]
        self.assertEqual((result.returncode, [item["subject"] for item in found]), (1, ["section 1 (CFV)", "section 4 (TempMem)"]))
        self.assertIn("td-shim's checker wants no CFV in MRTD", found[0]["consequence"])
        self.assertEqual(found[1]["consequence"], "such a section is not measured")

    def test_a_payload_section_is_not_for_qemu(self):
        image = self.put("image", foreign_image([BFV, HOB, PAYLOAD]))
        for vmm in ("cloud-hypervisor", "tdshim-spec"):
            self.good("shim-check", image, "--vmm", vmm)
        result = self.run_tool("shim-check", image, "--vmm", "qemu")
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        self.assertEqual(result.stdout, f"{image}: section 2 (Payload): section type is unknown at offset 0x160: expected "
                                        "0x3, found 0x5: QEMU ends with \"unsupported section type\"\n")
        found = json.loads(self.run_tool("shim-check", image, "--vmm", "qemu", "--json").stdout)
        self.assertEqual((found["good"], found["vmm"]), (False, "qemu"))
        self.assertEqual([(item["section"], item["offset"], item["found"]) for item in found["broken"]], [(2, 0x160, 5)])

    def test_memory_size_decides_where_sections_may_lie(self):
        image = self.put("image", foreign_image([BFV, HOB, (0, 0, 300 * MIB, 64 * KIB, 3, 0)]))
        self.good("shim-check", image, "--vmm", "qemu")
        self.good("shim-check", image, "--vmm", "qemu", "--memory", "512M")
        self.assertEqual(self.run_tool("shim-check", image, "--vmm", "qemu", "--memory", "256M").returncode, 1)

    def test_an_image_without_the_table_is_not_for_qemu(self):
        image = self.put("image", foreign_image([BFV, HOB], footer=False, pointer=0x110))
        self.good("shim-check", image, "--vmm", "cloud-hypervisor")
        result = self.run_tool("shim-check", image, "--vmm", "qemu")
        self.assertEqual(result.returncode, 1)
        self.assertIn("by the footer table only", result.stdout)

    def test_what_is_no_image_is_refused(self):
        self.bad("shim-check", self.put("image", bytes(64 * KIB)), "--vmm", "qemu")
        self.bad("shim-check", self.put("image", foreign_image([BFV, HOB])))
        self.bad("shim-check", self.put("image", foreign_image([BFV, HOB])), "--vmm", "xen")


class HobTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.image = CheckTest.link(self)

    def build(self, *options):
        output = os.path.join(self.folder, "hob.bin")
        self.good("shim-hob", "build", self.image, "-o", output, *options)
        with open(output, "rb") as file:
            return output, file.read()

    @staticmethod
    def resources(content):
        found, at = [], 56
        while struct.unpack_from("<H", content, at)[0] == 3:
            kind, attributes, start, size = struct.unpack_from("<IIQQ", content, at + 24)
            found.append((kind, attributes, start, size))
            at += 48
        return found

    def test_qemu_carves_out_temporary_memory_and_hob(self):
        _, content = self.build("--memory", "3G")
        self.assertEqual(struct.unpack_from("<Q", content, 48)[0], TD_HOB[0] + len(content))
        resources = self.resources(content)
        added = [(start, size) for kind, _, start, size in resources if kind == MEMORY]
        self.assertEqual(added, [(0x800000, 256 * KIB), (0xA00000, 1024 * KIB), TD_HOB, (0xB20000, 64 * KIB),
                                 (0xB30000, 4 * KIB)])
        self.assertEqual(sum(size for _, _, _, size in resources), 3 * GIB)
        self.assertEqual(resources[-1], (UNACCEPTED, 7, 4 * GIB, GIB))

    def test_cloud_hypervisor_adds_devices_tables_and_payload(self):
        table = b"DSDT" + struct.pack("<I", 37) + bytes(29)
        path, content = self.build("--vmm", "cloud-hypervisor", "--memory", "4G", "--mmio", "0xc0000000:0x3ec00000",
                                   "--acpi-table", self.put("dsdt", table), "--payload-info", "1:0x2000000")
        resources = self.resources(content)
        self.assertNotIn(TD_HOB, [(start, size) for kind, _, start, size in resources if kind == MEMORY])
        self.assertEqual(resources[-2:], [(UNACCEPTED, 7, 4 * GIB, GIB), (MMIO, 0x403, 0xC0000000, 0x3EC00000)])
        hobs = json.loads(self.good("shim-hob", "print", path, "--json"))["hobs"]
        self.assertEqual([(hob["guid"], hob.get("signature"), hob.get("image_type")) for hob in hobs if "guid" in hob],
                         [("ACPI table", "DSDT", None), ("payload information", None, 1)])
        self.assertEqual(len(content) % 8, 0)

    def test_an_image_found_by_the_pointer_has_other_types(self):
        self.image = self.put("image", foreign_image([BFV, HOB, (0, 0, 0x900000, 0x1000, 3, 0)], footer=False,
                                                     pointer=0x110))
        _, content = self.build("--vmm", "cloud-hypervisor", "--memory", "1G")
        self.assertEqual({kind for kind, *_ in self.resources(content)}, {MEMORY, RESERVED})

    def test_what_was_built_is_printed(self):
        path, content = self.build()
        text = self.good("shim-hob", "print", path)
        self.assertRegex(text, r" resource +0xb00000 - 0xb1ffff +system memory, attributes 0x7\n")
        self.assertTrue(text.endswith(f"{len(content)} bytes\n"))

    def test_bad_options_leave_no_file(self):
        output = os.path.join(self.folder, "none")
        def table(name, size):
            return self.put(name, b"SSDT" + struct.pack("<I", size) + bytes(size - 8))

        for options in (("--mmio", "12"), ("--mmio", "0xffffffffffffffff:2"), ("--payload-info", "x:1"),
                        ("--mmio", "-1:2"), ("--mmio", "010:2"), ("--payload-info", "0x100000000:1"),
                        ("--acpi-table", table("large", 70000)), ("--acpi-table", "/missing"),
                        ("--acpi-table", table("a", 65000), "--acpi-table", table("b", 65000), "--acpi-table",
                         table("c", 65000))):
            with self.subTest(options):
                self.bad("shim-hob", "build", self.image, "-o", output, *options)
                self.assertFalse(os.path.exists(output))

    def test_a_file_that_is_not_one_whole_table_is_refused(self):
        for content, message in ((b"", "input ends too early at offset 0x0: expected 0x24, found 0x0"),
                                 (b"SSDT" + struct.pack("<I", 41) + bytes(32),
                                  "ACPI table has a wrong length at offset 0x4: expected 0x28, found 0x29")):
            with self.subTest(message):
                path = self.put("table", content)
                result = self.bad("shim-hob", "build", self.image, "-o", "/none", "--acpi-table", path)
                self.assertEqual(result.stderr, f"shim-hob: {path}: {message}\n")

    def test_a_broken_list_is_printed_up_to_the_break(self):
        _, content = self.build()
        cases = {"input ends too early": content[:-8], "HOB": content[:58] + b"\4\0" + content[60:],
                 "reserved": content[:60] + b"\1" + content[61:]}
        for message, broken in cases.items():
            with self.subTest(message):
                result = self.bad("shim-hob", "print", self.put("broken", broken))
                self.assertIn(message, result.stderr)
                self.assertIn("PHIT", result.stdout)


if __name__ == "__main__":
    unittest.main()
