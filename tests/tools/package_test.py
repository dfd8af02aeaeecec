#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is installed works where it is installed: tools, man pages, completion; and the package holds the same."""

import gzip
import os
import pathlib
import subprocess
import tempfile
import unittest

from support import TOOLS

SUBCOMMANDS = {"shim-attest": ["collect", "show", "verify"], "shim-bundle": ["create", "list", "verify"], "shim-guest": ["build", "verify"], "shim-hob": ["build", "print"],
               "shim-log": ["decode", "replay", "check"], "shim-sign": ["verify"]}
PAGES = (*TOOLS, *(f"{tool}-{subcommand}" for tool, subcommands in SUBCOMMANDS.items() for subcommand in subcommands))
COMMANDS = ("tdshim-qemu", "tdshim-fetch-kernel", "tdshim-fetch-qemu", "tdshim-make-initramfs")  # of launch/
build = pathlib.Path(os.environ["TDSHIM_BIN"]).parent
files = {*(f"usr/bin/{tool}" for tool in TOOLS), *(f"usr/share/man/man1/{page}.1.gz" for page in (*PAGES, *COMMANDS)),
         *(f"usr/share/bash-completion/completions/{tool}" for tool in TOOLS), "usr/share/tdshim/final.bin",
         "usr/share/doc/tdshim/README.md", "usr/share/doc/tdshim/specs/measurement.md"}
files |= {*(f"usr/share/tdshim/{name}" for name in (
    "resetvector.bin", "shim.elf", "launch/qemu.sh", "launch/guest/init", "cmake/newer-suite.sh", "payload/compile.rsp",
    "payload/link.rsp", "payload/link-pie.rsp", "payload/payload.ld", "payload/elf_to_pe.py")),
          *(f"usr/bin/{name}" for name in COMMANDS), "usr/share/tdshim/launch/names.sh", "usr/include/tdshim/payload/runtime/runtime.hpp",
          "usr/lib/tdshim/payload/libpayload_runtime.pie.a", "usr/share/doc/tdshim/copyright"}
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
        for page in PAGES:
            text = gzip.decompress((self.folder / f"usr/share/man/man1/{page}.1.gz").read_bytes()).decode()
            example = page.replace("-", " ").replace(" ", "-", 1) if page not in TOOLS else page
            self.assertIn(f"example: {example}".replace("-", "\\-"), text.replace("\n", " "))
        self.check_commands()
        shared = self.folder / "usr/share/tdshim"
        self.assertIn("BFV", output(self.folder / "usr/bin/shim-info", shared / "final.bin"))
        linked = self.folder / "linked.bin"
        output(self.folder / "usr/bin/shim-ld", shared / "resetvector.bin", shared / "shim.elf", "-o", linked)
        self.assertEqual(linked.read_bytes(), (shared / "final.bin").read_bytes())
        self.check_payload(shared / "payload")
        path = {**os.environ, "PATH": f"{self.folder}/usr/bin:{os.environ['PATH']}"}
        command = output(self.folder / "usr/bin/tdshim-qemu", "--firmware", linked, "--td", "--emulate", "--dry-run", env=path)
        self.assertTrue(command.startswith(f"{self.folder}/usr/bin/td-emu "), command)

    def check_commands(self):
        """What is said of them names no place in the sources."""
        version = output(self.folder / "usr/bin/shim-ld", "--version").split()[-1]
        for name in COMMANDS:
            program = self.folder / "usr/bin" / name
            self.assertEqual(output(program, "--version"), f"{name} (tdshim) {version}\n")
            page = gzip.decompress((self.folder / f"usr/share/man/man1/{name}.1.gz").read_bytes()).decode().replace("\\-", "-")
            for text in (output(program, "--help"), page):
                self.assertNotRegex(text, r"launch/|cmake/|build/|\w\.sh\b")
                self.assertRegex(text, f"example: .*{name}")
        said = subprocess.run([self.folder / "usr/bin/tdshim-qemu", "--firmware", self.folder / "usr/share/tdshim/final.bin", "--qemu",
                               "no-such-qemu"], capture_output=True, text=True)
        self.assertEqual((said.returncode, said.stderr),
                         (2, "tdshim-qemu: error: no program no-such-qemu here: apt-get install qemu-system-x86\n"))

    def check_payload(self, folder):
        """One of somebody's own, from the installed headers and libraries alone."""
        object_file, program = self.folder / "hello.o", self.folder / "hello.elf"
        output("clang++-19", f"@{folder}/compile.rsp", "-c", folder / "hello.cpp", "-o", object_file)
        output("ld.lld-19", object_file, f"@{folder}/link.rsp", "-o", program)
        relocated = self.folder / "hello.pe.elf"
        output("ld.lld-19", object_file, f"@{folder}/link-pie.rsp", "-e", "payload_entry_microsoft", "-o", relocated)
        output(folder / "elf_to_pe.py", relocated, "-o", self.folder / "hello.pe")
        for name in ("compile", "link", "link-pie"):
            options = (folder / f"{name}.rsp").read_text()
            self.assertNotIn(str(pathlib.Path(__file__).resolve().parents[2]), options)

    def complete(self, *words):
        script = pathlib.Path(__file__).resolve().parents[2] / "tools/completion.bash"
        typed = " ".join(f"'{word}'" for word in words)
        return output("bash", "-c", f". '{script}'; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _tdshim {words[0]}; "
                                    'printf "%s\\n" "${COMPREPLY[@]}"', env={**os.environ, "PATH": f"{build}/bin:{os.environ['PATH']}"}).split()

    def test_completion_knows_options_and_words(self):
        self.assertEqual(self.complete("shim-log", ""), ["decode", "replay", "check"])
        self.assertEqual(self.complete("shim-log", "check", "--p"), ["--policy"])
        self.assertEqual(self.complete("shim-measure", "--format", ""), ["corim", "go-tdx-guest", "json", "policy", "text",
                                                                      "trustee", "trustee-policy"])
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
