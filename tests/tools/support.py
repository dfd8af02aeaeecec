# SPDX-License-Identifier: Apache-2.0
"""What the tests of the host tools share: running a tool, and inputs made from the specifications'
numbers. TDSHIM_BIN names the tools' folder."""

import hashlib
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest
import uuid

BIN = os.environ.get("TDSHIM_BIN", "")
TOOLS = ("shim-attest", "shim-bundle", "shim-check", "shim-enroll", "shim-guest", "shim-hob", "shim-info", "shim-ld", "shim-log", "shim-measure",
         "shim-sign", "td-emu")

# The numbers of shim/memory/layout.hpp. They are the image format: a change there must show here.
KIB = 1024
GRANULE = 64 * KIB
IMAGE_END = 1 << 32
RESET_VECTOR_SIZE = 32 * KIB
SHIM_ROM_SIZE = 224 * KIB
CFV_SIZE = 64 * KIB
MIN_IMAGE_SIZE = 320 * KIB
MAX_IMAGE_SIZE = 16384 * KIB
LINK_ROOM = 0x400
SHIM_CODE = 0x800000
SHIM_DATA = 0xA00000
TEMPORARY = [(0x800000, 256 * KIB), (0xA00000, 1024 * KIB), (0xB20000, 64 * KIB)]
TD_HOB = (0xB00000, 128 * KIB)

FOOTER = uuid.UUID("96b582de-1fb2-45f7-baea-a366c55a082d").bytes_le
TDX_ENTRY = uuid.UUID("e47a6535-984a-4798-865e-4685a7bf8ec2").bytes_le
INFO_ENTRY = uuid.UUID("6f1d3b1c-5a0e-4c53-9f63-6b2f5d0c7a91").bytes_le
METADATA = uuid.UUID("e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae").bytes_le

# By its mark at the end a file is known to be a kernel.
BOOT_SECTOR = bytes(510) + b"\x55\xaa"

CODE_BYTES = bytes(range(0x20)) * 2
CONSTANT_BYTES = b"constants of the shim"


def reset_vector(**patches):
    """Code everywhere but in the link room. patches: at_0x10=b"..." overwrites."""
    vector = bytearray(b"\x90" * (RESET_VECTOR_SIZE - LINK_ROOM) + bytes(LINK_ROOM - 0x10) + b"\xeb" * 0x10)
    for offset, value in patches.items():
        at = int(offset.removeprefix("at_"), 16)
        vector[at : at + len(value)] = value
    return bytes(vector)


def program_header(flags, offset, address, file_size, memory_size, kind=1, physical=None):
    return struct.pack("<IIQQQQQQ", kind, flags, offset, address, address if physical is None else physical,
                       file_size, memory_size, 0x1000)


CODE = program_header(5, 0x1000, SHIM_CODE, len(CODE_BYTES), len(CODE_BYTES))
CONSTANTS = program_header(4, 0x2000, SHIM_CODE + 0x1000, len(CONSTANT_BYTES), 0x40)
MEMORY = program_header(6, 0, SHIM_DATA, 0, 0x30000)


def elf(segments=(CODE, CONSTANTS, MEMORY), entry=SHIM_CODE + 8, kind=2, machine=62):
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", kind, machine, 1, entry, 64, 0, 0, 64, 56, len(segments), 64, 0, 0)
    file = bytearray(0x2000)
    file[:64] = header
    for index, segment in enumerate(segments):
        file[64 + 56 * index : 120 + 56 * index] = segment
    file[0x1000 : 0x1000 + len(CODE_BYTES)] = CODE_BYTES
    return bytes(file) + CONSTANT_BYTES


def find_table_entry(image, guid):
    """The footer table as QEMU reads it."""
    assert image[-48:-32] == FOOTER
    (left,) = struct.unpack("<H", image[-50:-48])
    end = len(image) - 50
    left -= 18
    while left > 0:
        (length,) = struct.unpack("<H", image[end - 18 : end - 16])
        if image[end - 16 : end] == guid:
            return image[end - length : end - 18]
        end -= length
        left -= length
    return None


