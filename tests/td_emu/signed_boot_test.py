#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots of what an enrolled key signed, in a TD and in a plain VM: keys of both kinds made by openssl, an ELF
executable, Debian's kernel and a unified kernel image; the registers are those that shim-measure computed before, and
without the right signature nothing starts."""

import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import firmware
import kernel_forms
import kernels
import linux
import payloads
import settings
import suite
import td_emu
from machine import Machine
from signed import SignedBoot, boot_limit, make_key, memory, tool

td_command_line = "console=ttyS0"


def check_executable(test, key, place):
    boot = SignedBoot(test, key, enrol=("--for", "executable"))
    signed = boot.sign(payloads.payload(payloads.forms["elf"]))
    if place == "td":
        console = boot.run_td(test, signed).console
    else:
        console = boot.run_vm(test, signed, wait=r"^selftest: \d+ passed, 0 failed").console
    test.assertIn("tdshim: starting ELF executable at", console)


def check_embedded(test, key, profile):
    boot = SignedBoot(test, key, link=("--profile", profile, "--payload", "SIGNED"))
    boot.sign(payloads.payload(payloads.forms["elf"]))
    run = boot.run_td(test, None)
    test.assertIn("tdshim: starting ELF executable at", run.console)


def check_region(test, key):
    """td-shim's way all of the section is measured, also where a signed payload fills it to its last byte."""
    size, header_and_block = 64 * 1024, 48 + 192
    boot = SignedBoot(test, key, link=("--profile", "tdvf-payload", "--measurement", "td-shim", "--payload-measured", "rtmr",
                                       "--payload", "SIGNED"))
    kernel = boot.folder / "kernel"
    kernel.write_bytes(kernels.bzimage().ljust(size - header_and_block, b"\0"))
    signed = boot.sign(kernel)
    test.assertEqual(signed.stat().st_size, size)
    boot.run_td(test, None, "--append", td_command_line)


def check_placed(test, key, numbering):
    """By a VMM, which fills a larger section: the file says where it ends."""
    boot = SignedBoot(test, key, link=("--profile", "tdvf-payload"), sign=("--numbering", numbering),
                      enrol=("--td-shim-numbering",) if numbering == "td-shim" else ())
    signed = boot.sign(payloads.payload(payloads.forms["pe"]))
    run = boot.run_td(test, signed)
    test.assertIn("tdshim: starting PE executable at", run.console)


def check_kernel(test, key):
    """Debian's kernel in a TD, to where it starts."""
    guest = settings.Guest("6.12")
    boot = SignedBoot(test, key)
    signed = boot.sign(guest.kernel)
    boot.run_td(test, signed, "--initrd", guest.initrd, "--append", td_command_line)


def make_uki(boot, text):
    guest = settings.Guest("6.12")
    return boot.sign(kernel_forms.unified(boot.folder, guest.kernel.read_bytes(), guest.initrd.read_bytes(),
                                          text.encode()))


def check_uki(test, key, place):
    boot = SignedBoot(test, key, enrol=("--for", "linux-bundle"))
    if place == "td":
        boot.run_td(test, make_uki(boot, td_command_line))
    else:
        vm = boot.run_vm(test, make_uki(boot, linux.command_line("q35")))
        test.assertEqual(linux.guest_line(vm.console, "command-line"), linux.command_line("q35"))


events = """# what this bundle's maker says
PCR11:string:"os-image-identity":{"svn":"3","diskId":"tdshim","eventVersion":"1"}
RTMR2:string:signed by %SIGNER%
RTMR3:binary:00ff07
"""


def make_empty_initrd(folder):
    """An archive of nothing, padded to four bytes."""
    file = folder / "empty.cpio"
    with file.open("wb") as stream:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=b"", stdout=stream, check=True)
    return file


def make_bundle(boot, text, *options, kernel=None, initrd=None):
    guest = settings.Guest("6.12")
    file, lines = boot.folder / "bundle", boot.folder / "events"
    lines.write_text(events)
    tool("shim-bundle", "create", "--kernel", kernel or guest.kernel, "--initrd", initrd or guest.initrd, "--append", text,
         "--events", lines, "--title", "a test of tdshim", *options, "-o", file)
    return boot.sign(file)


def check_events(test, console):
    test.assertRegex(console, "(?m)^tdshim: events of the bundle: 3$")
    for number in (2, 3):
        test.assertRegex(console, rf"(?m)^tdshim: RTMR\[{number}\] [0-9a-f]{{16}}(\.\.\.|[0-9a-f]{{80}})$")


