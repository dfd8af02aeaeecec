# SPDX-License-Identifier: Apache-2.0
"""The small guest of launch/guest with a program of a test's own in it: its init runs /bin/td-report and prints what
that prints, `guest: td-report ...`."""

import pathlib
import subprocess

import suite


def initrd_with(test, guest, program, files={}):
    """The guest's initrd, and behind it a second archive with `program` (bytes) as /bin/td-report and `files`, bytes by
    path."""
    folder = suite.temporary_folder(test)
    for path, content in {"bin/td-report": program, **files}.items():
        file = folder / "root" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o755)
    names = sorted(str(path.relative_to(folder / "root")) for path in (folder / "root").rglob("*"))
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=folder / "root", check=True,
                             input="".join(name + "\n" for name in names).encode(), capture_output=True).stdout
    first = pathlib.Path(guest.initrd).read_bytes()
    initrd = folder / "initrd"
    initrd.write_bytes(first.ljust((len(first) + 3) & ~3, b"\0") + archive)
    return initrd


def script(*lines):
    """A program of these lines of shell."""
    return "\n".join(("#!/bin/busybox sh", *lines, "")).encode()
