# SPDX-License-Identifier: Apache-2.0
"""A second reader of the event log, written from the format's rules and not from shim/formats, so that
the two check each other [TCG PC Client Platform Firmware Profile 1.05, 10; td-shim specification 0.7, 3.5]."""

import hashlib
import struct
from dataclasses import dataclass

no_action = 0x3
separator = 0x4
platform_config_flags = 0xA
platform_firmware_blob2 = 0x8000000A
algorithm_sha384 = 0x000C
end_of_log = 0xFFFFFFFF

error_digest = hashlib.sha384(b"\1\0\0\0").digest()
separator_digest = hashlib.sha384(b"\0\0\0\0").digest()

first_event = (
    struct.pack("<II20sI", 0, no_action, bytes(20), 45)
    + b"Spec ID Event03\0"
    + struct.pack("<IBBBBIHHB", 0, 0, 2, 105, 2, 1, algorithm_sha384, 48, 12)
    + b"td_shim\0")


def named_config(descriptor, info):
    """What the digest of a configuration event of the firmware's own covers: all of its data."""
    return struct.pack("<16sI", descriptor, len(info)) + info


def named_file(name, content):
    """What the digest of a file of the VMM's configuration covers: its name with a NUL, and their length, and the file."""
    return bytes([len(name) + 1]) + name + b"\0" + content


def contents(text):
    """The first event of RTMR[1]: which events follow."""
    return named_config(b"td_contents", text.encode())


@dataclass
class Event:
    mr_index: int
    kind: int
    digest: bytes
    data: bytes

    def blob(self):
        """(description, address, size) of a firmware blob event."""
        length = self.data[0]
        place, size = struct.unpack_from("<QQ", self.data, 1 + length)
        if len(self.data) != 1 + length + 16:
            raise ValueError("blob event has bytes behind its end")
        return self.data[1:1 + length], place, size

    def configuration(self):
        """(descriptor without padding, information) of a platform configuration event."""
        descriptor, length = struct.unpack_from("<16sI", self.data)
        information = self.data[20:]
        if len(information) != length:
            raise ValueError("configuration event has another length than it says")
        return descriptor.rstrip(b"\0"), information


class EventLog:
    """The events in `area`, the whole memory of the log; everything behind them must be 0xFF."""

    def __init__(self, area):
        self.area = area
        if area[:len(first_event)] != first_event:
            raise ValueError(f"unexpected first event: {area[:len(first_event)].hex()}")
        self.events = []
        self.size = len(first_event) + 4
        while self._is_event_next():
            self._take_event()
        announced, = struct.unpack_from("<I", area, len(first_event))
        if announced != self.size:
            raise ValueError(f"the header announces {announced} bytes, the events have {self.size}")
        if set(area[self.size:]) - {0xFF}:
            raise ValueError(f"bytes other than 0xFF behind the log's end at {self.size:#x}")

    def _is_event_next(self):
        left = len(self.area) - self.size
        return left >= 4 and struct.unpack_from("<I", self.area, self.size)[0] != end_of_log

    def _take_event(self):
        fixed = struct.Struct("<IIIH48sI")
        mr_index, kind, count, algorithm, digest, length = fixed.unpack_from(self.area, self.size)
        start = self.size + fixed.size
        if (count, algorithm) != (1, algorithm_sha384) or start + length > len(self.area):
            raise ValueError(f"no event at {self.size:#x}")
        self.events.append(Event(mr_index, kind, digest, self.area[start:start + length]))
        self.size = start + length

    def of_rtmr(self, rtmr):
        return [event for event in self.events if event.mr_index == rtmr + 1]

    def replay(self, rtmr):
        """The value that the register has after all its events."""
        value = bytes(48)
        for event in self.of_rtmr(rtmr):
            value = hashlib.sha384(value + event.digest).digest()
        return value
