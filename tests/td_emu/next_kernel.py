# SPDX-License-Identifier: Apache-2.0
"""What a guest is given to start another kernel by kexec, or when it crashes, and how it is asked about processors."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import linux
import settings
import td_guest

# Linux takes itself for stuck where the machine is busy, and most of all when it is watched.
strict = linux.plain_command_line + " panic_on_warn=1 nosoftlockup"


def kexec_program():
    return (settings.required_path("TDSHIM_TEST_BIN") / "td-kexec").read_bytes()


def next_kernel(guest, initrd, append):
    return {"next/kernel": guest.kernel.read_bytes(), "next/initrd": pathlib.Path(initrd).read_bytes(),
            "next/cmdline": append.encode()}


# Processors of which Linux says that they do not come back, to the log alone in this guest.
count_lost = "dmesg | grep -c 'Failed to hand over CPU'"

crash_places = 50  # of the crashed kernel's memory, one in 32 MiB, 64 KiB each
crash_bytes = crash_places * 65536


def crash_of(test, guest):
    """A launch in which the kernel crashes, and another says how much of its memory it could read."""
    reader = td_guest.script(f"for i in $(seq 0 {crash_places - 1}); do",
                             "  dd if=/proc/vmcore bs=64K skip=$((i * 512)) count=1 2>/dev/null",
                             "done | wc -c")
    files = {**next_kernel(guest, td_guest.initrd_with(test, guest, reader), strict + " maxcpus=1"),
             "next/on-crash": b"", "bin/td-kexec": kexec_program()}
    return {"cpus": 2, "program": td_guest.script("/bin/td-kexec || exit", "echo c > /proc/sysrq-trigger"),
            "files": files, "append": strict + " crashkernel=320M"}
