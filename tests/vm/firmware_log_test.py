#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the firmware printed, as QEMU finds it in the guest's memory: where Linux, from 6.17 on and with
CONFIG_OVMF_DEBUG_LOG, shows it as /sys/firmware/efi/ovmf_debug_log. A plain VM has EFI's tables when it is handed
SMBIOS."""

import base64
import unittest

import firmware
import kernels
import settings
import suite
from machine import Machine

# QEMU looks through the last 128 MiB below 4 GiB [QEMU hw/uefi/ovmf-log.c, find_ovmf_log].
memory = "128M"
items = {firmware.named_kernel: kernels.bzimage(), "opt/org.tdshim/smbios": b"pass"}


class FirmwareLog(unittest.TestCase):
    def test_qemu_finds_every_line(self):
        with Machine(settings.qemu("new"), settings.image(), memory=memory, items=items) as machine:
            machine.wait_for(kernels.message_pattern)
            answer = machine.command_monitor("query-firmware-log")
            printed = machine.console
        self.assertTrue(answer["version"].startswith("tdshim "), answer)
        log = base64.b64decode(answer["log"]).decode()
        self.assertEqual(log + kernels.message.decode().replace("\r", ""), printed)
        self.assertRegex(log, r"(?m)^tdshim: RTMR\[1\] [0-9a-f]{96}$")


if __name__ == "__main__":
    suite.main()
