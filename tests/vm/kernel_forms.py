# SPDX-License-Identifier: Apache-2.0
"""Other forms of a distribution's kernel, made from its bzImage: the vmlinux in it, its memory as a VMM loads it,
and a unified kernel image, put together by objcopy on systemd's stub as its manual has it."""

import lzma
import struct
import subprocess

import settings

stub_path = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
zstd_magic, xz_magic = b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0"
os_release = b'ID=tdshim\nPRETTY_NAME="a test of tdshim"\n'


def vmlinux_of(bzimage):
    """The ELF file that the bzImage unpacks [Linux Documentation/arch/x86/boot.rst, payload_offset], without the
    kernel's own relocations behind it."""
    setup_sectors, (offset, length) = bzimage[0x1F1], struct.unpack_from("<II", bzimage, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = bzimage[start:start + length]
    if payload.startswith(zstd_magic):  # four bytes of size follow
        elf = subprocess.run(["zstd", "-dc"], input=payload[:-4], check=True, capture_output=True).stdout
    elif payload.startswith(xz_magic):
        elf = lzma.LZMADecompressor().decompress(payload)
    else:
        settings.skip(f"the kernel is packed in a way that this test does not know: {payload[:6].hex()}")
    section_headers, (size, count) = struct.unpack_from("<Q", elf, 40)[0], struct.unpack_from("<HH", elf, 58)
    return elf[:section_headers + size * count]


def program_headers(elf):
    """(type, offset, physical address, size in the file, size in memory) of each."""
    offset, size, count = struct.unpack_from("<Q", elf, 32)[0], 56, struct.unpack_from("<H", elf, 56)[0]
    for index in range(count):
        kind, _, start, _, physical, in_file, in_memory = struct.unpack_from("<IIQQQQQ", elf, offset + index * size)
        yield kind, start, physical, in_file, in_memory


def loaded(elf):
    """(address, memory) of a vmlinux as a VMM loads it, and its entry point."""
    segments = [header for header in program_headers(elf) if header[0] == 1]
    base = min(physical for _, _, physical, _, _ in segments)
    end = max(physical + in_memory for _, _, physical, _, in_memory in segments)
    memory = bytearray(end - base)
    for _, start, physical, in_file, _ in segments:
        memory[physical - base:physical - base + in_file] = elf[start:start + in_file]
    return base, bytes(memory), struct.unpack_from("<Q", elf, 24)[0]


def unified(folder, kernel, initrd=b"", command_line=b"", more=()):
    """The path of a unified kernel image in `folder`; `more`: pairs of a section's name and content."""
    stub = settings.required_file(stub_path, "package systemd-boot-efi")
    sections = {".osrel": (0x20000, os_release), ".cmdline": (0x30000, command_line), ".linux": (0x2000000, kernel),
                ".initrd": (0x6000000, initrd)}
    sections |= {name: (0x8000000 + 0x1000000 * i, content) for i, (name, content) in enumerate(more)}
    arguments = []
    for name, (address, content) in sections.items():
        if content:
            file = folder / f"section{name}"
            file.write_bytes(content)
            arguments += ["--add-section", f"{name}={file}", "--change-section-vma", f"{name}={address:#x}"]
    path = folder / "unified.efi"
    subprocess.run(["objcopy", *arguments, stub, path], check=True)
    return path
