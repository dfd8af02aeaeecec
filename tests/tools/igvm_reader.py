# SPDX-License-Identifier: Apache-2.0
"""An IGVM file for TDX, read strictly and by nothing of this project's: for comparison with what shim-ld writes and
shim-info and shim-measure say. Numbers from microsoft/igvm, igvm_defs 0.4."""

import hashlib
import struct
import zlib

PLATFORM, POLICY, AREA, PAGE, INSERT, REQUIRED, MEMORY_MAP, COMMAND_LINE = (
    0x1, 0x101, 0x301, 0x302, 0x303, 0x305, 0x30C, 0x30E)
FORMS = {PLATFORM: "<IBBHQ", POLICY: "<QII", AREA: "<QII", PAGE: "<QIIIHH", INSERT: "<QII", REQUIRED: "<QIIII",
         MEMORY_MAP: "<II", COMMAND_LINE: "<II"}
PAGE_SIZE = 4096


def headers_of(file):
    """(type, fields) of every variable header, which fill their place without gaps."""
    magic, version, start, size, total, checksum = struct.unpack_from("<4sIIIII", file)
    assert (magic, version, start, total) == (b"IGVM", 1, 24, len(file)), (magic, version, start, total)
    assert checksum == zlib.crc32(file[:20] + bytes(4) + file[24:24 + size])
    at, found = start, []
    while at < start + size:
        kind, length = struct.unpack_from("<II", file, at)
        assert length == struct.calcsize(FORMS[kind]), (hex(kind), length)
        found.append((kind, struct.unpack_from(FORMS[kind], file, at + 8)))
        at += 8 + length + -length % 8
    assert at == start + size
    assert [kind >> 8 for kind, _ in found] == sorted(kind >> 8 for kind, _ in found)
    return found


def pages_of(file):
    """What a loader adds, page by page: (address, content, whether it is measured). Content of a parameter area is
    None."""
    areas, pages, data = {}, [], 24 + struct.unpack_from("<I", file, 12)[0]
    for kind, fields in headers_of(file):
        if kind == AREA:
            size, index, offset = fields
            assert index not in areas and size % PAGE_SIZE == 0 and offset == 0
            areas[index] = size
        elif kind == PAGE:
            address, mask, offset, flags, page_type, reserved = fields
            assert address % PAGE_SIZE == 0 and (mask, page_type, reserved) == (1, 0, 0) and flags in (0, 2)
            assert offset == 0 or data <= offset <= len(file) - PAGE_SIZE
            pages.append((address, file[offset:offset + PAGE_SIZE] if offset else bytes(PAGE_SIZE), flags == 0))
        elif kind == INSERT:
            address, mask, index = fields
            assert address % PAGE_SIZE == 0 and mask == 1
            pages += [(address + page, None, False) for page in range(0, areas.pop(index), PAGE_SIZE)]
    assert not areas and len({address for address, _, _ in pages}) == len(pages)
    return pages


def mrtd(file):
    digest = hashlib.sha384()
    for address, content, is_measured in pages_of(file):
        digest.update(struct.pack("<16sQ104x", b"MEM.PAGE.ADD", address))
        for at in range(0, PAGE_SIZE, 256) if is_measured else ():
            digest.update(struct.pack("<16sQ104x", b"MR.EXTEND", address + at) + content[at:at + 256])
    return digest.hexdigest()
