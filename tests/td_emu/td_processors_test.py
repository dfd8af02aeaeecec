#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Processors that the VMM stops where it likes and lets go on when it likes, while it takes the page away by which they
wait for each other: no page is accepted twice, and no processor is in the shim when the payload begins."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import suite
from readded_page import accept, check_honest, mailbox, run, run_with

reset_vector = 0xFFFFFFF0
memory = "256M"  # enough for each processor to take part in the acceptance


def boot(test, faults):
    return run_with(test, faults, cpus=3, memory=memory, all_at_once=True)


def calls_of_first(test):
    """Of an honest boot: how many, and which one is in the middle of its acceptance."""
    honest, calls = run(test, cpus=3, memory=memory, all_at_once=True)
    names = [call.name for call in calls if call.vcpu == 0]
    accepted = [number for number, name in enumerate(names, 1) if name == accept]
    return honest, len(names), accepted[len(accepted) // 4]


class Processors(unittest.TestCase):
    maxDiff = None

    def check_stopped_by_the_missing_page(self, ended):
        """The processor leaves the TD where it looks for the page, and no other accepts it."""
        self.assertEqual((ended.exit_code, ended.result["payload_entered"]), (1, False), ended.console + ended.errors)
        self.assertEqual(ended.result["pages_readded"], 1)
        self.assertRegex(ended.result["finding"],
                         rf"^RIP 0x[0-9a-f]+: access to memory that is pending \(address {mailbox >> 12:#x}[0-9a-f]{{3}}\)$")

    def test_the_mailbox_goes_while_one_is_in_the_shim(self):
        """The second is stopped in the shim, the third arrives behind it and would count from zero."""
        _, _, middle = calls_of_first(self)
        ended, _ = boot(self, [{"stop": {"vcpu": 2, "address": reset_vector, "until": {"vcpu": 1, "call": 3}}},
                               {"stop": {"vcpu": 1, "call": 3}},
                               {"stop": {"vcpu": 0, "call": middle, "until": {"vcpu": 2, "call": 2}}},
                               {"readd": {"address": mailbox, "vcpu": 1, "call": 3}}])
        self.check_stopped_by_the_missing_page(ended)

    def test_the_mailbox_goes_before_anybody_arrives(self):
        _, _, middle = calls_of_first(self)
        ended, _ = boot(self, [{"stop": {"vcpu": vcpu, "address": reset_vector, "until": {"vcpu": 0, "call": middle}}}
                               for vcpu in (1, 2)] + [{"readd": {"address": mailbox, "vcpu": 0, "call": middle}}])
        self.check_stopped_by_the_missing_page(ended)

    def test_one_is_in_the_shim_for_long(self):
        """The hand-over waits for it."""
        honest, _, middle = calls_of_first(self)
        ended, calls = boot(self, [{"stop": {"vcpu": 1, "call": 3, "until": {"vcpu": 0, "call": middle + 1000}}}])
        check_honest(self, ended, honest)
        self.assertGreater(sum(call.vcpu == 1 for call in calls), 2)

    def test_one_arrives_when_the_work_is_done(self):
        honest, last, _ = calls_of_first(self)
        ended, _ = boot(self, [{"stop": {"vcpu": 2, "address": reset_vector, "until": {"vcpu": 0, "call": last - 100}}}])
        check_honest(self, ended, honest)


if __name__ == "__main__":
    suite.main()
