# SPDX-License-Identifier: Apache-2.0
"""Boots in which the VMM takes a page of the TD's away and gives another, with the trace of their calls."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import kernels
import suite
import td_emu
from call_trace import Call

accept = "TDG.MEM.PAGE.ACCEPT"
mailbox = 0xB30000  # shim/memory/layout.hpp


def run(test, *options, cpus=1, memory="64M", all_at_once=False):
    """A boot, and its trace; all memory may be accepted at its beginning."""
    folder = suite.temporary_folder(test)
    (folder / "kernel").write_bytes(kernels.bzimage())
    ended = td_emu.Run("--kernel", folder / "kernel", "--append", "quiet", "--memory", memory, "--cpus", cpus, "--until",
                       "payload", "--trace", folder / "trace", *options,
                       *(td_emu.accept_all if all_at_once else ()), timeout=100)
    return ended, [Call(line) for line in (folder / "trace").read_text().splitlines()]


def run_with(test, faults, **options):
    file = suite.temporary_folder(test) / "faults.json"
    file.write_text(json.dumps(faults))
    return run(test, "--fault", file, **options)


def check_honest(test, ended, honest):
    test.assertEqual((ended.exit_code, ended.result["finding"], ended.result["payload_entered"]), (0, "", True),
                     ended.console + ended.errors)
    test.assertEqual((ended.report.mrtd, ended.report.rtmr), (honest.report.mrtd, honest.report.rtmr))
