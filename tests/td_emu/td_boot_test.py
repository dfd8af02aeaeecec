#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The release image boots Linux as a TDX guest in td-emu: all processors, virtio devices, and measurements that
agree wherever they are seen: in the TDREPORT that Linux gets, in the event log that Linux shows, and computed from
files alone, without the firmware."""

import base64
import pathlib
import struct
import subprocess
import sys
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent / folder) for folder in ("vm", "vectors")]

import event_log
import guest_devices
import linux
import qemu_files
import settings
import suite
import td_emu
from td_emu import linked, portable, static
import td_guest
from mrtd import mrtd

command_line = linux.plain_command_line
mib = 1024 * 1024


def devices(test):
    """td-emu makes them devices of a TD, as QEMU does with a real one's."""
    return guest_devices.arguments(guest_devices.make_disk(test))


class Boot:
    def __init__(self, test, cpus):
        self.guest = settings.Guest("6.12")
        self.initrd = td_guest.initrd_with(test, self.guest, (settings.required_path("TDSHIM_TEST_BIN") / "td-report").read_bytes())
        self.cpus, self.devices = cpus, devices(test)
        self.run = td_emu.Run("--kernel", self.guest.kernel, "--initrd", self.initrd, "--append", command_line,
                              "--memory", "1G", "--cpus", cpus, "--stats", "--", *self.devices)
        self.console = self.run.console

    def log(self):
        text = self.run.line(r"(?s)^guest: ccel begin\n(.*?)^guest: ccel end$")[1]
        return event_log.EventLog(base64.b64decode(text))

    def report(self):
        return td_emu.Report(bytes.fromhex(linux.guest_line(self.console, "td-report")))


def check_boot(test, cpus):
    boot = Boot(test, cpus)
    run = boot.run
    test.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console[-3000:] + run.errors)
    run.line(r"^tdshim \d+\.\d+\.\d+: TD$")
    run.line(r"tdx: Guest detected$")
    run.line(r"Memory Encryption Features active: Intel TDX$")
    run.line(r"ACPI: CCEL 0x")
    test.assertEqual(int(linux.guest_line(boot.console, "cpus")), cpus)
    guest_devices.check_found(test, boot.console)
    check_memory(test, run)
    check_statistics(test, run, cpus)
    check_measurements(test, boot)


