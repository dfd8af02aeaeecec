#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What shim-measure computes before launch is what a TD's registers hold when its kernel starts: over memory sizes,
numbers of processors, devices, and where the kernel comes from. Nothing of the TD is looked at for the prediction."""

import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import kernels
import qemu_files
import settings
import suite
import td_emu
from td_emu import linked, portable, static

attributes_at, mrtd_at, rtmr_at, info_at = 512, 528, 720, 512  # in a TDREPORT
initrd = bytes(range(256)) * 300 + b"odd"
disk = ("-drive", "driver=null-co,size=1M,if=none,id=disk", "-device", "virtio-blk-pci,drive=disk")
network = ("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net")


class Shape:
    """One launch: what td-emu is told, and shim-measure in the same words."""

    def __init__(self, test, memory, cpus, *, kernel="stub", tail=b"", has_initrd=True, append="console=ttyS0 quiet", more=(),
                 accept_all=False, td=(), options=(), enrols_aml=False, keys=()):
        self.folder = suite.temporary_folder(test)
        self.common = ["--memory", memory, "--cpus", str(cpus), *td]
        self.image = settings.image()
        if kernel == "embedded":
            options = ("--payload", self.put("payload", kernels.bzimage()), *options)
        if options:
            self.image = self.link(*options)
        if enrols_aml:
            self.image = self.enrol(memory, cpus, more)
        if keys:
            self.image = self.with_keys(keys)
        if kernel == "embedded":
            pass  # nothing to hand in
        elif kernel == "stub":
            self.common += ["--kernel", self.put("kernel", kernels.bzimage() + tail)]
        else:
            self.common += ["--kernel", settings.Guest(kernel).kernel]
        if has_initrd:
            self.common += ["--initrd", self.put("initrd", initrd)]
        if append is not None:
            self.common += ["--append", append]
        self.measure_only = ["--accept-all"] if accept_all else []
        self.more = list(more)
        self.run_only = ["-fw_cfg", "name=opt/org.tdshim/accept,string=all"] if accept_all else []

    def put(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def link(self, *options):
        return linked(self.folder / "final.bin", *options)

    def enrol(self, memory, cpus, more):
        """The image with the digest of the DSDT that this machine will bring."""
        files = qemu_files.acpi_files(settings.qemu("new"), "-m", memory, "-smp", cpus, "-serial", "null", *more)
        tables = max((content for _, content in files), key=len)
        at = tables.index(b"DSDT")
        table = bytearray(tables[at:at + int.from_bytes(tables[at + 4:at + 8], "little")])
        table[9] = 0
        table[9] = -sum(table) & 0xFF
        output = self.folder / "enrolled.bin"
        subprocess.run([settings.tool("shim-enroll"), "--firmware", self.image, "--policy", "measured", "--aml",
                        self.put("dsdt", table), "-o", output], check=True, capture_output=True)
        return output

    def with_keys(self, words):
        """The image with keys that have more to say than td-shim's anchor can, of a policy that lets unsigned payloads run."""
        output, command = self.folder / "keys.bin", []
        for index, word in enumerate(words):
            key = self.folder / f"{index}.pem"
            secret = subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout"], check=True,
                                    capture_output=True).stdout
            key.write_bytes(subprocess.run(["openssl", "pkey", "-pubout"], input=secret, check=True, capture_output=True).stdout)
            command += ["--key", f"{key}{word}"]
        subprocess.run([settings.tool("shim-enroll"), "--firmware", self.image, "--policy", "measured", *command, "-o", output],
                       check=True, capture_output=True)
        return output

    def predict(self, *options):
        behind = ["--", *self.more] if self.more else []
        command = [settings.tool("shim-measure"), self.image, "--qemu", settings.qemu("new"), *self.common,
                   *self.measure_only, *options, *behind]
        return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout

    def run(self):
        behind = [*self.more, *self.run_only]
        return td_emu.Run(*self.common, "--until", "payload", "--ccel", self.folder / "ccel", "--report",
                          self.folder / "report", *(["--", *behind] if behind else []), image=self.image)


def check_shape(test, *arguments, **options):
    if settings.tool("shim-measure") is None:
        settings.skip("shim-measure is not built")
    shape = Shape(test, *arguments, **options)
    policy = shape.folder / "policy.json"
    policy.write_text(shape.predict("--format", "policy"))
    run = shape.run()
    test.assertEqual(run.exit_code, 0, run.console[-2000:] + run.errors)
    report = (shape.folder / "report").read_bytes()
    predicted = json.loads(shape.predict("--json"))
    test.assertEqual(report[mrtd_at:mrtd_at + 48].hex(), predicted["mrtd"])
    for rtmr in range(4):
        found = report[rtmr_at + 48 * rtmr:][:48].hex()
        test.assertEqual(found, predicted[f"rtmr{rtmr}"], f"RTMR[{rtmr}]")
    test.assertEqual(td_emu.sha384(report[info_at:]).hex(), predicted["tdinfo_hash"])
    check = subprocess.run([settings.tool("shim-log"), "check", shape.folder / "ccel", "--policy", policy, "--report",
                            shape.folder / "report"], capture_output=True, text=True, check=False)
    test.assertEqual((check.returncode, check.stderr), (0, ""), check.stdout)


