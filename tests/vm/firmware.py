# SPDX-License-Identifier: Apache-2.0
"""What the firmware leaves behind when it has started a kernel or refused to: the figures that it printed
and its event log, which must agree with each other."""

import json
import re
import subprocess
import tempfile

import settings
from event_log import EventLog

banner = r"^tdshim \d+\.\d+\.\d+: plain VM: this is no TD, its measurements prove nothing$"
started = r"^tdshim: starting Linux at 0x([0-9a-f]+)$"
refused = r"^tdshim: boot refused: .*$"
log_line = r"^tdshim: event log: 0x([0-9a-f]+), (\d+) of (\d+) bytes used$"
exception = r"^tdshim: exception .*: reset$"

named_kernel = "opt/org.tdshim/kernel"
named_initrd = "opt/org.tdshim/initrd"
named_command_line = "opt/org.tdshim/cmdline"


class Report:
    """`console`: text up to the hand-over or the end; `read_memory(address, size)`: the guest's."""

    def __init__(self, console, read_memory):
        self.console = console
        self.rtmr = [bytes.fromhex(re.search(rf"^tdshim: RTMR\[{index}\] ([0-9a-f]{{96}})$", console,
                                             re.MULTILINE).group(1)) for index in (0, 1)]
        address, used, size = re.search(log_line, console, re.MULTILINE).groups()
        self.log_address, self.log_used, self.log_size = int(address, 16), int(used), int(size)
        self.log_area = read_memory(self.log_address, self.log_size)

    def counts(self):
        """(bytes read, bytes hashed, ticks since reset)."""
        return tuple(map(int, re.search(
            r"^tdshim: counts: (\d+) bytes read, (\d+) bytes hashed, (\d+) ticks since reset$",
            self.console, re.MULTILINE).groups()))

    def printed_digest(self, what):
        """(source, size, digest) of the console's line for "kernel", "initrd" or "command line"."""
        match = re.search(rf"^tdshim: {what}: (.*), (\d+) bytes, sha384 ([0-9a-f]{{96}})$",
                          self.console, re.MULTILINE)
        return match and (match[1], int(match[2]), bytes.fromhex(match[3]))


def check_log(test, report):
    """The log is well formed and leads to the registers that were printed. Returns it."""
    log = EventLog(report.log_area)
    test.assertEqual(log.size, report.log_used, "bytes of the log")
    for rtmr in (0, 1):
        test.assertEqual(log.replay(rtmr).hex(), report.rtmr[rtmr].hex(), f"RTMR[{rtmr}]")
    test.assertEqual([event for event in log.events if event.mr_index not in (1, 2)], [])
    check_with_shim_log(test, report)
    return log


def check_with_shim_log(test, report):
    """The project's own reader, where it is built, comes to the same registers."""
    program = settings.tool("shim-log")
    if program is None:
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(report.log_area)
        file.flush()
        output = subprocess.run([program, "decode", "--json", file.name], check=True, capture_output=True, text=True)
    registers = json.loads(output.stdout)["registers"]
    for rtmr in (0, 1):
        test.assertEqual(registers[f"rtmr{rtmr}"], report.rtmr[rtmr].hex(), "by shim-log")


def check_closed(test, log, digest, data):
    """Exactly one separator in each register, the log's last two events, RTMR[0]'s first."""
    kinds = [event.kind for event in log.events]
    test.assertEqual(kinds.count(4), 2, "number of separators")
    test.assertEqual([event.mr_index for event in log.events[-2:]], [1, 2])
    for event in log.events[-2:]:
        test.assertEqual((event.kind, event.digest.hex(), event.data), (4, digest.hex(), data))