def check_memory(test, run):
    """Every page once: what the metadata added, and what the TD accepted."""
    added = (256 + 1024 + 128 + 64) * 1024
    window = 512 * 1024  # is accepted at the end
    video = 128 * 1024  # is not accepted
    line = run.line(r"^tdshim: accepted: (\d+) pages of 4 KiB, 0 of 2 MiB, \d+ size mismatches; (\d+) KiB left to Linux$")
    accepted, left = int(line[1]), int(line[2]) * 1024
    test.assertLess(accepted + window // 4096, 22000)
    test.assertEqual(accepted * 4096 + left, 1024 * mib - added - window - video - 4096)
    # The mailbox by whichever processor came first, the window at the end, and then Linux.
    test.assertGreaterEqual(run.result["pages_4k"], accepted + window // 4096 + 1)
    test.assertEqual(run.result["pages_2m"], 0)


def check_statistics(test, run, cpus):
    """Stacks that were used and not used up; calls by name and number."""
    hashed = run.result["hashed_bytes"]
    test.assertEqual(len(run.result["instructions"]), cpus)
    # SHA-384 takes some 30 instructions a byte; the other processors accept memory, and wait.
    test.assertGreater(run.result["instructions"][0], 10 * hashed)
    test.assertLess(run.result["instructions"][0], 100 * hashed)
    stacks = {stack["name"]: stack for stack in run.result["stacks"]}
    test.assertEqual(set(stacks), {"boot", *(f"worker {index}" for index in range(1, cpus))})
    for name, stack in stacks.items():
        test.assertEqual(stack["size"], 65536 if name == "boot" else 8192)
        test.assertTrue(64 <= stack["used"] < stack["size"] // 2, stack)
    test.assertTrue(4 <= run.result["page_tables"] <= 96, run.result["page_tables"])
    # What the walks found else: td_protections_test.py.
    both = run.result["protections"]["writable_and_executable_at_hand_over"]
    test.assertEqual((len(both), both[0]), (2, [0, 640 * 1024]))
    named, numbered = run.result["tdcalls_by_name"], dict(run.result["tdcalls"])
    test.assertEqual(named["TDG.MEM.PAGE.ACCEPT"], numbered[6])
    test.assertEqual(run.result["tdvmcalls_by_name"]["MapGPA"], dict(run.result["tdvmcalls"])[0x10001])


def check_measurements(test, boot):
    report, log = boot.report(), boot.log()
    test.assertEqual(report.data, bytes(range(64)))
    test.assertIn(b"EMULATED", report.mac)
    test.assertEqual(report.mrtd.hex(), mrtd(settings.image().read_bytes()))
    for index, register in enumerate(report.rtmr):
        test.assertEqual(register.hex(), log.replay(index).hex(), f"RTMR[{index}]")
    test.assertEqual(log.of_rtmr(0)[0].configuration()[0], b"td_hob")
    files = [event_log.contents("td_payload=bzimage td_initrd td_payload_info"), boot.guest.kernel.read_bytes(),
             boot.initrd.read_bytes(), command_line.encode()]
    test.assertEqual(report.rtmr[0].hex(), configuration_register(boot.cpus, boot.devices).hex())
    test.assertEqual(report.rtmr[1].hex(), register_of(files).hex())


def register_of(inputs):
    """RTMR[0] or RTMR[1] after a boot whose digests were of these."""
    return td_emu.replay(map(td_emu.sha384, [*inputs, bytes(4)]))


def configuration_register(cpus, more=()):
    """RTMR[0] of a TD with 1 GiB, from the image's metadata and from a QEMU that runs no processor."""
    image = settings.image().read_bytes()
    metadata, = struct.unpack_from("<I", image, len(image) - 0x20)
    tables = qemu_files.acpi_files(settings.qemu("new"), "-m", "1G", "-smp", cpus, "-serial", "null", *more)
    return register_of([qemu_files.td_hob(image, metadata, 1024 * mib), event_log.named_config(b"accept", b"lazy"),
                        *(event_log.named_file(*table) for table in tables)])


class TdBoot(unittest.TestCase):
    maxDiff = None

    def test_linux_accepts_what_it_uses(self):
        """Memory is left to Linux, which takes a gigabyte of it; page counts tell who accepted what."""
        guest = settings.Guest("6.12")
        boot = td_emu.Run("--kernel", guest.kernel, "--initrd", guest.initrd, "--memory", "8G", "--cpus", "2",
                          "--append", command_line + " guest.touch=1024")
        self.assertEqual((boot.exit_code, boot.result and boot.result["finding"]), (0, ""), boot.console[-3000:])
        boot.line(r"efi: EFI v2.10 by tdshim$")
        boot.line(r"efi: Unaccepted=0x")
        boot.line(r"^guest: touched 1024 MiB$")
        self.assertGreater(int(linux.guest_line(boot.console, "memory-kib")), 7 * 1024 * 1024)
        by_firmware = int(boot.line(r"^tdshim: accepted: (\d+) pages of 4 KiB")[1])
        self.assertLess(by_firmware, 22000)
        by_linux = boot.result["pages_4k"] - by_firmware
        self.assertGreater(by_linux, 512 * mib // 4096)
        self.assertLess(by_linux, 6 * 1024 * mib // 4096, "most of it was never needed")

    def test_digests_do_not_depend_on_xfam(self):
        """Without AVX the firmware hashes otherwise, at half as many instructions more, and to the same registers."""
        guest = settings.Guest("6.12")
        with_avx, without = (td_emu.Run("--kernel", guest.kernel, "--initrd", guest.initrd, "--append", command_line,
                                        "--memory", "512M", "--cpus", 1, "--until", "payload", "--stats", "--xfam", xfam)
                             for xfam in ("0xe7", "0x3"))
        for run in (with_avx, without):
            self.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console + run.errors)
        self.assertEqual(with_avx.report.rtmr, without.report.rtmr)
        self.assertEqual((with_avx.report.xfam, without.report.xfam), (0xE7, 0x3))
        self.assertGreater(without.result["instructions"][0], with_avx.result["instructions"][0] * 1.2)

    def test_calls_of_the_vmm(self):
        """Few, and hardly any from an image whose console is quiet; why a boot ends, that one shows too."""
        guest, quiet = settings.Guest("6.12"), suite.temporary_folder(self) / "final.bin"
        linked(quiet, "--console", "quiet")
        options = ["--memory", "512M", "--cpus", 1, "--until", "payload", "--stats"]
        boot = ["--kernel", guest.kernel, "--initrd", guest.initrd, "--append", command_line]
        for image, limit in ((settings.image(), 700), (quiet, 80)):
            run = td_emu.Run(*boot, *options, image=image)
            self.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console + run.errors)
            self.assertLessEqual(sum(count for _, count in run.result["tdvmcalls"]), limit)
        self.assertNotIn("tdshim", run.console)
        refused = td_emu.Run(*options, image=quiet)
        self.assertEqual(refused.console.count("tdshim: "), 1, refused.console)
        refused.line(r"^tdshim: boot refused: fw_cfg legacy kernel: ")

    def test_linux_in_a_td_that_owns_its_memory(self):
        """It touches no memory that nobody accepted, below 1 MiB neither, and is told that it lacks ACPI or has it."""
        guest, folder = settings.Guest("6.12"), suite.temporary_folder(self)
        bundle = folder / "bundle"
        subprocess.run([settings.tool("shim-bundle"), "create", "--kernel", guest.kernel, "--initrd", guest.initrd, "--append",
                        command_line, "-o", bundle], check=True, capture_output=True)
        no_fadt = "tdshim: acpi: there is no FADT, so Linux leaves ACPI off"
        for acpi, end in (((), rb"System halted instead"), (static, None)):
            with self.subTest(acpi):
                image = linked(folder / "final.bin", "--profile", "service-td", "--payload", bundle, "--permanent-memory",
                               "512M", "--payload-address", "0x30000000", *acpi)
                boot = td_emu.Run("--memory", "1G", "--cpus", 1, "--watch-payload", image=image, end_at=end)
                self.assertEqual((boot.exit_code, boot.result and boot.result["finding"]), (0, ""), boot.console[-3000:])
                boot.line(r"^guest: done$")
                self.assertEqual(no_fadt in boot.console, not acpi)
                self.assertEqual(linux.guest_line(boot.console, "ccel") == "none", not acpi)

    def test_all_accepted_for_a_kernel_that_accepts_none(self):
        """Linux 6.1 touches no memory that nobody accepted. Debian's is no TDX guest, as td-emu finds."""
        guest = settings.Guest("6.1")
        boot = td_emu.Run("--kernel", guest.kernel, "--initrd", guest.initrd, "--memory", "2G", "--cpus", 3,
                          "--watch-payload", "--append", command_line)
        self.assertEqual((boot.exit_code, boot.result and boot.result["payload_tdcalls"]), (1, 0), boot.console[-3000:])
        self.assertIn("Linux ran to its end without one TDCALL", boot.result["finding"])
        boot.line(r"^tdshim: this kernel accepts no memory itself, as Linux does from 6.5 on$")
        boot.line(r"^tdshim: accepted: .*; 0 KiB left to Linux$")
        boot.line(r"^guest: done$")
        # All but the shim's own and a display's.
        self.assertGreater(boot.result["pages_4k"], 2 * 1024 * mib // 4096 - 1024)

    def test_all_accepted_when_the_vmm_asks_for_it(self):
        """With devices in QEMU's short forms, which are a TD's as well."""
        guest, disk = settings.Guest("6.12"), guest_devices.make_disk(self)
        boot = td_emu.Run("--kernel", guest.kernel, "--initrd", guest.initrd, "--memory", "1G", "--append",
                          command_line, *td_emu.accept_all, "-drive", f"file={disk},format=raw,if=virtio,readonly=on",
                          "-nic", f"user,restrict=on,model=virtio-net-pci,mac={guest_devices.mac}")
        self.assertEqual(boot.exit_code, 0, boot.console[-3000:])
        guest_devices.check_found(self, boot.console)
        boot.line(r"^tdshim: accepted: .*; 0 KiB left to Linux$")
        boot.line(r"^guest: done$")
        self.assertNotRegex(boot.console, "efi: EFI")

    def test_tables_of_the_shim_are_enough_for_linux(self):
        """A portable image with static ACPI tables: all processors, a disk, a card, and soft off."""
        image = suite.temporary_folder(self) / "final.bin"
        linked(image, *portable, *static)
        guest = settings.Guest("6.12")
        boot = td_emu.Run("--kernel", guest.kernel, "--initrd", guest.initrd, "--append", command_line, "--memory", "1G",
                          "--cpus", "4", "--", *devices(self), image=image)
        self.assertEqual((boot.exit_code, boot.result and boot.result["finding"]), (0, ""), boot.console[-3000:])
        boot.line(r"^tdshim: policy: hob=validated acpi=static$")
        boot.line(r"ACPI: FACP 0x\S+ 0000F4 \(v03 TDSHIM")
        boot.line(r"ECAM \[mem 0xb0000000-0xbfffffff\] reserved as ACPI motherboard resource")
        boot.line(r"ACPI: PCI Root Bridge \[PCI0\]")
        self.assertEqual(int(linux.guest_line(boot.console, "cpus")), 4)
        guest_devices.check_found(self, boot.console)
        boot.line(r"reboot: Power down$")
        log = event_log.EventLog(base64.b64decode(boot.line(r"(?s)^guest: ccel begin\n(.*?)^guest: ccel end$")[1]))
        self.assertEqual(log.of_rtmr(0)[0].configuration(), (b"portable", b"hob=validated acpi=static"))
        self.assertEqual(log.of_rtmr(0)[1].configuration(), (b"accept", b"lazy"))
        self.assertEqual(len(log.of_rtmr(0)), 3, "and the separator")

    def test_large_pages(self):
        guest = settings.Guest("6.12")
        run = td_emu.Run("--kernel", guest.kernel, "--append", command_line, "--memory", "6G", "--large-pages",
                         "--until", "payload", "--cpus", "2", *td_emu.accept_all)
        self.assertEqual(run.exit_code, 0, run.console + run.errors)
        # But for the two stretches of 2 MiB in which the shim's own pages lie, and the first, of which a display's memory
        # is left out, all of it.
        self.assertGreaterEqual(run.result["pages_2m"], 6 * 512 - 3)
        self.assertLess(run.result["pages_4k"], 3 * 512)

    def test_payload_register_does_not_depend_on_the_shape(self):
        guest = settings.Guest("6.12")
        shapes = (("--memory", "512M"), ("--memory", "4G", "--cpus", "3", "--large-pages"))
        reports = []
        for shape in shapes:
            run = td_emu.Run("--kernel", guest.kernel, "--append", command_line, "--until", "payload", *shape)
            self.assertEqual(run.exit_code, 0, run.console + run.errors)
            reports.append(run.report)
        first, second = reports
        self.assertEqual(first.rtmr[1].hex(), second.rtmr[1].hex())
        self.assertNotEqual(first.rtmr[0], second.rtmr[0])
        self.assertEqual(first.mrtd, second.mrtd)

    def test_what_the_vmm_says_of_a_td_is_in_its_report(self):
        digests = [bytes([number] * 48).hex() for number in (0xC1, 0xC2, 0xC3)]
        run = td_emu.Run("--memory", "256M", "--attributes", "0x40000000", "--xfam", "0x600E7",
                         "--mrconfigid", digests[0], "--mrowner", digests[1], "--mrownerconfig", digests[2])
        self.assertEqual((run.report.attributes, run.report.xfam), (0x40000000, 0x600E7))
        self.assertEqual(run.report.identity.hex(), "".join(digests))
        self.assertEqual(td_emu.Run("--mrowner", "C2").exit_code, 2)

    def test_refused_boot_is_a_fatal_error(self):
        run = td_emu.Run("--memory", "256M")
        self.assertEqual(run.exit_code, td_emu.reported_fatal_error)
        reason = run.line(r"^tdshim: boot refused: (.*)$")[1]
        self.assertIn("no kernel", reason)
        self.assertEqual(run.result["fatal_error"], reason[:64])
        digest = td_emu.sha384(b"\1\0\0\0")
        self.assertEqual(run.report.rtmr[1], td_emu.replay([digest]))


suite.add_cases(TdBoot, check_boot, {f"linux_{cpus}cpu": (cpus,) for cpus in (1, 2, 4)})

if __name__ == "__main__":
    suite.main()
