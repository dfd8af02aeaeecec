# SPDX-License-Identifier: Apache-2.0
"""What a VMM gives a TD beside kernel, initrd and command line, had without any firmware: the TD HOB from the
image's metadata, and QEMU's ACPI files from a QEMU that runs no processor (qtest). A second way beside tools/vmm and
shim/formats, numbers included, so that the two check each other."""

import struct
import subprocess

selector_port, data_port, address_port, config_port = 0x510, 0x511, 0xCF8, 0xCFC
directory = 0x19
# What the firmware sets up before it reads the tables (specs/boot-flow.md, 5): device, offset, value.
q35_set_up = ((0x00, 0x60, 0xB000_0001), (0x1F, 0x40, 0x601), (0x1F, 0x44, 0x80))

mib, gib = 1 << 20, 1 << 30
memory, unaccepted = 0, 7  # resource types [UEFI PI 1.8, volume 3, 5.4.2]
td_hob_section, temporary = 2, 3


class Qtest:
    def __init__(self, qemu, *arguments):
        self.process = subprocess.Popen(
            [qemu, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-accel", "qtest",
             "-qtest", "stdio", "-qtest-log", "/dev/null", *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        while not (answer := self.process.stdout.readline()).startswith("OK"):
            if not answer:
                raise AssertionError(f"QEMU ended at {line!r}")
        return answer[2:].strip()

    def write_config(self, device, offset, value):
        self.command(f"outl {address_port:#x} {0x8000_0000 | device << 11 | offset:#x}")
        self.command(f"outl {config_port:#x} {value:#x}")

    def read_item(self, selector, size):
        self.command(f"outw {selector_port:#x} {selector:#x}")
        return bytes(int(self.command(f"inb {data_port:#x}"), 16) for _ in range(size))

    def files(self):
        """name -> (selector, size)"""
        count, = struct.unpack(">I", self.read_item(directory, 4))
        entries = struct.iter_unpack(">IHH56s", self.read_item(directory, 4 + 64 * count)[4:])
        return {name.rstrip(b"\0").decode(): (selector, size) for size, selector, _, name in entries}


def acpi_files(qemu, *arguments):
    """(name, content) of etc/table-loader and of the files that it loads, in its order."""
    with Qtest(qemu, *arguments) as machine:
        for setting in q35_set_up:
            machine.write_config(*setting)
        found = machine.files()
        script = machine.read_item(*found["etc/table-loader"])
        names = [command[4:60].rstrip(b"\0").decode() for command in
                 (script[at:at + 128] for at in range(0, len(script), 128)) if command[:4] == b"\1\0\0\0"]
        return [(b"etc/table-loader", script),
                *((name.encode(), machine.read_item(*found[name])) for name in names)]


def td_hob(image, metadata_at, memory_size):
    """As QEMU's hw/i386/tdvf-hob.c lists the RAM of a TD of less than 2 GiB."""
    count, = struct.unpack_from("<I", image, metadata_at + 12)
    sections = [struct.unpack_from("<IIQQII", image, metadata_at + 16 + 32 * index) for index in range(count)]
    added = sorted((gpa, gpa + size) for _, _, gpa, size, kind, _ in sections if kind in (td_hob_section, temporary))
    base = next(gpa for _, _, gpa, _, kind, _ in sections if kind == td_hob_section)
    resources, at = [], 0
    for start, end in added:
        if at < start:
            resources.append((unaccepted, at, start))
        resources.append((memory, start, end))
        at = end
    resources.append((unaccepted, at, memory_size))
    body = b"".join(struct.pack("<HHI16sIIQQ", 3, 48, 0, bytes(16), kind, 7, start, end - start)
                    for kind, start, end in resources)
    end = base + 56 + len(body) + 8
    return (struct.pack("<HHIIIQQQQQ", 1, 56, 0, 9, 0, 0, 0, 0, 0, end) + body +
            struct.pack("<HHI", 0xFFFF, 8, 0))
