# SPDX-License-Identifier: Apache-2.0
"""An image, a payload and keys, and what signing and enrolling them is to come to."""

import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))

from reference import EcKey, RsaKey
from support import BOOT_SECTOR, CFV_SIZE, ToolTest, elf, reset_vector

CONTENTS = BOOT_SECTOR + bytes(range(256)) * 20


class SigningTest(ToolTest):
    @classmethod
    def setUpClass(cls):
        cls.keys = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.keys.cleanup)
        cls.rsa, cls.ec = RsaKey(cls.keys.name), EcKey(cls.keys.name)
        cls.other = EcKey(cls.keys.name, "other")
        cls.both = (cls.rsa, cls.ec)

    def setUp(self):
        super().setUp()
        self.payload = self.put("payload", CONTENTS)
        self.image = self.path("final.bin")
        self.good("shim-ld", self.put("vector", reset_vector()), self.put("elf", elf()), "-o", self.image)

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def read(path):
        with open(path, "rb") as file:
            return file.read()

    def with_volume(self, content, name="enrolled.bin"):
        image = self.read(self.image)
        assert len(content) == CFV_SIZE
        return self.put(name, content + image[CFV_SIZE:])

    def enroll(self, *options, name="enrolled.bin"):
        output = self.path(name)
        self.good("shim-enroll", "--firmware", self.image, *options, "-o", output)
        return output

    def sign(self, key, *options, output="signed"):
        self.good("shim-sign", self.payload, "--key", key.path, *options, "-o", self.path(output))
        return self.path(output)

    def accepted(self, file, *options):
        result = json.loads(self.good("shim-sign", "verify", file, *options, "--json"))
        self.assertTrue(result["good"])
        return result

    def refused(self, reason, file, *options):
        result = self.run_tool("shim-sign", "verify", file, *options)
        self.assertEqual((result.returncode, result.stderr), (1, ""), result.stdout)
        self.assertTrue(result.stdout.startswith(f"{file}: {reason}"), result.stdout)
        self.assertEqual(result.stdout.count("\n"), 1)
