# SPDX-License-Identifier: Apache-2.0
"""Where things of the shim stand: its functions by their names in shim.elf, and its stacks."""

import subprocess

import settings

boot_symbol = "_ZN6tdshim4boot4bootEv"
print_symbol = "_ZN6tdshim8platform9print_endENSt3__117basic_string_viewIcNS1_11char_traitsIcEEEE"
page = 4096
# The stacks, each behind its guard page [shim/platform/x86/stacks.hpp], and a last guard page behind them.
guard_size = page
max_workers = 15
stack_sizes = [("boot", 16 * page), ("exceptions", 2 * page), ("double faults", page),
               *[("worker exceptions", page), ("worker", 2 * page)] * max_workers]


def symbols():
    output = subprocess.run(["llvm-nm-19", settings.shim_elf()], check=True, capture_output=True, text=True).stdout
    return {name: int(value, 16) for value, _, name in map(str.split, output.splitlines())}


def stacks_from(start):
    """(name, guard page, lowest byte, first byte above) of each stack, from the start of all."""
    for name, size in stack_sizes:
        yield name, start, start + guard_size, start + guard_size + size
        start += guard_size + size
