#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What protects the shim while it runs as a TD: the stacks of all processors, and page tables that td-emu walks each
time they are loaded. Instructions put into the image break one protection each, to see that it is missed."""

import pathlib
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import kernels
import settings
import suite
import td_emu
from patched_image import run_with, shim_code, shim_in_image
from shim_places import boot_symbol, print_symbol, stacks_from, symbols

work_symbol = "_ZN6tdshim2td12_GLOBAL__N_14workEv"
park_symbol = "_ZN6tdshim2td15park_processorsEv"
stacks_symbol = "_ZN6tdshim3x866stacksE"
page, large_page = 0x1000, 0x200000
reset_vector_size = 0x8000
far = 64 << 20  # memory that the shim does not map

# Of an entry of page tables [Intel SDM 3A, 4.5].
present, writable, large_data = 1, 2, 0xE3  # P W A D PS
read_cr3, write_cr3 = b"\x0f\x20\xd8", b"\x0f\x22\xd8"
reload = read_cr3 + write_cr3


def entry_of(linear, level):
    """RAX: the table of that level (1: PT) in which the entry of `linear` is. Also its offset there."""
    code = read_cr3
    for above in range(4, level, -1):
        code += b"\x48\x8b\x80" + struct.pack("<I", 8 * (linear >> (3 + 9 * above) & 511))
        code += b"\x25\x00\xf0\xff\xff"  # and eax, the table's address
    return code, struct.pack("<I", 8 * (linear >> (3 + 9 * level) & 511))


def make_writable(linear):
    code, offset = entry_of(linear, 1)
    return code + b"\x48\x83\x88" + offset + bytes([writable])


def make_read_only(linear):
    code, offset = entry_of(linear, 1)
    return code + b"\x48\x83\xa0" + offset + bytes([~writable & 0xFF])


def make_executable(linear):
    code, offset = entry_of(linear, 1)
    return code + b"\x48\x0f\xba\xb0" + offset + b"\x3f"  # btr


def give(linear, level, value):
    code, offset = entry_of(linear, level)
    return code + b"\x48\xb9" + struct.pack("<Q", value) + b"\x48\x89\x88" + offset


def data_page(physical):
    return present | writable | physical | 1 << 63


both = "page that is both writable and executable"
without_wp = b"\x0f\x20\xc0" + b"\x25\xff\xff\xfe\xff" + b"\x0f\x22\xc0"


def broken(table):
    """name: (instructions, rule, address or nothing), each followed by a load of CR3."""
    code, constants = table["shim_text_begin"], table["shim_rodata_begin"]
    stacks = table[stacks_symbol]
    last = list(stacks_from(stacks))[-1]
    mapped_otherwise = "pages of the shim that are not code and behind it constants"
    return {
        "code_writable": (make_writable(code), both, code),
        "constants_writable": (make_writable(constants), "page of the shim's code or constants that is writable",
                               constants),
        "constants_executable": (make_executable(constants),
                                 "pages of the shim's code and constants that are others than before", constants + page),
        "last_constants_executable": (make_executable(table["shim_rodata_end"] - 1), mapped_otherwise, code),
        "stack_executable": (make_executable(stacks + page), both, stacks + page),
        "stack_read_only": (make_read_only(last[2]), "page of the shim's data that is read-only", last[2]),
        "guard_page_present": (give(stacks, 1, data_page(stacks)), "guard page of a stack that is present", stacks),
        "guard_page_of_a_worker_present": (give(last[1], 1, data_page(last[1])), "guard page of a stack that is present",
                                           last[1]),
        "page_0_present": (give(0, 2, large_data | 1 << 63), "page 0 that is present", 0),
        "alias_of_code": (give(far, 2, code | large_data | 1 << 63), "page that is not mapped at its own address", far),
        "rights_that_do_not_hold": (without_wp, "page tables whose rights do not hold, for CR0.WP or EFER.NXE is clear",
                                    None),
    }


def check_broken(test, name):
    code, rule, address = broken(symbols())[name]
    place, run = run_with(test, boot_symbol, code + reload)
    rip = place + len(code) + len(read_cr3)
    test.assertEqual(run.exit_code, 1, run.console + run.errors)
    test.assertEqual(run.result["finding"], f"RIP {rip:#x}: {rule} (address {rip if address is None else address:#x})")
    test.assertEqual(run.result["payload_entered"], False)


class Stacks(unittest.TestCase):
    maxDiff = None

    def test_a_worker_that_overflows_says_so(self):
        """The first processor waits while the second runs out of its stack."""
        workers = [(guard, bottom) for name, guard, bottom, _ in stacks_from(symbols()[stacks_symbol]) if name == "worker"]
        guard, bottom = workers[0]
        overflow = b"\xbc" + struct.pack("<I", bottom) + b"\x50"  # mov esp, bottom; push rax
        first = b"\x48\x81\xfc" + struct.pack("<I", guard) + b"\x77\x04" + b"\xf3\x90\xeb\xfc"  # cmp rsp; ja; pause; jmp
        place, run = run_with(self, work_symbol, first + overflow, "--cpus", "2", "--stats")
        self.assertEqual((run.exit_code, run.result["finding"]), (td_emu.reported_fatal_error, ""), run.console)
        run.line(rf"^tdshim: exception 14, error code 0x2, RIP {place + len(first) + 5:#x}, RSP {bottom:#x}, "
                 rf"CR2 {bottom - 8:#x}, guard page of the stack: worker: halted$")
        self.assertTrue(run.result["fatal_error"].startswith("tdshim: exception 14"))
        used = {stack["name"]: stack for stack in run.result["stacks"]}["worker 1 exceptions"]
        self.assertTrue(64 < used["used"] < used["size"] // 2, used)


    def test_exception_in_the_handler_of_another_ends_the_td(self):
        """The function that prints is gone: the VMM is told all the same."""
        table, image = symbols(), bytearray(settings.image().read_bytes())
        for symbol in (boot_symbol, print_symbol):
            at = table[symbol] - shim_code + shim_in_image
            image[at:at + 2] = b"\x0f\x0b"
        file = suite.temporary_folder(self) / "final.bin"
        file.write_bytes(image)
        run = td_emu.Run("--memory", "256M", image=file, timeout=100)
        self.assertEqual((run.exit_code, run.result["finding"], run.result["fatal_error"]), (
            td_emu.reported_fatal_error, "", "tdshim: exception in the handler of another"), run.console)
        self.assertEqual(run.console.strip(), "")


class PageTables(unittest.TestCase):
    maxDiff = None

    def started(self, symbol, code, *options):
        """A run to the first instruction of a small kernel."""
        kernel = suite.temporary_folder(self) / "kernel"
        kernel.write_bytes(kernels.bzimage())
        options = ("--kernel", kernel, "--until", "payload", *options)
        return run_with(self, symbol, code, *options)[1]

    def test_what_the_walks_found(self):
        table = symbols()
        run = self.started(boot_symbol, b"", "--cpus", "3", "--stats")
        self.assertEqual((run.exit_code, run.result["finding"]), (0, ""), run.console + run.errors)
        found = run.result["protections"]
        end = (table["shim_rodata_end"] + page - 1) // page * page
        kernel = kernels.header_field(kernels.bzimage(), "pref_address")
        size = kernels.header_field(kernels.bzimage(), "init_size")
        self.assertGreater(found.pop("walks"), 10)
        self.assertEqual(found, {
            "code": f"{table['shim_text_begin']:#x}-{table['shim_rodata_begin']:#x} r-x",
            "constants": f"{table['shim_rodata_begin']:#x}-{end:#x} r--",
            "data": "0xa00000-0xb00000 rw-",
            "absent_guard_pages": len(list(stacks_from(0))) + 1,
            "control": ["WP", "NXE", "SMEP", "SMAP", "UMIP"],
            "writable_and_executable_at_hand_over": [[0, 640 * 1024], [kernel, kernel + size]]})

    def test_figures_in_the_text(self):
        output = subprocess.run([settings.tool("td-emu"), "--qemu", settings.qemu("new"), "--firmware", settings.image(),
                                 "--memory", "256M", "--stats"], capture_output=True, text=True).stdout
        self.assertRegex(output, r"td-emu: page tables walked \d+ times: code 0x800000-\S+ r-x, constants \S+ r--, "
                                 r"data \S+ rw-, \d+ guard pages absent, page 0 absent until the hand-over\n"
                                 r"td-emu: set in control registers: WP NXE SMEP SMAP UMIP\n")

    def test_tables_that_stand_elsewhere(self):
        elsewhere = 1 << 20
        place, run = run_with(self, boot_symbol, b"\xb8" + struct.pack("<I", elsewhere) + write_cr3)
        self.assertEqual((run.exit_code, run.result["finding"]), (
            1, f"RIP {place + 5:#x}: page tables outside of the shim's data (address {elsewhere:#x})"), run.console)

    def test_table_that_is_no_memory(self):
        nowhere = 1 << 45
        code = give(far, 2, present | nowhere)
        place, run = run_with(self, boot_symbol, code + reload)
        self.assertEqual((run.exit_code, run.result["finding"]), (
            1, f"RIP {place + len(code) + len(read_cr3):#x}: page table that is no memory or one of too many "
               f"(address {nowhere:#x})"), run.console)

    def test_tables_of_the_reset_vector(self):
        """They stand in the image: the third page is the directory of the first GiB."""
        image = bytearray(settings.image().read_bytes())
        image[len(image) - reset_vector_size + 2 * page + 8 * (shim_code // large_page)] |= writable
        file = suite.temporary_folder(self) / "final.bin"
        file.write_bytes(image)
        run = td_emu.Run("--memory", "256M", image=file, timeout=100)
        self.assertEqual(run.exit_code, 1)
        self.assertRegex(run.result["finding"], rf"^RIP 0xffff\w+: {both} \(address {shim_code:#x}\)$")

    def test_call_with_a_page_that_is_both(self):
        """The shim's own hand-over has such pages; who has them and goes on to talk to the VMM is at fault."""
        ask_for_the_td = b"\xb8\x01\0\0\0" b"\x66\x0f\x01\xcc"  # TDG.VP.INFO
        run = self.started(boot_symbol, give(far, 2, far | large_data) + reload + ask_for_the_td)
        self.assertEqual(run.exit_code, 1, run.console + run.errors)
        self.assertIn(": TDCALL while a page is both writable and executable (address ", run.result["finding"])

    def test_page_that_is_both_and_not_the_payload_s(self):
        """Made behind the last load of CR3, and found when the payload begins."""
        run = self.started(park_symbol, give(far, 2, far | large_data) + b"\xc3")
        entry = kernels.header_field(kernels.bzimage(), "pref_address") + kernels.entry_offset
        self.assertEqual(run.exit_code, 1, run.console + run.errors)
        self.assertEqual(run.result["finding"], f"RIP {entry:#x}: page that is both writable and executable and not the "
                                                f"payload's (address {far:#x})")


suite.add_cases(PageTables, check_broken, {name: (name,) for name in broken(dict.fromkeys(
    (stacks_symbol, "shim_text_begin", "shim_rodata_begin", "shim_rodata_end"), 0))})

if __name__ == "__main__":
    suite.main()
