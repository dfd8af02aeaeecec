#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mrtd.py IMAGE: MRTD of a TD that KVM builds from a firmware image, by the formula of td-shim's specification 0.7,
part I, "MRTD calculation", and by nothing of this project's: for comparison with shim-measure and td-emu. Tests import
it, for both orders in which a VMM may load an image."""

import hashlib
import itertools
import struct
import sys
import uuid

footer_guid = uuid.UUID("96b582de-1fb2-45f7-baea-a366c55a082d").bytes_le
metadata_guid = uuid.UUID("e47a6535-984a-4798-865e-4685a7bf8ec2").bytes_le


def descriptor_offset(image):
    """By the GUIDed table that ends 0x20 bytes before the image does."""
    end = len(image) - 0x20
    assert image[end - 16:end] == footer_guid
    end -= 18  # the table's own entry: length and GUID
    while image[end - 16:end] != metadata_guid:
        end -= struct.unpack_from("<H", image, end - 18)[0]
    return len(image) - struct.unpack_from("<I", image, end - 22)[0]


def added(page):
    return struct.pack("<16sQ104x", b"MEM.PAGE.ADD", page)


def extended(page, content):
    return b"".join(struct.pack("<16sQ104x", b"MR.EXTEND", page + at) + content[at:at + 0x100]
                    for at in range(0, 0x1000, 0x100))


def mrtd(image, order="page"):
    """`order`: "page" when each page is extended after it was added, "section" when all pages of a section are added
    before the first is extended."""
    at = descriptor_offset(image)
    hashed = hashlib.sha384()
    for number in range(struct.unpack_from("<I", image, at + 12)[0]):
        offset, raw, start, size, _, attributes = struct.unpack_from("<IIQQII", image, at + 16 + 32 * number)
        content = image[offset:offset + raw] + bytes(size - raw)
        pages = range(0, size, 0x1000)
        additions = [added(start + page) for page in pages]
        extensions = [extended(start + page, content[page:page + 0x1000]) if attributes & 1 else b"" for page in pages]
        pieces = additions + extensions if order == "section" else itertools.chain(*zip(additions, extensions))
        hashed.update(b"".join(pieces))
    return hashed.hexdigest()


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        print(mrtd(file.read()))
