#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Linux on images with each policy for the VMM's AML: without any of it, with the tables that Linux itself showed in an
earlier boot of the same machine, and refused with any other."""

import base64
import hashlib
import pathlib
import re
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import event_log
import guest_devices
import linux
import settings
import suite
import td_emu
import td_guest

program = td_guest.script(
    "cd /sys/firmware/acpi/tables",
    'for table in [DSPO]S[DS]T*; do echo $table $(base64 -w 0 "$table"); done')


def small_ssdt():
    """Name (TDSH, Zero), as a table."""
    aml = b"\x08TDSH\0"
    table = bytearray(struct.pack("<4sIBB6s8sI4sI", b"SSDT", 36 + len(aml), 2, 0, b"TDSHIM", b"TEST    ", 1, b"TEST", 1) + aml)
    table[9] = -sum(table) & 0xFF
    return bytes(table)


class Machine:
    """A q35 machine with a disk, a card and an SSDT more than QEMU's, that can be started with any image."""

    def __init__(self, test, cpus=4):
        self.test, self.folder = test, suite.temporary_folder(test)
        (self.folder / "ssdt").write_bytes(small_ssdt())
        self.guest = settings.Guest("6.12")
        self.cpus = cpus
        disk = guest_devices.make_disk(test)
        self.qemu = ("-acpitable", f"file={self.folder / 'ssdt'}",
                     *guest_devices.arguments(disk, more=",disable-legacy=on,iommu_platform=on"))
        self.initrd = td_guest.initrd_with(test, self.guest, program)

    def image(self, *options):
        return td_emu.linked(self.folder / "final.bin", *options)

    def enrolled(self, digests):
        output = self.folder / "enrolled.bin"
        subprocess.run([settings.tool("shim-enroll"), "--firmware", self.image("--aml", "enrolled"), "--policy", "measured",
                        *(word for digest in digests for word in ("--aml", digest)), "-o", output], check=True,
                       capture_output=True)
        return output

    def run(self, image):
        return td_emu.Run("--kernel", self.guest.kernel, "--initrd", self.initrd, "--append", linux.plain_command_line,
                          "--memory", "1G", "--cpus", self.cpus, "--", *self.qemu, image=image)

    def boot(self, image):
        """Linux to its end, with its devices. Returns the run and the AML that Linux showed."""
        run = self.run(image)
        self.test.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""),
                              run.console[-3000:] + run.errors)
        self.test.assertEqual(int(linux.guest_line(run.console, "cpus")), self.cpus)
        guest_devices.check_found(self.test, run.console)
        run.line(r"reboot: Power down$")
        text = run.line(r"(?s)^guest: td-report (.*?)^guest: done$")[1]
        return run, {name: base64.b64decode(table) for name, table in re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE)}

    def check_log(self, run, text):
        log = event_log.EventLog(base64.b64decode(run.line(r"(?s)^guest: ccel begin\n(.*?)^guest: ccel end$")[1]))
        self.test.assertEqual(log.of_rtmr(0)[0].configuration(), (b"aml", text))
        # What is dropped is measured as it arrived.
        names = [event.data[1:1 + event.data[0]] for event in log.of_rtmr(0) if event.kind == 0x8000000A]
        self.test.assertEqual(names, [b"etc/table-loader\0", b"etc/acpi/rsdp\0", b"etc/acpi/tables\0"])

    def check_refused(self, image, table):
        run = self.run(image)
        self.test.assertEqual(run.exit_code, td_emu.reported_fatal_error, run.console[-2000:])
        run.line(rf"^tdshim: boot refused: {table} of the VMM: AML of the VMM's that is not enrolled$")
        return run


class Aml(unittest.TestCase):
    maxDiff = None

    def test_linux_without_aml_of_the_vmm(self):
        machine = Machine(self)
        run, tables = machine.boot(machine.image("--aml", "drop"))
        run.line(r"^tdshim: policy: aml=drop$")
        run.line(r"^tdshim: aml: SSDT of the VMM, 42 bytes, dropped$")
        run.line(r"ACPI: FACP 0x\S+ \S+ \(v03 BOCHS")
        run.line(r"ACPI: DSDT 0x\S+ \S+ \(v02 TDSHIM")
        run.line(r"ACPI: PCI Root Bridge \[PCI0\]")
        self.assertNotRegex(run.console, r"ACPI: SSDT|ACPI (BIOS )?Error")
        self.assertEqual(list(tables), ["DSDT"])
        machine.check_log(run, b"aml=drop")

    def test_linux_with_enrolled_aml(self):
        machine = Machine(self)
        _, shown = machine.boot(settings.image())
        self.assertEqual(set(name[:4] for name in shown), {"DSDT", "SSDT"})
        digests = {name: hashlib.sha384(table).hexdigest() for name, table in shown.items()}
        run, again = machine.boot(machine.enrolled(digests.values()))
        self.assertEqual(again, shown)
        for name, digest in digests.items():
            run.line(rf"^tdshim: aml: {name[:4]} of the VMM, {len(shown[name])} bytes, sha384 {digest[:16]}\.\.\.$")
        machine.check_log(run, b"aml=enrolled")
        for name, table in shown.items():
            others = [digest for digest in digests.values() if digest != digests[name]]
            for digest in (hashlib.sha384(table[:-1]).hexdigest(), digests[name][:-1] + "0123456789abcdef"[
                    int(digests[name][-1], 16) ^ 1]):
                refused = machine.check_refused(machine.enrolled([*others, digest]), name[:4])
                refused.line(rf"^tdshim: aml: {name[:4]} of the VMM, {len(table)} bytes, sha384 {digests[name][:16]}\.\.\.$")
        # Another machine has other tables.
        image = machine.enrolled(digests.values())
        machine.cpus = 2
        machine.check_refused(image, "DSDT")

    def test_aml_is_refused(self):
        machine = Machine(self, 1)
        run = machine.run(machine.image("--aml", "refuse"))
        self.assertEqual(run.exit_code, td_emu.reported_fatal_error, run.console[-2000:])
        run.line(r"^tdshim: policy: aml=refuse$")
        run.line(r"^tdshim: boot refused: (DSDT|SSDT) of the VMM: AML of the VMM's, which the image refuses$")


if __name__ == "__main__":
    suite.main()
