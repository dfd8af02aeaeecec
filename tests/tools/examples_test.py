#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The example of every tool's --help, and of its subcommands, run as it stands, in a folder that has the files which it
names."""

import base64
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import quoting
import settings
import suite
from measured_boot import Boot
from mrtd import mrtd
from support import TOOLS, put_guest_inputs

nonce = bytes.fromhex("00112233445566778899aabbccddeeff")  # of the example


def policy_of(folder, boot):
    (folder / "hob").write_bytes(boot.hob)
    (folder / "text").write_bytes(boot.text)
    return subprocess.run([settings.tool("shim-measure"), "final.bin", "--kernel", "vmlinuz", "--initrd", "initrd.gz",
                           "--append-file", "text", "--hob", "hob", "--acpi", boot.put_acpi(folder), "--format", "policy"],
                          cwd=folder, check=True, capture_output=True).stdout


def put_evidence(folder, boot):
    """...of a platform of our own, and its collateral."""
    platform_folder = folder / "platform"
    platform_folder.mkdir()
    platform = quoting.Platform(platform_folder)
    registers = bytes.fromhex(mrtd(boot.image) + boot.register(0) + boot.register(1)) + bytes(96)
    quote = platform.quote(platform.body(registers, report_data=quoting.bound_data(nonce)))
    (folder / "td.quote").write_bytes(quote)
    (folder / "evidence.json").write_text(json.dumps({"quote": base64.b64encode(quote).decode(),
                                                      "cc_eventlog": base64.b64encode(boot.log()).decode()}))
    platform.write_collateral(folder / "pcs")


def folder_with_inputs(test):
    folder = suite.temporary_folder(test)
    image = settings.image()
    for name in ("final.bin", "resetvector.bin", "shim.elf"):
        (folder / name).symlink_to(image.parent / name)
    boot = Boot(image.read_bytes())
    for name, content in (("vmlinuz", boot.kernel), ("initrd.gz", boot.initrd), ("ccel.bin", boot.log())):
        (folder / name).write_bytes(content)
    put_guest_inputs(folder)
    subprocess.run(["tar", "--create", "--file", "rootfs.tar", "--directory", "root", "."], cwd=folder, check=True)
    (folder / "boot.json").write_bytes(policy_of(folder, boot))
    put_evidence(folder, boot)
    for command in (("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "key.pem"),
                    ("pkey", "-in", "key.pem", "-pubout", "-out", "public.pem")):
        subprocess.run(["openssl", *command], cwd=folder, capture_output=True, check=True)
    return folder


def environment_for(tool, folder):
    """td-emu starts the QEMU of the user's PATH, which is to be a new one, and it wants a real kernel."""
    if tool != "td-emu":
        return os.environ
    guest = settings.Guest("6.12")
    for name, file in (("vmlinuz", guest.kernel), ("initrd.gz", guest.initrd)):
        (folder / name).unlink()
        (folder / name).symlink_to(file)
    starter = folder / "bin" / "qemu-system-x86_64"
    starter.parent.mkdir()
    starter.write_text(f'#!/bin/sh\nexec {shlex.quote(str(settings.qemu("new")))} "$@"\n')
    starter.chmod(0o755)
    return {**os.environ, "PATH": f"{starter.parent}:{os.environ['PATH']}"}


def example_of(text):
    return re.search(r"^example: (.*)$", text, re.MULTILINE)[1]


def help_of(*command):
    return subprocess.run([*command, "--help"], check=True, capture_output=True, text=True, timeout=60).stdout


def examples_of(program):
    """The tool's, then those of its subcommands."""
    text = help_of(program)
    listed = re.search(r"^Subcommands:\n((?:  .*\n)+)", text, re.MULTILINE)
    names = re.findall(r"^  (\w+)", listed[1], re.MULTILINE) if listed else []
    return [example_of(text), *(example_of(help_of(program, name)) for name in names)]


def check_inputs_stay(test, folder, program, command):
    """The command, told to write over each file that it reads."""
    at = command.index("-o") + 1
    for name in {word for word in command[1:] if (folder / word).is_file()} - {command[at]}:
        before = (folder / name).read_bytes()
        result = subprocess.run([program, *command[1:at], name, *command[at + 1:]], cwd=folder, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=200, check=False)
        test.assertEqual((result.returncode, (folder / name).read_bytes()), (2, before), (name, command))
        test.assertIn(f"{name}: is read by this command", result.stderr)


def check_example(test, tool):
    program = settings.tool(tool)
    test.assertIsNotNone(program)
    folder = folder_with_inputs(test)
    environment = environment_for(tool, folder)
    # Nobody here can sign as Intel's root.
    root = ["--root", "platform/root.pem"]
    for example in examples_of(program):
        command = shlex.split(example)
        test.assertEqual(command[0], tool)
        if "linux.bundle.signed" in command:
            subprocess.run([settings.tool("shim-sign"), "linux.bundle", "--key", "key.pem", "-o", "linux.bundle.signed"],
                           cwd=folder, check=True, capture_output=True)
        more = root if command[:2] == ["shim-attest", "verify"] else []
        result = subprocess.run([program, *command[1:], *more], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=200, check=False)
        if command[:2] == ["shim-attest", "collect"]: # what it does in a TD, tests/td_emu/td_attest_test.py shows
            test.assertEqual((result.returncode, result.stderr.split(":")[1]), (3, " this is no TD"), example)
        else:
            test.assertEqual((result.returncode, result.stderr), (0, ""), example)
        if "-o" in command:
            check_inputs_stay(test, folder, program, command)


class Examples(unittest.TestCase):
    def test_no_tool_is_left_out(self):
        folder = settings.image().parent / "bin"
        built = {path.name for pattern in ("shim-*", "td-emu") for path in folder.glob(pattern)}
        self.assertEqual(built, set(TOOLS))


suite.add_cases(Examples, check_example, {tool.replace("-", "_"): (tool,) for tool in TOOLS})

if __name__ == "__main__":
    suite.main()
