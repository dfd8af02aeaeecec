# SPDX-License-Identifier: Apache-2.0
"""The inputs of a boot, and what a TD has of it: registers, log, TDREPORT, quote, computed without the tools."""

import os
import pathlib
import struct
import sys

for folder in ("vectors", "vm"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / folder))

from kernels import bzimage
from mrtd import mrtd
from support import COMMAND_LINE, TD_HOB, event, log_header, replayed, sha384

KERNEL = bzimage()
INITRD = bytes(reversed(range(256))) * 33 + b"odd"


def summed(content, at):
    """With the byte at `at` such that all of them come to 0."""
    changed = bytearray(content)
    changed[at] = -(sum(content) - content[at]) & 0xFF
    return bytes(changed)


def table(signature, content):
    """With a header that is good [ACPI 6.5, 5.2.6]."""
    return summed(struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(content), 2, 0, b"OEM", b"TABLE", 1, b"TEST", 1) + content, 9)


# What a loader script links: RSDP, and RSDT, MADT and some bytes in one file.
MADT = table(b"APIC", struct.pack("<II", 0xFEE00000, 0))


def root(*tables):
    """RSDT and the tables that it lists, as a loader script has them before it is run: offsets, and no checksum."""
    size = 36 + 4 * len(tables)
    places = [size + sum(map(len, tables[:i])) for i in range(len(tables))]
    return table(b"RSDT", struct.pack(f"<{len(tables)}I", *places)) + b"".join(tables)


TABLES = {"etc/acpi/rsdp": b"RSD PTR " + bytes(12), "etc/acpi/tables": root(MADT) + bytes(1000)}
CONTENTS = b"td_payload=bzimage td_initrd td_payload_info"
CONFIG, BLOB, SEPARATOR = 0xA, 0x8000000A, 4
IDENTITY = ("mrconfigid", "mrowner", "mrownerconfig")
REGISTERS = ("attributes", "xfam", *IDENTITY, "mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3")
SEPT_VE_DISABLE, DEBUG, XFAM = 1 << 28, 1, 0xE7
UNPINNED = "not compared with a policy: MRCONFIGID, MROWNER, MROWNERCONFIG, RTMR[2], RTMR[3]\n"


def partly_covered(events):
    """check's line on a log: so many events have a type, a name or an address that no digest covers."""
    return (f"covered by no register: the log's header, what is behind its events, parts of {events} events "
            "(shim-log decode names them)\n")


def log_of(events):
    """A log of this firmware's, which announces its end."""
    end = len(log_header(b"td_shim\0" + bytes(4))) + len(events)
    return log_header(b"td_shim\0" + struct.pack("<I", end)) + events


def allocate(name):
    return struct.pack("<I56sIB63x", 1, name.encode(), 16, 1)


def add_pointer(name, offset):
    """To a place in etc/acpi/tables."""
    return struct.pack("<I56s56sIB7x", 2, name.encode(), b"etc/acpi/tables", offset, 4)


def add_checksum(name, offset, size):
    return struct.pack("<I56sIII56x", 3, name.encode(), offset, 0, size)


def script(count):
    """For a root that lists so many tables."""
    return (b"".join(allocate(name) for name in TABLES) +
            b"".join(add_pointer("etc/acpi/tables", 36 + 4 * i) for i in range(count)) +
            add_checksum("etc/acpi/tables", 9, 36 + 4 * count) +
            add_pointer("etc/acpi/rsdp", 16) + add_checksum("etc/acpi/rsdp", 8, 20))


SCRIPT = script(1)


def config(descriptor, info):
    return struct.pack("<16sI", descriptor.encode(), len(info)) + info


def blob(name, place, size):
    return bytes([len(name)]) + name.encode() + struct.pack("<QQ", place, size)


def resource(start, size):
    """Memory that the TD is to accept."""
    return struct.pack("<HHI16sIIQQ", 3, 48, 0, bytes(16), 7, 7, start, size)


def td_hob(*hobs):
    body = b"".join(hobs or [resource(0, 1 << 30)])
    end = TD_HOB[0] + 56 + len(body) + 8
    return (struct.pack("<HHIIIQQQQQ", 1, 56, 0, 9, 0, 0, 0, 0, 0, end) + body + struct.pack("<HHI", 0xFFFF, 8, 0))


class Boot:
    """The inputs of a boot, each of which a test can change, and the log and TDREPORT that a TD would have."""

    def __init__(self, image, kernel=KERNEL, initrd=INITRD, text=COMMAND_LINE, hob=None, tables=None, script=SCRIPT):
        self.image, self.kernel, self.initrd, self.text = image, kernel, initrd, text
        self.hob, self.tables, self.script = hob or td_hob(), dict(tables or TABLES), script

    def events(self):
        files = {"etc/table-loader": self.script, **self.tables}
        accept, contents = config("accept", b"lazy"), config("td_contents", CONTENTS)
        return [(1, CONFIG, self.hob, config("td_hob", self.hob)), (1, CONFIG, accept, accept),
                *((1, BLOB, bytes([len(name) + 1]) + name.encode() + b"\0" + content, blob(name + "\0", 0x100000, len(content)))
                  for name, content in files.items()),
                (2, CONFIG, contents, contents), (2, BLOB, self.kernel, blob("td_payload\0", 0x2000000, len(self.kernel))),
                (2, BLOB, self.initrd, blob("td_initrd\0", 0x3000000, len(self.initrd))),
                (2, CONFIG, self.text, config("td_payload_info", self.text)),
                (1, SEPARATOR, bytes(4), bytes(4)), (2, SEPARATOR, bytes(4), bytes(4))]

    def log(self):
        return log_of(b"".join(event(register, kind, sha384(content), data)
                               for register, kind, content, data in self.events()))

    def put_acpi(self, folder):
        """Files as shim-measure --acpi takes them, below `folder`. Returns theirs."""
        place = os.path.join(folder, "files")
        os.makedirs(os.path.join(place, "etc", "acpi"), exist_ok=True)
        for name, content in {"etc/table-loader": self.script, **self.tables}.items():
            with open(os.path.join(place, name), "wb") as file:
                file.write(content)
        return place

    def register(self, number):
        return replayed([sha384(content) for register, _, content, _ in self.events() if register == number + 1])

    def report(self, rtmr3=bytes(48), attributes=SEPT_VE_DISABLE, xfam=XFAM):
        info = struct.pack("<QQ", attributes, xfam) + bytes.fromhex(mrtd(self.image)) + bytes(144)
        info += bytes.fromhex(self.register(0)) + bytes.fromhex(self.register(1)) + bytes(48) + rtmr3 + bytes(48 + 64)
        module = bytes(239)  # TEE_TCB_INFO
        return b"\x81" + bytes(31) + sha384(module) + sha384(info) + bytes(128) + module + bytes(17) + info

    def quote(self, version=4, **td):
        body = self.report(**td)[512:912]
        body = bytes(120) + body[:8] + body[8:16] + body[16:208] + body[208:400] + b"R" * 64
        between = b"" if version == 4 else struct.pack("<HI", 3, 648)
        return struct.pack("<HHI40x", version, 2, 0x81) + between + body + (bytes(64) if version == 5 else b"") + b"signature"
