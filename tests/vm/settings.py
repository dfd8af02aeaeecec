# SPDX-License-Identifier: Apache-2.0
"""What the tests against a virtual machine are given, all of it through environment variables.

CMake sets what the build makes, in the ENVIRONMENT property of each test:

  TDSHIM_IMAGE    the firmware image, final.bin
  TDSHIM_ELF      the shim with its symbols, shim.elf
  TDSHIM_BIN      the folder of the tools
  TDSHIM_TEST_BIN the folder of the guests' programs, such as the one that asks for a TDREPORT
  TDSHIM_RESULTS  a folder for results that a later test prints as a table

tests/run.sh sets what is fetched, by `source tests/vm/guests.sh`, and ctest passes it on:

  TDSHIM_QEMU                            the machine's own QEMU; default: the one in PATH
  TDSHIM_QEMU_NEW                        a newer QEMU, as launch/fetch-qemu.sh prints it
  TDSHIM_OVMF                            OVMF's TDVF image, as tests/td_emu/fetch-ovmf.sh prints it
  TDSHIM_KERNEL_6_1, TDSHIM_KERNEL_6_12  folders, as launch/fetch-kernel.sh prints them
  TDSHIM_KERNEL_NEWEST                   the same of a kernel from 6.16 on
  TDSHIM_INITRD_6_1, TDSHIM_INITRD_6_12  files, as launch/make-initramfs.sh makes them

What is missing is a test not run: it prints one line and ends with `skipped`, which CMake knows as
SKIP_RETURN_CODE.
"""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

skipped = 77


def skip(reason):
    raise unittest.SkipTest(reason)


def required_path(variable):
    """The existing file or folder that a variable names."""
    value = os.environ.get(variable)
    if not value:
        skip(f"{variable} is not set (see tests/vm/settings.py)")
    if not os.path.exists(value):
        skip(f"{variable} names {value}, which does not exist")
    return pathlib.Path(value)


def required_file(path, what):
    """A file that a package of the machine brings."""
    if not os.path.exists(path):
        skip(f"{what} is not installed: there is no {path}")
    return pathlib.Path(path)


def image():
    return required_path("TDSHIM_IMAGE")


def shim_elf():
    return required_path("TDSHIM_ELF")


def source():
    """The project's folder."""
    return pathlib.Path(__file__).resolve().parent.parent.parent


def require_device(program, device):
    """Of a QEMU whose packages can be without it."""
    known = subprocess.run([program, "-device", "help"], capture_output=True, text=True).stdout
    if f'name "{device}"' not in known:
        skip(f"this QEMU has no {device} (launch/fetch-qemu.sh --spice fetches one that has)")


def tool(name):
    """A tool's path, nothing where it was not built: tests have a second way to check."""
    path = pathlib.Path(os.environ.get("TDSHIM_BIN", "")) / name
    return path if path.is_file() else None


def results():
    """The folder for results, nothing when nobody wants any."""
    value = os.environ.get("TDSHIM_RESULTS")
    if not value:
        return None
    folder = pathlib.Path(value)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def qemu(which="system"):
    """A QEMU's path; `which` is "system" or "new"."""
    if which == "new":
        return required_path("TDSHIM_QEMU_NEW")
    found = os.environ.get("TDSHIM_QEMU") or shutil.which("qemu-system-x86_64")
    if not found:
        skip("there is no qemu-system-x86_64")
    return pathlib.Path(found)


def qemu_version(program):
    output = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    return re.search(r"version (\S+)", output).group(1)


class Guest:
    """A distribution's kernel with the small guest; `series` is "6.1" or "6.12"."""

    def __init__(self, series):
        suffix = series.replace(".", "_")
        folder = required_path(f"TDSHIM_KERNEL_{suffix}")
        self.kernel = folder / "vmlinuz"
        self.version = (folder / "version").read_text().strip()
        self.initrd = required_path(f"TDSHIM_INITRD_{suffix}")
