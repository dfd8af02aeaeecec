# SPDX-License-Identifier: Apache-2.0
"""Linux bundles and their events from specs/secure-boot.md and cpio's description, sharing nothing with the code under
test: a writer, a strict reader, and what the events file has measured."""

import json
import re

MEMBERS = ("manifest", "kernel", "initrd", "cmdline", "events")
BOUNDS = {"manifest": 512, "cmdline": 4096, "events": 8192}
TRAILER = "TRAILER!!!"
IPL, EVENT_TAG = "EV_IPL", "EV_EVENT_TAG"


def padded(data):
    return data + bytes(-len(data) % 4)


def entry(name, contents, mode=0o100644, **others):
    fields = {"ino": 0, "mode": mode, "uid": 0, "gid": 0, "nlink": 1, "mtime": 0, "filesize": len(contents), "devmajor": 0,
              "devminor": 0, "rdevmajor": 0, "rdevminor": 0, "namesize": len(name) + 1, "check": 0}
    fields.update(others)
    head = "070701" + "".join(f"{value:08X}" for value in fields.values()) + name + "\0"
    return padded(head.encode()) + padded(contents)


def trailer():
    return entry(TRAILER, b"", mode=0)


def manifest(command_line="refuse", initrd="refuse", title=None):
    lines = ["tdshim-bundle 1", f"command-line {command_line}", f"initrd {initrd}"]
    return "".join(line + "\n" for line in lines + ([f"title {title}"] if title else [])).encode()


def bundle(kernel, initrd=b"", cmdline=b"", events=b"", lines=manifest()):
    contents = dict(zip(MEMBERS, (lines, kernel, initrd, cmdline, events)))
    return b"".join(entry(name, data) for name, data in contents.items() if data) + trailer()


def read(file):
    """The members of a bundle, or None when it is none. It is made again from them, which leaves no byte unexplained."""
    members, at = {}, 0
    while True:
        head = file[at : at + 110]
        if not re.fullmatch(rb"070701[0-9A-F]{104}", head):
            return None
        size, name_size = int(head[54:62], 16), int(head[94:102], 16)
        name = file[at + 110 : at + 110 + name_size][:-1].decode("latin-1")
        at += 110 + name_size + -(110 + name_size) % 4
        if name == TRAILER:
            break
        if name not in MEMBERS or name in members or not 0 < size <= BOUNDS.get(name, 1 << 32) or at + size > len(file):
            return None
        members[name] = file[at : at + size]
        at += size + -size % 4
    again = b"".join(entry(name, data) for name, data in members.items()) + trailer()
    is_whole = again == file and list(members) == [name for name in MEMBERS if name in members]
    if not is_whole or not {"manifest", "kernel"} <= set(members) or re.search(rb"[\0\r\n]", members.get("cmdline", b"")):
        return None
    title = rb"(title [!-~]([ -~]{0,62}[!-~])?\n)?"
    policies = rb"tdshim-bundle 1\ncommand-line (refuse|append)\ninitrd (refuse|append)\n"
    return members if re.fullmatch(policies + title, members["manifest"]) else None


def measured(text, signer=None):
    """(register, type, data) of each line, or None when the file is refused. `signer`: 48 bytes."""
    if len(text) > 8192 or (text and not text.endswith(b"\n")) or not re.fullmatch(rb"[\n -~]*", text):
        return None
    events = []
    for line in text.decode().split("\n"):
        if line.endswith(" "):
            return None
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"(RTMR2|RTMR3|PCR11):(string|binary):(.+)", line)
        if not match:
            return None
        register = 3 if match[1] == "RTMR3" else 2
        if match[2] == "binary":
            if not re.fullmatch("([0-9a-f]{2})+", match[3]):
                return None
            data = bytes.fromhex(match[3])
            event = (register, EVENT_TAG, b"TDSH" + len(data).to_bytes(4, "little") + data)
        else:
            string = with_signer(match[3], signer)
            if string is None or string == ".":
                return None
            event = (register, IPL, string.encode() + b"\0")
        if len(event[2]) > 1024:
            return None
        events.append(event)
    is_ordered = [event[0] for event in events] == sorted(event[0] for event in events)
    return events if is_ordered and len(events) <= 64 else None


def with_signer(text, signer):
    prefix = '"os-image-identity":'
    if text.startswith(prefix):
        value = r'"[^"\\]*"'
        form = rf'{{("signer":{value},)?"svn":{value},"diskId":{value},"eventVersion":{value}}}'
        if "%SIGNER%" in text or signer is None or not re.fullmatch(form, text.removeprefix(prefix)):
            return None
        members = json.loads(text.removeprefix(prefix))
        kept = {name: members[name] for name in ("svn", "diskId", "eventVersion")}
        return prefix + json.dumps({"signer": signer.hex(), **kept}, separators=(",", ":"))
    if "%SIGNER%" not in text:
        return text
    if signer is None or text.count("%SIGNER%") > 1:
        return None
    return text.replace("%SIGNER%", signer.hex())
