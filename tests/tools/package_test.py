#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is installed works where it is installed: tools, man pages, completion; and the package holds the same."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from support import TOOLS

build = pathlib.Path(os.environ["TDSHIM_BIN"]).parent
files = {*(f"usr/bin/{tool}" for tool in TOOLS), *(f"usr/share/man/man1/{tool}.1" for tool in TOOLS),
         *(f"usr/share/bash-completion/completions/{tool}" for tool in TOOLS), "usr/share/tdshim/final.bin",
         "usr/share/doc/tdshim/README.md", "usr/share/doc/tdshim/specs/measurement.md"}
plugin = {"libtd-emu-plugin.so", "td-emu", "td-emu-stub.bin"}


def output(*command, **options):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, timeout=120, **options).stdout


class Package(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_installed_tools_work(self):
        output("cmake", "--install", build, "--prefix", self.folder / "usr")
        for file in files:
            self.assertTrue((self.folder / file).exists(), file)
        libraries = list((self.folder / "usr").rglob("tdshim/*"))
        self.assertLessEqual(plugin, {path.name for path in libraries})
        for tool in TOOLS:
            path = self.folder / "usr/bin" / tool
            self.assertIn(tool, output(path, "--version"))
            page = (self.folder / f"usr/share/man/man1/{tool}.1").read_text()
            self.assertIn(f"example: {tool}".replace("-", "\\-"), page.replace("\n", " "))
        self.assertIn("BFV", output(self.folder / "usr/bin/shim-info", self.folder / "usr/share/tdshim/final.bin"))

    def complete(self, *words):
        script = pathlib.Path(__file__).resolve().parents[2] / "tools/completion.bash"
        typed = " ".join(f"'{word}'" for word in words)
        return output("bash", "-c", f". '{script}'; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _tdshim {words[0]}; "
                                    'printf "%s\\n" "${COMPREPLY[@]}"', env={**os.environ, "PATH": f"{build}/bin:{os.environ['PATH']}"}).split()

    def test_completion_knows_options_and_words(self):
        self.assertEqual(self.complete("shim-log", ""), ["decode", "replay", "check"])
        self.assertEqual(self.complete("shim-log", "check", "--p"), ["--policy"])
        self.assertEqual(self.complete("shim-measure", "--format", ""), ["json", "policy", "text"])
        self.assertEqual(self.complete("shim-check", "final.bin", "--vmm", "q"), ["qemu"])
        self.assertEqual(self.complete("shim-bundle", ""), ["create", "list", "verify"])
        self.assertEqual(self.complete("shim-bundle", "create", "--command-line", ""), ["append", "refuse"])

    def test_the_package_holds_it_all(self):
        output("cpack", "-G", "DEB", "--config", build / "CPackConfig.cmake", "-B", self.folder)
        package, = self.folder.glob("*.deb")
        content = output("dpkg-deb", "--contents", package)
        for file in files:
            self.assertIn(f"./{file}", content)
        self.assertIn("libc++", output("dpkg-deb", "--field", package, "Depends"))


if __name__ == "__main__":
    unittest.main()
