#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What td-emu does not let a firmware do, and the exceptions that it delivers instead when asked to: each instruction
is put into the image at the place where the shim's code begins or where its boot begins, and the run ends with the
finding that names place and rule, or as the handler of the exception has it."""

import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import settings
import suite
import td_emu
from patched_image import run_with
from shim_places import boot_symbol

not_accepted = 0xBC0000  # in the stretch that the first page tables map with the shim's data

entry_symbol = "shim_entry"

# A page of the boot's stack that nothing uses, given to the VMM by MapGPA while page tables call it private.
stack_bottom = 0xA01000
share_stack_page = (b"\x31\xc0" b"\xb9\0\xfc\0\0" b"\x45\x31\xd2" b"\x41\xbb\x01\0\x01\0"
                    b"\x49\xbc" + struct.pack("<Q", 1 << 52 | stack_bottom) +
                    b"\x41\xbd\0\x10\0\0" b"\x66\x0f\x01\xcc")


tdcall = b"\x66\x0f\x01\xcc"
td_hob, td_ctls, reduce_ve = 0xB00000, 0x1110000300000017, 8

# TDG.VM.WR of TD_CTLS; where the module takes it, CPUID leaf 2 and HLT, else UD2.
reduce_ve_first = (b"\xb8\x08\0\0\0" b"\x31\xc9" b"\x48\xba" + struct.pack("<Q", td_ctls) +
                   b"\x41\xb8" + struct.pack("<I", reduce_ve) + b"\x41\xb9" + struct.pack("<I", reduce_ve) + tdcall +
                   b"\x48\x85\xc0" b"\x75\x08" b"\xb8\x02\0\0\0\x0f\xa2")
ve_at_each_cpuid = b"\xb8\x05\0\0\0" b"\xb9\x01\0\0\0" + tdcall + b"\x31\xc0"


def rdmsr(index):
    return b"\xb9" + struct.pack("<I", index) + b"\x0f\x32"


def wrmsr(index, value):
    return b"\xb9" + struct.pack("<I", index) + b"\xb8" + struct.pack("<I", value) + b"\x31\xd2" + b"\x0f\x30"


# Read and written back: PAT, SYSENTER_*, EFER, STAR, LSTAR, FMASK, bases of FS and GS, TSC_AUX, x2APIC's TPR. Only
# read: TSC, MISC_ENABLE; what XAPIC_DISABLE_STATUS says is the module's, and UD2 follows where it is not 1. SCE of
# EFER may change.
native_msrs = b"".join(rdmsr(index) + b"\x0f\x30" for index in (
    0x277, 0x174, 0x175, 0x176, 0xC0000080, 0xC0000081, 0xC0000082, 0xC0000084, 0xC0000100, 0xC0000101, 0xC0000102,
    0xC0000103, 0x808)) + rdmsr(0x10) + rdmsr(0x1A0) + rdmsr(0xBD) + b"\xff\xc8\x74\x02\x0f\x0b" + \
    wrmsr(0xC0000080, 0xD00) + wrmsr(0xDA0, 0)


# name: (symbol, instructions, offset of the one that breaks the rule, rule, address or nothing)
cases = {
    "port_input": (boot_symbol, b"\xec", 0, "port I/O raises #VE", None),
    "port_output_of_a_string": (boot_symbol, b"\xf3\x6e", 0, "port I/O raises #VE", None),
    "halt": (boot_symbol, b"\xf4", 0, "HLT raises #VE", None),
    "wbinvd": (boot_symbol, b"\x0f\x09", 0, "INVD and WBINVD raise #VE", None),
    "cpuid_leaf_2": (boot_symbol, b"\xb8\x02\0\0\0\x0f\xa2", 5, "CPUID of a leaf that raises #VE", None),
    "rdmsr_apic_base": (boot_symbol, b"\xb9\x1b\0\0\0\x0f\x32", 5, "RDMSR of a register that raises #VE", None),
    "rdmsr_of_the_tsc_deadline": (boot_symbol, rdmsr(0x6E0), 5, "RDMSR of a register that raises #GP", None),
    "wrmsr_mtrr": (boot_symbol, wrmsr(0x2FF, 0xC06), 12, "WRMSR of a register that raises #VE", None),
    "wrmsr_tsc": (boot_symbol, wrmsr(0x10, 0), 12, "WRMSR of a register that raises #VE", None),
    "wrmsr_vmx": (boot_symbol, wrmsr(0x480, 0), 12, "WRMSR of a register that raises #GP", None),
    "wrmsr_efer_without_nxe": (boot_symbol, wrmsr(0xC0000080, 0x101), 12,
                               "WRMSR of EFER that changes more than SCE raises #VE", None),
    "wrmsr_xss_with_cet": (boot_symbol, wrmsr(0xDA0, 0x1800), 12,
                           "WRMSR of XSS with a bit that XFAM lacks raises #GP", None),
    "wrmsr_debugctl_reserved": (boot_symbol, wrmsr(0x1D9, 0x10000), 12,
                                "WRMSR of DEBUGCTL with a reserved bit raises #GP", None),
    "wrmsr_debugctl_trace": (boot_symbol, wrmsr(0x1D9, 0x40), 12,
                             "WRMSR of DEBUGCTL with TR and without BTS raises #VE", None),
    "native_msrs_then_halt": (boot_symbol, native_msrs + b"\xf4", len(native_msrs), "HLT raises #VE", None),
    "cr0_without_ne": (boot_symbol, b"\xb8\x01\0\x01\x80\x0f\x22\xc0", 5, "clearing CR0.NE raises #GP", None),
    "cr0_with_cd": (boot_symbol, b"\xb8\x31\0\x01\xc0\x0f\x22\xc0", 5,
                    "clearing CR0.PE or setting CR0.CD or CR0.NW raises #VE", None),
    "cr4_without_mce": (boot_symbol, b"\xb8\x20\x06\0\0\x0f\x22\xe0", 5,
                        "clearing CR4.MCE or setting a bit of CR4 that the module owns raises #VE or #GP", None),
    "cpuid_leaf_2_that_the_module_answers_then_halt": (
        boot_symbol, reduce_ve_first + b"\xf4\x0f\x0b", len(reduce_ve_first), "HLT raises #VE", None),
    "cpuid_when_each_is_to_raise_ve": (
        boot_symbol, ve_at_each_cpuid + b"\x0f\xa2", len(ve_at_each_cpuid),
        "CPUID raises #VE, as the TD asked for by TDG.VP.CPUIDVE.SET", None),
    # CMP R8 with what RCX was, and UD2 where it is another value.
    "halt_where_r8_is_what_rcx_was": (
        entry_symbol, b"\x49\x81\xf8" + struct.pack("<I", td_hob) + b"\x75\x01\xf4\x0f\x0b", 9, "HLT raises #VE", None),
    "read_of_memory_not_accepted": (
        entry_symbol, b"\xb8" + struct.pack("<I", not_accepted) + b"\x8b\x00", 5,
        "access to memory that is pending", not_accepted),
    "shared_memory_as_private": (
        boot_symbol, share_stack_page + b"\xb8" + struct.pack("<I", stack_bottom) + b"\x8b\x00",
        len(share_stack_page) + 5, "access to shared memory as private", stack_bottom),
    "write_to_memory_not_accepted": (
        entry_symbol, b"\xb8" + struct.pack("<I", not_accepted) + b"\xc6\x00\x00", 5,
        "access to memory that is pending", not_accepted),
}


# At the end of instructions whose #VE was handled as it should be, and where it was not.
good_end, bad_end = b"\x0f\x0b", b"\x90\x0f\x0b"  # UD2

# name: (instructions that jump over the bad end, exception 6) or (instructions, exception, offset where it is raised)
scratch = b"\x66\xba\xff\x03"  # mov dx, the serial port's scratch register
always = b"\xeb\x03"
delivered = {
    "ports_of_8_bits": (scratch + b"\xb0\x5a\xee" b"\x31\xc0" b"\xec" b"\x3c\x5a" b"\x74\x03", 6),
    "ports_of_32_bits": (b"\xb8\0\xf8\0\x80" b"\x66\xba\xf8\x0c\xef" b"\x31\xc0" b"\xed"
                         b"\x3d\0\xf8\0\x80" b"\x74\x03", 6),
    "rdmsr_of_an_unknown_register": (b"\xb9\x1b\0\0\0" b"\xba\x01\0\0\0" b"\x0f\x32" b"\x85\xd2" b"\x74\x03", 6),
    "cpuid_leaf_2": (b"\xb8\x02\0\0\0" b"\xba\x01\0\0\0" b"\x0f\xa2" b"\x09\xd0" b"\x74\x03", 6),
    "wrmsr": (b"\xb9\x1b\0\0\0" b"\x0f\x30" + always, 6),
    "stack_is_as_before": (b"\x48\x89\xe3" + scratch + b"\xec" b"\x48\x39\xe3" b"\x74\x03", 6),
    "halt": (b"\xf4" + always, 6),
    "cr0_without_ne": (b"\xb8\x01\0\x01\x80\x0f\x22\xc0", 13, 5),
    "rdmsr_of_a_register_that_no_td_has": (rdmsr(0x9B), 13, 5),
    "cr4_with_a_bit_of_the_module": (b"\xb8\x60\x06\0\x80\x0f\x22\xe0", 13, 5),
}


def check_finding(test, symbol, code, offset, rule, address):
    place, run = run_with(test, symbol, code)
    test.assertEqual(run.exit_code, 1, run.console + run.errors)
    expected = f"RIP {place + offset:#x}: {rule} (address {address or place + offset:#x})"
    test.assertEqual(run.result["finding"], expected)


ve_info_get = 3  # TDG.VP.VEINFO.GET


def check_delivery(test, code, exception, offset=None):
    if offset is None:  # the instructions end with a jump over the bad end
        offset = len(code) + len(bad_end)
        code += bad_end + good_end
    place, run = run_with(test, boot_symbol, code, "--deliver-exceptions")
    test.assertEqual((run.exit_code, run.result["finding"]), (td_emu.reported_fatal_error, ""), run.console)
    if exception == 6:
        test.assertIn(ve_info_get, dict(run.result["tdcalls"]))
    run.line(rf"^tdshim: exception {exception}, error code 0x0, RIP {place + offset:#x},")


class Rules(unittest.TestCase):
    maxDiff = None

    def test_tdcall_in_32_bit_code(self):
        image = bytearray(settings.image().read_bytes())
        image[-16:-12] = b"\x66\x0f\x01\xcc"
        file = suite.temporary_folder(self) / "final.bin"
        file.write_bytes(image)
        run = td_emu.Run("--memory", "256M", image=file, timeout=100)
        self.assertEqual(run.result["finding"],
                         "RIP 0xfffffff0: TDCALL outside of 64-bit mode raises #GP (address 0xfffffff0)")

    def test_delivered_wbinvd_is_refused_by_the_handler(self):
        _, run = run_with(self, boot_symbol, b"\x0f\x09", "--deliver-exceptions")
        self.assertEqual((run.exit_code, run.result["finding"]), (td_emu.reported_fatal_error, ""), run.console)
        run.line(r"^tdshim: #VE: .*0x36")

    def test_nothing_is_delivered_before_there_is_an_idt(self):
        place, run = run_with(self, entry_symbol, b"\xf4", "--deliver-exceptions")
        self.assertEqual(run.exit_code, 1)
        self.assertEqual(run.result["finding"],
                         f"RIP {place:#x}: HLT raises #VE, beyond the end of the IDT (address {place:#x})")

    def test_a_triple_fault(self):
        place, run = run_with(self, entry_symbol, b"\x0f\x0b")  # UD2 without an IDT
        self.assertEqual((run.exit_code, run.result["end"], run.result["fatal_error"]), (1, "reset", ""), run.console)
        self.assertRegex(run.result["finding"], rf"^RIP {place:#x} \(vCPU 0\): the TD was reset, by a triple fault")
        self.assertFalse(run.result["payload_entered"])

    def test_an_older_module_reduces_nothing(self):
        place, run = run_with(self, boot_symbol, reduce_ve_first + b"\xf4\x0f\x0b", "--tdx-module", "1.5.05")
        self.assertEqual((run.exit_code, run.result["finding"]), (td_emu.reported_fatal_error, ""), run.console)
        run.line(rf"^tdshim: exception 6, error code 0x0, RIP {place + len(reduce_ve_first) + 1:#x},")

    def test_a_file_that_is_no_image(self):
        file = suite.temporary_folder(self) / "final.bin"
        file.write_bytes(bytes(65536))
        run = td_emu.Run(image=file)
        self.assertEqual((run.exit_code, run.result), (2, None))
        self.assertIn(str(file), run.errors)

    def test_a_qemu_that_cannot(self):
        run = td_emu.Run("--memory", "256M", qemu="/bin/false")
        self.assertEqual((run.exit_code, run.result), (2, None))
        self.assertIn("needs QEMU 11", run.errors)

    def test_an_argument_that_qemu_refuses(self):
        run = td_emu.Run("--memory", "256M", "--", "-device", "nosuch")
        self.assertEqual((run.exit_code, run.result), (2, None))
        self.assertIn("'nosuch' is not a valid device model name", run.errors)
        self.assertNotIn("needs QEMU 11", run.errors)


suite.add_cases(Rules, check_finding, cases)
suite.add_cases(Rules, check_delivery, {f"delivered_{name}": case for name, case in delivered.items()})

if __name__ == "__main__":
    suite.main()
