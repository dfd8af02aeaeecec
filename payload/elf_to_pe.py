#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a PE32+ executable of a static position-independent ELF file: a section for each segment, and a base
relocation for each relative relocation [Microsoft PE Format; System V ABI, 4 and 5; x86-64 psABI, 4.4]. The ELF file's
entry point must follow the Microsoft calling convention.

example: elf_to_pe.py hello.pe.elf -o hello.pe"""

import argparse
import os
import struct
import sys

page, file_alignment = 0x1000, 0x200
first_section = page  # behind the headers; an address of the ELF file is so much further in the PE file

pt_load, pt_dynamic = 1, 2
dt_null, dt_rela, dt_rela_size = 0, 7, 8
r_relative = 8
executable, writable = 1, 2


class Refusal(Exception):
    pass


def expect(what, at, expected, found):
    if found != expected:
        raise Refusal(f"{what} (at {at:#x}: expected {expected:#x}, found {found:#x})")


def align(value, alignment):
    return -(-value // alignment) * alignment


def take(content, form, at):
    if at < 0 or at + struct.calcsize(form) > len(content):
        raise Refusal(f"ends too early (at {at:#x}: expected {struct.calcsize(form):#x} bytes, "
                      f"found {max(len(content) - at, 0):#x})")
    return struct.unpack_from(form, content, at)


class Segment:
    def __init__(self, flags, address, content, size):
        self.flags, self.address, self.content, self.size = flags, address, bytearray(content), size


class Elf:
    """entry, segments and the dynamic section's bytes of a file."""

    def __init__(self, file):
        ident, kind, machine, _, self.entry, headers = take(file, "<16sHHIQQ", 0)
        if ident[:6] != b"\x7fELF\x02\x01":
            raise Refusal(f"not an ELF file of 64 bits (at 0x0: expected 0x7f454c460201, found 0x{ident[:6].hex()})")
        expect("not position-independent", 16, 3, kind)
        expect("not for x86-64", 18, 62, machine)
        size, count = take(file, "<HH", 54)
        expect("program headers of another size", 54, 56, size)
        self.segments, self.dynamic = [], b""
        for index in range(count):
            at = headers + index * size
            kind, flags, offset, address, _, in_file, in_memory, _ = take(file, "<IIQQQQQQ", at)
            content, = take(file, f"{in_file}s", offset)
            if kind == pt_dynamic:
                self.dynamic = content
            if kind != pt_load or in_memory == 0:
                continue
            expect("a segment that does not begin on a page", at + 16, 0, address % page)
            expect("a segment both writable and executable", at + 4, 0, (flags & 3) == 3)
            self.segments.append(Segment(flags, address, content, in_memory))
        if not self.segments:
            raise Refusal("has no segments")

    def holder(self, address, size):
        for segment in self.segments:
            if segment.address <= address and address + size <= segment.address + len(segment.content):
                return segment, address - segment.address
        raise Refusal(f"relocations or their places are not in the file's segments (at {address:#x})")

    def relocations(self):
        """Each place with the address that is to stand there; both count from the ELF file's base."""
        tags = {}
        for at in range(0, len(self.dynamic), 16):
            tag, value = take(self.dynamic, "<QQ", at)
            if tag == dt_null:
                break
            tags[tag] = value
        table, left = tags.get(dt_rela, 0), tags.get(dt_rela_size, 0)
        while left:
            segment, offset = self.holder(table, 24)
            place, info, addend = take(segment.content, "<QQQ", offset)
            expect("a relocation that needs symbols", table, r_relative, info)
            yield place, addend
            table, left = table + 24, left - 24


def relocation_blocks(places):
    """The .reloc section: for each page its address, and 16 bits a place."""
    blocks = b""
    for base in sorted({place // page * page for place in places}):
        entries = [0xA000 | place % page for place in sorted(places) if place // page * page == base]
        entries += [0] * (len(entries) % 2)
        blocks += struct.pack(f"<II{len(entries)}H", base, 8 + 2 * len(entries), *entries)
    return blocks


def sections_of(elf, image_base):
    """(name, address, size in memory, content, characteristics) of each."""
    names = {executable: b".text", writable: b".data", 0: b".rdata"}
    kinds = {executable: 0x60000020, writable: 0xC0000040, 0: 0x40000040}
    places = []
    for place, target in elf.relocations():
        segment, offset = elf.holder(place, 8)
        struct.pack_into("<Q", segment.content, offset, image_base + first_section + target)
        places.append(first_section + place)
    sections = [(names[segment.flags & 3], first_section + segment.address, segment.size, bytes(segment.content),
                 kinds[segment.flags & 3]) for segment in sorted(elf.segments, key=lambda segment: segment.address)]
    end = align(sections[-1][1] + sections[-1][2], page)
    relocations = relocation_blocks(places) or struct.pack("<II", first_section, 8)
    return sections + [(b".reloc", end, len(relocations), relocations, 0x42000040)]


def headers_of(elf, sections, header_size, image_base):
    relocations = sections[-1]
    image_size = align(relocations[1] + relocations[2], page)
    directories = [(0, 0)] * 16
    directories[5] = relocations[1], relocations[2]
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, len(sections), 0, 0, 0, 240, 0x22)
    code = sum(align(len(content), file_alignment) for name, _, _, content, _ in sections if name == b".text")
    optional = struct.pack("<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", 0x20B, 14, 0, code, 0, 0, first_section + elf.entry,
                           first_section, image_base, page, file_alignment, 0, 0, 0, 0, 0, 0, 0, image_size,
                           header_size, 0, 10, 0x160, 0, 0, 0, 0, 0, 16)
    return dos + coff + optional + b"".join(struct.pack("<II", *entry) for entry in directories)


def convert(file, image_base):
    elf = Elf(file)
    sections = sections_of(elf, image_base)
    header_size = align(64 + 24 + 240 + 40 * len(sections), file_alignment)
    headers, body = headers_of(elf, sections, header_size, image_base), b""
    for name, address, size, content, kind in sections:
        raw = content.ljust(align(len(content), file_alignment), b"\0")
        headers += struct.pack("<8sIIIIIIHHI", name, size, address, len(raw), header_size + len(body) if raw else 0,
                               0, 0, 0, 0, kind)
        body += raw
    return headers.ljust(header_size, b"\0") + body


def check_output(chosen):
    """Only a PE file is worth less than what this writes."""
    if not os.path.exists(chosen.output) or not os.path.isfile(chosen.output):
        return
    with open(chosen.output, "rb") as file:
        if file.read(2) != b"MZ":
            raise Refusal(f"{chosen.output} is there and is no PE file: give another name, or remove it")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("elf", metavar="ELF", help="ET_DYN for x86-64, linked with the Microsoft entry point")
    options.add_argument("-o", "--output", required=True, help="PE file to write")
    options.add_argument("--image-base", type=lambda text: int(text, 0), default=0x2000000,
                         help="address that it prefers, of whole 64 KiB; default: 0x2000000")
    chosen = options.parse_args()
    if chosen.image_base % 0x10000 or not 0 <= chosen.image_base < 1 << 47:
        options.error(f"--image-base {chosen.image_base:#x} is no address of whole 64 KiB")
    unfinished = chosen.output + ".new"
    try:
        check_output(chosen)
        with open(chosen.elf, "rb") as file:
            converted = convert(file.read(), chosen.image_base)
        with open(unfinished, "wb") as file:
            file.write(converted)
        os.replace(unfinished, chosen.output)
    except (OSError, Refusal) as problem:
        print(f"{chosen.elf}: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
