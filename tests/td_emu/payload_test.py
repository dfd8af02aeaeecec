#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Payloads that are not Linux, as a TD in td-emu: selftest passes in every form, and the rules of a TD hold for a
payload as for the firmware."""

import json
import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import payloads
import suite
import td_emu

only_one = "processors"


def check_selftest(test, form, is_embedded, cpus):
    file = payloads.payload(payloads.forms[form])
    options = ["--memory", "512M", "--cpus", cpus, "--deliver-exceptions"]
    if is_embedded:
        image = payloads.embedded(file, suite.temporary_folder(test) / "final.bin")
        run = td_emu.Run(*options, image=image)
    else:
        run = td_emu.Run(*options, "--kernel", file)
    test.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console + run.errors)
    payloads.check_console(test, run.console, "TD", [only_one] if cpus == 1 else [])
    calls = run.result["tdvmcalls_by_name"]
    for name in ("CPUID", "IO", "RDMSR", "WRMSR", "MMIO", "MapGPA"):
        test.assertIn(name, calls)
    report = bytes.fromhex(run.result["report"])
    rtmr_3 = report[720 + 3 * 48:][:48]
    test.assertEqual(rtmr_3, td_emu.replay([td_emu.sha384(b"TDSH\x08\0\0\0selftest")]))


forms = {f"selftest_{form}_{'embedded' if is_embedded else 'item'}_{cpus}_vcpus": (form, is_embedded, cpus)
         for form in payloads.forms for is_embedded in (False, True) for cpus in (1, 4)}

# The payload's first instructions in place of its own.
entry, in_file = 0x2000000, 0x1000
memory = 0x4000000  # that nothing uses
share_memory = (b"\x31\xc0" b"\xb9\0\xfc\0\0" b"\x45\x31\xd2" b"\x41\xbb\x01\0\x01\0"
                b"\x49\xbc" + struct.pack("<Q", 1 << 52 | memory) + b"\x41\xbd\0\x10\0\0" b"\x66\x0f\x01\xcc")

# name: (instructions, offset of the one that breaks the rule, rule, address or nothing)
cases = {
    "halt": (b"\xf4", 0, "HLT raises #VE", None),
    "port_input": (b"\xec", 0, "port I/O raises #VE", None),
    "cpuid_leaf_2": (b"\xb8\x02\0\0\0\x0f\xa2", 5, "CPUID of a leaf that raises #VE", None),
    "wrmsr_mtrr": (b"\xb9\xff\x02\0\0\x31\xc0\x31\xd2\x0f\x30", 9, "WRMSR of a register that raises #VE", None),
    "cr4_without_mce": (b"\xb8\x20\x06\0\0\x0f\x22\xe0", 5,
                        "clearing CR4.MCE or setting a bit of CR4 that the module owns raises #VE or #GP", None),
    "shared_memory_as_private": (share_memory + b"\xb8" + struct.pack("<I", memory) + b"\x8b\x00",
                                 len(share_memory) + 5, "access to shared memory as private", memory),
}


def run_with(test, code, *options):
    file = suite.temporary_folder(test) / "payload.elf"
    content = bytearray(payloads.payload("hello.elf").read_bytes())
    content[in_file:in_file + len(code)] = code
    file.write_bytes(content)
    return td_emu.Run("--memory", "512M", "--kernel", file, *options, timeout=100)


def check_finding(test, code, offset, rule, address):
    run = run_with(test, code)
    test.assertEqual(run.exit_code, 1, run.console + run.errors)
    test.assertTrue(run.result["payload_entered"])
    test.assertEqual(run.result["finding"],
                     f"RIP {entry + offset:#x}: {rule} (address {address or entry + offset:#x})")


class Payload(unittest.TestCase):
    maxDiff = None

    def test_hello_breaks_no_rule(self):
        run = td_emu.Run("--memory", "512M", "--kernel", payloads.payload("hello.elf"))
        self.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console + run.errors)
        run.line("^hello from a payload in a TD$")
        run.line("^  ACPI table CCEL, 56 bytes$")

    def test_selftest_as_a_pe_file_that_must_be_relocated(self):
        file = payloads.moved_pe(suite.temporary_folder(self) / "moved.pe")
        run = td_emu.Run("--memory", "512M", "--deliver-exceptions", "--kernel", file)
        self.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console + run.errors)
        payloads.check_console(self, run.console, "TD", [only_one])

    def test_a_payload_that_asks_for_ve_gets_it_only_when_wanted(self):
        run = td_emu.Run("--memory", "512M", "--kernel", payloads.payload("selftest.elf"))
        self.assertEqual(run.exit_code, 1)
        self.assertIn("CPUID of a leaf that raises #VE", run.result["finding"])

    def test_another_is_told_the_first_one_s_apic_id(self):
        """It is never woken: the first processor may be sent to wait too, and nobody else may answer for it."""
        faults = suite.temporary_folder(self) / "faults.json"
        faults.write_text(json.dumps([{"tdvmcall": "CPUID", "count": 100, "registers": {"r15": 1}}]))
        run = td_emu.Run("--memory", "512M", "--cpus", 2, "--deliver-exceptions", "--fault", faults,
                         "--kernel", payloads.payload("selftest.elf"))
        self.assertEqual(run.result and run.result["finding"], "", run.console + run.errors)
        run.line("^selftest: FAIL: processors: all of them come when they are woken: 0 of 1$")

    def test_an_exception_before_the_payload_has_a_handler_is_the_firmwares(self):
        run = run_with(self, b"\x0f\x0b", "--deliver-exceptions")
        self.assertEqual(run.exit_code, td_emu.reported_fatal_error, run.console)
        run.line(rf"^tdshim: exception 6, error code 0x0, RIP {entry:#x},")


suite.add_cases(Payload, check_selftest, forms)
suite.add_cases(Payload, check_finding, {f"finding_{name}": case for name, case in cases.items()})

if __name__ == "__main__":
    suite.main()