def check_bundle(test, key, place):
    """Debian's kernel, initrd and command line in one signed file."""
    boot = SignedBoot(test, key, enrol=("--for", "linux-bundle"),
                      link={"td_placed": ("--profile", "tdvf-payload"),
                            "td_embedded": ("--payload", "SIGNED")}.get(place, ()))
    if place.startswith("td"):
        bundle = make_bundle(boot, td_command_line)
        check_events(test, boot.run_td(test, None if place == "td_embedded" else bundle).console)
    else:
        vm = boot.run_vm(test, make_bundle(boot, linux.command_line("q35")))
        check_events(test, vm.console)
        test.assertEqual(linux.guest_line(vm.console, "command-line"), linux.command_line("q35"))


def check_kernel_option(test, qemu):
    """QEMU's own -kernel, which knows no such file, hands it over as it is."""
    boot = SignedBoot(test, "ecdsa")
    bundle = make_bundle(boot, linux.command_line("q35"))
    with Machine(settings.qemu(qemu), boot.image, machine="q35", memory=memory, arguments=("-kernel", bundle)) as vm:
        vm.wait_for(r"^guest: done$", timeout=boot_limit)
        vm.wait_for_end()
    check_events(test, vm.console)
    test.assertEqual(linux.guest_line(vm.console, "command-line"), linux.command_line("q35"))


def check_appending_bundle(test, key, place):
    """What the VMM adds stands behind the bundle's own, and is measured."""
    guest = settings.Guest("6.12")
    boot = SignedBoot(test, key)
    own, more = linux.command_line("q35"), "quiet"
    bundle = make_bundle(boot, own, "--command-line", "append", "--initrd-policy", "append",
                         initrd=make_empty_initrd(boot.folder))
    beside = ["--initrd", guest.initrd, "--append", more]
    if place == "td":
        run = boot.run_td(test, bundle, *beside)
        test.assertIn("tdshim: command line: payload, and what the VMM appends", run.console)
    else:
        vm = boot.run_vm(test, bundle, {firmware.named_initrd: guest.initrd, firmware.named_command_line: more.encode()},
                         beside)
        test.assertEqual(linux.guest_line(vm.console, "command-line"), f"{own} {more}")


def refused(test, boot, payload, reason, options=()):
    run = td_emu.Run("--memory", memory, "--kernel", payload, *options, "--until", "payload", image=boot.image)
    test.assertEqual(run.exit_code, td_emu.reported_fatal_error, run.console + run.errors)
    test.assertIn(f"tdshim: boot refused: {reason}", run.console)


class Refused(unittest.TestCase):
    """In the firmware as it is shipped; tests/native has every reason."""

    def setUp(self):
        self.boot = SignedBoot(self, "ecdsa", enrol=("--for", "executable"))
        self.kernel = self.boot.folder / "kernel"
        self.kernel.write_bytes(kernels.bzimage())
        self.signed = self.boot.sign(self.kernel)
        self.item = "opt/org.tdshim/kernel: "

    def test_unsigned(self):
        refused(self, self.boot, self.kernel, self.item + "payload is not signed, which the enrolled policy demands")

    def test_another_key(self):
        private, _ = make_key(self.boot.folder, "rsa")
        other = self.boot.folder / "other"
        tool("shim-sign", self.kernel, "--key", private, "--svn", 3, "-o", other)
        refused(self, self.boot, other, self.item + "payload's public key is not enrolled")

    def test_an_older_version(self):
        old = self.boot.folder / "old"
        tool("shim-sign", self.kernel, "--key", self.boot.private, "--svn", 1, "-o", old)
        refused(self, self.boot, old, self.item + "payload's secure version number is below the enrolled minimum")

    def test_a_changed_byte(self):
        content = bytearray(self.signed.read_bytes())
        content[5000] ^= 1
        self.signed.write_bytes(content)
        refused(self, self.boot, self.signed, self.item + "signature is not that of this key over these bytes")

    def test_another_kind(self):
        boot = SignedBoot(self, "ecdsa", enrol=("--for", "executable"))
        refused(self, boot, make_uki(boot, td_command_line),
                self.item + "payload's public key is not enrolled for its kind")

    def test_a_command_line_beside_a_signed_uki(self):
        boot = SignedBoot(self, "ecdsa")
        uki = boot.sign(kernel_forms.unified(boot.folder, kernels.bzimage()))
        for options in (["--append", "init=/bin/sh"], ["--initrd", self.kernel]):
            refused(self, boot, uki, "opt/org.tdshim/", options)
            measured = subprocess.run([settings.tool("shim-measure"), boot.image, "--kernel", uki, "--vmm", "none",
                                       *options], capture_output=True, text=True)
            self.assertEqual(measured.returncode, 2)
            self.assertIn("payload takes no such input beside its own files", measured.stderr)


