#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What checking signatures costs: the firmware's code with and without it, and the guest instructions of a boot that
checks one, beside the same boot without."""

import pathlib
import struct
import sys
import unittest

tests = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(tests / "vm"), str(tests / "td_emu"), str(tests / "bench")]

import boot_cost_test
import kernel_forms
import linux
import results
import settings
import suite
from signed import SignedBoot

executable, writable = 1, 2  # of a program header's flags


def sizes(elf):
    """(code, constants) of the firmware in bytes."""
    content = elf.read_bytes()
    offset, count = struct.unpack_from("<Q", content, 32)[0], struct.unpack_from("<H", content, 56)[0]
    code = constants = 0
    for index in range(count):
        kind, flags = struct.unpack_from("<II", content, offset + 56 * index)
        size = struct.unpack_from("<Q", content, offset + 56 * index + 32)[0]
        if kind == 1 and flags & executable:
            code += size
        elif kind == 1 and not flags & writable:
            constants += size
    return code, constants


def inputs_of(test, form, key):
    """(image, kernel item, initrd, command line)"""
    guest, text = settings.Guest("6.12"), linux.command_line("q35").encode()
    if form == "unsigned":
        return settings.image(), guest.kernel, guest.initrd, text
    boot = SignedBoot(test, key)
    if form == "kernel":
        return boot.image_and(guest.kernel) + (guest.initrd, text)
    uki = kernel_forms.unified(boot.folder, guest.kernel.read_bytes(), guest.initrd.read_bytes(), text)
    return boot.image_and(uki) + (None, None)


def check_cost(test, form, key):
    plain = boot_cost_test.Cost("q35", "new", *inputs_of(test, "unsigned", "")[1:])
    image, *inputs = inputs_of(test, form, key)
    cost = boot_cost_test.Cost("q35", "new", *inputs, image=image)
    more = cost.instructions - plain.instructions
    # One hash more of what was signed, and then a signature.
    test.assertGreater(more, 0)
    test.assertLess(more, plain.instructions * 1.5)
    results.keep_row(test, {
        "boot": {"kernel": "signed kernel", "uki": "signed unified kernel image"}[form],
        "algorithm": key, "instructions": f"{cost.instructions:,}", "of an unsigned boot": f"{plain.instructions:,}",
        "verification": f"{more:,}"})


def check_size(test, firmware, elf):
    code, constants = sizes(settings.shim_elf().parent / elf)
    results.keep_row(test, {"firmware": firmware, "bytes of code": f"{code:,}", "of constants": f"{constants:,}"})


class CodeSize(unittest.TestCase):
    pass


firmwares = {"whole": ("whole", "shim.elf"),
             "no_signatures": ("without secure boot (`-DTDSHIM_SECURE_BOOT=OFF`)", "shim-without-secure-boot.elf")}
suite.add_cases(CodeSize, check_size, firmwares)


class Cost(unittest.TestCase):
    pass


cells = {f"{form}_{key}": (form, key) for form in ("kernel", "uki") for key in ("rsa", "ecdsa")}
suite.add_cases(Cost, check_cost, cells)


if __name__ == "__main__":
    suite.main()
