#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shell and Python of this repository as shellcheck and pyflakes see them."""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

repository = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(repository / "tests/vm"))

import suite

FOLDERS = (".ci", "cmake", "launch", "linker", "payload", "resetvector", "shim", "tests", "tools")
SHELL = re.compile(rb"^#!.*\b(bash|sh)\b|^# shellcheck shell=", re.MULTILINE)


def files():
    for folder in FOLDERS:
        yield from (file for file in sorted((repository / folder).rglob("*")) if file.is_file())


class Lint(unittest.TestCase):
    def check(self, program, *arguments):
        if shutil.which(program) is None:
            self.skipTest(f"no program {program} here (cmake/install-dependencies.sh)")
        found = subprocess.run([program, *arguments], cwd=repository, capture_output=True, text=True)
        self.assertEqual((found.returncode, found.stdout + found.stderr), (0, ""))

    def test_shell(self):
        scripts = [file for file in files() if SHELL.search(file.read_bytes()[:200])]
        self.assertGreater(len(scripts), 10)
        self.check("shellcheck", "--external-sources", *scripts)

    def test_python(self):
        programs = [file for file in files() if file.suffix == ".py"]
        self.assertGreater(len(programs), 30)
        self.check("pyflakes3", *programs)


if __name__ == "__main__":
    suite.main()
