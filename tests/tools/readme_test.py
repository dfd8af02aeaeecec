#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The firmware's sizes in README.md and specs/costs.md are those of this build, but for what another release of the
compiler makes of it."""

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
        written = re.findall(r"^\| (?:whole|without secure boot .*) \| ([\d,]+) \| ([\d,]+) \|$",
                             (repository / "specs/costs.md").read_text(), re.MULTILINE)
        self.assertEqual(len(written), 2)
        shim = settings.shim_elf()
        found = [*sizes_of(self, shim), *sizes_of(self, shim.with_name("shim-without-secure-boot.elf"))]
        for said, is_now in zip([int(number.replace(",", "")) for pair in written for number in pair], found):
            self.assertLess(abs(said - is_now), is_now / 100, f"{said} bytes in specs/costs.md, {is_now} in this build")
        in_short = int(re.search(r"it is small: (\d+) KiB of code\.", (repository / "README.md").read_text())[1])
        self.assertLess(abs(in_short - found[0] / 1024), 2)


if __name__ == "__main__":
    suite.main()
