#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel as a TD on an image with a Payload section: kernel, initrd and command line where a VMM put them,
ACPI tables from the TD HOB, nothing by fw_cfg; in every form that a kernel has."""

import hashlib
import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import linux
import kernel_forms
import kernels
import settings
import suite
import td_emu
from event_log import EventLog

MIB = 1 << 20
command_line = linux.plain_command_line
placed = ("--profile", "tdvf-payload")


def run(test, payload, contents, *, link=(), initrd=True, append=command_line, options=(), cpus=2):
    """Boots to the guest's end; `contents` are those of RTMR[1]'s events."""
    guest = settings.Guest("6.12")
    folder = suite.temporary_folder(test)
    image = td_emu.linked(folder / "final.bin", *placed, *link)
    more = [*(["--initrd", guest.initrd] if initrd else []), *(["--append", append] if append else [])]
    td = td_emu.Run("--memory", "1G", "--cpus", str(cpus), "--kernel", payload, *more, *options, image=image)
    test.assertIn("guest: done", td.console, td.console[-3000:] + td.errors)
    test.assertEqual(int(linux.guest_line(td.console, "cpus")), cpus)
    test.assertEqual(linux.guest_line(td.console, "command-line"), command_line)
    log = EventLog(linux.event_log(td.console))
    digests = [event.digest.hex() for event in log.of_rtmr(1)][1:-1]
    test.assertEqual(digests, [hashlib.sha384(content).hexdigest() for content in contents])
    return td


class PlacedPayload(unittest.TestCase):
    def setUp(self):
        self.guest = settings.Guest("6.12")
        self.kernel, self.initrd = self.guest.kernel.read_bytes(), self.guest.initrd.read_bytes()
        self.folder = suite.temporary_folder(self)

    def put(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def test_bzimage(self):
        run(self, self.guest.kernel, [self.kernel, self.initrd, command_line.encode()])

    def test_vmlinux(self):
        vmlinux = kernel_forms.vmlinux_of(self.kernel)
        run(self, self.put("vmlinux", vmlinux), [vmlinux, self.initrd, command_line.encode()])

    def test_uki(self):
        path = kernel_forms.unified(self.folder, self.kernel, self.initrd, command_line.encode())
        run(self, path, [self.kernel, kernel_forms.os_release, self.initrd, command_line.encode()], initrd=False, append=None)

    def test_raw_vmlinux(self):
        """The section is where the kernel runs; all of it is measured."""
        base, memory, entry = kernel_forms.loaded(kernel_forms.vmlinux_of(self.kernel))
        room = (len(memory) + 4 * MIB) // MIB * MIB
        content = memory.ljust((len(memory) + 4095) & ~4095, b"\0") + self.initrd
        run(self, self.put("memory", memory), [content.ljust(room, b"\0"), self.initrd, command_line.encode()],
            link=("--payload-address", hex(base), "--payload-room", f"{room // MIB}M"),
            options=("--payload-entry", hex(entry)))

    def test_announced_otherwise(self):
        """A kernel that shows its kind is no raw one: neither the firmware nor the prediction takes it for that."""
        image = td_emu.linked(self.folder / "final.bin", *placed)
        options = ("--kernel", self.guest.kernel, "--memory", "512M", "--append", "x", "--payload-entry", "0xc000200")
        td = td_emu.Run(*options, image=image)
        message = "payload is not of the kind that the VMM announced"
        self.assertEqual((td.exit_code, message in td.console), (td_emu.reported_fatal_error, True), td.console)
        predicted = subprocess.run([settings.tool("shim-measure"), image, *map(str, options)], capture_output=True, text=True)
        self.assertEqual((predicted.returncode, message in predicted.stderr), (2, True), predicted.stderr)

    def test_entry_without_a_section(self):
        """No VMM says where a payload is entered that it does not put into memory."""
        options = ("--kernel", self.guest.kernel, "--payload-entry", "0xc000200")
        td = td_emu.Run(*options)
        predicted = subprocess.run([settings.tool("shim-measure"), settings.image(), *map(str, options)],
                                   capture_output=True, text=True)
        for code, errors in ((td.exit_code, td.errors), (predicted.returncode, predicted.stderr)):
            self.assertEqual(code, 2)
            self.assertIn("has no Payload section that the VMM fills", errors)


class Placement(unittest.TestCase):
    """What needs no kernel of a distribution."""

    def run_to_payload(self, *options, image):
        kernel = suite.temporary_folder(self) / "kernel"
        kernel.write_bytes(kernels.bzimage())
        return td_emu.Run("--memory", "256M", "--kernel", kernel, "--until", "payload", *options, image=image)

    def test_widths_of_addresses(self):
        """The shared bit is an address bit in TDX's own widths: nothing of that shows in a boot that shares nothing."""
        image = td_emu.linked(suite.temporary_folder(self) / "final.bin", *placed, "--acpi", "static")
        runs = [self.run_to_payload("--gpaw", width, image=image) for width in ("48", "52", "53")]
        for td in runs:
            self.assertEqual((td.exit_code, td.result["finding"]), (0, ""), td.console + td.errors)
            self.assertEqual(td.report.rtmr, runs[0].report.rtmr)

    def test_shared_memory_in_widths_of_tdx(self):
        for width in ("48", "52"):
            td = self.run_to_payload("--gpaw", width, image=settings.image())
            self.assertEqual((td.exit_code, td.result["payload_entered"]), (1, False), td.console)
            self.assertRegex(td.result["finding"], "access to shared memory, which is there at a GPA width of 53 alone")

    def test_wishes_that_nobody_reads(self):
        """The VMM fills the image, which then asks it for no item of fw_cfg."""
        image = td_emu.linked(suite.temporary_folder(self) / "final.bin", *placed)
        for wish in ("--accept-all", "--smbios"):
            predicted = subprocess.run([settings.tool("shim-measure"), image, "--kernel", image, wish], capture_output=True,
                                       text=True)
            self.assertEqual(predicted.returncode, 2)
            self.assertIn(f"{wish}: {image} takes nothing by fw_cfg", predicted.stderr)

    def test_both_forms_of_payload_info(self):
        """Both are read, and the register of the configuration tells which it was, as predicted."""
        image = td_emu.linked(suite.temporary_folder(self) / "final.bin", *placed)
        kernel = suite.temporary_folder(self) / "kernel"
        kernel.write_bytes(kernels.bzimage())
        found = []
        for form in ("12", "16"):
            options = ("--memory", "256M", "--kernel", kernel, "--append", "quiet", "--payload-info", form)
            td = td_emu.Run(*options, "--until", "payload", image=image)
            predicted = json.loads(subprocess.run(
                [settings.tool("shim-measure"), image, *map(str, options), "--qemu", settings.qemu("new"), "--json"],
                capture_output=True, check=True, text=True).stdout)
            self.assertEqual([r.hex() for r in td.report.rtmr[:2]], [predicted["rtmr0"], predicted["rtmr1"]])
            found.append(td.report.rtmr)
        self.assertNotEqual(found[0][0], found[1][0])
        self.assertEqual(found[0][1], found[1][1])


if __name__ == "__main__":
    suite.main()
