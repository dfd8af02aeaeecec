#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Linux as a TD lives on: it starts another kernel by kexec, which finds the same tables and the memory that nobody
accepted yet. All of it with panic_on_warn=1: a kernel that complains ends."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import linux
import settings
import suite
import td_emu
import td_guest

strict = linux.plain_command_line + " panic_on_warn=1"


def boot(test, guest, *, cpus, program, files={}, more=""):
    run = td_emu.Run("--kernel", guest.kernel, "--initrd", td_guest.initrd_with(test, guest, program, files),
                     "--append", strict + more, "--memory", "2G", "--cpus", cpus)
    test.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console[-3000:] + run.errors)
    test.assertIsNone(re.search("WARNING:|BUG:", run.console), run.console)
    return run


def check_kexec(test, cpus):
    guest = settings.Guest("6.12")
    program = (settings.required_path("TDSHIM_BIN") / "td-kexec").read_bytes()
    next_files = {"next/kernel": guest.kernel.read_bytes(), "next/initrd": guest.initrd.read_bytes(),
                  "next/cmdline": (strict + " guest.touch=1024").encode()}
    run = boot(test, guest, cpus=cpus, program=program, files=next_files)
    tables = re.findall(r"efi: (Unaccepted=.*)$", run.console, re.MULTILINE)
    test.assertEqual((len(tables), len(set(tables))), (2, 1), tables)
    logs = re.findall(r"^guest: ccel begin\n(.*?)^guest: ccel end$", run.console, re.MULTILINE | re.DOTALL)
    test.assertEqual((len(logs), len(set(logs))), (2, 1))
    run.line(r"^guest: touched 1024 MiB$")
    test.assertEqual(re.findall(r"^guest: cpus (\d+)$", run.console, re.MULTILINE), [str(cpus)] * 2)


class Kexec(unittest.TestCase):
    maxDiff = None


suite.add_cases(Kexec, check_kexec, {f"{cpus}cpu": (cpus,) for cpus in (1,)})

if __name__ == "__main__":
    suite.main()
