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

import kernel_forms
import kernels
import linux
import payloads
import settings
import suite
import td_emu
from signed import SignedBoot, make_key, memory, tool

td_command_line = "console=ttyS0"


def check_executable(test, key):
    boot = SignedBoot(test, key, enrol=("--for", "executable"))
    signed = boot.sign(payloads.payload(payloads.forms["elf"]))
    run = boot.run_td(test, signed)
    test.assertIn("tdshim: starting ELF executable at", run.console)


def check_embedded(test, key, profile):
    boot = SignedBoot(test, key, link=("--profile", profile, "--payload", "SIGNED"))
    boot.sign(payloads.payload(payloads.forms["elf"]))
    run = boot.run_td(test, None)
    test.assertIn("tdshim: starting ELF executable at", run.console)


def check_placed(test, key):
    """By a VMM, which fills a larger section: the header says where the file ends."""
    boot = SignedBoot(test, key, link=("--profile", "tdvf-payload"))
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
            self.assertIn("takes no input beside its own", measured.stderr)


class SignedBoots(unittest.TestCase):
    pass


def cases(check, keys, *arguments):
    return {"_".join((check.__name__.removeprefix("check_"), *arguments, key)): (key, *arguments) for key in keys}


both = ("rsa", "ecdsa")
suite.add_cases(SignedBoots, check_executable, cases(check_executable, both))
suite.add_cases(SignedBoots, check_embedded, {**cases(check_embedded, ["rsa"], "qemu"),
                                              **cases(check_embedded, both, "tdvf-payload"),
                                              **cases(check_embedded, ["ecdsa"], "service-td")})
suite.add_cases(SignedBoots, check_placed, cases(check_placed, both))
suite.add_cases(SignedBoots, check_kernel, cases(check_kernel, both))
suite.add_cases(SignedBoots, check_uki, {**cases(check_uki, ["rsa"], "td"), **cases(check_uki, ["ecdsa"], "vm")})

if __name__ == "__main__":
    suite.main()