class RefusedBundles(unittest.TestCase):
    def setUp(self):
        self.boot = SignedBoot(self, "ecdsa")
        self.kernel = self.boot.folder / "kernel"
        self.kernel.write_bytes(kernels.bzimage())

    def test_inputs_beside(self):
        bundle = make_bundle(self.boot, td_command_line, kernel=self.kernel, initrd=make_empty_initrd(self.boot.folder))
        for options in (["--append", "init=/bin/sh"], ["--initrd", self.kernel]):
            refused(self, self.boot, bundle, "opt/org.tdshim/", options)
            measured = subprocess.run([settings.tool("shim-measure"), self.boot.image, "--kernel", bundle, "--vmm", "none",
                                       *options], capture_output=True, text=True)
            self.assertEqual(measured.returncode, 2)
            self.assertIn("beside its own", measured.stderr)

    def test_a_signer_that_is_none(self):
        """An unsigned bundle cannot say who signed it."""
        bundle = make_bundle(self.boot, td_command_line, kernel=self.kernel, initrd=make_empty_initrd(self.boot.folder))
        unsigned = bundle.with_name("bundle")
        self.boot.image = settings.image()
        refused(self, self.boot, unsigned, "opt/org.tdshim/kernel: event names the signer, and no enrolled key signed")


class WithoutSecureBoot(unittest.TestCase):
    """A firmware that cannot check signatures does not start what relies on them."""

    def setUp(self):
        self.boot = SignedBoot(self, "ecdsa")
        self.kernel = self.boot.folder / "kernel"
        self.kernel.write_bytes(kernels.bzimage())
        shim = settings.shim_elf().parent / "shim-without-secure-boot.elf"
        self.image = td_emu.linked(self.boot.folder / "without.bin", shim=shim)

    def test_nothing_is_asked_for(self):
        run = td_emu.Run("--memory", memory, "--kernel", self.kernel, "--until", "payload", image=self.image)
        self.assertEqual(run.exit_code, 0, run.console + run.errors)

    def test_a_signed_payload(self):
        signed = self.boot.sign(self.kernel)
        self.boot.image = self.image
        refused(self, self.boot, signed, "opt/org.tdshim/kernel: firmware was built without secure boot")

    def test_an_enrolled_image(self):
        enrolled = self.boot.folder / "enrolled.bin"
        tool("shim-enroll", "--firmware", self.image, "--key", self.boot.public, "-o", enrolled)
        self.boot.image = enrolled
        refused(self, self.boot, self.kernel, "configuration volume: firmware was built without secure boot")


class SignedBoots(unittest.TestCase):
    pass


def cases(check, keys, *arguments):
    return {"_".join((check.__name__.removeprefix("check_"), *arguments, key)): (key, *arguments) for key in keys}


both = ("rsa", "ecdsa")
suite.add_cases(SignedBoots, check_executable, {**cases(check_executable, both, "td"),
                                                **cases(check_executable, both, "vm")})
suite.add_cases(SignedBoots, check_embedded, {**cases(check_embedded, ["rsa"], "qemu"),
                                              **cases(check_embedded, both, "tdvf-payload"),
                                              **cases(check_embedded, ["ecdsa"], "service-td")})
suite.add_cases(SignedBoots, check_placed, {**cases(check_placed, both, "document"), **cases(check_placed, both, "td-shim")})
suite.add_cases(SignedBoots, check_region, cases(check_region, ["ecdsa"]))
suite.add_cases(SignedBoots, check_kernel, cases(check_kernel, both))
suite.add_cases(SignedBoots, check_bundle, {
    **cases(check_bundle, both, "td"), **cases(check_bundle, ["rsa"], "td_placed"),
    **cases(check_bundle, ["ecdsa"], "td_embedded"), **cases(check_bundle, both, "vm")})
suite.add_cases(SignedBoots, check_kernel_option, {"kernel_option_of_the_system": ("system",), "kernel_option_new": ("new",)})
suite.add_cases(SignedBoots, check_appending_bundle, {**cases(check_appending_bundle, ["rsa"], "td"),
                                                      **cases(check_appending_bundle, ["ecdsa"], "vm")})
suite.add_cases(SignedBoots, check_uki, {**cases(check_uki, both, "td"), **cases(check_uki, both, "vm")})

if __name__ == "__main__":
    suite.main()
