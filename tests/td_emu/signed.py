# SPDX-License-Identifier: Apache-2.0
"""Images with an enrolled key, payloads that it signed, and their boots compared with what shim-measure computed
before. The keys are made by openssl and go with the test."""

import json
import subprocess

import firmware
import settings
import suite
import td_emu
from machine import Machine

boot_limit = 150
key_options = {"rsa": ("RSA", "rsa_keygen_bits:3072"), "ecdsa": ("EC", "ec_paramgen_curve:P-384")}
memory = "1G"


def tool(name, *arguments):
    program = settings.tool(name)
    if program is None:
        settings.skip(f"{name} is not built")
    result = subprocess.run([program, *map(str, arguments)], capture_output=True, check=False, text=True)
    if result.returncode:
        raise AssertionError(f"{name} exited with {result.returncode}: {result.stderr}")
    return result.stdout


def make_key(folder, kind):
    """(private, public)"""
    algorithm, option = key_options[kind]
    private, public = folder / f"{kind}.pem", folder / f"{kind}.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", private], check=True,
                   capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    return private, public


class SignedBoot:
    """An image with an enrolled key, and a payload that it signed."""

    def __init__(self, test, key, *, enrol=(), link=(), sign=(), svn=3):
        self.folder = suite.temporary_folder(test)
        self.private, self.public = make_key(self.folder, key)
        self.image, self.enrol_options, self.svn = settings.image(), enrol, svn
        self.link_options, self.sign_options = link, sign

    def sign(self, payload):
        """The path of the signed payload; the image is made now that the payload is known."""
        signed = self.folder / "signed"
        tool("shim-sign", payload, "--key", self.private, "--svn", self.svn, *self.sign_options, "-o", signed)
        image = settings.image()
        if self.link_options:
            options = [signed if option == "SIGNED" else option for option in self.link_options]
            image = td_emu.linked(self.folder / "linked.bin", *options)
        self.image = self.folder / "final.bin"
        tool("shim-enroll", "--firmware", image, "--key", self.public, "--min-svn", 2, *self.enrol_options, "-o",
             self.image)
        return signed

    def image_and(self, payload):
        signed = self.sign(payload)
        return self.image, signed

    def run_td(self, test, payload, *options):
        """The registers of a TD that starts `payload` are the predicted ones."""
        options = ["--memory", memory, *([] if payload is None else ["--kernel", payload]), *options]
        predicted = json.loads(tool("shim-measure", self.image, "--qemu", settings.qemu("new"), *options, "--json"))
        run = td_emu.Run(*options, "--until", "payload", image=self.image)
        test.assertEqual(run.exit_code, 0, run.console[-2000:] + run.errors)
        test.assertRegex(run.console, rf"(?m)^tdshim: signed by: [0-9a-f]{{16}}\.\.\., SVN {self.svn}$")
        test.assertEqual(run.report.mrtd.hex(), predicted["mrtd"])
        for number in range(4):
            test.assertEqual(run.report.rtmr[number].hex(), predicted[f"rtmr{number}"], f"RTMR[{number}]")
        return run

    def run_vm(self, test, payload, items=(), arguments=(), wait=r"^guest: done$", machine="q35"):
        """Likewise in a plain VM. `arguments`: of shim-measure, for the items."""
        predicted = json.loads(tool("shim-measure", self.image, "--plain-vm", "--qemu", settings.qemu("new"), "--machine",
                                    machine, "--memory", memory, "--kernel", payload, *arguments, "--json"))
        with Machine(settings.qemu("new"), self.image, machine=machine, memory=memory,
                     items={firmware.named_kernel: payload, **dict(items)}) as vm:
            vm.wait_for(wait, timeout=boot_limit)
            vm.wait_for_end()
        for number in range(4):
            value = predicted[f"rtmr{number}"]
            line = f"tdshim: RTMR[{number}] {value}"
            (test.assertIn if number < 2 or value.strip("0") else test.assertNotIn)(line, vm.console)
        return vm
