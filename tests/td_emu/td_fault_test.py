#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A hostile VMM out of a file, towards the release image: calls, the TD HOB, items of fw_cfg and the times at which
processors arrive. Each boot ends in its line, or well with the registers of an honest VMM; a file that is wrong is
refused with the place, what was expected and what was found."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import kernels
import linux
import settings
import suite
import td_emu
from call_trace import Call

busy = "0x8000020000000001"


def run(test, *options, append="quiet", cpus=2):
    """A boot, and its trace."""
    folder = suite.temporary_folder(test)
    (folder / "kernel").write_bytes(kernels.bzimage())
    ended = td_emu.Run("--kernel", folder / "kernel", "--append", append, "--memory", "256M", "--cpus", cpus, "--until",
                       "payload", "--trace", folder / "trace", *options, timeout=100)
    lines = (folder / "trace").read_text().splitlines() if (folder / "trace").exists() else []
    return ended, [Call(line) for line in lines]


def run_with(test, faults, **options):
    file = suite.temporary_folder(test) / "faults.json"
    file.write_text(faults if isinstance(faults, str) else json.dumps(faults))
    return run(test, "--fault", file, **options)


def check_survived(test, ended, append="quiet", cpus=2):
    test.assertEqual((ended.exit_code, ended.result and ended.result["finding"]), (0, ""), ended.console + ended.errors)
    test.assertEqual(ended.report.rtmr, run(test, append=append, cpus=cpus)[0].report.rtmr)


def check_refused(test, faults, refusal):
    ended, calls = run_with(test, faults)
    test.assertEqual(ended.exit_code, td_emu.reported_fatal_error, ended.console + ended.errors)
    line = ended.line(r"^tdshim: boot refused: (.*)$")[1]
    test.assertTrue(line.startswith(refusal), line)
    return calls


# name: (faults, what the refusal begins with)
refused = {
    "map_gpa": ([{"tdvmcall": "MapGPA", "status": "0x8000000000000000"}],
                "fw_cfg directory: VMM did not change the visibility of memory"),
    "map_gpa_moves_on_wrongly": ([{"tdvmcall": "MapGPA", "status": 1, "registers": {"r11": 4096}}],
                                 "fw_cfg directory: VMM did not change the visibility of memory"),
    "acceptance": ([{"leaf": "TDG.MEM.PAGE.ACCEPT", "from": 200, "status": "0xC000010000000001"}],
                   "TD HOB: page of memory cannot be accepted"),
    "extension": ([{"leaf": "TDG.MR.RTMR.EXTEND", "from": 4, "status": "0xC000010000000001"}],
                  "etc/acpi/rsdp: TDCALL failed"),
    "hob": ([{"hob": {"offset": 0, "bytes": "0300"}}], "TD HOB: TD HOB does not begin with a PHIT HOB"),
    "hob_beyond_its_end": ([{"hob": {"offset": 48, "bytes": "ffffffffffffffff"}}],
                            "TD HOB: TD HOB ends elsewhere than its PHIT HOB says"),
    "fw_cfg_directory": ([{"fw_cfg": {"item": "0x19", "offset": 0, "bytes": "ffffffff"}}],
                         "fw_cfg directory: fw_cfg directory has an absurd number of files"),
    "fw_cfg_kernel": ([{"fw_cfg": {"item": "opt/org.tdshim/kernel", "offset": 0x202, "bytes": "00"}}],
                      "opt/org.tdshim/kernel: kernel has no header signature HdrS"),
}

