#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A TD with less memory than its image names: td-emu says how much it takes, and starts nothing."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import payloads
import suite
import td_emu


class Memory(unittest.TestCase):
    def test_a_service_td_needs_what_its_image_owns(self):
        folder = suite.temporary_folder(self)
        payload = ("--profile", "service-td", "--acpi", "static", "--payload", payloads.payload("hello.elf"))
        for more, enough in (((), 193), (("--payload-address", "0x5000000"), 81)):
            image = td_emu.linked(folder / "service.bin", *payload, *more)
            run = td_emu.Run("--memory", f"{enough - 1}M", image=image, timeout=100)
            self.assertEqual((run.exit_code, run.console), (2, ""))
            self.assertRegex(run.errors, rf"td-emu: --memory: is too little: expected memory up to 0x\w+, where the Payload section of "
                             rf"{image} ends, found {enough - 1} MiB \(give {enough}M or more\)\n")
            run = td_emu.Run("--memory", f"{enough}M", image=image, timeout=100)
            self.assertEqual((run.exit_code, run.result["finding"]), (0, ""), run.console + run.errors)
            run.line("^hello from a payload in a TD$")


if __name__ == "__main__":
    suite.main()
