#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""selftest passes from every place that an image can have a payload come from beside fw_cfg and its own end: put into
the Payload section by the VMM, embedded for that section, and in a service TD, which gets nothing from the VMM and
whose registers shim-measure knows from the image alone."""

import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import payloads
import settings
import suite
import td_emu

parameters = "what the owner of the image says"
rtmr_at, mrtd_at = 720, 528  # in a TDREPORT


def check(test, form, source, cpus):
    folder = suite.temporary_folder(test)
    file, options = payloads.payload(payloads.forms[form]), []
    if source == "placed":
        image, options = td_emu.linked(folder / "final.bin", "--profile", "tdvf-payload"), ["--kernel", file]
    else:
        (folder / "params").write_text(parameters)
        # Cloud Hypervisor refuses an image with TD_PARAMS.
        of_image = {"embedded": ("--profile", "tdvf-payload"),
                    "service": ("--profile", "service-td", "--td-params", folder / "params")}[source]
        image = td_emu.linked(folder / "final.bin", *of_image, "--payload", file)
    # Without the VMM's tables nobody knows how to switch the machine off.
    run = td_emu.Run("--memory", "512M", "--cpus", cpus, "--deliver-exceptions", *options, image=image,
                     end_at=rb"selftest: \d+ passed, \d+ failed, \d+ skipped" if source == "service" else None)
    test.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console + run.errors)
    no_devices = ["devices", "#VE"] if source == "service" else []
    payloads.check_console(test, run.console, "TD", no_devices + (["processors"] if cpus == 1 else []))
    if source == "service":
        run.line(f"^selftest: TD_PARAMS {parameters}$")
    if source == "service":
        check_registers(test, image, bytes.fromhex(run.result["report"]))


def check_registers(test, image, report):
    predicted = json.loads(subprocess.run([settings.tool("shim-measure"), image, "--json"], check=True,
                                          capture_output=True, text=True).stdout)
    test.assertEqual(report[mrtd_at:mrtd_at + 48].hex(), predicted["mrtd"])
    for rtmr in (0, 1):
        test.assertEqual(report[rtmr_at + 48 * rtmr:][:48].hex(), predicted[f"rtmr{rtmr}"])


class Sources(unittest.TestCase):
    pass


suite.add_cases(Sources, check, {f"selftest_{form}_{source}_{cpus}_vcpus": (form, source, cpus)
                                 for form in payloads.forms for source in ("placed", "embedded", "service")
                                 for cpus in (1, 4)})

if __name__ == "__main__":
    suite.main()
