#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""specs/json.md lists what each --json prints: every member that is printed is listed there, every member that is listed
is printed by one of the commands here, or is marked as one that may lack."""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

from kernels import bzimage
from support import BIN, LOG, ToolTest, elf, reset_vector, put_guest_inputs

document = pathlib.Path(__file__).resolve().parents[2] / "specs" / "json.md"


def listed_schemas():
    """{schema: {path: whether it may lack}}, of the document's code blocks, which begin with their schema."""
    schemas = {}
    for block in re.findall(r"(?:^    .*\n)+", document.read_text(encoding="utf-8"), re.MULTILINE):
        schema, *members = block.split()
        if re.fullmatch(r"[a-z-]+/\d+", schema):
            schemas[schema] = {member.rstrip("?"): member.endswith("?") for member in members}
    return schemas


def paths_of(value, prefix=""):
    if isinstance(value, dict):
        for key, member in value.items():
            yield prefix + key
            yield from paths_of(member, f"{prefix}{key}.")
    elif isinstance(value, list):
        for member in value:
            yield from paths_of(member, prefix.removesuffix(".") + "[].")


def is_listed(path, listed):
    """A member {} of the document stands for any name."""
    return path in listed or any("{}" in name and re.fullmatch(re.escape(name).replace(r"\{\}", "[^.]+"), path)
                                 for name in listed)


class Json(ToolTest):
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.printed = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_json(self, *command, codes=(0, 1)):
        tool, *arguments = map(str, command)
        result = subprocess.run([os.path.join(BIN, tool), *arguments, "--json"], capture_output=True, text=True, timeout=60,
                                check=False)
        self.assertIn(result.returncode, codes, result.stderr)
        value = json.loads(result.stdout)
        self.assertEqual(next(iter(value)), "schema", command)
        schema = value.pop("schema")
        self.printed.setdefault(schema, set()).update(paths_of(value))
        return value

    def run_all(self):
        image, key, public = self.path("final.bin"), self.path("key.pem"), self.path("key.pub.pem")
        kernel = self.put("kernel", bzimage())
        self.run_json("shim-ld", self.put("reset", reset_vector()), self.put("shim", elf()), "-o", image)
        self.run_json("shim-ld", self.path("reset"), self.path("shim"), "-o", self.path("igvm"), "--image-format", "igvm")
        self.run_json("shim-ld", self.path("reset"), self.path("shim"), "-o", self.path("held.bin"), "--payload", kernel,
                      "--profile", "service-td", "--td-info-guid", "11111111-2222-3333-4444-555555555555")
        subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", key], check=True)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
        self.run_json("shim-enroll", "--firmware", image, "--key", public, "-o", self.path("enrolled.bin"))
        self.run_json("shim-sign", kernel, "--key", key, "--svn", 1, "-o", self.path("signed"))
        self.run_json("shim-sign", "verify", self.path("signed"), "--public-key", public)
        self.run_json("shim-sign", "verify", self.path("signed"), "--firmware", image)
        self.run_json("shim-sign", "verify", kernel, "--public-key", public, codes=[1])
        put_guest_inputs(self.folder)
        self.run_json("shim-guest", "build", "--root", self.path("root"), "--kernel", kernel, "--modules", self.path("modules"),
                      "-o", self.path("guest"))
        self.run_json("shim-guest", "verify", self.path("guest/disk.img"), "--bundle", self.path("guest/guest.bundle"))
        events = self.put("events", b"PCR11:string:os\n")
        self.run_json("shim-bundle", "create", "--kernel", kernel, "--events", events, "-o", self.path("bundle"))
        self.run_json("shim-bundle", "list", self.path("bundle"))
        self.good("shim-sign", self.path("bundle"), "--key", key, "-o", self.path("bundle.signed"))
        self.run_json("shim-bundle", "verify", self.path("bundle.signed"), "--public-key", public)
        for name in ("final.bin", "igvm", "held.bin", "enrolled.bin"):
            self.run_json("shim-info", self.path(name))
            self.run_json("shim-measure", self.path(name), *([] if name == "igvm" else ["--vmm", "none"]))
        self.run_json("shim-check", image, "--vmm", "qemu")
        self.run_json("shim-check", image, "--vmm", "qemu", "--memory", "1M")
        self.good("shim-hob", "build", image, "--memory", "2G", "--payload-info", "1:0x1000000", "-o", self.path("hob"))
        self.run_json("shim-hob", "print", self.path("hob"))
        log = self.put("log", LOG)
        self.run_json("shim-log", "decode", log)
        self.run_json("shim-log", "replay", log)
        policy = self.good("shim-measure", image, "--vmm", "none", "--kernel", kernel, "--format", "policy")
        self.run_json("shim-log", "check", log, "--policy", self.put("policy", policy.encode()))
        self.run_json("shim-info", self.path("missing"), codes=[2])

    def test_members_are_those_of_the_document(self):
        self.run_all()
        listed = listed_schemas()
        for schema, paths in sorted(self.printed.items()):
            with self.subTest(schema):
                self.assertIn(schema, listed)
                self.assertEqual([path for path in sorted(paths) if not is_listed(path, listed[schema])], [])
                lacking = [path for path, may_lack in listed[schema].items() if not may_lack and path not in paths
                           and "{}" not in path]
                self.assertEqual(lacking, [])
        # What attest_test and tests/td_emu run.
        self.assertEqual(sorted(set(listed) - set(self.printed)), ["shim-attest-show/1", "shim-attest-verify/1", "td-emu/1"])


if __name__ == "__main__":
    unittest.main()
