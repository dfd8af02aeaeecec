#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What protects the running shim: each exception ends in one line and a reset, stacks have guard pages, and no
page that the shim can reach is both writable and executable. The debugger's stub puts the offending
instructions where the boot begins; the page tables are walked in guest memory."""

import re
import struct
import unittest

import firmware
import kernels
import settings
import suite
from gdb_remote import GdbRemote
from handover import Handover
from machine import Machine
from shim_places import boot_symbol, guard_size, page, print_symbol, stacks_from, symbols

hand_over_symbol = "_ZN6tdshim8platform11start_linuxERKNS_8GpaRangeENS_3GpaES4_"
gate_size, gate_attributes = 16, 5
first_exception_stack_in_tss = 36
stub = kernels.bzimage()


def load_rax(value):
    return b"\x48\xb8" + struct.pack("<Q", value)


read_rax, write_rax, jump_rax = b"\x8b\x00", b"\xc6\x00\x00", b"\xff\xe0"
push_rax = b"\x50"
not_canonical = 1 << 63
present, write, fetch = 1, 2, 16  # of a page fault's error code [Intel SDM 3A, 4.7]


class Expected:
    """`rip` is relative to the first instruction unless `absolute`; `guarded`: the stack whose guard page it was."""

    def __init__(self, vector, rip=0, code=0, cr2=0, absolute=False, rsp=None, guarded=None):
        self.vector, self.rip, self.code, self.cr2 = vector, rip, code, cr2
        self.absolute, self.rsp, self.guarded = absolute, rsp, guarded


def access(address, instruction, code, guarded=None):
    return load_rax(address) + instruction, Expected(14, rip=10, code=code, cr2=address, guarded=guarded)


def jump(address, code):
    return load_rax(address) + jump_rax, Expected(14, rip=address, code=code, cr2=address, absolute=True)


def cases(table):
    stacks = table["_ZN6tdshim3x866stacksE"]
    stack_bottom = stacks + guard_size
    guards = {name: guard for name, guard, _, _ in stacks_from(stacks)}  # of workers the last one's
    return {
        "divide_error": (b"\x31\xc9\xf7\xf1", Expected(0, rip=2)),
        # RFLAGS.TF by way of the stack: the trap comes behind the instruction after POPF.
        "single_step": (b"\x9c\x81\x0c\x24\x00\x01\x00\x00\x9d\x90", Expected(1, rip=10)),
        # No NMI reaches the processor before somebody sets up its APIC; the gate is the same.
        "nmi_gate": (b"\xcd\x02", Expected(2, rip=2)),
        "breakpoint": (b"\xcc", Expected(3, rip=1)),
        "invalid_opcode": (b"\x0f\x0b", Expected(6)),
        "general_protection": (load_rax(not_canonical) + read_rax, Expected(13, rip=10)),
        "read_of_null_page": access(0, read_rax, 0),
        "write_to_null_page": access(0, write_rax, write),
        "read_of_memory_not_asked_for": access(64 << 20, read_rax, 0),
        "write_to_code": access(table["shim_text_begin"], write_rax, present | write),
        "write_to_constants": access(table["shim_rodata_begin"], write_rax, present | write),
        "execution_of_data": jump(stacks + guard_size, present | fetch),
        "execution_of_constants": jump(table["shim_rodata_begin"], present | fetch),
        **{f"guard_below_stack_of_{name.replace(' ', '_')}": access(guard, write_rax, write, guarded=name)
           for name, guard in guards.items()},
        "end_of_a_guard_page": access(guards["worker"] + page - 1, write_rax, write, guarded="worker"),
        "guard_above_all_stacks": access(list(stacks_from(stacks))[-1][3], write_rax, write),
        "stack_overflow": (
            b"\x48\xbc" + struct.pack("<Q", stack_bottom) + push_rax,
            Expected(14, rip=10, code=write, cr2=stack_bottom - 8, rsp=stack_bottom, guarded="boot")),
    }


def check_exception(test, name):
    table = symbols()
    code, expected = cases(table)[name]
    with stopped_machine() as vm:
        gdb = GdbRemote(vm.gdb_socket)
        registers = gdb.run_to(table[boot_symbol])
        gdb.write_memory(registers["rip"], code)
        gdb.detach()
        check_line(test, vm, registers, expected)


def check_line(test, vm, registers, expected):
    line = vm.wait_for(firmware.exception).group(0)
    rip = expected.rip if expected.absolute else registers["rip"] + expected.rip
    rsp = registers["rsp"] if expected.rsp is None else expected.rsp
    guarded = f", guard page of the stack: {expected.guarded}" if expected.guarded else ""
    test.assertEqual(line, f"tdshim: exception {expected.vector}, error code {expected.code:#x}, RIP {rip:#x}, "
                           f"RSP {rsp:#x}, CR2 {expected.cr2:#x}{guarded}: reset")
    vm.wait_until_reset()
    test.assertEqual(len(re.findall(firmware.exception, vm.console, re.MULTILINE)), 1)


def stopped_machine():
    return Machine(settings.qemu(), settings.image(), memory="128M", items={firmware.named_kernel: stub}, gdb=True,
                   holds_reset=True)


class Exceptions(unittest.TestCase):
    maxDiff = None

    def check_double_fault(self, change, cr2):
        """`change(gdb, table)` breaks what delivers a page fault; the null page is read then."""
        table = symbols()
        with stopped_machine() as vm:
            gdb = GdbRemote(vm.gdb_socket)
            registers = gdb.run_to(table[boot_symbol])
            change(gdb, table)
            gdb.write_memory(registers["rip"], load_rax(0) + read_rax)
            gdb.detach()
            check_line(self, vm, registers, Expected(8, rip=10, cr2=cr2))

    def test_double_fault_for_want_of_a_gate(self):
        self.check_double_fault(lambda gdb, table: gdb.write_memory(
            table["_ZN6tdshim3x8612_GLOBAL__N_13idtE"] + 14 * gate_size + gate_attributes, b"\0"), cr2=0)

    def test_double_fault_has_a_stack_of_its_own(self):
        """The exceptions' stack is no memory: what would be pushed there first is where CR2 says."""
        self.check_double_fault(lambda gdb, table: gdb.write_memory(
            table["_ZN6tdshim3x8612_GLOBAL__N_111task_statesE"] + first_exception_stack_in_tss,
            struct.pack("<Q", 64 << 20)), cr2=(64 << 20) - 8)

    def test_exception_in_the_handler_of_another_is_silent(self):
        """The handler's code is gone: nothing is printed, and nothing runs on."""
        table = symbols()
        with stopped_machine() as vm:
            gdb = GdbRemote(vm.gdb_socket)
            registers = gdb.run_to(table[boot_symbol])
            gdb.write_memory(table[print_symbol], b"\x0f\x0b")
            gdb.write_memory(registers["rip"], b"\x0f\x0b")
            gdb.detach()
            vm.wait_until_reset(timeout=60)
            self.assertNotIn("exception", vm.console)


