#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes specs/costs.md from what the benchmarks left in the folder TDSHIM_RESULTS. tests/bench/run.sh runs it."""

import os
import pathlib
import sys

tests = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(tests / folder) for folder in ("vm", "td_emu", "bench")]

import boot_cost_test
import hash_speed_test
import results
import settings
import signed_cost_test
import td_cost_test

page = tests.parent / "specs" / "costs.md"
text = """\
# What a boot costs

Written by `tests/bench/run.sh`. From reset to the kernel's first instruction, with Debian's cloud kernel
{kernel}, {kernel_size:,} bytes, and the initrd of the tests, {initrd_size:,} bytes.

## A plain VM

Guest instructions under `-icount shift=1,sleep=off`, one processor, 3 GiB. The shim prints the time stamp counter, which
then counts two ticks an instruction, and one for each repetition of a string instruction.

{boot}
## A TD

The same files in td-emu, where other processors wait and then help. What they execute depends on the host's scheduling.

{td}
Most of it is SHA-384, then a call for each page. These processors have AVX2, which hashes; the plain VM's, QEMU's default
ones, have none.

## Signatures

A boot that checks one hashes what was signed once more, and then checks a signature. On q35:

{signed}
A check takes 16 KiB of memory for mbedTLS, which are set aside for it, and less than 4 KiB of stack.

{size}
## Tools

{speed}
{memory}"""


def rows_of(case, cells):
    rows = results.rows_of(case, cells)
    if len(rows) != len(cells):
        sys.exit(f"costs.py: of {case.__name__} there are {len(rows)} results of {len(cells)}, in {settings.results()}: "
                 "run tests/bench/run.sh, with what the skipped ones lack")
    return results.table(rows)


def main():
    guest = settings.Guest("6.12")
    made = text.format(
        kernel=guest.version, kernel_size=guest.kernel.stat().st_size, initrd_size=guest.initrd.stat().st_size,
        boot=rows_of(boot_cost_test.BootCost, boot_cost_test.cells),
        td=rows_of(td_cost_test.TdCost, td_cost_test.cells),
        signed=rows_of(signed_cost_test.Cost, signed_cost_test.cells),
        size=rows_of(signed_cost_test.CodeSize, signed_cost_test.firmwares),
        speed=rows_of(hash_speed_test.HashSpeed, ["beside_openssl", "throughput_scalar", "throughput_avx2"]),
        memory=rows_of(hash_speed_test.HashSpeed, ["four_gibibytes_in_little_memory"]))
    temporary = page.with_suffix(".new")
    temporary.write_text(made)
    os.replace(temporary, page)
    print(f"wrote {page}")


if __name__ == "__main__":
    main()
