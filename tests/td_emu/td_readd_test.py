#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A VMM that removes a page of the shim's own memory from the running TD and gives another, towards the release image:
whatever page and moment, the TD stops where it misses the page, or the boot is an honest one with an honest boot's
registers. It never accepts the page a second time."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import suite
from readded_page import accept, check_honest, mailbox, run, run_with

page = 0x1000

# The shim's memory (shim/memory/layout.hpp).
shim_code, shim_code_size = 0x800000, 0x40000
shim_data, shim_data_size = 0xA00000, 0x100000
pages = {
    "first_of_code": shim_code,
    "middle_of_code": shim_code + 8 * page,
    "last_of_code": shim_code + shim_code_size - page,
    "first_of_data": shim_data,
    "middle_of_data": shim_data + shim_data_size // 2,
    "last_of_data": shim_data + shim_data_size - page,
    "td_hob": 0xB00000,
    "event_log": 0xB20000,
    "mailbox": mailbox,
    "shared_window": 0xB80000,
    "reset_vector": 0x1_0000_0000 - page,
    "reset_vectors_page_tables": 0x1_0000_0000 - 0x8000,
}


def before_acceptance(calls):
    return 1


def during_acceptance(calls):
    accepted = [index for index, call in enumerate(calls, 1) if call.name == accept]
    return accepted[len(accepted) // 2]


def after_the_transfers(calls):
    """When the first of the inputs is measured, which are in private memory then."""
    return [index for index, call in enumerate(calls, 1) if call.name == "TDG.MR.RTMR.EXTEND"][-1]


def before_the_hand_over(calls):
    return len(calls)


moments = (before_acceptance, during_acceptance, after_the_transfers, before_the_hand_over)


missed = re.compile(r"RIP 0x[0-9a-f]+: (?:(?:fetch: |page walk: )?access to memory that is pending|"
                    r"hand-over while a page of the shim's is pending) \(address (0x[0-9a-f]+)\)")


def check_page(test, address, moment):
    honest, calls = run(test)
    ended, _ = run_with(test, [{"readd": {"address": address, "call": moment(calls)}}])
    if ended.exit_code == 0:
        check_honest(test, ended, honest)
        return
    test.assertEqual((ended.exit_code, ended.result["payload_entered"]), (1, False), ended.console + ended.errors)
    test.assertEqual(ended.result["pages_readded"], 1)
    finding = missed.match(ended.result["finding"])
    test.assertIsNotNone(finding, ended.result["finding"])
    test.assertEqual(int(finding[1], 16) // page * page, address)


class Readded(unittest.TestCase):
    maxDiff = None

    def test_named(self):
        """The page is where the kernel goes."""
        ended, _ = run(self, "--fault", "re-added-page")
        self.assertEqual((ended.exit_code, ended.result["payload_entered"]), (1, False), ended.console)
        self.assertRegex(ended.result["finding"],
                         r"^RIP 0x[0-9a-f]+: access to memory that is pending \(address 0x1000000\)$")


suite.add_cases(Readded, check_page, {f"{name}_{moment.__name__}": (address, moment)
                                      for name, address in pages.items() for moment in moments})

if __name__ == "__main__":
    suite.main()
