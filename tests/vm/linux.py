# SPDX-License-Identifier: Apache-2.0
"""Booting a distribution's kernel with the small guest of launch/guest, whose lines begin with `guest: `."""

import base64
import re

# What launch/qemu.sh starts.
machines = {"q35": "q35", "microvm": "microvm,acpi=on"}


# A busy host would fail the kernel's check of its timer, which counts ticks in real time.
plain_command_line = "console=ttyS0 panic=-1 no_timer_check"


def command_line(machine):
    """The kernel's command line, to which a test may add."""
    text = plain_command_line
    if machine == "microvm":
        # Emulated, this machine has one clock to measure the TSC by, the PIT. When the host is busy that goes
        # wrong, under any firmware, and Linux then has no clock at all and stands still.
        text += " tsc_early_khz=3000000"
    return text


def guest_line(console, name):
    """The guest's answer behind `guest: NAME`."""
    return re.search(rf"^guest: {name} (.*)$", console, re.MULTILINE).group(1)


def event_log(console):
    """What is used of the log, as the guest's kernel shows it, nothing where it shows none."""
    match = re.search(r"^guest: ccel begin\n(.*?)^guest: ccel end$", console, re.MULTILINE | re.DOTALL)
    return match and base64.b64decode(match[1])
