#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shim-bundle against bundles.py and the cpio program: what they make it takes, what it makes they take, and the rest
is refused by both."""

import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))

# pylint: disable=wrong-import-position
import bundles
from bundles import bundle, entry, trailer
from reference import hash_of, payload_header, signed
from signing_case import SigningTest
from support import BOOT_SECTOR

KERNEL = BOOT_SECTOR + bytes(range(256)) * 7 + b"odd"
INITRD = bytes(reversed(range(256))) * 5 + b"o"
LINE = b"console=ttyS0 root=/dev/vda"
EVENTS = (b'# what cvmboot has, and ours\nPCR11:string:"os-image-identity":{"signer":"<filled in>","svn":"1","diskId":'
          b'"debian.cloud-12","eventVersion":"1"}\nPCR11:binary:00ff07\n\nRTMR2:string:signed by %SIGNER%.\n'
          b"RTMR3:string:policy 7, \"strict\"\nRTMR3:binary:ab\n")
PLAIN_EVENTS = b"RTMR2:string:a\nPCR11:binary:00\nRTMR3:string:b\n"


def pe_with(sections):
    """A PE file with these sections, each on a multiple of 0x200."""
    head = b"MZ" + bytes(0x3A) + b"\x80\0\0\0" + bytes(0x40) + b"PE\0\0"
    head += b"\x64\x86" + len(sections).to_bytes(2, "little") + bytes(12) + b"\x70\0\x22\0" + b"\x0b\2" + bytes(110)
    raw, body = 0x400, b""
    for name, content in sections.items():
        size = -(-len(content) // 0x200) * 0x200
        numbers = (len(content), 0x1000, size, raw + len(body))
        head += name.encode().ljust(8, b"\0") + b"".join(number.to_bytes(4, "little") for number in numbers)
        head += bytes(12) + b"\0\0\0\x40"
        body += content.ljust(size, b"\0")
    return head.ljust(raw, b"\0") + body


class BundleTest(SigningTest):
    def create(self, *options, kernel=KERNEL):
        path = self.path("bundle")
        self.good("shim-bundle", "create", "--kernel", self.put("vmlinuz", kernel), *options, "-o", path)
        return path

    def listed(self, file):
        return json.loads(self.good("shim-bundle", "list", file, "--json"))

    def verified(self, file, *options):
        result = json.loads(self.good("shim-bundle", "verify", file, *options, "--json"))
        self.assertTrue(result["good"])
        return result

    def not_verified(self, reason, file, *options):
        result = self.run_tool("shim-bundle", "verify", file, *options)
        self.assertEqual((result.returncode, result.stderr), (1, ""), result.stdout)
        self.assertEqual(result.stdout.count("\n"), 1)
        self.assertTrue(result.stdout.startswith(f"{file}: {reason}"), result.stdout)
        report = json.loads(self.run_tool("shim-bundle", "verify", file, *options, "--json").stdout)
        self.assertEqual((report["good"], report["reason"]), (False, result.stdout.rstrip("\n")))

    def check_members(self, report, members):
        self.assertEqual([(member["name"], member["size"], member["digest"]) for member in report["members"]],
                         [(name, len(data), hash_of(data).hex()) for name, data in members.items() if data])

    def check_events(self, report, text, signer):
        self.assertEqual([(event["register"], event["type"], event["digest"]) for event in report["events"]],
                         [(f"rtmr{register}", kind, hash_of(data).hex())
                          for register, kind, data in bundles.measured(text, signer)])


class FormTest(BundleTest):
    def test_what_python_writes_is_taken(self):
        for parts, policy in (((KERNEL,), {}), ((KERNEL, INITRD), {"initrd": "append"}),
                              ((KERNEL, b"", LINE), {"command_line": "append", "title": "x"}),
                              ((KERNEL, INITRD, LINE, PLAIN_EVENTS), {"title": "Debian 12 ~"})):
            file = bundle(*parts, lines=bundles.manifest(**policy))
            report = self.listed(self.put("file", file))
            self.assertEqual(report["manifest"], {"command_line": "refuse", "initrd": "refuse", "title": None, **policy})
            self.check_members(report, bundles.read(file))
            self.assertEqual(report["command_line"], LINE.decode() if len(parts) > 2 else None)
            self.check_events(report, parts[3] if len(parts) > 3 else b"", None)
            self.assertIsNone(report["signed"])

    def test_what_the_tool_writes_is_byte_for_byte_the_described_one(self):
        initrd, events = self.put("initrd", INITRD), self.put("events", EVENTS)
        line = self.put("line", LINE)
        for options, expected in (
                ((), bundle(KERNEL)),
                (("--append", ""), bundle(KERNEL)),
                (("--initrd", initrd, "--append", LINE.decode(), "--events", events, "--title", "A b"),
                 bundle(KERNEL, INITRD, LINE, EVENTS, bundles.manifest(title="A b"))),
                (("--append-file", line, "--command-line", "append"),
                 bundle(KERNEL, b"", LINE, lines=bundles.manifest("append"))),
                (("--initrd-policy", "append", "--command-line", "refuse"),
                 bundle(KERNEL, lines=bundles.manifest(initrd="append")))):
            self.assertEqual(self.read(self.create(*options)), expected)
            self.assertIsNotNone(bundles.read(expected))
        vmlinux = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0\x01\0\0\0" + bytes(8) + b"\x40" + bytes(7) + bytes(12)
        vmlinux += b"\x40\0\x38\0\x01\0\0\0\0\0\0\0" + b"\x01\0\0\0\5\0\0\0" + bytes(8)
        vmlinux += (0xFFFFFFFF81000000).to_bytes(8, "little") + (0x1000000).to_bytes(8, "little")
        vmlinux += bytes(8) + 2 * (0x1000).to_bytes(8, "little")
        self.assertEqual(self.read(self.create(kernel=vmlinux)), bundle(vmlinux))

    def test_cpio_lists_and_unpacks_it(self):
        file = self.create("--initrd", self.put("initrd", INITRD), "--append", LINE.decode(), "--events",
                           self.put("events", PLAIN_EVENTS))
        expected = bundles.read(self.read(file))
        programs = {"cpio": (["cpio", "-it"], ["cpio", "-i"]), "bsdtar": (["bsdtar", "-tf", "-"], ["bsdtar", "-xf", "-"])}
        self.assertIsNotNone(shutil.which("cpio"))
        for program, (names, unpack) in programs.items():
            if not shutil.which(program):
                continue
            folder = self.path(program)
            os.mkdir(folder)
            with open(file, "rb") as stream:
                listed = subprocess.run(names, stdin=stream, capture_output=True, check=True).stdout.decode()
            self.assertEqual(listed.split("\n")[:-1], list(expected))
            with open(file, "rb") as stream:
                subprocess.run(unpack, stdin=stream, cwd=folder, capture_output=True, check=True)
            self.assertEqual({name: self.read(os.path.join(folder, name)) for name in os.listdir(folder)}, expected)

    def test_a_common_archive_is_no_bundle(self):
        for name, data in (("manifest", bundles.manifest()), ("kernel", KERNEL)):
            self.put(name, data)
        file = subprocess.run(["cpio", "-o", "-H", "newc"], input=b"manifest\nkernel\n", cwd=self.folder,
                              capture_output=True, check=True).stdout
        self.assertIn("header field", self.bad("shim-bundle", "list", self.put("common", file)).stderr)

    def test_an_initrd_is_an_archive_too_and_a_payload_is_none(self):
        """What Linux takes, packed or not, with a processor's microcode before it or not."""
        self.put("manifest", b"of a guest")
        plain = subprocess.run(["cpio", "-o", "-H", "newc"], input=b"manifest\n", cwd=self.folder, capture_output=True,
                               check=True).stdout
        for initrd in (plain, gzip.compress(plain), plain + gzip.compress(plain), bytes(512), b"070701"):
            self.assertEqual(self.read(self.create("--initrd", self.put("initrd", initrd))), bundle(KERNEL, initrd))
        for kind, initrd in (("bzImage", KERNEL), ("Linux bundle", bundle(KERNEL)),
                             ("PE executable", pe_with({".text": b"x"}))):
            refused = self.bad("shim-bundle", "create", "--kernel", self.put("vmlinuz", KERNEL), "--initrd",
                               self.put("initrd", initrd), "-o", self.path("none"))
            self.assertIn(f"expected an initrd, found: {kind}", refused.stderr)

    def test_both_readers_refuse_the_same_files(self):
        good = bundle(b"k" * 9, b"i" * 5, b"quiet", b"RTMR2:string:x\n", bundles.manifest(title="t"))
        numbers = random.Random(7)
        taken = 0
        for _ in range(400):
            file = bytearray(good)
            for _ in range(numbers.choice((0, 1, 1, 1, 2))):
                file[numbers.randrange(len(file))] = numbers.choice(b"\0\n\r 01289AFaf~kz\xff")
            file = bytes(file[: numbers.choice((len(file),) * 9 + (numbers.randrange(len(file)),))])
            members = bundles.read(file)
            is_good = members is not None and bundles.measured(members.get("events", b""), bytes(48)) is not None
            result = self.run_tool("shim-bundle", "list", self.put("file", file))
            self.assertEqual(result.returncode, 0 if is_good else 2, (file, result))
            taken += is_good
        self.assertGreater(taken, 50)

    def test_what_is_wrong_is_refused_with_its_place(self):
        head, kernel = entry("manifest", bundles.manifest()), entry("kernel", KERNEL)
        end = len(head + kernel + trailer())
        for reason, file in (
                ("bytes behind its end at offset", bundle(KERNEL) + b"\0"),
                (f"bytes behind its end at offset {end:#x}", bundle(KERNEL) + entry("initrd", INITRD) + trailer()),
                ("input ends too early", bundle(KERNEL)[:-1]), ("input ends too early", b"070701"),
                ("lacks its manifest", kernel + trailer()), ("lacks its manifest or its kernel", head + trailer()),
                (f"a member twice at offset {len(head + kernel):#x}", head + kernel + kernel + trailer()),
                ("in another order", head + kernel + entry("cmdline", LINE) + entry("initrd", INITRD) + trailer()),
                ("does not belong there", head + kernel + entry("../etc/passwd", b"x") + trailer()),
                ("does not belong there", head + kernel + entry("./initrd", b"x") + trailer()),
                ("header field that is not", head + entry("kernel", b"x", mode=0o120777) + trailer()),
                ("header field that is not", head + entry("kernel", b"x", mtime=1) + trailer()),
                ("header field that is not", head + entry("kernel", b"x", nlink=2) + trailer()),
                ("eight hexadecimal digits", bundle(KERNEL).replace(b"000081A4", b"000081a4")),
                ("empty or too large", head + entry("kernel", b"") + trailer()),
                ("another line than expected", bundle(KERNEL, lines=bundles.manifest(initrd="measure"))),
                ("title is not printable", bundle(KERNEL, lines=bundles.manifest(title="x" * 65))),
                ("a NUL or a line end", bundle(KERNEL, b"", b"x\n")),
                ("for another register", bundle(KERNEL, b"", b"", b"PCR1:string:x\n"))):
            with self.subTest(reason):
                self.assertIn(reason, self.bad("shim-bundle", "list", self.put("wrong", file)).stderr)
        result = self.bad("shim-bundle", "list", self.put("kernel", KERNEL))
        self.assertIn("expected a Linux bundle or unified kernel image, found: bzImage", result.stderr)

    def test_a_unified_kernel_image_is_listed(self):
        sections = {".linux": KERNEL, ".initrd": INITRD, ".osrel": b"ID=x\n"}
        report = self.listed(self.put("uki", pe_with({**sections, ".cmdline": LINE + b"\n\0"})))
        self.assertEqual((report["kind"], report["manifest"], report["events"]), ("unified kernel image", None, []))
        self.check_members(report, {".linux": KERNEL, ".initrd": INITRD, ".cmdline": LINE, ".osrel": b"ID=x\n"})

    def test_an_event_that_is_refused_is_found_by_its_line(self):
        events = self.put("events", b"# one\nRTMR2:string:a\nRTMR1:string:x\n")
        self.assertEqual(self.bad("shim-bundle", "create", "--kernel", self.put("vmlinuz", KERNEL), "--events", events, "-o",
                                  self.path("none")).stderr,
                         f"shim-bundle: {events}: line 3: event is for another register than RTMR2 and RTMR3\n")

    def test_wrong_usage_leaves_no_file(self):
        kernel = self.put("vmlinuz", KERNEL)
        good = ("create", "--kernel", kernel, "-o", self.path("none"))
        for options in ((), ("list",), ("create", "--kernel", kernel), ("create", "-o", self.path("none")),
                        ("verify", self.create()), (*good, "--append", "x", "--append-file", kernel),
                        (*good, "--append", "x\ny"), (*good, "--append-file", self.put("line", b"x\n")),
                        (*good, "--append", "x" * 4097), (*good, "--append-file", self.put("empty", b"")),
                        (*good, "--initrd", self.put("empty", b"")), (*good, "--initrd", kernel), (*good, "--title", "x" * 65),
                        (*good, "--title", "x\ntitle y"), (*good, "--title", " x"), (*good, "--title", "\x7f"),
                        (*good, "--command-line", "ignore"), (*good, "--events", self.put("events", b"RTMR2:string:x")),
                        (*good, "--events", self.put("events", b"#" * 8192 + b"\n")),
                        ("create", "--kernel", self.create(), "-o", self.path("none")),
                        ("create", "--kernel", self.put("text", b"x" * 1000), "-o", self.path("none"))):
            with self.subTest(options):
                self.bad("shim-bundle", *options)
                self.assertFalse(os.path.exists(self.path("none")))


