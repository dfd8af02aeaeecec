#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A VMM that misbehaves in one way at a time, towards the release image in td-emu: the boot ends in the right line,
which the VMM is told as well, or it ends well with the very registers of an honest VMM. Inputs that are wrong in
themselves (HOB, fw_cfg, ACPI, kernels) are in tests/native and tests/vm."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import event_log
import kernels
import suite
import td_emu

not_changed = "VMM did not change the visibility of memory"
not_accepted = "TD HOB: page of memory cannot be accepted"
no_fw_cfg = "fw_cfg directory: no fw_cfg device answers"

# fault: what the refusal begins with; nothing where the boot ends well.
faults = {
    "map-gpa-refused": f"fw_cfg directory: {not_changed}",
    "map-gpa-stuck": "fw_cfg directory: VMM keeps asking to change visibility again",
    "map-gpa-backwards": f"fw_cfg directory: {not_changed}",
    "map-gpa-beyond": f"fw_cfg directory: {not_changed}",
    "map-gpa-unaligned": f"fw_cfg directory: {not_changed}",
    "map-gpa-piecemeal": None,
    "ports-all-ones": no_fw_cfg,
    "ports-garbage": no_fw_cfg,
    "accept-busy": None,
    "accept-busy-hint": None,
    "accept-always-busy": not_accepted,
    "accept-window-busy": "boot_params: page of memory cannot be accepted",
    "accept-already": "TD HOB: page of memory was accepted before",
    "accept-invalid": not_accepted,
    "accept-mismatch-4k": not_accepted,
    "extend-busy": None,
    "extend-busy-hint": None,
    "extend-fails": "TD HOB: TDCALL failed",
    "report-fails": None,
    "report-busy": None,
    "report-busy-hint": None,
    "report-warns": None,
    "other-processors-never": None,
}


def run(test, *options):
    """A boot whose event log leads to the registers, however it ends."""
    folder = suite.temporary_folder(test)
    (folder / "kernel").write_bytes(kernels.bzimage())
    ended = td_emu.Run("--kernel", folder / "kernel", "--append", "quiet", "--memory", "256M", "--cpus", "2",
                       "--until", "payload", "--ccel", folder / "ccel", *options)
    if ended.result and "tdshim: RTMR" in ended.console:
        log = event_log.EventLog((folder / "ccel").read_bytes())
        test.assertEqual(ended.report.rtmr, [log.replay(index) for index in range(4)])
    return ended


def check_fault(test, fault, refusal):
    ended = run(test, "--fault", fault)
    test.assertEqual(ended.result and ended.result["finding"], "", ended.console + ended.errors)
    if refusal is None:
        test.assertEqual((ended.exit_code, ended.result["payload_entered"]), (0, True), ended.console)
        test.assertEqual(ended.report.rtmr, run(test).report.rtmr)
        return
    test.assertEqual((ended.exit_code, ended.result["payload_entered"]), (td_emu.reported_fatal_error, False),
                     ended.console)
    line = ended.line(r"^tdshim: boot refused: (.*)$")[1]
    test.assertTrue(line.startswith(refusal), line)
    test.assertEqual(ended.result["fatal_error"], line[:64])
    if fault == "extend-fails":
        test.assertEqual(ended.report.rtmr, [bytes(48)] * 4)
    else:
        # A kernel has its place when it is measured, and the window is taken back when all is; the error separator closes
        # the register in any case.
        inputs = (event_log.contents("td_payload=bzimage td_payload_info"), kernels.bzimage(), b"quiet")
        measured = 3 if fault == "accept-window-busy" else 2 if fault.startswith("accept-") else 0
        expected = td_emu.replay(map(td_emu.sha384, (*inputs[:measured], b"\1\0\0\0")))
        test.assertEqual(ended.report.rtmr[1].hex(), expected.hex())


class Hostile(unittest.TestCase):
    maxDiff = None

    def test_ports_refused(self):
        """Without a console the VMM alone learns the reason."""
        ended = run(self, "--fault", "ports-refused")
        self.assertEqual((ended.exit_code, ended.result["finding"]), (td_emu.reported_fatal_error, ""))
        self.assertTrue(ended.result["fatal_error"].startswith(no_fw_cfg), ended.result["fatal_error"])
        self.assertEqual(ended.console.strip(), "")

    def test_unknown_widths_of_addresses(self):
        for fault in ("narrow-gpa", "wide-gpa"):
            with self.subTest(fault):
                ended = run(self, "--fault", fault)
                self.assertEqual(ended.exit_code, td_emu.reported_fatal_error)
                ended.line(r"^tdshim: cannot start: TDX module gives a width of guest addresses that is not known")

    def test_withdrawn_page(self):
        """A TD cannot defend itself: the processor leaves it at the access, which is to where the kernel goes."""
        ended = run(self, "--fault", "withdrawn-page")
        self.assertEqual((ended.exit_code, ended.result["payload_entered"]), (1, False), ended.console)
        self.assertRegex(ended.result["finding"],
                         r"^RIP 0x[0-9a-f]+: access to memory that is withdrawn \(address 0x1000000\)$")

    def test_an_unknown_fault_is_no_fault(self):
        self.assertEqual(run(self, "--fault", "surprise").exit_code, 2)


suite.add_cases(Hostile, check_fault, {fault.replace("-", "_"): (fault, line) for fault, line in faults.items()})

if __name__ == "__main__":
    suite.main()
