# SPDX-License-Identifier: Apache-2.0
"""The disk and the network card that tests give the small guest of launch/guest, which reads the one and shows the
other's address."""

import subprocess

import linux
import suite

message = "read from the disk"
mac = "52:54:00:74:64:78"


def make_disk(test):
    """An ext4 file system with hello.txt in it; it goes with the test."""
    folder = suite.temporary_folder(test)
    (folder / "content").mkdir()
    (folder / "content" / "hello.txt").write_text(message + "\n")
    disk = folder / "disk.img"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", folder / "content", disk, "8M"], check=True)
    return disk


def arguments(disk, bus="pci", more=""):
    """Of QEMU; `bus` and `more` are of the virtio devices: their names' ends, and further properties."""
    return ("-drive", f"file={disk},format=raw,if=none,readonly=on,id=disk", "-device",
            f"virtio-blk-{bus},drive=disk{more}", "-netdev", "user,id=net,restrict=on", "-device",
            f"virtio-net-{bus},netdev=net,mac={mac}{more}")


def check_found(test, console):
    """The guest says what it read, and the card's address."""
    test.assertEqual(linux.guest_line(console, "disk"), message)
    test.assertRegex(console, rf"(?m)^guest: net e\S+ {mac}$")