class SignedTest(BundleTest):
    def signed_bundle(self, key, events=EVENTS, svn=3):
        return self.put("signed-bundle", signed(key, bundle(KERNEL, INITRD, LINE, events), svn))

    def test_a_signed_bundle_has_its_events_with_the_signer(self):
        for key in self.both:
            file = self.signed_bundle(key)
            signer = hash_of(key.block())
            image = self.enroll("--key", key.public, "--min-svn", "3")
            for report in (self.listed(file), self.verified(file, "--public-key", key.public),
                           self.verified(file, "--firmware", image)):
                self.check_members(report, bundles.read(bundle(KERNEL, INITRD, LINE, EVENTS)))
                self.check_events(report, EVENTS, signer)
                self.assertEqual((report["signed"]["svn"], report["signed"]["key"]), (3, signer.hex()))
            text = self.good("shim-bundle", "verify", file, "--firmware", image)
            self.assertIn("good, Linux bundle", text)
            self.assertIn("SVN 3", text)
            self.assertIn(f"signed by {signer.hex()}.", text)

    def test_the_tools_work_together(self):
        file = self.create("--initrd", self.put("initrd", INITRD), "--events", self.put("events", EVENTS))
        self.payload = file
        report = self.verified(self.sign(self.ec, "--svn", "7"), "--public-key", self.ec.public)
        self.check_events(report, EVENTS, hash_of(self.ec.block()))
        self.assertEqual(report["signed"]["svn"], 7)
        self.accepted(self.path("signed"), "--public-key", self.ec.public, "--kind", "linux-bundle")

    def test_an_initrd_of_more_than_a_gibibyte(self):
        """The format has room for 4 GiB."""
        with open("/proc/meminfo", encoding="ascii") as file:
            available = int(re.search(r"^MemAvailable: +(\d+) kB$", file.read(), re.MULTILINE)[1])
        if available < 6 << 20:
            self.skipTest("less than 6 GiB of memory are free")
        size = (1 << 30) + 4099
        with open(self.path("large"), "wb") as file:
            file.write(b"first")
            file.seek(size - 4)
            file.write(b"last")
        self.payload = self.create("--initrd", self.path("large"))
        signed_file = self.sign(self.ec, "--svn", "2")
        report = self.verified(signed_file, "--public-key", self.ec.public)
        self.assertEqual({member["name"]: member["size"] for member in report["members"]}["initrd"], size)

    def test_an_unsigned_bundle_has_no_signer(self):
        asking = self.put("asking", bundle(KERNEL, INITRD, LINE, EVENTS))
        digests = [event["digest"] for event in self.listed(asking)["events"]]
        self.assertEqual([digest is None for digest in digests], [True, False, True, False, False])
        self.assertIn("signed by %SIGNER%.", self.good("shim-bundle", "list", asking))
        # With nothing enrolled a bundle runs, but nobody is its signer, whoever signed it.
        for file in (asking, self.signed_bundle(self.ec)):
            self.not_verified("event names the signer", file, "--firmware", self.image)
        for file in (self.put("plain", bundle(KERNEL, INITRD, LINE, PLAIN_EVENTS)),
                     self.signed_bundle(self.ec, PLAIN_EVENTS)):
            self.check_events(self.verified(file, "--firmware", self.image), PLAIN_EVENTS, None)

    def test_what_is_signed_wrongly_is_refused(self):
        key = ("--public-key", self.ec.public)
        good = self.read(self.signed_bundle(self.ec))
        self.not_verified(f"payload is not signed; it is to be by {self.ec.public}, key {hash_of(self.ec.block()).hex()}",
                          self.put("file", good[48:-192]), *key)
        self.not_verified(f"{self.ec.public}, key {hash_of(self.ec.block()).hex()}, did not sign it: it is signed by key "
                          f"{hash_of(self.other.block()).hex()}", self.signed_bundle(self.other), *key)
        self.not_verified("signature is not that", self.put("file", good[:300] + b"\1" + good[301:]), *key)
        self.not_verified("signed payload's signature block", self.put("file", good[:-1]), *key)
        image = self.enroll("--key", self.ec.public + ",svn=4")
        self.not_verified("payload's secure version number", self.signed_bundle(self.ec), "--firmware", image)
        image = self.enroll("--key", self.ec.public + ",for=executable")
        self.not_verified("payload's public key is not enrolled for its kind", self.signed_bundle(self.ec), "--firmware",
                          image)
        # What is signed well has to be a bundle too, and its events good.
        self.not_verified("expected a Linux bundle", self.put("file", signed(self.ec, KERNEL)), *key)
        self.not_verified("payload is no bzImage", self.put("file", signed(self.ec, b"text")), *key)
        file = bundle(KERNEL)
        self.not_verified(f"bundle has bytes behind its end at offset {48 + len(file):#x}",
                          self.put("file", signed(self.ec, file + b"\0")), *key)
        self.not_verified("event is of another type", self.signed_bundle(self.ec, b"RTMR2:text:x\n"), *key)
        self.bad("shim-bundle", "verify", self.signed_bundle(self.ec), *key, "--firmware", image)


