#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""specs/payload-guide.md: its commands, exactly as they stand there, in a fresh folder of a fresh home."""

import os
import pathlib
import re
import subprocess
import sys
import textwrap
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import settings
import suite

most_lines = 20
greeting = r"(?m)^greetings from my payload: \d+ ACPI tables$"


def blocks_of(title):
    text = (settings.source() / "specs" / "payload-guide.md").read_text()
    section = re.search(f"^## {title}$(.*?)^## ", text, re.MULTILINE | re.DOTALL)[1]
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", section, re.MULTILINE)
    return [textwrap.dedent(block).strip("\n") for block in blocks if block.strip()]


def listed_headers():
    """Of the guide's table: a header is named by its path or beside one, a folder stands for all of its headers."""
    text = (settings.source() / "specs" / "payload-guide.md").read_text()
    section = re.search(r"^## What there is$(.*?)^- ", text, re.MULTILINE | re.DOTALL)[1]
    folder, headers = None, []
    for name in re.findall(r"`([\w/]+(?:\.hpp)?)`", "\n".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE))):
        path = settings.source() / name if "/" in name else folder / name
        folder = path.parent
        headers += [path] if path.suffix else sorted(path.rglob("*.hpp"))
    return [str(path.relative_to(settings.source())) for path in headers]


def make_home(folder):
    """~/tdshim as the guide has it: the sources of this project, and what was built of them here."""
    project = folder / "tdshim"
    (project / "build").mkdir(parents=True)
    for entry in settings.source().iterdir():
        if entry.name not in ("build", ".git"):
            (project / entry.name).symlink_to(entry)
    (project / "build" / "release").symlink_to(settings.image().parent)
    program = settings.required_path("TDSHIM_QEMU_NEW")  # cache/qemu/SUITE or SUITE-spice/program
    cache = project / "build" / "cache"
    (cache / "qemu").mkdir(parents=True)
    (cache / "qemu" / program.parent.name.removesuffix("-spice")).symlink_to(program.parent)
    for entry in program.parent.parent.parent.iterdir():
        if entry.name != "qemu":
            (cache / entry.name).symlink_to(entry)


class Guide(unittest.TestCase):
    def test_commands(self):
        home = suite.temporary_folder(self)
        make_home(home)
        work = home / "greet"
        work.mkdir()
        blocks = blocks_of("In twenty lines")
        lines = [line for block in blocks for line in block.splitlines() if line]
        self.assertEqual(len(blocks), 2)
        self.assertLess(len(lines), most_lines)
        blocks.append(blocks_of("A service TD, and events of its own")[0])
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], cwd=work, timeout=250,
                              env={"HOME": str(home), "PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        console = done.stdout.replace("\r", "")
        self.assertEqual(done.returncode, 0, console[-3000:])
        self.assertEqual(len(re.findall(greeting, console)), 4, console[-3000:])
        self.assertNotIn("finding", console)

    def test_an_event_of_ones_own(self):
        blocks = blocks_of("A service TD, and events of its own")
        block = next(block for block in blocks if block.startswith("#include") and "constexpr std::string_view event" in block)
        others = next(block for block in blocks if "read_fw_cfg" in block)
        lines = "\n".join((block, others)).splitlines()
        includes, body = ("\n".join(line for line in lines if line.startswith("#include") == is_include) for is_include in (True, False))
        source = suite.temporary_folder(self) / "event.cpp"
        source.write_text(f'{includes}\n#include "payload/runtime/runtime.hpp"\n\n'
                          f"void tdshim::runtime::run(const HobList& machine) {{\n{body}\n}}\n")
        compiled = subprocess.run(["clang++-19", f"@{settings.image().parent}/payload/compile.rsp", "-Wall", "-Werror", "-c", source,
                                   "-o", source.with_suffix(".o")], capture_output=True, text=True)
        self.assertEqual(compiled.returncode, 0, compiled.stderr)

    def test_headers(self):
        headers = listed_headers()
        self.assertGreater(len(headers), 30)
        source = suite.temporary_folder(self) / "all.cpp"
        source.write_text("".join(f'#include "{header}"\n' for header in headers))
        options = settings.image().parent / "payload" / "compile.rsp"
        done = subprocess.run(["clang++-19", f"@{options}", "-fsyntax-only", source], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[:2000])


if __name__ == "__main__":
    suite.main()
