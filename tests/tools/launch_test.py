#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""launch/qemu.sh --dry-run: a command for files that are there, and an error for any that is not."""

import pathlib
import subprocess
import tempfile
import unittest

PROGRAM = pathlib.Path(__file__).resolve().parent.parent.parent / "launch" / "qemu.sh"


class Launch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.files = {}
        for name in ("firmware", "kernel", "initrd"):
            self.files[name] = self.folder / name
            self.files[name].write_bytes(b"content")

    def dry_run(self, *more, **files):
        options = [word for name, path in {**self.files, **files}.items() for word in (f"--{name}", path)]
        return subprocess.run([PROGRAM, *options, *more, "--dry-run"], capture_output=True, text=True, check=False)

    def test_the_command_is_printed(self):
        result = self.dry_run("--append", "a,b", "--qemu", "/no/qemu", "--memory", "3G")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for words in ("/no/qemu ", f" -bios {self.files['firmware']}", " -m 3G ", "opt/org.tdshim/cmdline,string=a,,b",
                      f"name=opt/org.tdshim/kernel,file={self.files['kernel']}"):
            self.assertIn(words, result.stdout)

    def test_an_empty_value_is_no_value(self):
        for more in ((), ("--td",), ("--td", "--emulate")):
            for name in ("firmware", "kernel", "initrd", "memory", "cpus", "machine", "accel", "cpu", "qemu"):
                with self.subTest(name, more=more):
                    result = self.dry_run(*more, f"--{name}", "")
                    self.assertEqual((result.returncode, result.stdout), (2, ""))
                    self.assertEqual(result.stderr, f"qemu.sh: error: --{name}: is empty: expected a value; for none leave it out\n")
        result = self.dry_run("--append", "")
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_a_file_that_cannot_be_read_is_an_error(self):
        for more in ((), ("--td",), ("--td", "--emulate")):
            for name in self.files:
                for path in (self.folder / "nothing", self.folder):
                    with self.subTest(name, more=more, path=path):
                        result = self.dry_run(*more, **{name: path})
                        self.assertEqual((result.returncode, result.stdout), (2, ""))
                        self.assertEqual(result.stderr, f"qemu.sh: error: --{name}: no readable file {path}\n")


if __name__ == "__main__":
    unittest.main()
