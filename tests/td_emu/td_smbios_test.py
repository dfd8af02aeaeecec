#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SMBIOS tables of QEMU's, which the launch asks to hand on: Linux shows them, whether it is left memory to accept or
not, and shim-measure predicts the register that they are in. Without the wish there are none. Tables that are wrong
end the boot, and tables that change after they were read change nothing."""

import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import kernels
import linux
import settings
import suite
import td_emu
import td_guest

strict = linux.plain_command_line + " panic_on_warn=1 nosoftlockup"
wish = ("-fw_cfg", "name=opt/org.tdshim/smbios,string=pass")
about = ("-smbios", "type=1,manufacturer=Somebody,product=Thing,serial=ds=nocloud")
program = td_guest.script("cd /sys/class/dmi/id 2>/dev/null || exec echo none",
                          "echo $(cat sys_vendor product_name product_serial)")


def boot(test, series, *more):
    guest = settings.Guest(series)
    options = ("--kernel", guest.kernel, "--initrd", td_guest.initrd_with(test, guest, program), "--memory", "1G",
               "--append", strict)
    run = td_emu.Run(*options, "--", *more)
    test.assertIsNotNone(run.result, run.console[-3000:] + run.errors)
    if series == "6.1":  # Debian's is no TDX guest
        test.assertTrue(run.result["finding"].startswith("Linux ran to its end without one TDCALL"), run.result["finding"])
    else:
        test.assertEqual((run.exit_code, run.result["finding"]), (0, ""), run.console[-3000:] + run.errors)
    return options, run


class Smbios(unittest.TestCase):
    def check_shown(self, series):
        options, run = boot(self, series, *wish, *about)
        self.assertEqual(linux.guest_line(run.console, "td-report"), "Somebody Thing ds=nocloud")
        run.line(r"SMBIOS 3\.0\.0 present\.$")
        predicted = json.loads(subprocess.run(
            [settings.tool("shim-measure"), settings.image(), "--qemu", settings.qemu("new"), *map(str, options), "--smbios",
             "--json", "--", *about], check=True, capture_output=True, text=True).stdout)
        self.assertEqual([register.hex() for register in run.report.rtmr[:2]], [predicted["rtmr0"], predicted["rtmr1"]])

    def test_shown(self):
        self.check_shown("6.12")

    def test_shown_by_a_kernel_that_accepts_no_memory(self):
        self.check_shown("6.1")

    def test_not_asked_for(self):
        _, run = boot(self, "6.12", *about)
        self.assertEqual(linux.guest_line(run.console, "td-report"), "none")


item = "etc/smbios/smbios-tables"


def check_hostile(test, change, refusal):
    """The VMM changes the item of the tables, or the wish; `refusal`: nothing where the boot ends well."""
    folder = suite.temporary_folder(test)
    (folder / "kernel").write_bytes(kernels.bzimage())
    (folder / "faults.json").write_text(json.dumps([{"fw_cfg": {"item": item, **change}}]))

    def run(*options):
        return td_emu.Run("--kernel", folder / "kernel", "--memory", "256M", "--until", "payload", *options, "--", *wish)
    ended = run("--fault", folder / "faults.json")
    if refusal:
        test.assertEqual(ended.exit_code, td_emu.reported_fatal_error, ended.console + ended.errors)
        ended.line(rf"^tdshim: boot refused: {refusal}")
        return
    test.assertEqual((ended.exit_code, ended.result["finding"]), (0, ""), ended.console + ended.errors)
    honest = run().report.rtmr
    test.assertEqual(ended.report.rtmr[0] == honest[0], change.get("from", 1) > 1)
    test.assertEqual(ended.report.rtmr[1:], honest[1:])


# What the first structure's four bytes become: type, length, handle.
hostile = {
    "structure_without_a_header": ({"offset": 1, "bytes": "03"}, f"{item}: SMBIOS structure is"),
    "longer_structure": ({"offset": 1, "bytes": "ff"}, None),
    "structures_behind_the_end": ({"offset": 0, "bytes": "7f"}, f"{item}: SMBIOS table does not end with"),
    "other_kind": ({"offset": 0, "bytes": "80"}, None),
    "other_when_read_again": ({"from": 2, "count": 1000, "bytes": "ffffffff"}, None),
    "other_wish": ({"item": "opt/org.tdshim/smbios", "bytes": "50"}, "opt/org.tdshim/smbios: wish for SMBIOS tables is not"),
}


class Hostile(unittest.TestCase):
    maxDiff = None


suite.add_cases(Hostile, check_hostile, hostile)

if __name__ == "__main__":
    suite.main()
