#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every file that a tool reads, in turn missing, a folder, empty and garbage: exit code 2, one line that names the
file, and no output file. What of a file is wrong where, the other tests look at."""

import json
import os
import subprocess
import unittest

from measured_boot import KERNEL, REGISTERS, Boot
from support import LOG, TOOLS, ToolTest, elf, reset_vector, put_guest_inputs

POLICY = {"format": "tdshim-policy", "version": 3, **dict.fromkeys(REGISTERS), "events": []}
GARBAGE = bytes(range(0xA5, 0xFF)) * 100
# What an input may be instead of what it should be; kernels, initrds and command lines may have any content.
ANY_CONTENT = ("missing", "folder")
ALL = (*ANY_CONTENT, "empty", "garbage")

# tool: [(command line, kinds), ...]. BAD stands for the input in question, OUT for an output that must not appear; other
# words in capitals are good files.
INPUTS = {
    "shim-ld": [
        ("BAD ELF -o OUT", ALL), ("VECTOR BAD -o OUT", ALL), ("VECTOR ELF -o OUT --payload BAD", (*ANY_CONTENT, "empty"))],
    "shim-info": [("BAD", ALL), ("BAD --json", ALL)],
    "shim-check": [("BAD --vmm qemu", ALL), ("BAD --vmm cloud-hypervisor --json", ALL)],
    "shim-hob": [
        ("build BAD -o OUT", ALL), ("build IMAGE -o OUT --vmm cloud-hypervisor --acpi-table BAD", ALL),
        ("print BAD", ALL), ("print BAD --json", ALL)],
    "shim-measure": [
        ("BAD --vmm none", ALL), ("IMAGE --vmm none --kernel BAD", ANY_CONTENT),
        ("IMAGE --vmm none --kernel FILE --initrd BAD", ANY_CONTENT),
        ("IMAGE --vmm none --kernel FILE --append-file BAD", ANY_CONTENT),
        ("IMAGE --kernel FILE --hob BAD --acpi ACPI", ANY_CONTENT),
        ("IMAGE --kernel FILE --acpi BAD --save-acpi OUT", ALL)],
    "shim-bundle": [
        ("create --kernel BAD -o OUT", ALL), ("create --kernel FILE --initrd BAD -o OUT", (*ANY_CONTENT, "empty")),
        ("create --kernel FILE --append-file BAD -o OUT", (*ANY_CONTENT, "empty", "garbage")),
        ("create --kernel FILE --events BAD -o OUT", ALL), ("list BAD", ALL), ("list BAD --json", ALL),
        ("verify BAD --firmware IMAGE", ANY_CONTENT), ("verify FILE --firmware BAD", ALL),
        ("verify FILE --public-key BAD", ALL)],
    "shim-enroll": [("--firmware BAD --key KEY -o OUT", ALL), ("--firmware IMAGE --key BAD -o OUT", ALL)],
    "shim-guest": [
        ("build --root BAD --kernel FILE --modules MODULES -o OUT", ("missing", "empty", "garbage")),
        ("build --root ROOT --kernel BAD --modules MODULES -o OUT", ALL), ("verify BAD --bundle BUNDLE", ANY_CONTENT),
        ("verify FILE --bundle BAD", ALL)],
    "shim-sign": [
        ("BAD --key PRIVATE --svn 1 -o OUT", ANY_CONTENT), ("FILE --key BAD --svn 1 -o OUT", ALL), ("verify BAD --firmware IMAGE", ANY_CONTENT)],
    "shim-log": [
        ("decode BAD", ALL), ("replay BAD", ALL), ("decode BAD --json", ALL), ("check BAD --policy POLICY", ALL),
        ("check LOG --policy BAD", ALL), ("check LOG --report BAD", ALL), ("check LOG --quote BAD", ALL)],
    "shim-attest": [
        ("show BAD", ANY_CONTENT), ("show BAD --json", ANY_CONTENT), ("verify BAD --policy POLICY", ALL), ("verify --quote BAD", ANY_CONTENT), ("verify --quote FILE --policy BAD", ALL),
        ("verify --quote FILE --root BAD --json", ALL), ("verify --quote FILE --ccel BAD", ANY_CONTENT),
        ("verify --quote FILE --nonce 00112233445566778899aabbccddeeff --bind BAD", ANY_CONTENT), ("verify --quote FILE --collateral BAD", ALL)],
    "td-emu": [
        ("--firmware BAD --report OUT", ALL), ("--firmware IMAGE --kernel BAD --ccel OUT", ANY_CONTENT),
        ("--firmware IMAGE --initrd BAD --ccel OUT", ANY_CONTENT), ("--firmware IMAGE --fault BAD --trace OUT", ALL)],
}


class BadFileTest(ToolTest):
    def setUp(self):
        super().setUp()
        image = os.path.join(self.folder, "image")
        self.good("shim-ld", self.put("vector", reset_vector()), self.put("elf", elf()), "-o", image)
        with open(image, "rb") as file:
            boot = Boot(file.read())
        self.words = {
            "VECTOR": os.path.join(self.folder, "vector"), "ELF": os.path.join(self.folder, "elf"), "IMAGE": image,
            "FILE": self.put("file", KERNEL), "LOG": self.put("log", LOG), "ACPI": boot.put_acpi(self.folder),
            "POLICY": self.put("policy", json.dumps(POLICY).encode()),
            "PRIVATE": os.path.join(self.folder, "private"), "KEY": os.path.join(self.folder, "key"),
            "OUT": os.path.join(self.folder, "out"), "ROOT": os.path.join(self.folder, "root"),
            "MODULES": os.path.join(self.folder, "modules"), "BUNDLE": os.path.join(self.folder, "guest.bundle")}
        put_guest_inputs(self.folder)
        self.good("shim-bundle", "create", "--kernel", self.words["FILE"], "--append",
                  f"roothash={'0' * 64} stage1.data_blocks=1 stage1.salt={'0' * 64}", "-o", self.words["BUNDLE"])
        for command in (("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "private"),
                        ("pkey", "-in", "private", "-pubout", "-out", "key")):
            subprocess.run(["openssl", *command], cwd=self.folder, capture_output=True, check=True)

    def bad_input(self, kind):
        path = os.path.join(self.folder, kind)
        if kind == "folder":
            os.makedirs(path, exist_ok=True)
        elif kind != "missing":
            self.put(kind, GARBAGE if kind == "garbage" else b"")
        return path

    def test_no_tool_is_left_out(self):
        self.assertEqual(set(INPUTS), set(TOOLS))

    def test_every_input(self):
        for tool, inputs in INPUTS.items():
            for line, kinds in inputs:
                for kind in kinds:
                    with self.subTest(f"{tool} {line}", kind=kind):
                        self.check(tool, line, self.bad_input(kind))

    def check(self, tool, line, path):
        words = {**self.words, "BAD": path}
        before = sorted(os.listdir(self.folder))
        result = self.bad(tool, *(words.get(word, word) for word in line.split()))
        self.assertIn(path, result.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), before)


if __name__ == "__main__":
    unittest.main()