class Shapes(unittest.TestCase):
    def test_a_portable_image_has_one_rtmr0(self):
        """...whatever the machine; and another than other policies have."""
        registers = {options: set() for options in ((), portable, static, portable + static)}
        for options, found in registers.items():
            for memory, cpus, more in (("256M", 1, ()), ("3G", 4, disk), ("1024G", 64, network)):
                shape = Shape(self, memory, cpus, more=more, options=options)
                predicted = json.loads(shape.predict("--json"))
                found.add((predicted["mrtd"], predicted["rtmr0"]))
        self.assertEqual([len(found) for found in registers.values()], [3, 3, 3, 1])
        self.assertEqual(len({mrtd for found in registers.values() for mrtd, _ in found}), 4, "MRTD tells the policy")

    def test_a_boot_that_is_refused_for_its_aml_is_not_predicted(self):
        for word, reason in (("refuse", "AML of the VMM's, which the image refuses"),
                             ("enrolled", "AML of the VMM's that is not enrolled")):
            shape = Shape(self, "1G", 1, options=(*placed, "--aml", word))
            with self.assertRaises(subprocess.CalledProcessError) as raised:
                shape.predict()
            self.assertEqual((raised.exception.returncode, raised.exception.stderr), (2, f"shim-measure: DSDT: {reason}\n"))


def add_shape(name, *arguments, **options):
    suite.add_cases(Shapes, lambda test: check_shape(test, *arguments, **options), {name: ()})


# Memory ends below, at and above the place where QEMU splits it at 4 GiB.
for memory in ("256M", "512M", "1G", "2G", "2815M", "2816M", "3G", "4G", "5G", "8G", "64G", "256G", "1024G"):
    add_shape(f"memory_{memory}", memory, 1)
for cpus in (2, 3, 4, 8, 16, 32, 64):
    add_shape(f"cpus_{cpus}", "1G", cpus)
add_shape("large_and_wide", "1024G", 64)
for memory, cpus in (("512M", 1), ("3G", 2)):
    add_shape(f"no_initrd_{memory}_{cpus}", memory, cpus, has_initrd=False)
    add_shape(f"embedded_{memory}_{cpus}", memory, cpus, kernel="embedded")
    add_shape(f"debian_{memory}_{cpus}", memory, cpus, kernel="6.12")
add_shape("embedded_without_initrd", "1G", 1, kernel="embedded", has_initrd=False, append=None)
add_shape("no_command_line", "1G", 1, append=None)
add_shape("command_line_of_2000_bytes", "1G", 1, append="x" * 2000)
add_shape("all_accepted", "1G", 2, accept_all=True)
add_shape("identity", "1G", 1, td=("--mrconfigid", "01" * 48, "--mrowner", "ab" * 48, "--mrownerconfig", "7f" * 48,
                                   "--attributes", "0x50000000", "--xfam", "0x600e7"))
add_shape("load_order", "1G", 1, td=("--load-order", "section"))
for name, options in (("portable", portable), ("static", static), ("portable_static", portable + static)):
    for memory, cpus, more in (("512M", 1, ()), ("3G", 4, disk), ("64G", 8, network)):
        add_shape(f"{name}_{memory}_{cpus}", memory, cpus, more=more, options=options)
for memory, cpus, more in (("512M", 1, ()), ("3G", 4, disk)):
    add_shape(f"drops_aml_{memory}_{cpus}", memory, cpus, more=more, options=("--aml", "drop"))
    add_shape(f"portable_drops_aml_{memory}_{cpus}", memory, cpus, more=more, options=(*portable, "--aml", "drop"))
    add_shape(f"enrols_aml_{memory}_{cpus}", memory, cpus, more=more, options=("--aml", "enrolled"), enrols_aml=True)
add_shape("key_with_a_minimum_svn", "1G", 1, keys=(",svn=3",))
add_shape("two_keys", "1G", 2, keys=("", ",for=linux-bundle"))
add_shape("disk", "1G", 2, more=disk)
add_shape("disk_and_network", "4G", 4, more=disk + network)

# A VMM that places kernel, initrd and command line itself.
placed = ("--profile", "tdvf-payload")
for memory, cpus, more in (("512M", 1, ()), ("3G", 4, disk), ("64G", 16, ()), ("1024G", 2, network)):
    add_shape(f"placed_{memory}_{cpus}", memory, cpus, more=more, options=placed)
# Of a file in memory nobody can say that it goes on behind what its headers name; of one in fw_cfg its size does.
for name, options in (("placed", placed), ("placed_as_td_shim", (*placed, "--measurement", "td-shim")), ("item", ())):
    add_shape(f"{name}_with_a_tail", "1G", 1, tail=b"behind the kernel" * 1000, options=options)
add_shape("placed_two_keys", "1G", 1, keys=("", ",svn=2"), options=placed)
add_shape("placed_without_initrd", "1G", 2, has_initrd=False, options=placed)
add_shape("placed_without_command_line", "1G", 1, append=None, options=placed)
add_shape("placed_debian", "1G", 2, kernel="6.12", options=placed)
add_shape("placed_embedded", "1G", 2, kernel="embedded", has_initrd=False, options=placed)
add_shape("placed_embedded_not_in_mrtd", "1G", 1, kernel="embedded", has_initrd=False,
          options=(*placed, "--payload-measured", "rtmr"))
add_shape("placed_in_mrtd", "1G", 1, options=(*placed, "--payload-measured", "mrtd"))
for name, policy in (("portable", portable), ("static", static), ("portable_static", portable + static),
                     ("drops_aml", ("--aml", "drop")), ("portable_drops_aml", (*portable, "--aml", "drop")),
                     ("as_td_shim", ("--measurement", "td-shim")),
                     ("as_td_shim_in_mrtd", ("--measurement", "td-shim", "--payload-measured", "mrtd"))):
    add_shape(f"placed_{name}", "1G", 2, options=(*placed, *policy))
add_shape("placed_enrols_aml", "1G", 2, options=(*placed, "--aml", "enrolled"), enrols_aml=True)
add_shape("embedded_not_in_mrtd", "1G", 1, kernel="embedded", options=("--payload-measured", "rtmr"))

if __name__ == "__main__":
    suite.main()