# name: (text, what the message says behind the file's name)
wrong = {
    "no_json": ("[{]", "expected JSON: "),
    "nul": ('[{"tdvmcall": "IO", "status": 1}]\0more', "expected JSON: found a NUL at offset 0x21"),
    "no_list": ('{"leaf": "TDG.VP.INFO"}', 'faults: expected a list of 1 to 1000 faults, found {"leaf":"TDG.VP.INFO"}'),
    "no_fault": ("[7]", "fault 0: expected an object, found 7"),
    "nothing_known": ('[{"call": 1}]',
                      'fault 0: expected "leaf", "tdvmcall", "hob", "fw_cfg", "quote", "processors", "readd", "fill" or "stop", '
                      'found {"call":1}'),
    "unknown_leaf": ('[{"leaf": "TDG.X", "status": 1}]',
                     'fault 0.leaf: expected a leaf such as "TDG.MEM.PAGE.ACCEPT", found "TDG.X"'),
    "unknown_key": ('[{"tdvmcall": "IO", "status": 1, "frm": 1}]', 'fault 0: expected none but the keys "tdvmcall", '
                    '"from", "count", "status", "registers", found "frm"'),
    "key_twice": ('[{"tdvmcall": "IO", "status": 1, "status": 2}]', 'expected each key once, found "status" twice'),
    "call_zero": ('[{"tdvmcall": "IO", "status": 1, "from": 0}]', "fault 0.from: expected a number from 1 on"),
    "negative": ('[{"tdvmcall": "IO", "status": -1}]', "fault 0.status: expected a number from 0 on"),
    "no_answer": ('[{"tdvmcall": "IO"}]', 'fault 0: expected "status" or "registers", found {"tdvmcall":"IO"}'),
    "unknown_register": ('[{"tdvmcall": "IO", "registers": {"rsp": 0}}]',
                         'fault 0.registers: expected rbx, rdx, rsi, rdi or r8 to r15, found "rsp"'),
    "odd_digits": ('[{"hob": {"bytes": "012"}}]', "fault 0.hob.bytes: expected pairs of hexadecimal digits"),
    "no_item": ('[{"fw_cfg": {"bytes": "00"}}]', "fault 0.fw_cfg.item: expected a name such as"),
    "behind_the_hob": ('[{"hob": {"offset": 131072, "bytes": "00"}}]',
                       "expected a change of the TD HOB inside its 131072 bytes, found one of 1 bytes at offset 131072"),
    "part_of_a_page": ('[{"readd": {"address": "0x1800", "call": 1}}]',
                       'fault 0.readd.address: expected an address of a page, found "0x1800"'),
    "no_page": ('[{"readd": {"call": 1}}]', "fault 0.readd.address: expected an address of a page, found null"),
    "a_short_fill": ('[{"fill": "00"}]', 'fault 0.fill: expected 8 to 4096 bytes, found "00"'),
    "no_vcpu": ('[{"stop": {"call": 1}}]', 'fault 0.stop: expected "vcpu", and "call" or "address", found {"call":1}'),
    "vcpu_of_no_td": ('[{"stop": {"vcpu": 64, "call": 1}}]', "fault 0.stop.vcpu: expected a number below 64, found 64"),
    "until_nothing": ('[{"stop": {"vcpu": 1, "call": 1, "until": {"call": 0}}}]',
                      "fault 0.stop.until.call: expected a number from 1 on"),
    "size_of_no_quote": ('[{"quote": {"size": "0x100000000"}}]', "fault 0.quote.size: expected a number of 32 bits"),
    "bytes_nowhere": ('[{"quote": {"offset": 1}}]', "fault 0.quote.bytes: expected a text, found null"),
    "missing_hob_file": ('[{"hob": {"file": "/nowhere/hob"}}]', None),
}


def check_wrong(test, text, message):
    ended, _ = run_with(test, text)
    test.assertEqual((ended.exit_code, ended.result), (2, None), ended.console)
    test.assertRegex(ended.errors, r"^td-emu: \S+/faults\.json: " if message else r"^td-emu: /nowhere/hob: ")
    test.assertIn(message or "/nowhere/hob", ended.errors)


