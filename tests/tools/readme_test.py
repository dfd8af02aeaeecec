#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""README.md's sizes of the firmware are those of this build, but for what another release of the compiler makes of it."""

import pathlib
import re
import subprocess
import sys
import unittest

repository = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(repository / "tests/vm"))

import settings
import suite


def sizes_of(test, shim):
    """Bytes of code and of constants, as shim-ld says them."""
    output = subprocess.run([settings.tool("shim-ld"), settings.image().parent / "resetvector.bin", shim, "-o",
                             suite.temporary_folder(test) / "final.bin"], check=True, capture_output=True, text=True).stdout
    return [int(number) for number in re.search(r"code \(RX\) (\d+) bytes, constants \(R\) (\d+) bytes", output).groups()]


class Readme(unittest.TestCase):
    def test_sizes(self):
        text = (repository / "README.md").read_text()
        written = re.search(r"the firmware has ([\d,]+) bytes of code and ([\d,]+) of constants; without secure boot\n"
                            r"\(`-DTDSHIM_SECURE_BOOT=OFF`\) ([\d,]+) and ([\d,]+)\.", text)
        self.assertIsNotNone(written)
        shim = settings.shim_elf()
        found = [*sizes_of(self, shim), *sizes_of(self, shim.with_name("shim-without-secure-boot.elf"))]
        for said, is_now in zip([int(number.replace(",", "")) for number in written.groups()], found):
            self.assertLess(abs(said - is_now), is_now / 100, f"{said} bytes in README.md, {is_now} in this build")
        in_short = int(re.search(r"it is small: (\d+) KiB of code\.", text)[1])
        self.assertLess(abs(in_short - found[0] / 1024), 2)


if __name__ == "__main__":
    suite.main()
