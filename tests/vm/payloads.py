# SPDX-License-Identifier: Apache-2.0
"""The payloads of the build, in every form in which the firmware takes one, and what selftest says of its machine."""

import re
import subprocess
import sys

import settings

forms = {"elf": "selftest.elf", "pie": "selftest.pie.elf", "pe": "selftest.pe"}


def payload(name):
    file = settings.image().parent / "payload" / name
    if not file.is_file():
        settings.skip(f"{file} was not built")
    return file


def embedded(file, output):
    """The image of the build with this payload in it."""
    subprocess.run([settings.tool("shim-ld"), settings.image().parent / "resetvector.bin", settings.shim_elf(),
                    "-o", output, "--payload", file], check=True, capture_output=True)
    return output


def moved_pe(output):
    """selftest as a PE file that prefers an address where nothing can be: it must be relocated."""
    converter = settings.source() / "payload" / "elf_to_pe.py"
    subprocess.run([sys.executable, converter, "--image-base", "0x100000000000", payload("selftest.pe.elf"),
                    "-o", output], check=True, capture_output=True)
    return output


def check_console(test, console, kind, skipped):
    """Nothing failed, and what was skipped is what should be, by the begin of its name."""
    test.assertIn(f"selftest: begins in a {kind}", console)
    passed, failed, left_out = map(int, re.search(
        r"^selftest: (\d+) passed, (\d+) failed, (\d+) skipped$", console, re.MULTILINE).groups())
    lines = [line for line in console.splitlines() if re.match("selftest: (pass|FAIL|skip): ", line)]
    test.assertEqual(failed, 0, "\n".join(lines))
    test.assertGreater(passed, 30)
    test.assertEqual(len(lines), passed + left_out)
    names = [line.split(": ")[2] for line in lines if line.startswith("selftest: skip: ")]
    test.assertEqual(names, skipped)
