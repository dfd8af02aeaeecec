#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Linux as a TD lives on: it gives processors back and takes them again, and starts another kernel by kexec, when it
is asked to or when it crashes, which finds the same tables and the memory that nobody accepted yet. All of it with
panic_on_warn=1: a kernel that complains ends."""

import json
import pathlib
import re
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import linux
import settings
import suite
import td_emu
import td_guest
from next_kernel import count_lost, crash_bytes, crash_of, kexec_program, next_kernel, strict

watched = "--watch-payload"
reset_vector = "0xfffffff0"
wakeup_reset = "0xfffff000"  # where Linux sends processors back
bound = 1500  # seconds, for what hangs


def run_guest(test, guest, *options, append=strict, cpus, program, files={}, timeout=bound, silence=None):
    return td_emu.Run("--kernel", guest.kernel, "--initrd", td_guest.initrd_with(test, guest, program, files),
                      "--append", append, "--memory", "2G", "--cpus", cpus, *options, timeout=timeout, silence=silence)


def boot(test, guest, *options, **launch):
    run = run_guest(test, guest, *options, **launch)
    check_good(test, run)
    return run


def check_good(test, run):
    test.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console[-3000:] + run.errors)


def check_no_complaint(test, console):
    test.assertIsNone(re.search("WARNING:|BUG:|Oops", console), console)


class Kexec(unittest.TestCase):
    maxDiff = None

    def test_next_kernel(self):
        """It finds tables, event log, all processors, and memory that nobody accepted."""
        guest = settings.Guest("6.12")
        run = boot(self, guest, cpus=2, program=kexec_program(),
                   files=next_kernel(guest, guest.initrd, strict + " guest.touch=1024"))
        check_no_complaint(self, run.console)
        tables = re.findall(r"efi: (Unaccepted=.*)$", run.console, re.MULTILINE)
        self.assertEqual((len(tables), len(set(tables))), (2, 1), tables)
        logs = re.findall(r"^guest: ccel begin\n(.*?)^guest: ccel end$", run.console, re.MULTILINE | re.DOTALL)
        self.assertEqual((len(logs), len(set(logs))), (2, 1))
        run.line(r"^guest: touched 1024 MiB$")
        self.assertEqual(re.findall(r"^guest: cpus (\d+)$", run.console, re.MULTILINE), ["2", "2"])

    def test_next_kernel_watched(self):
        """It accepts memory before it uses it."""
        guest = settings.Guest("6.12")
        run = boot(self, guest, watched, cpus=1, program=kexec_program(),
                   files=next_kernel(guest, guest.initrd, strict))
        check_no_complaint(self, run.console)
        self.assertEqual(len(re.findall("^guest: done$", run.console, re.MULTILINE)), 1)

    def test_next_kernel_without_tables(self):
        """What it would do if it found none: Linux hands them on only where there are runtime services."""
        guest = settings.Guest("6.12")
        run = run_guest(self, guest, watched, append=strict + " efi=noruntime", cpus=1,
                        program=kexec_program(), files=next_kernel(guest, guest.initrd, strict))
        self.assertEqual(run.exit_code, 1, run.console[-3000:] + run.errors)
        self.assertIn("access to memory that nobody accepted", run.result["finding"])
        run.line(r"^guest: ccel end$")  # the first kernel came to its end

    def test_offline_and_online(self):
        """A processor is given back twice, and is the shim's in between."""
        program = td_guest.script("cd /sys/devices/system/cpu",
                                  "for value in 0 1 0 1; do",
                                  "  echo $value > cpu2/online && echo -n \"$(cat online) \" || echo failed",
                                  "done", count_lost)
        run = boot(self, settings.Guest("6.12"), cpus=3, program=program)
        check_no_complaint(self, run.console)
        self.assertEqual(linux.guest_line(run.console, "td-report").split(), [*["0-1", "0-2"] * 2, "0"])

    def test_another_answers_for_it(self):
        """Two processors are told one APIC ID, and the one that Linux sends back is stopped on its way, on a stack of
        Linux's: the other one may not say that it has come."""
        program = td_guest.script("cd /sys/devices/system/cpu", "echo 0 > cpu1/online", f"echo $(cat online) $({count_lost})")
        # The first is told its own; the third comes when the second waits; Linux is told of two.
        faults = [{"tdvmcall": "CPUID", "from": 2, "count": 100, "registers": {"r15": 1}},
                  {"stop": {"vcpu": 2, "address": reset_vector}}, {"stop": {"vcpu": 1, "address": wakeup_reset}}]
        file = suite.temporary_folder(self) / "faults.json"
        file.write_text(json.dumps(faults))
        # The machine decides which of the two is told first; the second, mostly, where both come while much memory is
        # accepted. Where it is the third, what Linux sends it goes to the
        # second, for their IDs are others to QEMU, and Linux waits for ever, and says nothing.
        for _ in range(3):
            run = run_guest(self, settings.Guest("6.12"), "--fault", file, *td_emu.accept_all, append=strict + " maxcpus=2",
                            cpus=3, program=program, timeout=bound // 3, silence=bound // 10)
            if run.exit_code != -signal.SIGKILL:
                break
        check_good(self, run)
        self.assertEqual(linux.guest_line(run.console, "td-report"), "0 1")

    def test_crash(self):
        """The memory of a kernel that crashed can be read all over, most of which nobody accepted."""
        guest = settings.Guest("6.12")
        run = boot(self, guest, **crash_of(self, guest))
        first, second = run.console.split("sysrq: Trigger a crash")
        check_no_complaint(self, first)
        check_no_complaint(self, second[second.index("Linux version"):])
        self.assertEqual(int(linux.guest_line(second, "td-report")), crash_bytes)


if __name__ == "__main__":
    suite.main()