class EventsTest(BundleTest):
    def test_both_readers_take_the_same_events(self):
        identity = b'PCR11:string:"os-image-identity":{"svn":"1","diskId":"d","eventVersion":"1"}\n'
        numbers = random.Random(11)
        taken = 0
        for _ in range(400):
            text = bytearray(numbers.choice((EVENTS, PLAIN_EVENTS, identity, PLAIN_EVENTS + PLAIN_EVENTS)))
            for _ in range(numbers.choice((0, 1, 1, 2))):
                at = numbers.randrange(len(text))
                text[at : at + numbers.choice((0, 1, 1))] = numbers.choice((b"", b" ", b"\n", b'"', b"#", b"a", b"0", b"%",
                                                                             b"}", b"3", b"G", b"\0", b"%SIGNER%"))
            expected = bundles.measured(bytes(text), hash_of(self.ec.block()))
            file = signed_unchecked(self.ec, bundle(KERNEL, b"", b"", bytes(text) or b"\n"))
            result = self.run_tool("shim-bundle", "list", self.put("file", file), "--json")
            self.assertEqual(result.returncode, 2 if expected is None else 0, (bytes(text), result))
            if expected is not None:
                self.check_events(json.loads(result.stdout), bytes(text), hash_of(self.ec.block()))
                taken += 1
        self.assertGreater(taken, 100)


def signed_unchecked(key, contents):
    """In the form of a signed payload; list does not look at the signature."""
    return payload_header(contents, 2) + contents + key.block() + bytes(96)


if __name__ == "__main__":
    unittest.main()
