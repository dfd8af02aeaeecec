#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The example of every tool's --help, run as it stands, in a folder that has the files which it names."""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import settings
import suite
from measure_test import Boot
from support import TOOLS

policy = json.dumps({"format": "tdshim-policy", "version": 3, "attributes": None, "xfam": None, "mrconfigid": None, "mrowner": None,
                     "mrownerconfig": None, "mrtd": None, **{f"rtmr{index}": None for index in range(4)}, "events": []}).encode()


def folder_with_inputs(test):
    folder = suite.temporary_folder(test)
    image = settings.image()
    for name in ("final.bin", "resetvector.bin", "shim.elf"):
        (folder / name).symlink_to(image.parent / name)
    boot = Boot(image.read_bytes())
    for name, content in (("vmlinuz", boot.kernel), ("initrd.gz", boot.initrd), ("ccel.bin", boot.log()),
                          ("boot.json", policy)):
        (folder / name).write_bytes(content)
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


def check_example(test, tool):
    program = settings.tool(tool)
    test.assertIsNotNone(program)
    folder = folder_with_inputs(test)
    environment = environment_for(tool, folder)
    text = subprocess.run([program, "--help"], check=True, capture_output=True, text=True, timeout=60).stdout
    example = re.search(r"^example: (.*)$", text, re.MULTILINE)[1]
    command = shlex.split(example)
    test.assertEqual(command[0], tool)
    result = subprocess.run([program, *command[1:]], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=200, check=False)
    test.assertEqual((result.returncode, result.stderr), (0, ""), example)


class Examples(unittest.TestCase):
    def test_no_tool_is_left_out(self):
        folder = settings.image().parent / "bin"
        built = {path.name for pattern in ("shim-*", "td-emu") for path in folder.glob(pattern)}
        self.assertEqual(built, set(TOOLS))


suite.add_cases(Examples, check_example, {tool.replace("-", "_"): (tool,) for tool in TOOLS})

if __name__ == "__main__":
    suite.main()
