#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the processor and the compiler guard while the shim runs: control registers as far as the processor has
them, a guard value in each stack frame that an array could overrun, and a barrier behind each check of a size that
the VMM gave. exceptions_test.py has page tables and stacks."""

import re
import subprocess
import unittest

import firmware
import kernels
import linux
import settings
import suite
from gdb_remote import GdbRemote
from machine import Machine
from shim_places import boot_symbol, symbols

stub = kernels.bzimage()
overwritten = r"^tdshim: stack overwritten, found by the function at (0x[0-9a-f]+): reset$"
guard_symbol = "__stack_chk_guard"
open_items, read_item = "_ZN6tdshim4boot5Items4openEv", \
    "_ZN6tdshim4boot5Items4readEtNSt3__14spanISt4byteLm18446744073709551615EEE"

# CR0 and CR4 [Intel SDM 3A, 2.5].
write_protect = 1 << 16
always = 1 << 5 | 1 << 9 | 1 << 10  # PAE, OSFXSR, OSXMMEXCPT
umip, smep, smap = 1 << 11, 1 << 20, 1 << 21
no_execute_enable = 1 << 11  # of EFER

# QEMU's model, and what it has of the three.
processors = {
    "max": ("max", umip | smep | smap),
    "without_umip": ("max,umip=off", smep | smap),
    "without_smep": ("max,smep=off", umip | smap),
    "without_smap": ("max,smap=off", umip | smep),
    "old": ("qemu64", 0),
    "without_leaf_7": ("qemu64,level=4", 0),
}

# Where the VMM's sizes and offsets lead to an access.
reading = ("3hob4Walk4next", "6fw_cfg9Directory5parse", "4e8205parse", "4acpi6Script7command",
           "4acpi11LoadedFiles11add_pointer", "4acpi11LoadedFiles12add_checksum", "4acpi11check_table", "4acpi11find_tables",
           "4acpi20add_wakeup_structure", "10linux_boot12parse_kernel", "10linux_boot13parse_vmlinux", "3elf5parse",
           "3elf9file_size", "2pe5parse", "10executable9parse_elf", "10executable8parse_pe", "10executable4load",
           "10executable12relocate_elf", "10executable11relocate_pe", "7payload12_GLOBAL__N_14part", "4plan11placed_file",
           "4boot5Items4open", "4boot5Items4read", "14signed_payload5parse", "14signed_payload11contents_of",
           "6bundle12_GLOBAL__N_111take_padded", "3cfv10read_files")


def stopped_machine(*arguments, memory="128M"):
    return Machine(settings.qemu(), settings.image(), memory=memory, items={firmware.named_kernel: stub},
                   arguments=arguments, gdb=True, holds_reset=True)


def check_processor(test, model, bits):
    table = symbols()
    with stopped_machine("-cpu", model) as vm:
        gdb = GdbRemote(vm.gdb_socket)
        gdb.run_to(table[boot_symbol])
        registers = vm.registers()
        gdb.detach()
        vm.wait_for(firmware.started)
    test.assertEqual(f"{registers['CR4']:#x}", f"{always | bits:#x}")
    test.assertEqual(registers["CR0"] & write_protect, write_protect)
    test.assertEqual(registers["EFER"] & no_execute_enable, no_execute_enable)


def check_linux(test, series):
    """CR4 is Linux's own soon, but its first instructions run with the shim's. Its check of the timer fails on a
    busy host, under any firmware."""
    guest = settings.Guest(series)
    items = {firmware.named_kernel: guest.kernel, firmware.named_initrd: guest.initrd,
             firmware.named_command_line: linux.command_line("q35").encode()}
    with Machine(settings.qemu(), settings.image(), memory="512M", items=items, cpus=2,
                 arguments=("-cpu", "max")) as vm:
        vm.wait_for(r"^guest: done$", timeout=200)


class Protections(unittest.TestCase):
    maxDiff = None

    def guard(self, *arguments):
        table = symbols()
        with stopped_machine(*arguments) as vm:
            gdb = GdbRemote(vm.gdb_socket)
            gdb.run_to(table[boot_symbol])
            return gdb.read_memory(table[guard_symbol], 8)

    def test_stack_guard_is_another_at_every_boot(self):
        values = {self.guard("-cpu", model) for model in ("max", "max", "max,rdrand=off", "max,rdrand=off")}
        self.assertEqual(len(values), 4)
        for value in values:
            self.assertEqual(value[0], 0, "the byte that ends a text")
            self.assertNotEqual(value, bytes(8))

    def test_stack_that_was_overwritten_is_found(self):
        """One bit of the guard in the frame of Items::open, while it waits for Items::read."""
        table = symbols()
        with stopped_machine() as vm:
            gdb = GdbRemote(vm.gdb_socket)
            stack = gdb.run_to(table[read_item])["rsp"]
            guard = gdb.read_memory(table[guard_symbol], 8)
            place = stack + gdb.read_memory(stack, 1024).index(guard)
            gdb.write_memory(place, guard[:3] + bytes([guard[3] ^ 1]) + guard[4:])
            gdb.detach()
            found = int(vm.wait_for(overwritten)[1], 16)
            vm.wait_until_reset()
            self.assertEqual(len(re.findall(overwritten, vm.console, re.MULTILINE)), 1)
        after = min(value for value in table.values() if value > table[open_items])
        self.assertTrue(table[open_items] < found <= after, f"{found:#x} in {open_items}")

    def test_sizes_of_the_vmm_stop_speculation(self):
        output = subprocess.run(["llvm-objdump-19", "-d", "--no-show-raw-insn", settings.shim_elf()], check=True,
                                capture_output=True, text=True).stdout
        functions = dict(re.findall(r"^[0-9a-f]+ <(\S+)>:\n((?:.+\n)*)", output, re.MULTILINE))
        for name in reading:
            with self.subTest(name):
                bodies = [body for symbol, body in functions.items()
                          if symbol.startswith((f"_ZN6tdshim{name}", f"_ZNK6tdshim{name}"))]
                self.assertTrue(bodies, "no such function")
                self.assertTrue(all("lfence" in body for body in bodies))


suite.add_cases(Protections, check_processor, {f"control_registers_{name}": case for name, case in processors.items()})
suite.add_cases(Protections, check_linux, {f"linux_{series.replace('.', '_')}": (series,) for series in ("6.1", "6.12")})

if __name__ == "__main__":
    suite.main()
