# SPDX-License-Identifier: Apache-2.0
"""Machines of other shapes, as QEMU's options: bridges, many disks, BARs as large as a GPU's. Behind td-emu's and
shim-measure's "--" they are the same."""

disks = 8
large_bar = "128G"
# QEMU's own window for 64-bit BARs has 32 GiB.
large_window = ("-global", "q35-pcihost.pci-hole64-size=256G")

root_ports = tuple(word for i in range(4) for word in ("-device", f"pcie-root-port,id=port{i},chassis={i + 1}"))
large_device = ("-device", f"pci-testdev,bus=port0,membar={large_bar}")
several_sockets = ("-smp", "12,sockets=2,cores=3,threads=2")

# Linux says of a BAR of 128 GiB where it put it.
large_bar_assigned = r"pci 0000:01:00\.0: BAR 2 \[mem 0x([0-9a-f]+)-0x[0-9a-f]+ 64bit pref\]: assigned"


def many_disks(disk, more=""):
    return tuple(word for i in range(disks) for word in (
        "-drive", f"file={disk},format=raw,if=none,readonly=on,file.locking=off,id=disk{i}",
        "-device", f"virtio-blk-pci,drive=disk{i}{more}"))


count_disks = "ls -d /sys/block/vd* | wc -l"
