#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shim-measure and shim-log check, without any VMM: registers that Python computes too, a policy that goes from one
tool to the other, and tampering, of which the right event is named."""

import json
import os
import pathlib
import struct
import sys
import unittest

for folder in ("vectors", "vm"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / folder))

from kernels import bzimage
from measured_boot import (
    DEBUG, IDENTITY, INITRD, KERNEL, MADT, REGISTERS, SEPT_VE_DISABLE, TABLES, UNPINNED, Boot, allocate, config, log_of,
    partly_covered, resource, root, script, table, td_hob,
)
from mrtd import mrtd
from support import CFV_SIZE, COMMAND_LINE, ToolTest, elf, event, log_header, replayed, reset_vector, sha384


class MeasureTest(ToolTest):
    def setUp(self):
        super().setUp()
        image = os.path.join(self.folder, "final.bin")
        self.good("shim-ld", self.put("vector", reset_vector()), self.put("elf", elf()), "-o", image)
        with open(image, "rb") as file:
            self.boot = Boot(file.read())

    def arguments(self, boot):
        return ["shim-measure", self.put("image", boot.image), "--kernel", self.put("kernel", boot.kernel), "--initrd",
                self.put("initrd", boot.initrd), "--append-file", self.put("text", boot.text), "--hob",
                self.put("hob", boot.hob), "--acpi", boot.put_acpi(self.folder)]

    def predict(self, *more, boot=None):
        return json.loads(self.good(*self.arguments(boot or self.boot), "--json", *more))

    def policy(self, *more, name="policy.json"):
        return self.put(name, self.good(*self.arguments(self.boot), "--format", "policy", *more).encode())

    def debug_policy(self, attributes, name="debug.json"):
        """One that shim-measure warns of."""
        result = self.run_tool(*self.arguments(self.boot), "--format", "policy", "--attributes", hex(attributes))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, f"shim-measure: WARNING: --attributes has {hex(attributes & 0xFF)} of the bits 7 to 0: this "
                                        "policy accepts a TD under debug, which proves nothing\n")
        return self.put(name, result.stdout.encode())

    def test_registers_are_those_that_python_computes(self):
        found = self.predict()
        self.assertEqual(found["mrtd"], mrtd(self.boot.image))
        self.assertEqual((found["rtmr0"], found["rtmr1"]), (self.boot.register(0), self.boot.register(1)))
        self.assertEqual((found["rtmr2"], found["rtmr3"]), (bytes(48).hex(), bytes(48).hex()))
        self.assertEqual(found["tdinfo_hash"], sha384(self.boot.report()[512:]).hex())

    def test_the_load_order_changes_mrtd_alone(self):
        found = self.predict("--load-order", "section")
        self.assertEqual(found["mrtd"], mrtd(self.boot.image, "section"))
        self.assertNotEqual(found["mrtd"], mrtd(self.boot.image))
        self.assertEqual(found["rtmr0"], self.boot.register(0))

    def test_the_identity_of_a_td_is_in_its_hash_alone(self):
        plain = self.predict()
        for option, value in (("--mrconfigid", "ab" * 48), ("--mrowner", "01" * 48), ("--mrownerconfig", "7f" * 48),
                              ("--attributes", "0x50000000"), ("--xfam", "0x600e7")):
            with self.subTest(option):
                found = self.predict(option, value)
                self.assertNotEqual(found.pop("tdinfo_hash"), plain["tdinfo_hash"])
                changed = {option[2:]: value} if option[2:] in REGISTERS else {}
                self.assertEqual(found, {**{key: value for key, value in plain.items() if key != "tdinfo_hash"}, **changed})

    def refusal(self, boot):
        return self.bad(*self.arguments(boot)).stderr

    def with_tables(self, *tables, **changes):
        image = changes.pop("image", self.boot.image)
        return Boot(image, tables={**TABLES, "etc/acpi/tables": root(*tables), **changes}, script=script(len(tables)))

    def test_what_the_firmware_refuses_of_acpi_files_is_no_prediction(self):
        fadt, ssdt = table(b"FACP", bytes(240)), table(b"SSDT", b"code")
        mailbox = table(b"APIC", struct.pack("<II", 0, 0) + struct.pack("<BBHIQ", 0x10, 16, 0, 0, 0x1000))
        bad_rsdp = {"etc/acpi/rsdp": b"RSD PTX " + bytes(12)}
        bad_sum = bytes([*MADT[:40], MADT[40] ^ 1, *MADT[41:]])
        for boot, words in ((self.with_tables(ssdt), "etc/acpi/rsdp: ACPI tables hold no MADT"),
                            (self.with_tables(MADT, bad_sum), "etc/acpi/rsdp: ACPI table has a wrong checksum"),
                            (self.with_tables(MADT, **bad_rsdp), "etc/acpi/rsdp: ACPI table has a wrong signature"),
                            (self.with_tables(mailbox), "MADT of the VMM holds a wakeup mailbox of its own"),
                            (self.with_tables(MADT, fadt, fadt), "ACPI tables hold two FADTs"),
                            (self.with_tables(MADT, table(b"CCEL", bytes(20))), "event log")):
            with self.subTest(words):
                self.assertIn(words, self.refusal(boot))
        self.predict(boot=self.with_tables(MADT, ssdt))

    def test_an_executable_gets_no_table_that_no_hob_can_hold(self):
        for size, is_held in ((65504 - 36, True), (65505 - 36, False)):
            boot = self.with_tables(MADT, table(b"SSDT", bytes(size)))
            command = ["shim-measure", self.put("image", boot.image), "--kernel", self.put("elf", elf()), "--hob",
                       self.put("hob", boot.hob), "--acpi", boot.put_acpi(self.folder)]
            with self.subTest(size):
                if is_held:
                    self.good(*command)
                else:
                    self.assertIn("SSDT has 65505 bytes, and an executable gets its tables in HOBs, of which each holds 65504", self.bad(*command).stderr)
            self.predict(boot=boot)  # Linux has no such list

    def test_the_policy_of_an_image_for_aml_holds_for_files_too(self):
        image = os.path.join(self.folder, "policy.bin")
        for policy, words in (("refuse", "SSDT: AML of the VMM's, which the image refuses"),
                              ("enrolled", "SSDT: AML of the VMM's that is not enrolled"), ("drop", None)):
            self.good("shim-ld", self.put("vector", reset_vector()), self.put("elf", elf()), "--aml", policy, "-o", image)
            with open(image, "rb") as file:
                boot = self.with_tables(MADT, table(b"SSDT", b"code"), image=file.read())
            with self.subTest(policy):
                if words:
                    self.assertIn(words, self.refusal(boot))
                else:
                    self.predict(boot=boot)

    def test_what_the_firmware_refuses_of_a_td_hob_is_no_prediction(self):
        filler = struct.pack("<HHI16s", 4, 0x8000, 0, b"somebody's GUID ") + bytes(0x8000 - 24)
        low = resource(0, 1 << 30)
        for hob, words in ((td_hob(low, resource(1 << 29, 1 << 30)), "TD HOB has resources that overlap"),
                           (td_hob(low, resource(1 << 52, 1 << 30)), "TD HOB has memory beyond the TD's private addresses"),
                           (td_hob(low, resource(0xFFF00000, 1 << 20)), "memory map has overlapping entries"),
                           (td_hob(low, filler, filler), "event log area is full")):
            with self.subTest(words):
                self.assertIn(words, self.refusal(Boot(self.boot.image, hob=hob)))
        self.predict(boot=Boot(self.boot.image, hob=td_hob(low, filler)))

    def test_without_a_vmm_there_is_no_rtmr0(self):
        found = json.loads(self.good("shim-measure", self.put("image", self.boot.image), "--kernel",
                                     self.put("kernel", KERNEL), "--vmm", "none", "--json"))
        self.assertIsNone(found["rtmr0"])
        self.assertIsNone(found["tdinfo_hash"])
        self.assertEqual(found["rtmr1"], replayed(map(sha384, (
            config("td_contents", b"td_payload=bzimage td_payload_info"), KERNEL, b"", bytes(4)))))

    def test_of_an_image_alone_there_is_mrtd(self):
        found = json.loads(self.good("shim-measure", self.put("image", self.boot.image), "--vmm", "none", "--json"))
        self.assertEqual((found["mrtd"], found["rtmr0"], found["rtmr1"], found["events"]),
                         (mrtd(self.boot.image), None, None, []))

    def test_explain_names_every_input(self):
        text = self.good(*self.arguments(self.boot), "--explain")
        for content in ("kernel ", "initrd ", "command line ", "TD HOB ", "etc/acpi/tables", "64 pages added and extended",
                        sha384(KERNEL).hex(), sha384(INITRD).hex(), "EV_SEPARATOR"):
            self.assertIn(content, text)

    def test_what_cannot_be_measured_is_refused(self):
        image, kernel = self.put("image", self.boot.image), self.put("kernel", KERNEL)
        cases = {
            "holds no payload: --kernel is needed": ("shim-measure", image),
            "expected 96 hexadecimal digits, found \"ab\"": (*self.arguments(self.boot), "--mrowner", "ab"),
            "cannot start: No such file or directory": ("shim-measure", image, "--kernel", kernel, "--qemu", "/no/qemu"),
            "ended before it answered": ("shim-measure", image, "--kernel", kernel, "--qemu", "false"),
            "argument -append behind --: brings the boot an input": (*self.arguments(self.boot), "--", "-append", "evil"),
            "argument name=opt/org.tdshim/accept,string=all behind --: brings the boot an input":
                (*self.arguments(self.boot), "--", "-fw_cfg", "name=opt/org.tdshim/accept,string=all"),
            "argument q35,kernel=K behind --: brings the boot an input": (*self.arguments(self.boot), "--", "-machine", "q35,kernel=K"),
            "argument --readconfig behind --: brings the boot an input": (*self.arguments(self.boot), "--", "--readconfig", "F"),
            "--machine q35,append=x: brings the boot an input": (*self.arguments(self.boot), "--machine", "q35,append=x"),
            "answers \"hello\" to qtest": ("shim-measure", image, "--kernel", kernel, "--qemu", self.program("echo hello; cat")),
        }
        for message, command in cases.items():
            with self.subTest(message):
                self.assertIn(message, self.bad(*command).stderr)
        folder = self.boot.put_acpi(self.folder)
        with open(os.path.join(folder, "etc", "table-loader"), "wb") as file:
            file.write(allocate("../../etc/passwd"))
        self.assertIn("loads a file outside", self.bad("shim-measure", image, "--kernel", kernel, "--hob",
                                                       self.put("hob", td_hob()), "--acpi", folder).stderr)

    def program(self, script):
        path = self.put("program", f"#!/bin/sh\n{script}\n".encode())
        os.chmod(path, 0o755)
        return path

    def check(self, boot, *references, code=0):
        result = self.run_tool("shim-log", "check", self.put("ccel", boot.log()), *references, "--json")
        self.assertEqual((result.returncode, result.stderr), (code, ""), result.stdout)
        found = json.loads(result.stdout)
        self.assertEqual(found.pop("schema"), "shim-log-check/1")
        return found

    def test_tables_of_a_td_hob_that_the_firmware_refuses_are_not_predicted(self):
        image = os.path.join(self.folder, "placed.bin")
        self.good("shim-ld", self.put("reset", reset_vector()), self.put("elf", elf()), "-o", image, "--profile", "tdvf-payload")
        fadt = self.put("fadt", table(b"FACP", bytes(240)))
        short = self.put("short", table(b"FACP", b""))
        madt = self.put("madt", table(b"APIC", struct.pack("<II", 0, 0) + struct.pack("<BBHIQ", 0x10, 16, 0, 0, 0x1000)))
        ccel = self.put("ccel", table(b"CCEL", bytes(20)))
        kernel = self.put("bzimage", bzimage())
        for files, reason in (([fadt, fadt], "hold two FADTs"), ([short], "length"),
                              ([madt], "holds a wakeup mailbox of its own"), ([ccel], "hold an event log of their own"),
                              ([fadt], None)):
            with self.subTest(reason):
                hob = os.path.join(self.folder, "hob.bin")
                self.good("shim-hob", "build", image, "--vmm", "cloud-hypervisor", "--memory", "1G", "--payload-info",
                          "1:0x1000000", *(word for file in files for word in ("--acpi-table", file)), "-o", hob)
                command = ("shim-measure", image, "--kernel", kernel, "--hob", hob)
                if reason:
                    self.assertIn(reason, self.bad(*command).stderr)
                else:
                    self.good(*command)

    def test_a_good_boot_agrees_with_everything(self):
        policy, unpinned, everything = self.policy(), [*IDENTITY, "rtmr2", "rtmr3"], list(REGISTERS)
        for references, no_policy, no_td in (
                (("--policy", policy), unpinned, everything),
                (("--report", self.put("report", self.boot.report())), everything, []),
                (("--quote", self.put("quote", self.boot.quote())), everything, []),
                (("--policy", policy, "--quote", self.put("quote5", self.boot.quote(5))), unpinned, [])):
            with self.subTest(references):
                names = 0 if "--policy" in references else 4  # the TD HOB and three ACPI files
                found = self.check(self.boot, *references)
                self.assertGreater(found.pop("partly_covered"), names)
                self.assertEqual(found,
                                 {"agrees": True, "differences": [], "another_make": None, "appended": {},
                                  "not_compared": {"policy": no_policy, "td": no_td}, "names_not_covered": names, "accepts_debug": False,
                                  "not_checked": ["signature", "report_data"] if not no_td else []})

    def test_what_was_not_compared_is_said_beside_an_agreement(self):
        log, policy = self.put("ccel", self.boot.log()), self.policy()
        self.assertEqual(self.good("shim-log", "check", log, "--policy", policy),
                         UNPINNED + "not compared with a TDREPORT or quote, for none was given: ATTRIBUTES, XFAM, MRCONFIGID, "
                         "MROWNER, MROWNERCONFIG, MRTD, RTMR[0], RTMR[1], RTMR[2], RTMR[3]\n"
                         f"of {policy} compared with nothing: ATTRIBUTES, XFAM, MRTD\n{partly_covered(8)}"
                         f"{log} agrees with {policy}\n")
        self.assertIn("not compared with a policy, for none was given: ATTRIBUTES, XFAM",
                      self.good("shim-log", "check", log, "--report", self.put("report", self.boot.report())))

    def test_a_policy_without_rtmr0_names_none_of_its_events(self):
        values = json.loads(pathlib.Path(self.policy()).read_text(encoding="ascii"))
        values["rtmr0"] = None
        values["events"] = [event for event in values["events"] if event["register"] != "rtmr0"]
        policy = self.put("unnamed.json", json.dumps(values).encode())
        found = self.check(self.boot, "--policy", policy)
        self.assertEqual((found["agrees"], found["names_not_covered"]), (True, 4))

    def references(self, **td):
        """A TDREPORT and quotes of one TD, as options."""
        return (("--report", self.put("report", self.boot.report(**td))),
                *(("--quote", self.put(f"quote{version}", self.boot.quote(version, **td))) for version in (4, 5)))

    def test_a_td_under_debug_agrees_with_nothing(self):
        debug = SEPT_VE_DISABLE | DEBUG
        policy, debug_policy = self.policy(), self.debug_policy(debug)
        self.debug_policy(SEPT_VE_DISABLE | 0x90, name="other.json")
        for reference in self.references(attributes=debug):
            for more, count in (((), 1), (("--policy", policy), 2)):
                with self.subTest(reference, more=more):
                    found = self.check(self.boot, *reference, *more, code=1)
                    self.assertEqual([each["register"] for each in found["differences"]], ["attributes"] * count)
                    self.assertIn("has DEBUG (bit 0): the VMM can read and write all memory", found["differences"][0]["text"])
            self.assertTrue(self.check(self.boot, *reference, "--policy", debug_policy)["accepts_debug"])
            self.assertFalse(self.check(self.boot, *reference, "--policy", policy, code=1)["accepts_debug"])
        for reference in self.references():
            self.check(self.boot, *reference, "--policy", debug_policy, code=1)

    def test_attributes_and_xfam_are_pinned(self):
        policy = self.policy()
        with open(policy, "rb") as file:
            values = json.load(file)
        self.assertEqual((values["version"], values["attributes"], values["xfam"]), (3, "0x10000000", "0xe7"))
        unpinned = self.put("unpinned", json.dumps({**values, "attributes": None, "xfam": None}).encode())
        for register, td in (("attributes", {"attributes": 0x50000000}), ("xfam", {"xfam": 0x600E7})):
            for reference in self.references(**td):
                with self.subTest(register, reference=reference):
                    (found,) = self.check(self.boot, *reference, "--policy", policy, code=1)["differences"]
                    self.assertEqual((found["register"], found["input"]), (register, f"option --{register} of shim-measure"))
                    agreed = self.check(self.boot, *reference, "--policy", unpinned)
                    self.assertEqual(agreed["not_compared"]["policy"], ["attributes", "xfam", *IDENTITY, "rtmr2", "rtmr3"])
                    pinned = self.policy(f"--{register}", hex(td[register]), name="pinned")
                    self.check(self.boot, *reference, "--policy", pinned)

    def test_what_the_launch_gives_the_td_is_pinned_on_request(self):
        for option in IDENTITY:
            with self.subTest(option):
                policy = self.policy(f"--{option}", "11" * 48)
                (found,) = self.check(self.boot, "--report", self.put("report", self.boot.report()), "--policy", policy,
                                      code=1)["differences"]
                self.assertEqual((found["register"], found["input"]), (option, f"option --{option} of shim-measure"))
                pinned = self.policy(f"--{option}", "00" * 48)
                agreed = self.check(self.boot, "--report", self.put("report", self.boot.report()), "--policy", pinned)
                self.assertNotIn(option, agreed["not_compared"]["policy"])

    def test_a_plain_vm_has_no_attributes_to_pin(self):
        text = self.good("shim-measure", self.put("image", self.boot.image), "--kernel", self.put("kernel", KERNEL), "--vmm", "none",
                         "--plain-vm", "--format", "policy")
        self.assertEqual([json.loads(text)[name] for name in ("attributes", "xfam", "mrtd")], [None] * 3)

    def test_tampering_is_named(self):
        """One byte of one input is another; first and last byte of each."""
        policy = self.policy()
        expected = {"kernel": ("rtmr1", "td_payload", "kernel "), "initrd": ("rtmr1", "td_initrd", "initrd "),
                    "text": ("rtmr1", "td_payload_info", "command line "), "hob": ("rtmr0", "td_hob", "TD HOB "),
                    "script": ("rtmr0", "etc/table-loader", "ACPI file "),
                    "etc/acpi/rsdp": ("rtmr0", "etc/acpi/rsdp", "ACPI file "),
                    "etc/acpi/tables": ("rtmr0", "etc/acpi/tables", "ACPI file "),
                    "image": ("mrtd", "", "firmware image")}
        for what, (register, description, origin) in expected.items():
            inputs = {name: getattr(self.boot, name) for name in ("kernel", "initrd", "text", "hob", "script", "image")}
            place = inputs if what in inputs else dict(self.boot.tables)
            content = place[what]
            for at in (CFV_SIZE, len(content) - 1) if what == "image" else (0, len(content) // 2, len(content) - 1):
                with self.subTest(what, at=at):
                    changed = bytearray(content)
                    changed[at] ^= 1
                    place[what] = bytes(changed)
                    boot = Boot(**inputs, tables=place if what not in inputs else None)
                    found = self.check(boot, "--policy", policy, "--report", self.put("report", boot.report()), code=1)
                    first = found["differences"][0]
                    self.assertEqual((first["register"], first["description"]), (register, description), first)
                    self.assertTrue(first["input"].startswith(origin), first)

    def test_what_the_os_appended_is_checked_by_its_register(self):
        policy = self.policy()
        text = b"of the OS"
        log = self.put("ccel", self.boot.log() + event(4, 0xD, sha384(text), text))
        rtmr3 = bytes.fromhex(replayed([sha384(text)]))
        report, other = self.put("report", self.boot.report(rtmr3)), self.put("other", self.boot.report())
        self.assertEqual(self.good("shim-log", "check", log, "--policy", policy, "--report", report),
                         "1 event appended by the OS in RTMR[3]\n" + UNPINNED + "not checked of the TDREPORT: its MAC and REPORTDATA\n" +
                         partly_covered(9) + f"{log} agrees with {policy}\n{log} agrees with {report}\n")
        self.assertIn('"appended": {\n    "rtmr3": 1\n  }', self.good("shim-log", "check", log, "--report", report, "--json"))
        wrong = self.run_tool("shim-log", "check", log, "--policy", policy, "--report", other)
        self.assertEqual(wrong.returncode, 1, wrong.stderr)
        self.assertRegex(wrong.stdout, r"differs: RTMR\[3\]: expected \w+ by the log, found 0+ in the TDREPORT\n$")
        with open(policy, "rb") as file:
            values = json.load(file)
        for pinned, code in ((rtmr3, 0), (bytes(48), 1), (sha384(b"x"), 1)):
            pins = self.put("pins", json.dumps({**values, "rtmr3": pinned.hex()}).encode())
            for references in (("--report", report), ()):
                with self.subTest(pinned.hex()[:8], references=references):
                    result = self.run_tool("shim-log", "check", log, "--policy", pins, *references)
                    self.assertEqual(result.returncode, code, result.stdout)

    def test_a_log_of_another_make_is_said(self):
        log = self.boot.log()
        body = log[len(log_header(b"td_shim\0" + bytes(4))):]
        policy, report = ("--policy", self.policy()), ("--report", self.put("report", self.boot.report()))
        for vendor, make, by_policy in ((b"td_shim\0" + struct.pack("<I", len(log)), None, 0), (b"td_shim", "td_shim", 1),
                                        (b"td_shim\0", "td_shim\\x00", 1), (b"other", "other", 1)):
            log = self.put("ccel", log_header(vendor) + body)
            for references, code in ((report, 0), (policy, by_policy)):
                with self.subTest(vendor, references=references):
                    result = self.run_tool("shim-log", "check", log, *references, "--json")
                    self.assertEqual((result.returncode, json.loads(result.stdout)["another_make"]), (code, make))
                    text = self.run_tool("shim-log", "check", log, *references).stdout
                    self.assertEqual(text.startswith(f"the log is of another make, by \"{make}\": "), make is not None, text)
                    self.assertEqual(text.count("of another make"), int(make is not None))

    def test_a_text_that_was_changed_is_not_what_was_measured(self):
        log = self.boot.log().replace(COMMAND_LINE, COMMAND_LINE[:-1] + b"b")
        for references in (("--policy", self.policy()), ("--report", self.put("report", self.boot.report()))):
            result = self.run_tool("shim-log", "check", self.put("ccel", log), *references)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertRegex(result.stdout,
                             r"^((not compared|not checked|of .* compared|without a policy for RTMR|covered by).*\n)+differs: RTMR\[1\] "
                             r"event 3 at offset 0x\w+: td_payload_info is not what was measured: its digest is of other data\n$")

    def test_a_log_that_was_changed_is_named(self):
        policy, report = self.policy(), self.put("report", self.boot.report())
        events = [event(register, kind, sha384(content), data) for register, kind, content, data in self.boot.events()]
        cases = {
            r"RTMR\[0\] event 4 at offset 0x[0-9a-f]+: expected etc/acpi/tables, found EV_SEPARATOR;":
                events[:4] + events[5:],
            r"RTMR\[1\] event 2 at offset 0x[0-9a-f]+: expected td_initrd, found td_payload;": events[:7] + events[6:],
            r"RTMR\[1\] event 4: EV_SEPARATOR is missing;": events[:-1],
            r"RTMR\[1\] event 5 at offset 0x[0-9a-f]+: EV_SEPARATOR is one more than expected\n": events + events[-1:],
        }
        for message, changed in cases.items():
            with self.subTest(message):
                log = self.put("ccel", log_of(b"".join(changed)))
                result = self.run_tool("shim-log", "check", log, "--policy", policy, "--report", report)
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertRegex(result.stdout, "differs: " + message)
                self.assertIn(" in the TDREPORT", result.stdout)

    def test_a_report_with_a_service_td(self):
        report = self.boot.report()
        info = report[512:912] + b"\1" * 48 + report[960:]
        bound = b"\x81\0\1" + report[3:80] + sha384(info) + report[128:512] + info
        said = self.good("shim-log", "check", self.put("ccel", self.boot.log()), "--report", self.put("report", bound))
        self.assertIn("MROWNERCONFIG, SERVTD_HASH, MRTD", said)

    def test_bad_references_are_refused(self):
        log = self.put("ccel", self.boot.log())
        policy = json.loads(self.good(*self.arguments(self.boot), "--format", "policy"))
        text = json.dumps(policy).encode()
        cases = {"is no JSON": b"{", "is no JSON: expected text, found a NUL at offset " + hex(len(text)): text + b"\0and more",
                 "is no JSON: expected text, found a NUL at offset 0x0": b"\0" + text, "format: expected a text, found nothing": b"{}",
                 "format: expected a text, found no object": b"[]",
                 "version: expected 3, found 1: make the policy again with shim-measure":
                     json.dumps({**policy, "version": 1}).encode(),
                 "attribute: there is no such member": json.dumps({**policy, "attribute": None}).encode(),
                 "xfam: expected 0x and at most 16 hexadecimal digits or null, found nothing":
                     json.dumps({key: value for key, value in policy.items() if key != "xfam"}).encode(),
                 "mrtd: stands twice": json.dumps(policy).replace('"mrtd":', '"mrtd": null, "mrtd":').encode(),
                 "events[0].digest: stands twice": json.dumps(policy).replace('"digest":', '"digest": "", "digest":', 1).encode(),
                 "events[0].input: expected a text, found nothing":
                     json.dumps({**policy, "events": [{key: value for key, value in policy["events"][0].items()
                                                       if key != "input"}]}).encode(),
                 "events[0].Digest: there is no such member":
                     json.dumps({**policy, "events": [{**policy["events"][0], "Digest": ""}]}).encode(),
                 "rtmr1: expected 96 hexadecimal digits or null, found \"ab\"": json.dumps({**policy, "rtmr1": "ab"}).encode(),
                 "events: expected a list of at most 1024 events, found 5": json.dumps({**policy, "events": 5}).encode(),
                 "events[0].register: expected rtmr0 to rtmr3, found \"rtmr9\"":
                     json.dumps({**policy, "events": [{**policy["events"][0], "register": "rtmr9"}]}).encode(),
                 "events[1].digest: expected a text, found 7":
                     json.dumps({**policy, "events": [policy["events"][0], {**policy["events"][1], "digest": 7}]}).encode()}
        for message, content in cases.items():
            with self.subTest(message):
                path = self.put("policy.json", content)
                self.assertEqual(self.bad("shim-log", "check", log, "--policy", path).stderr,
                                 f"shim-log: {path}: {message}\n")
        report, quote = self.boot.report(), self.boot.quote()
        changed = bytearray(report)
        changed[720] ^= 1
        other_module = bytearray(report)
        other_module[280] ^= 1
        cases = {("--report", f"TDREPORT's TEE_INFO_HASH at offset 0x50: expected {sha384(bytes(changed[512:])).hex()}, the SHA-384 "
                              f"of its TDINFO, found {sha384(report[512:]).hex()}: registers of another report, or changed; take it "
                              "again"): bytes(changed),
                 ("--report", f"TDREPORT's TEE_TCB_INFO_HASH at offset 0x20: expected {sha384(bytes(other_module[256:495])).hex()}, the "
                              f"SHA-384 of its TEE_TCB_INFO, found {sha384(report[256:495]).hex()}: a TDX module of another report, or "
                              "changed; take it again"): bytes(other_module),
                 ("--report", "TDREPORT's subtype at offset 0x1: expected 0, found 0x1"): b"\x81\1" + report[2:],
                 ("--report", "TDREPORT's version at offset 0x2: expected 0 or 1, found 0x2"): b"\x81\0\2" + report[3:],
                 ("--report", f"TDREPORT's SERVTD_HASH at offset 0x390: expected zeros in version 0, found {'01' * 48}"):
                     report[:912] + b"\1" * 48 + report[960:],
                 ("--report", "TDREPORT's reserved byte at offset 0xf: expected 0, found 0x1"): report[:15] + b"\1" + report[16:],
                 ("--report", "TDREPORT's reserved byte at offset 0xc0: expected 0, found 0x2"): report[:192] + b"\2" + report[193:],
                 ("--report", "TDREPORT's reserved byte at offset 0x1ef: expected 0, found 0x4"): report[:495] + b"\4" + report[496:],
                 ("--report", "TDREPORT's reserved byte at offset 0x3ff: expected 0, found 0x3"): report[:-1] + b"\3",
                 ("--report", "TDREPORT does not have its size at offset 0x3ff: expected 0x400, found 0x3ff"): report[:-1],
                 ("--report", "report is not that of a TD at offset 0x0: expected 0x81, found 0x0"): b"\0" + report[1:],
                 ("--quote", "input ends too early at offset 0x30: expected 0x248, found 0x1"): quote[:49],
                 ("--quote", "quote has neither version 4 nor 5 at offset 0x0: expected 0x5, found 0x3"): b"\3" + quote[1:],
                 ("--quote", "quote is not that of a TD at offset 0x4: expected 0x81, found 0x0"): quote[:4] + b"\0" + quote[5:],
                 ("--quote", "quote's body is neither of TDX 1.0 nor of TDX 1.5 at offset 0x30: expected 0x3, found 0x1"):
                     self.boot.quote(5)[:48] + b"\1" + self.boot.quote(5)[49:]}
        for (option, message), content in cases.items():
            with self.subTest(message):
                path = self.put("reference", content)
                self.assertEqual(self.bad("shim-log", "check", log, option, path).stderr, f"shim-log: {path}: {message}\n")
        self.bad("shim-log", "check", log)


if __name__ == "__main__":
    unittest.main()
