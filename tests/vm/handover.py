# SPDX-License-Identifier: Apache-2.0
"""The moment between the firmware and the kernel: runs the firmware until the kernel's first instruction
and looks at what is there before the kernel changes any of it."""

import firmware
import kernels
from gdb_remote import GdbRemote


class Handover:
    """Of `machine`, started with gdb=True, whose kernel settles at its preferred address."""

    def __init__(self, machine, kernel):
        self.entry = kernels.header_field(kernel, "pref_address") + kernels.entry_offset
        self.gdb = GdbRemote(machine.gdb_socket)
        self.gdb.run_to(self.entry)
        machine.wait_for(firmware.started)
        self.report = firmware.Report(machine.console, machine.read_memory)
