#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What nobody measured is gone when the payload begins: a VMM puts a text into every place that no register covers
(memory that it adds and does not extend, names of items, sections of a container that the shim does not read), and
td-emu looks for it in all accepted memory at the first instruction of the payload."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import kernel_forms
import kernels
import payloads
import suite
import td_emu

text = b"unmeasured bytes"
finding = "bytes of the VMM's that nobody measured are left in memory"
MIB = 1 << 20


def linked(folder, *options):
    return td_emu.linked(folder / "final.bin", *options)


def of_bzimage(folder):
    (folder / "kernel").write_bytes(kernels.bzimage())
    return folder / "kernel", None


def of_uki(folder):
    more = [(".pad", text * (MIB // len(text))), (".splash", text)]
    return kernel_forms.unified(folder, kernels.bzimage(), command_line=b"quiet", more=more), None


def of_executable(_):
    return payloads.payload("hello.elf"), None


def of_placed_uki(folder):
    return of_uki(folder)[0], linked(folder, "--profile", "tdvf-payload")


def of_placed_bzimage(folder):
    return of_bzimage(folder)[0], linked(folder, "--profile", "tdvf-payload")


def of_placed_regions(folder):
    """Sections measured whole, which the log has whole too."""
    return of_bzimage(folder)[0], linked(folder, "--profile", "tdvf-payload", "--measurement", "td-shim")


def of_embedded_uki(folder):
    return None, linked(folder, "--payload", of_uki(folder)[0], "--payload-measured", "rtmr")


def run(test, payload, *options, cpus="2"):
    folder = suite.temporary_folder(test)
    kernel, image = payload(folder)
    (folder / "fault").write_text(json.dumps([{"fill": text.hex()}]))
    items = ["--", "-fw_cfg", f"name=opt/{text.decode()},string=x"] if "placed" not in payload.__name__ else []
    return td_emu.Run(*(["--kernel", kernel] if kernel else []), "--memory", "256M", "--cpus", cpus, "--until", "payload",
                      "--fault", folder / "fault", *options, *items, image=image)


def check(test, payload):
    ended = run(test, payload)
    test.assertEqual((ended.exit_code, ended.result and ended.result["finding"]), (0, ""), ended.console + ended.errors)
    test.assertTrue(ended.result["payload_entered"])


class Remains(unittest.TestCase):
    def test_what_is_measured_is_found(self):
        ended = run(self, of_bzimage, "--append", text.decode())
        self.assertEqual(ended.exit_code, 1, ended.console + ended.errors)
        self.assertIn(finding, ended.result["finding"])

    def test_bzimage(self):
        check(self, of_bzimage)

    def test_uki(self):
        check(self, of_uki)

    def test_executable(self):
        check(self, of_executable)

    def test_placed_bzimage(self):
        check(self, of_placed_bzimage)

    def test_sections_measured_whole(self):
        check(self, of_placed_regions)

    def test_placed_uki(self):
        check(self, of_placed_uki)

    def test_embedded_uki(self):
        check(self, of_embedded_uki)


if __name__ == "__main__":
    suite.main()
