#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The host tools as a user meets them: shim-ld, shim-info and shim-log on good inputs and on broken ones.
ctest runs it; TDSHIM_BIN names the tools' folder."""

import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

from kernels import bzimage
from support import (
    BOOT_SECTOR, BFV, BIN, CFV_SIZE, COMMAND_LINE, FOOTER, GRANULE, HOB, HOB_BYTES, IMAGE_END, INFO_ENTRY, KERNEL, LOG,
    LOG_EVENTS, LOG_HEADER, MIN_IMAGE_SIZE, TOOLS, ToolTest, elf, event, foreign_image, log_header, replayed,
    reset_vector, sha384,
)

__all__ = ["CommonTest", "InfoTest", "LogTest"]


class CommonTest(ToolTest):
    def test_help_shows_an_example_and_the_exit_codes(self):
        for tool in TOOLS:
            with self.subTest(tool):
                text = self.good(tool, "--help")
                self.assertRegex(text, rf"example: {tool} \S+")
                self.assertIn("2 bad input or usage", text)
                self.assertRegex(self.good(tool, "--version"), rf"^{tool} \(tdshim\) \d+\.\d+\.\d+\n$")

    def test_help_of_a_subcommand_shows_its_own_example(self):
        for tool in TOOLS:
            listed = re.search(r"^Subcommands:\n((?:  .*\n)+)", self.good(tool, "--help"), re.MULTILINE)
            for name in re.findall(r"^  (\w+)", listed[1], re.MULTILINE) if listed else []:
                with self.subTest(f"{tool} {name}"):
                    text = self.good(tool, name, "--help")
                    self.assertRegex(text, rf"example: {tool} {name} \S+")
                    self.assertIn("2 bad input or usage", text)

    def test_an_error_is_an_object_where_json_is_asked_for(self):
        missing = os.path.join(self.folder, "missing")
        for tool, *command in (("shim-info", missing), ("shim-log", "decode", missing), ("shim-check", missing)):
            with self.subTest(tool):
                result = self.run_tool(tool, *command, "--json")
                self.assertEqual(result.returncode, 2)
                self.assertEqual(json.loads(result.stdout), {"schema": "error/1",
                                                             "error": result.stderr.removeprefix(f"{tool}: ").rstrip()})

    def test_an_option_of_a_subcommand_in_the_wrong_place_is_led_there(self):
        self.assertEqual(self.bad("shim-sign", "payload", "--kind", "foo").stderr,
                         'shim-sign: does not take "--kind" "foo": --kind is an option of "shim-sign verify" '
                         "(see shim-sign --help)\n")

    def test_what_was_given_in_place_of_another_is_named(self):
        image = os.path.join(self.folder, "final.bin")
        self.good("shim-ld", self.put("reset", reset_vector()), self.put("shim", elf()), "-o", image)
        kernel, initrd = self.put("kernel", bzimage()), self.put("initrd", b"\x1f\x8b" + bytes(0x1000))
        self.assertIn("it looks like a Linux kernel\n", self.bad("shim-info", kernel).stderr)
        self.assertIn("it looks like a Linux kernel\n", self.bad("shim-check", kernel, "--vmm", "qemu").stderr)
        for payload, look in ((initrd, "an initrd or another archive"), (image, "a firmware image")):
            error = self.bad("shim-measure", image, "--vmm", "none", "--kernel", payload).stderr
            self.assertTrue(error.endswith(f"; it looks like {look}\n"), error)
        report = self.put("report", b"\x81" + bytes(1023))
        self.assertTrue(self.bad("shim-log", "check", report, "--quote", report).stderr.endswith("; it looks like a TDREPORT\n"))

    def test_wrong_usage_is_code_2(self):
        for tool in TOOLS:
            with self.subTest(tool):
                self.bad(tool)
                self.bad(tool, "--no-such-option")

    def test_a_file_that_cannot_be_read_is_named(self):
        missing = os.path.join(self.folder, "missing")
        for tool, *command in (("shim-info",), ("shim-log", "decode"), ("shim-log", "replay"), ("shim-measure",)):
            with self.subTest(tool):
                self.assertEqual(self.bad(tool, *command, missing).stderr,
                                 f"{tool}: {missing}: cannot open: No such file or directory\n")
                self.assertIn("Is a directory", self.bad(tool, *command, self.folder).stderr)

    def test_output_that_cannot_be_written_is_code_2(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            result = subprocess.run([os.path.join(BIN, "shim-log"), "decode", self.put("log", LOG)], stdout=full,
                                    stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual((result.returncode, result.stderr), (2, "shim-log: cannot write to standard output\n"))


    def seen_on_a_terminal(self, *command):
        """What the tool wrote there."""
        master, terminal = pty.openpty()
        process = subprocess.Popen([os.path.join(BIN, command[0]), *command[1:]], stdout=subprocess.DEVNULL, stderr=terminal)
        os.close(terminal)
        seen = b""
        try:
            while piece := os.read(master, 65536):
                seen += piece
        except OSError:  # the last writer has gone
            pass
        os.close(master)
        self.assertEqual(process.wait(), 0, seen)
        return seen.decode()

    def test_a_large_file_shows_progress_on_a_terminal(self):
        key, signed, bundle = (os.path.join(self.folder, name) for name in ("key.pem", "signed", "bundle"))
        subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", key], check=True)
        large, small = os.path.join(self.folder, "large"), self.put("small", b"payload")
        with open(large, "wb") as file:
            file.truncate(65 << 20)
        seen = self.seen_on_a_terminal("shim-sign", large, "--key", key, "--svn", "1", "-o", signed)
        for step in ("reading", "reading, 50 %", "signing", "checking", "writing, 49 %", "hashing, 50 %"):
            self.assertIn(f"\r\x1b[K{large if step[0] in 'rsc' else signed}: {step}", seen)
        self.assertTrue(seen.endswith("\r\x1b[K"), seen[-100:])
        self.assertEqual(self.seen_on_a_terminal("shim-sign", small, "--key", key, "--svn", "1", "-o", signed), "")
        seen = self.seen_on_a_terminal("shim-bundle", "create", "--kernel", self.put("kernel", bzimage()), "--initrd", large,
                                       "-o", bundle)
        self.assertIn(f"{bundle}: writing", seen)
        self.assertIn(f"{bundle}: hashing", self.seen_on_a_terminal("shim-bundle", "list", bundle))


class InfoTest(ToolTest):
    def test_an_image_of_ours(self):
        payload = (BOOT_SECTOR + b"kernel" * 1000)[:6000]
        image = os.path.join(self.folder, "final.bin")
        self.good("shim-ld", self.put("reset", reset_vector()), self.put("shim", elf()), "-o", image,
                  "--payload", self.put("payload", payload))
        size = MIN_IMAGE_SIZE + GRANULE
        text = self.good("shim-info", image)
        self.assertIn(f"{size} bytes (384 KiB)", text)
        self.assertIn("descriptor at offset 0x5fc10, found by the footer table; pointer at end - 0x20: 0x5fc10", text)
        self.assertRegex(text, r" CFV +0x0 +0x10000 +0xfffa0000 - 0xfffaffff +0x10000 +MR.EXTEND\n")
        self.assertIn(f"payload of 6000 bytes at offset 0x10000, bzImage, sha384 {sha384(payload).hex()}", text)
        report = json.loads(self.good("shim-info", "--json", image))
        self.assertEqual(report["image_size"], size)
        self.assertEqual(report["payload"], {"kind": "bzImage", "offset": CFV_SIZE, "size": 6000, "digest": sha384(payload).hex()})
        self.assertEqual((report["profile"], report["td_info"]), ("qemu", None))
        self.assertEqual(report["image_info"], {"image_size": size, "payload_from_end": size - CFV_SIZE,
                                                "payload_size": 6000, "options": []})
        self.assertEqual(report["metadata"]["found_by"], "footer")
        self.assertEqual(report["metadata"]["sections"][0], {
            "type": 0, "name": "BFV", "data_offset": CFV_SIZE, "raw_size": size - CFV_SIZE,
            "memory_address": IMAGE_END - size + CFV_SIZE, "memory_size": size - CFV_SIZE, "attributes": 1,
            "attribute_names": ["MR.EXTEND"]})

    def test_images_of_other_makes(self):
        ovmf = json.loads(self.good("shim-info", "--json", self.put("image", foreign_image([BFV, HOB]))))
        self.assertEqual(ovmf["metadata"]["found_by"], "footer")
        self.assertIsNone(ovmf["metadata"]["legacy_pointer"])
        self.assertIsNone(ovmf["image_info"])
        old = self.good("shim-info", self.put("image", foreign_image([BFV, HOB, (0, 0, 0x900000, 0x1000, 4, 0x82)],
                                                                     footer=False, pointer=0x110)))
        self.assertIn("descriptor at offset 0x110, found by the pointer at end - 0x20", old)
        self.assertRegex(old, r" PermMem +- +- +0x900000 - 0x900fff +0x1000 +PAGE.AUG 0x80\n")
        self.assertIn("an image of another make", old)

    def test_td_information(self):
        image = os.path.join(self.folder, "final.bin")
        guid = "6f1d3b1c-5a0e-4c53-9f63-6b2f5d0c7a92"
        self.good("shim-ld", self.put("reset", reset_vector()), self.put("shim", elf()), "-o", image, "--profile",
                  "service-td", "--payload", self.put("payload", BOOT_SECTOR), "--td-info-guid", guid,
                  "--td-info-version", "3", "--td-info-svn", "7", "--td-info-data", self.put("data", b"seven b"))
        self.assertIn(f"profile: service-td\nTD information: {guid}, version 3, SVN 7, 7 bytes of data\n",
                      self.good("shim-info", image))
        report = json.loads(self.good("shim-info", "--json", image))
        self.assertEqual(report["td_info"], {"guid": guid, "version": 3, "svn": 7, "data_size": 7})

    def test_what_is_no_image_or_broken_is_refused(self):
        good = foreign_image([BFV, HOB])
        info = struct.pack("<IIIIH", 0x20000, 0x20001, 1, 0, 34) + INFO_ENTRY
        table = info + good[-72:-50] + struct.pack("<H", 74) + FOOTER
        other_size = struct.pack("<IIIIH", 0x40000, 0, 0, 0, 34) + INFO_ENTRY + good[-72:-50] + struct.pack("<H", 74) + FOOTER
        cases = {
            "input ends too early at offset 0x0: expected 0x32, found 0x0": b"",
            "not a TDVF image at offset 0xfd0: expected 0x96b582de, found 0x0": bytes(0x1000),
            "not a TDVF image at offset 0x1ffcf: expected 0x96b582de, found 0xb582de00": good[:-1],
            "TDX metadata lies outside the image at offset 0xfb8: expected 0x1000, found 0x1fef0": good[-0x1000:],
            "section data lies outside the image at offset 0x124: expected 0x20000, found 0x20001":
                foreign_image([(0, 0x20001, 0xFF000000, 0x21000, 0, 1), HOB]),
            "section data lies outside the image at offset 0x120: expected 0x20000, found 0x40000":
                foreign_image([(0x40000, 0x1000, 0xFF000000, 0x1000, 0, 1), HOB]),
            "section type is unknown at offset 0x158: expected 0x8, found 0x9":
                foreign_image([BFV, (0, 0, 0x900000, 0x1000, 9, 0), HOB]),
            "section is not aligned to 4 KiB at offset 0x148: expected 0x809000, found 0x809001":
                foreign_image([BFV, (0, 0, 0x809001, 0x2000, 2, 0)]),
            "sections overlap in memory at offset 0x168: expected 0x80b000, found 0x80a000":
                foreign_image([BFV, HOB, (0, 0, 0x80A000, 0x1000, 3, 0)]),
            "TDX metadata has neither a TD_HOB nor a PermMem section at offset 0x110: expected 0x1, found 0x0": foreign_image([BFV]),
            "TDX metadata version is not 1 at offset 0x118: expected 0x1, found 0x2":
                good[:0x118] + b"\x02" + good[0x119:],
            "embedded payload lies outside the image at offset 0x1ff96: expected 0x20000, found 0x20001":
                good[: -0x20 - len(table)] + table + good[-0x20:],
            "image information states a size that the image does not have at offset 0x20000: "
            "expected 0x20000, found 0x40000": good[: -0x20 - len(table)] + other_size + good[-0x20:],
        }
        for message, image in cases.items():
            for options in ((), ("--json",)):
                with self.subTest(message, options=options):
                    path = self.put("image", image)
                    result = self.bad("shim-info", path, *options)
                    self.assertTrue(result.stderr.startswith(f"shim-info: {path}: "), result.stderr)
                    self.assertTrue(result.stderr.endswith(message + "\n"), result.stderr)
                    if options:
                        self.assertEqual(json.loads(result.stdout)["error"], result.stderr.removeprefix("shim-info: ").rstrip())
                    else:
                        self.assertEqual(result.stdout, "")


class LogTest(ToolTest):
    area = LOG + b"\xff" * (0x10000 - len(LOG))

    def test_a_log_is_decoded_and_replayed(self):
        report = json.loads(self.good("shim-log", "decode", "--json", self.put("CCEL", self.area)))
        self.assertEqual(report["vendor_info"], "td_shim")
        self.assertEqual((report["used"], report["size"]), (len(LOG), 0x10000))
        separator = sha384(bytes(4))
        self.assertEqual(report["registers"], {
            "rtmr0": replayed([sha384(HOB_BYTES), separator]),
            "rtmr1": replayed([sha384(KERNEL), sha384(COMMAND_LINE), separator]),
            "rtmr2": bytes(48).hex(),
            "rtmr3": bytes(48).hex(),
        })
        self.assertEqual([item["description"] for item in report["events"]],
                         ["td_hob", "td_payload", "td_payload_info", "", ""])
        self.assertEqual([item["register"] for item in report["events"]],
                         ["rtmr0", "rtmr1", "rtmr1", "rtmr0", "rtmr1"])
        self.assertEqual(report["events"][1], {
            "offset": len(LOG_HEADER) + len(LOG_EVENTS[0]), "mr_index": 2, "register": "rtmr1", "type": 0x8000000A,
            "type_name": "EV_EFI_PLATFORM_FIRMWARE_BLOB2", "description": "td_payload", "digest": sha384(KERNEL).hex(),
            "size": 28, "summary": "2048 bytes at 0x1000000 - 0x10007ff", "data": LOG_EVENTS[1][66:].hex(),
            "covered": "nothing", "not_covered": ["type", "name", "address", "size"], "is_what_was_measured": True,
            "appended_by_os": False})
        self.assertEqual([item["covered"] for item in report["events"]],
                         ["content", "nothing", "content", "data", "data"])
        self.assertEqual(report["differences"], [])

    def test_the_text_shows_the_same(self):
        text = self.good("shim-log", "decode", self.put("CCEL", self.area))
        self.assertRegex(text, r" 0x48 +RTMR\[0\] +EV_PLATFORM_CONFIG_FLAGS +td_hob\n +" + sha384(HOB_BYTES).hex())
        self.assertIn('"console=ttyS0 root=/dev/vda"', text)
        self.assertIn("  RTMR[1] " + replayed([sha384(KERNEL), sha384(COMMAND_LINE), sha384(bytes(4))]) + "\n", text)
        self.assertIn(f"{len(LOG)} of 65536 bytes used\nnot covered by any register: the log's header, ", text)
        self.assertRegex(text, r"2048 bytes at .*\n +not covered: type, name, address, size\n")
        self.assertRegex(text, r"\(end of the firmware's measurements\)\n +not covered: type\n")

    def test_what_was_not_measured_is_marked(self):
        """A text that was changed behind its digest; all is printed, and the exit code says it."""
        path = self.put("CCEL", self.area.replace(b"console=ttyS0", b"console=ttyS1"))
        text = self.run_tool("shim-log", "decode", path)
        self.assertEqual((text.returncode, text.stderr), (1, ""))
        self.assertRegex(text.stdout, r'"console=ttyS1 .*"\n +not what was measured: the digest is of other data\n')
        self.assertRegex(text.stdout, r"\ndiffers: RTMR\[1\] event 1 at offset 0x\w+: td_payload_info is not what was measured")
        report = json.loads(self.run_tool("shim-log", "decode", path, "--json").stdout)
        self.assertEqual([item["is_what_was_measured"] for item in report["events"]], [True, True, False, True, True])
        self.assertEqual(report["events"][2]["not_covered"], ["type", "data"])
        self.assertEqual(self.good("shim-log", "replay", path), self.good("shim-log", "replay", self.put("good", self.area)))

    def test_a_log_may_end_in_zeros(self):
        report = json.loads(self.good("shim-log", "decode", "--json", self.put("CCEL", LOG + bytes(1 << 20))))
        self.assertEqual((report["used"], report["size"]), (len(LOG), len(LOG) + (1 << 20)))

    def test_events_that_extend_nothing_are_not_replayed(self):
        log = log_header(b"another") + event(0, 0x8000000A, sha384(b"x"), b"") + event(3, 3, sha384(b"y"), b"") + event(
            4, 5, sha384(b"z"), b"an action")
        report = json.loads(self.good("shim-log", "decode", "--json", self.put("CCEL", log)))
        self.assertEqual(report["registers"]["rtmr2"], bytes(48).hex())
        self.assertEqual(report["registers"]["rtmr3"], replayed([sha384(b"z")]))
        self.assertEqual([item["register"] for item in report["events"]], ["mrtd", "rtmr2", "rtmr3"])
        self.assertEqual(report["events"][2]["type_name"], "EV_ACTION")
        self.assertEqual(report["events"][2]["summary"], '"an action"')

    def test_an_error_separator_shows_its_reason(self):
        log = LOG_HEADER + event(1, 4, sha384(b"\x01\0\0\0"), b"\x01\0\0\0kernel: no boot flag")
        self.assertIn('0x1 (error) "kernel: no boot flag"', self.good("shim-log", "decode", self.put("CCEL", log)))

    def test_bytes_of_the_log_cannot_steer_the_terminal(self):
        data = struct.pack("<16sI", b"\x1b[2Jx\xff", 0)
        log = LOG_HEADER + event(1, 0xA, sha384(data), data)
        decoded = self.run_tool("shim-log", "decode", self.put("CCEL", log))
        self.assertEqual((decoded.returncode, decoded.stderr), (1, ""))
        self.assertNotIn("\x1b", decoded.stdout)
        self.assertIn("\\x1b[2Jx\\xff", decoded.stdout)
        self.assertIn("its name is not printable text", decoded.stdout)
        json.loads(self.run_tool("shim-log", "decode", "--json", self.put("CCEL", log)).stdout)

    def test_garbage_at_the_end_is_an_error_after_what_was_decoded(self):
        at = len(LOG)
        cases = {
            f"input ends too early at offset {at:#x}: expected 0x42, found 0x28": b"\1" * 40,
            f"input ends too early at offset {at + 66:#x}: expected 0x3e8, found 0x1":
                event(1, 4, bytes(48), bytes(1000))[:67],
            f"names a measurement register that does not exist at offset {at:#x}: expected 0x4, found 0x7":
                event(7, 4, bytes(48), b""),
            f"does not hold exactly one SHA-384 digest at offset {at:#x}: expected 0x1, found 0x0": b"\1" + bytes(65),
        }
        for message, tail in cases.items():
            with self.subTest(message):
                path = self.put("CCEL", LOG + tail)
                text = self.bad("shim-log", "decode", path)
                self.assertTrue(text.stderr.endswith(message + "\n"), text.stderr)
                self.assertIn("td_payload_info", text.stdout)
                self.assertNotIn("registers after replay", text.stdout)
                report = json.loads(self.bad("shim-log", "decode", "--json", path).stdout)
                self.assertEqual((len(report["events"]), report["used"]), (5, at))
                self.assertNotIn("registers", report)
                self.assertIn(report["error"], text.stderr)

    def test_what_is_no_log_is_refused(self):
        cases = {
            "input ends too early at offset 0x0: expected 0x20, found 0x0": b"",
            "does not begin with a Spec ID Event03 header at offset 0x20":
                LOG_HEADER.replace(b"Event03", b"Event02"),
            "does not hold exactly one SHA-384 digest at offset 0x20: expected 0xc, found 0xb":
                LOG_HEADER.replace(struct.pack("<HH", 0xC, 48), struct.pack("<HH", 0xB, 32)),
        }
        for message, log in cases.items():
            with self.subTest(message):
                result = self.bad("shim-log", "decode", self.put("CCEL", log))
                self.assertTrue(result.stderr.endswith(message + "\n"), result.stderr)
                self.assertEqual(result.stdout, "")


if __name__ == "__main__":
    unittest.main()
