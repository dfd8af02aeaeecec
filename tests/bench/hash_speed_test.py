#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast shim-measure hashes a large initrd beside openssl, which is told and decides nothing; and that it needs no
more memory for 4 GiB than for 4 MiB."""

import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import results
import settings
import suite
from kernels import bzimage

pairs, gib, mib = 5, 1 << 30, 1 << 20
# Without AVX and AMD's XOP, SSSE3, AVX2, BMI1 and BMI2 [OPENSSL_ia32cap(3)].
scalar_alone = "~0x1000080000000200:~0x128"


def duration(command):
    begin = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


class HashSpeed(unittest.TestCase):
    def measure_command(self, initrd):
        program = settings.tool("shim-measure")
        if program is None:
            settings.skip("shim-measure is not built")
        kernel = suite.temporary_folder(self) / "kernel"
        kernel.write_bytes(bzimage())
        return [program, settings.image(), "--vmm", "none", "--kernel", kernel, "--initrd", initrd]

    def file_of(self, size, content=b""):
        path = suite.temporary_folder(self) / "initrd"
        with open(path, "wb") as file:
            file.write(content)
            file.truncate(size)
        return path

    def test_beside_openssl(self):
        initrd = self.file_of(gib, os.urandom(mib))
        ours, theirs = self.measure_command(initrd), ["openssl", "dgst", "-sha384", initrd]
        duration(ours), duration(theirs)
        ratios = [duration(ours) / duration(theirs) for _ in range(pairs)]
        results.keep_row(self, {"hashing": f"1 GiB: seconds of shim-measure to those of `openssl dgst -sha384`, median of {pairs} pairs",
                                "": f"{statistics.median(ratios):.2f}"})

    def test_throughput_scalar(self):
        self.compare_throughput("scalar")

    def test_throughput_avx2(self):
        self.compare_throughput("avx2")

    def compare_throughput(self, path):
        """Of the firmware's code in the same process as libcrypto, which is held to the same path."""
        with open("/proc/cpuinfo", encoding="ascii") as file:
            flags = re.search(r"^flags\s*:(.*)$", file.read(), re.MULTILINE)[1].split()
        if path == "avx2" and not {"avx2", "bmi1", "bmi2"} <= set(flags):
            settings.skip("this machine's processor has no AVX2 and BMI2")
        held = {"OPENSSL_ia32cap": scalar_alone} if path == "scalar" else {}
        ratio = subprocess.run([settings.required_path("TDSHIM_TEST_BIN") / "hash-ratio", path], check=True, text=True,
                               capture_output=True, env={**os.environ, **held}).stdout.strip()
        results.keep_row(self, {"hashing": f"throughput of the firmware's SHA-384 to libcrypto's in one process, {path}", "": ratio})

    def test_four_gibibytes_in_little_memory(self):
        """...but for the MiB at their end: fw_cfg carries 4 GiB - 1."""
        process = subprocess.Popen(self.measure_command(self.file_of(4 * gib - mib)), stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        results.keep_row(self, {"4 GiB": "MiB of memory that shim-measure takes at most", "": usage.ru_maxrss // 1024})
        self.assertLess(usage.ru_maxrss, 100 * 1024)


if __name__ == "__main__":
    suite.main()
