# SPDX-License-Identifier: Apache-2.0
"""A line of td-emu's --trace: one call, what was asked and answered (specs/td-emu.md)."""

import re

line_form = re.compile(r"(\d+) vcpu (\d+) rip 0x([0-9a-f]+) (TDCALL|TDVMCALL) (\S+)((?: \w+=0x[0-9a-f]+)*) ->"
                       r"((?: \w+=0x[0-9a-f]+)+)(.*)")


class Call:
    def __init__(self, line):
        match = line_form.fullmatch(line)
        assert match, line
        self.number, self.vcpu, self.rip = int(match[1]), int(match[2]), int(match[3], 16)
        self.kind, self.name, self.end = match[4], match[5], match[8]
        self.operands, self.results = (
            {name: int(value, 16) for name, value in (word.split("=") for word in words.split())}
            for words in (match[6], match[7]))
