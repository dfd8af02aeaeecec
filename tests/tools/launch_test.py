#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""launch/qemu.sh --dry-run: a command for files that are there, and an error for any that is not; and what launch/demo.sh
refuses."""

import pathlib
import shutil
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

    def test_the_demo_refuses_an_option_before_it_installs_anything(self):
        copy = self.folder / "copy"
        shutil.copytree(PROGRAM.parent, copy / "launch")
        (copy / "cmake").mkdir()
        install = copy / "cmake" / "install-dependencies.sh"
        install.write_text("#!/bin/sh\necho installs\nexit 1\n", encoding="ascii")
        install.chmod(0o755)
        for options, message in ((("--nonsense",), "unknown option: --nonsense"), (("--cpus", "x"), "--cpus takes a number"),
                                 (("--memory", ""), "--memory: is empty"), (("--suite", ""), "--suite needs a value"),
                                 ((), None), (("--cpus", "2", "--", "-snapshot"), None)):
            with self.subTest(options):
                result = subprocess.run([copy / "launch" / "demo.sh", *options], capture_output=True, text=True, check=False)
                self.assertEqual((result.returncode, result.stdout), (2, "") if message else (1, "installs\n"), result.stderr)
                self.assertIn(message or "installing what is lacking", result.stderr)


if __name__ == "__main__":
    unittest.main()
