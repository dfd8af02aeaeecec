#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What kernels make of a TD, as a table in Markdown; no test, for most are fetched for it alone. Each boots with
panic_on_warn=1 in 512 MiB, 4 GiB and 64 GiB (of which the VMM gives pages of 2 MiB to a kernel that accepts none itself:
by pages of 4 KiB that takes half an hour), starts itself by kexec with two processors and touches 1 GiB then, takes a
processor offline and online again, and with --kdump crashes and reads its memory.

usage: kernel_table.py [--kdump SERIES] FOLDER...
  FOLDER         as launch/fetch-kernel.sh prints it
  --kdump 6.18   the kernel that also crashes

The variables are those of tests/vm/settings.py: TDSHIM_IMAGE, TDSHIM_BIN, TDSHIM_QEMU_NEW.
example: kernel_table.py "$(launch/fetch-kernel.sh --suite trixie-backports --series 6.18)"
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import types

folder = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(folder.parent / "vm"), str(folder)]

import linux
import td_emu
import td_guest
from next_kernel import count_lost, crash_bytes, crash_of, kexec_program, next_kernel, strict

accepts_memory = (6, 5)
# Before, it cannot give processors back to the firmware: one that is offline stays so, and Linux waits for it for ever.
sends_processors_back = (6, 11)
complaint = re.compile("WARNING:|BUG:|Oops|Kernel panic|Call Trace")


class Scratch:
    """Stands for a test where only its folders are asked for."""

    def __init__(self):
        self._ends = []

    def addCleanup(self, function, *arguments):
        self._ends.append((function, arguments))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for function, arguments in reversed(self._ends):
            function(*arguments)


def guest_of(kernel_folder, scratch):
    initrd = pathlib.Path(scratch) / (kernel_folder.name + ".gz")
    subprocess.run([folder.parents[1] / "launch/make-initramfs.sh", "--modules", kernel_folder / "modules", "-o", initrd],
                   check=True, capture_output=True)
    return types.SimpleNamespace(kernel=kernel_folder / "vmlinuz", initrd=initrd,
                                 version=(kernel_folder / "version").read_text().strip())


def run(guest, *options, memory="2G", cpus=1, program=None, files={}, append=strict):
    with Scratch() as scratch:
        initrd = td_guest.initrd_with(scratch, guest, program, files) if program else guest.initrd
        ended = td_emu.Run("--kernel", guest.kernel, "--initrd", initrd, "--append", append, "--memory", memory, "--cpus",
                           cpus, *options, timeout=3000)
    found = ended.result["finding"] if ended.result else "no result"
    why = found or ("complained" if complaint.search(ended.console) else "")
    if not why and ended.exit_code != 0:
        why = f"exit code {ended.exit_code}"
    if why:
        print(f"{guest.version}: {why}\n{ended.console[-1500:]}{ended.errors}", file=sys.stderr)
    return ended, why


def release_of(guest):
    """(6, 12)"""
    return tuple(map(int, guest.version.split(".")[:2]))


def boots(guest, memory):
    options = ["--large-pages"] if release_of(guest) < accepts_memory and memory == "64G" else []
    ended, why = run(guest, *options, memory=memory)
    if why:
        return why
    left = re.search(r"; (\d+) KiB left to Linux", ended.console)
    kind = "lazy" if left and left[1] != "0" and "efi: Unaccepted" in ended.console else "all accepted"
    given = ", by 2 MiB" if options else ""
    return f"{kind}{given}, {int(linux.guest_line(ended.console, 'memory-kib')) // 1024} MiB"


def kexec(guest):
    ended, why = run(guest, cpus=2, program=kexec_program(),
                     files=next_kernel(guest, guest.initrd, strict + " guest.touch=1024"))
    touched = "1 GiB touched" if "guest: touched 1024 MiB" in ended.console else "1 GiB not touched"
    processors = re.findall(r"^guest: cpus (\d+)$", ended.console, re.MULTILINE)
    return why or f"{touched}, processors {' and '.join(processors)}"


def offline(guest):
    program = td_guest.script("cd /sys/devices/system/cpu", "for value in 0 1; do",
                              "  echo $value > cpu2/online && echo -n \"$(cat online) \" || echo -n 'refused '",
                              "done", count_lost)
    ended, why = run(guest, cpus=3, program=program)
    return why or linux.guest_line(ended.console, "td-report")


def crash(guest):
    with Scratch() as scratch:
        launch = crash_of(scratch, guest)
    ended, _ = run(guest, **launch)
    second = ended.console.split("sysrq: Trigger a crash")[-1]
    return f"{linux.guest_line(second, 'td-report')} of {crash_bytes} bytes read"


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--help", action="store_true")
    parser.add_argument("--kdump", default="")
    parser.add_argument("folders", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.help or not arguments.folders:
        print(__doc__)
        return 0 if arguments.help else 2
    print("| kernel | 512 MiB | 4 GiB | 64 GiB | kexec | offline, online | kdump |\n|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for kernel_folder in arguments.folders:
            guest = guest_of(kernel_folder, scratch)
            with_processors = [kexec, offline] if release_of(guest) >= sends_processors_back else []
            cells = [guest.version, *(boots(guest, memory) for memory in ("512M", "4G", "64G")),
                     *([step(guest) for step in with_processors] or ["not with this Linux"] * 2),
                     crash(guest) if arguments.kdump and guest.version.startswith(arguments.kdump + ".") else ""]
            print("| " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
