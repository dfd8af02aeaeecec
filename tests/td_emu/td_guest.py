# SPDX-License-Identifier: Apache-2.0
"""The small guest of launch/guest with a program of a test's own in it: its init runs /bin/td-report and prints what
that prints, `guest: td-report ...`."""

import pathlib
import subprocess

import suite


def initrd_with(test, guest, program):
    """The guest's initrd, and behind it a second archive with `program` (bytes) as /bin/td-report."""
    folder = suite.temporary_folder(test)
    (folder / "root" / "bin").mkdir(parents=True)
    file = folder / "root" / "bin" / "td-report"
    file.write_bytes(program)
    file.chmod(0o755)
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=folder / "root", check=True,
                             input=b"bin\nbin/td-report\n", capture_output=True).stdout
    first = pathlib.Path(guest.initrd).read_bytes()
    initrd = folder / "initrd"
    initrd.write_bytes(first.ljust((len(first) + 3) & ~3, b"\0") + archive)
    return initrd


def script(*lines):
    """A program of these lines of shell."""
    return "\n".join(("#!/bin/busybox sh", *lines, "")).encode()
