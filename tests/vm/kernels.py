# SPDX-License-Identifier: Apache-2.0
"""Kernels for the tests: the smallest file that is a bzImage, each field of whose header a test can make
wrong, and whose code says on the serial port that it was entered [Linux Documentation/arch/x86/boot.rst]."""

import struct

setup_size = 1024
entry_offset = 0x200
message = b"stub: entered\r\n"
message_pattern = r"^stub: entered$"

# Offset and struct format of each header field that a test may set.
fields = {
    "setup_sects": (0x1F1, "<B"), "syssize": (0x1F4, "<I"), "boot_flag": (0x1FE, "<H"),
    "jump": (0x200, "<H"), "header": (0x202, "<I"), "version": (0x206, "<H"),
    "loadflags": (0x211, "<B"), "initrd_addr_max": (0x22C, "<I"), "kernel_alignment": (0x230, "<I"),
    "relocatable_kernel": (0x234, "<B"), "xloadflags": (0x236, "<H"), "cmdline_size": (0x238, "<I"),
    "pref_address": (0x258, "<Q"), "init_size": (0x260, "<I"),
}

valid = {
    "setup_sects": setup_size // 512 - 1, "boot_flag": 0xAA55, "jump": 0x6AEB,
    "header": int.from_bytes(b"HdrS", "little"), "version": 0x20F, "loadflags": 1,
    "initrd_addr_max": 0x7FFFFFFF, "kernel_alignment": 0x200000, "relocatable_kernel": 1,
    "xloadflags": 3, "cmdline_size": 2047, "pref_address": 0x1000000, "init_size": 0x100000,
}

print_and_halt = bytes.fromhex(
    "488d351e000000"  # lea rsi, [message]
    "fc"              # cld
    "ac"              # next: lodsb
    "84c0"            # test al, al
    "7414"            # jz done
    "88c3"            # mov bl, al
    "66bafd03"        # wait: mov dx, 0x3fd
    "ec"              # in al, dx
    "a820"            # test al, 0x20
    "74f7"            # jz wait
    "66baf803"        # mov dx, 0x3f8
    "88d8"            # mov al, bl
    "ee"              # out dx, al
    "ebe7"            # jmp next
    "fa"              # done: cli
    "f4"              # hlt
    "ebfc")           # jmp done


def stub_code(code=None, size=4096):
    """The protected-mode part: `code`, or the message, at the 64-bit entry point."""
    code = code or print_and_halt + message + b"\0"
    return (bytes(entry_offset) + code).ljust(size, b"\0")


def bzimage(code=None, **changes):
    """A bzImage of one page of code (see stub_code); `changes` are header fields."""
    body = stub_code(code)
    setup = bytearray(setup_size)
    for name, value in {**valid, "syssize": len(body) // 16, **changes}.items():
        offset, layout = fields[name]
        struct.pack_into(layout, setup, offset, value)
    return bytes(setup) + body


def header_field(kernel, name):
    offset, layout = fields[name]
    return struct.unpack_from(layout, kernel, offset)[0]