class Faults(unittest.TestCase):
    maxDiff = None

    def test_busy_for_a_while(self):
        ended, calls = run_with(self, [{"leaf": "TDG.MEM.PAGE.ACCEPT", "from": 100, "count": 3, "status": busy}], cpus=1)
        check_survived(self, ended, cpus=1)
        accepted = [call for call in calls if call.name == "TDG.MEM.PAGE.ACCEPT"]
        self.assertEqual([index for index, call in enumerate(accepted, 1) if call.results["rax"] == int(busy, 16)],
                         [100, 101, 102])

    def test_an_item_is_measured_as_it_is_used(self):
        """The VMM may hand in what it likes: the registers say so."""
        ended, _ = run_with(self, [{"fw_cfg": {"item": "opt/org.tdshim/cmdline", "offset": 2, "bytes": "4954"}}])
        check_survived(self, ended, append="quITt")

    def test_items_are_read_once(self):
        """So that there is no second reading that another content could be given to."""
        ended, _ = run_with(self, [{"fw_cfg": {"item": name, "from": 2, "count": 1000, "bytes": "ffffffff"}}
                                   for name in ("opt/org.tdshim/kernel", "opt/org.tdshim/cmdline", "etc/table-loader",
                                                "etc/acpi/tables", "etc/acpi/rsdp", "0x19")])
        check_survived(self, ended)

    def test_another_hob(self):
        file = suite.temporary_folder(self) / "hob"
        file.write_bytes(b"\1\0" + bytes(100))
        check_refused(self, [{"hob": {"file": str(file)}}], "TD HOB: ")

    def test_processors_late(self):
        """With an initrd whose memory takes the first processor a second to accept: the others come in that time."""
        initrd = suite.temporary_folder(self) / "initrd"
        initrd.write_bytes(bytes(24 << 20))
        ended, calls = run(self, "--initrd", initrd, "--fault", "other-processors-late", cpus=3)
        self.assertEqual((ended.exit_code, ended.result and ended.result["finding"]), (0, ""), ended.console + ended.errors)
        self.assertEqual(ended.report.rtmr, run(self, "--initrd", initrd, cpus=3)[0].report.rtmr)
        of_first = 0
        for call in calls:
            of_first += call.vcpu == 0
            if call.vcpu != 0:
                break
        self.assertGreaterEqual(of_first, 999)  # the call under way has no line yet
        self.assertGreater(sum(call.vcpu != 0 for call in calls), 0)

    def check_linux_starts_all(self, cpus, fault):
        guest = settings.Guest("6.12")
        ended = td_emu.Run("--kernel", guest.kernel, "--initrd", guest.initrd, "--append", "console=ttyS0 panic=-1",
                           "--memory", "512M", "--cpus", cpus, "--fault", fault)
        self.assertEqual((ended.exit_code, ended.result and ended.result["finding"]), (0, ""), ended.console[-3000:])
        self.assertEqual(linux.guest_line(ended.console, "cpus"), str(cpus))
        return ended

    def test_calls_of_linux_are_its_own(self):
        """A fault of a call that the firmware never makes lasts for as long as the firmware runs, and no longer."""
        file = suite.temporary_folder(self) / "faults.json"
        file.write_text('[{"leaf": "TDG.VM.WR", "status": "0xC000010000000000", "count": 1000000000}]')
        ended = self.check_linux_starts_all(1, file)
        self.assertGreater(ended.result["tdcalls_by_name"].get("TDG.VM.WR", 0), 0)

    def test_processors_twice(self):
        """Each comes from where it is parked, and is parked again."""
        self.check_linux_starts_all(3, "other-processors-twice")

    def test_processors_that_arrive_with_the_payload(self):
        """Linux starts them all the same."""
        file = suite.temporary_folder(self) / "faults.json"
        file.write_text('[{"processors": {"arrive_after": 1000000000}}]')
        self.check_linux_starts_all(2, file)


suite.add_cases(Faults, check_refused, {f"refused_{name}": case for name, case in refused.items()})
suite.add_cases(Faults, check_wrong, {f"wrong_{name}": case for name, case in wrong.items()})

if __name__ == "__main__":
    suite.main()