def sections_of(image, offset):
    signature, length, version, count = struct.unpack("<4sIII", image[offset : offset + 16])
    assert (signature, length, version) == (b"TDVF", 16 + 32 * count, 1)
    return [struct.unpack("<IIQQII", image[offset + 16 + 32 * i : offset + 48 + 32 * i]) for i in range(count)]


def foreign_image(sections, size=0x20000, footer=True, pointer=0):
    """An image as another linker might make it, with its descriptor at 0x110."""
    image = bytearray(size)
    body = METADATA + struct.pack("<4sIII", b"TDVF", 16 + 32 * len(sections), 1, len(sections))
    body += b"".join(struct.pack("<IIQQII", *section) for section in sections)
    image[0x100 : 0x100 + len(body)] = body
    if footer:
        table = struct.pack("<IH", size - 0x110, 22) + TDX_ENTRY + struct.pack("<H", 40) + FOOTER
        image[-0x20 - len(table) : -0x20] = table
    image[-0x20:-0x1C] = struct.pack("<I", pointer)
    return bytes(image)


BFV = (0, 0x20000, IMAGE_END - 0x20000, 0x20000, 0, 1)
HOB = (0, 0, 0x809000, 0x2000, 2, 0)


def log_header(vendor):
    return struct.pack("<II20sI", 0, 3, bytes(20), 33 + len(vendor)) + struct.pack(
        "<16sIBBBBIHHB", b"Spec ID Event03\0", 0, 0, 2, 105, 2, 1, 0xC, 48, len(vendor)) + vendor


LOG_HEADER = log_header(b"td_shim")  # that of td-shim


def event(index, kind, digest, data, count=1):
    return struct.pack("<IIIH", index, kind, count, 0xC) + digest + struct.pack("<I", len(data)) + data


def sha384(data):
    return hashlib.sha384(data).digest()


KERNEL, COMMAND_LINE, HOB_BYTES = b"a kernel", b"console=ttyS0 root=/dev/vda", b"\x01\x02\x03"
LOG_EVENTS = [
    event(1, 0xA, sha384(HOB_BYTES), struct.pack("<16sI", b"td_hob", 3) + HOB_BYTES),
    event(2, 0x8000000A, sha384(KERNEL), b"\x0btd_payload\0" + struct.pack("<QQ", 0x1000000, 0x800)),
    event(2, 0xA, sha384(COMMAND_LINE), struct.pack("<16sI", b"td_payload_info\0", len(COMMAND_LINE)) + COMMAND_LINE),
    event(1, 4, sha384(bytes(4)), bytes(4)),
    event(2, 4, sha384(bytes(4)), bytes(4)),
]
LOG = LOG_HEADER + b"".join(LOG_EVENTS)


def replayed(digests):
    value = bytes(48)
    for digest in digests:
        value = sha384(value + digest)
    return value.hex()


def put_guest_inputs(folder):
    """What shim-guest needs beside a kernel: a root file system, and the lists of a kernel that has all built in."""
    folder = pathlib.Path(folder)
    (folder / "root/sbin").mkdir(parents=True)
    (folder / "root/sbin/init").touch(mode=0o755)
    (folder / "modules/lib/modules/1").mkdir(parents=True)
    (folder / "modules/lib/modules/1/modules.dep").touch()
    (folder / "modules/lib/modules/1/modules.builtin").write_text("".join(
        f"kernel/{name}.ko\n" for name in ("virtio_pci", "virtio_blk", "dm-verity", "squashfs")))


class ToolTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def put(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def run_tool(self, tool, *arguments, **options):
        return subprocess.run([os.path.join(BIN, tool), *arguments], capture_output=True, text=True, timeout=60,
                              check=False, **options)

    def good(self, tool, *arguments):
        result = self.run_tool(tool, *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def bad(self, tool, *arguments):
        result = self.run_tool(tool, *arguments)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertTrue(result.stderr.startswith(tool + ": "), result.stderr)
        return result