suite.add_cases(Exceptions, check_exception, {name: (name,) for name in cases(dict.fromkeys(
    ("_ZN6tdshim3x866stacksE", "shim_text_begin", "shim_rodata_begin"), 0))})


class Leaf:
    """A page that the tables translate: `start`, `size` and its rights through all levels."""

    def __init__(self, start, size, writable, executable):
        self.start, self.end, self.writable, self.executable = start, start + size, writable, executable

    def overlaps(self, start, end):
        return self.start < end and start < self.end

    def __repr__(self):
        rights = f"{'W' if self.writable else '-'}{'X' if self.executable else '-'}"
        return f"{self.start:#x}-{self.end:#x} {rights}"


def leaves(vm, table, level=3, base=0, writable=True, executable=True):
    """All leaves below a table at `table` [Intel SDM 3A, 4.5.4]: 4 levels, of 512 entries each."""
    span = page << (9 * level)
    for index, entry in enumerate(struct.unpack("<512Q", vm.read_memory(table, page))):
        if not entry & 1:
            continue
        below = (base + index * span, writable and bool(entry & 2), executable and not entry >> 63)
        if level == 0 or entry & 0x80:
            yield Leaf(below[0], span, *below[1:])
        else:
            yield from leaves(vm, entry & 0x000F_FFFF_FFFF_F000, level - 1, *below)


class PageTables(unittest.TestCase):
    maxDiff = None

    def rights(self, pages, start, end):
        return {(leaf.writable, leaf.executable) for leaf in pages if leaf.overlaps(start, end)}

    def test_shim_is_write_xor_execute(self):
        table = symbols()
        with stopped_machine() as vm:
            gdb = GdbRemote(vm.gdb_socket)
            gdb.run_to(table[hand_over_symbol])
            pages = list(leaves(vm, vm.registers()["CR3"]))
        self.assertEqual([leaf for leaf in pages if leaf.writable and leaf.executable], [])
        self.assertEqual(self.rights(pages, table["shim_text_begin"], table["shim_text_end"]), {(False, True)})
        self.assertEqual(self.rights(pages, table["shim_rodata_begin"], table["shim_rodata_end"]), {(False, False)})
        self.assertEqual(self.rights(pages, 0, page), set(), "null page")
        for name, guard, bottom, top in stacks_from(table["_ZN6tdshim3x866stacksE"]):
            self.assertEqual(self.rights(pages, guard, bottom), set(), f"guard page {guard:#x}")
            self.assertEqual(self.rights(pages, bottom, top), {(True, False)}, f"stack: {name}")
        self.assertEqual(self.rights(pages, top, top + guard_size), set(), "the last guard page")

    def test_only_linux_own_memory_is_both_at_the_hand_over(self):
        with stopped_machine() as vm:
            handover = Handover(vm, stub)
            pages = list(leaves(vm, vm.registers()["CR3"]))
        kernel = kernels.header_field(stub, "pref_address")
        allowed = ((0, 640 * 1024), (kernel, kernel + kernels.header_field(stub, "init_size")))
        self.assertEqual(handover.entry, kernel + kernels.entry_offset)
        outside = [leaf for leaf in pages if leaf.writable and leaf.executable
                   and not any(start <= leaf.start and leaf.end <= end for start, end in allowed)]
        self.assertEqual(outside, [])


if __name__ == "__main__":
    suite.main()
