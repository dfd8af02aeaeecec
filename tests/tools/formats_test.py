#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reference values as other verifiers read them: each format of shim-measure's, read here from its own rules, has the registers
of --format json and of Python, in the byte order of a quote, and nothing that is not known."""

import base64
import json
import os
import re
import struct
import subprocess
import unittest

from measured_boot import DEBUG, IDENTITY, KERNEL, SEPT_VE_DISABLE, XFAM, Boot
from support import BIN, ToolTest, elf, replayed, reset_vector, sha384

INTEL = "939a7233f79c4ca9940a0db3957f0607"  # QE_VENDOR_ID
SHA384 = 7  # IANA Named Information Hash Algorithm Registry
RTMRS = [f"rtmr{number}" for number in range(4)]
# What shim-measure calls them, and what Trustee and go-tdx-guest do.
NAMES = {"attributes": "td_attributes", "xfam": "xfam", "mrtd": "mr_td", "mrconfigid": "mr_config_id", "mrowner": "mr_owner",
         "mrownerconfig": "mr_owner_config", **{name: f"rtmr_{name[-1]}" for name in RTMRS}}
OTHERS = ("trustee", "trustee-policy", "go-tdx-guest", "corim")


class Cbor:
    """Deterministic CBOR [RFC 8949, 4.2.1] of unsigned integers, bytes, texts, arrays, maps and tags; a tag as (number, item)."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        assert self.at <= len(self.data), "cut short"
        return self.data[self.at - size : self.at]

    def head(self):
        kind, low = divmod(self.take(1)[0], 32)
        assert low < 28, "an indefinite length"
        if low < 24:
            return kind, low
        value = int.from_bytes(self.take(1 << (low - 24)), "big")
        assert value >= (24, 1 << 8, 1 << 16, 1 << 32)[low - 24], "a head that could be shorter"
        return kind, value

    def pairs(self, count):
        found, last = {}, b""
        for _ in range(count):
            start = self.at
            key = self.item()
            assert self.data[start : self.at] > last, "keys out of order"
            last = self.data[start : self.at]
            found[key] = self.item()
        return found

    def item(self):
        kind, value = self.head()
        return {0: lambda: value, 2: lambda: self.take(value), 3: lambda: self.take(value).decode(),
                4: lambda: [self.item() for _ in range(value)], 5: lambda: self.pairs(value),
                6: lambda: (value, self.item())}[kind]()


def from_cbor(data):
    reader = Cbor(data)
    value = reader.item()
    assert reader.at == len(data), "bytes behind the item"
    return value


def from_text_of_protobuf(text):
    """A message as {field: [values]}; of values there are messages, and strings as bytes."""
    message, open_messages = {}, []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if found := re.fullmatch(r' *(\w+): "((?:\\x[0-9a-f]{2})*)"', line):
            message.setdefault(found[1], []).append(bytes.fromhex(found[2].replace("\\x", "")))
        elif found := re.fullmatch(r" *(\w+) \{", line):
            open_messages.append(message)
            message = message.setdefault(found[1], [{}])[-1]
        else:
            assert line.strip() == "}", line
            message = open_messages.pop()
    assert not open_messages
    return message


def little_endian(text):
    return struct.pack("<Q", int(text, 16)).hex()


class FormatsTest(ToolTest):
    def setUp(self):
        super().setUp()
        image = os.path.join(self.folder, "final.bin")
        self.good("shim-ld", self.put("vector", reset_vector()), self.put("elf", elf()), "-o", image)
        with open(image, "rb") as file:
            boot = Boot(file.read())
        self.whole = [image, "--kernel", self.put("kernel", boot.kernel), "--initrd", self.put("initrd", boot.initrd), "--append-file",
                      self.put("text", boot.text), "--hob", self.put("hob", boot.hob), "--acpi", boot.put_acpi(self.folder)]
        events = self.put("events", b"RTMR2:string:os\nRTMR2:string:more\nRTMR3:string:app\n")
        bundle = os.path.join(self.folder, "bundle")
        self.good("shim-bundle", "create", "--kernel", self.put("linux", KERNEL), "--events", events, "-o", bundle)
        self.identity = [word for index, name in enumerate(IDENTITY) for word in (f"--{name}", f"{index + 1}c" * 48)]
        self.boots = {
            "a whole boot": (self.whole, ("rtmr0", "rtmr1")),
            "with all that TDINFO has": ([*self.whole, *self.identity], (*IDENTITY, "rtmr0", "rtmr1")),
            "an image alone": ([image, "--vmm", "none"], ()),
            "without a VMM": ([image, "--kernel", self.put("linux", KERNEL), "--vmm", "none"], ("rtmr1",)),
            "a bundle with events": ([image, "--kernel", bundle, "--vmm", "none"], ("rtmr1", "rtmr2", "rtmr3")),
        }

    def measure(self, form, arguments):
        result = subprocess.run([os.path.join(BIN, "shim-measure"), *arguments, "--format", form], capture_output=True, timeout=60,
                                check=False)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return result.stdout

    def each_boot(self):
        """Arguments, and what is known, by shim-measure's names: as digits of the bytes that a quote has."""
        for title, (arguments, known) in self.boots.items():
            found = json.loads(self.measure("json", arguments))
            values = {name: little_endian(found[name]) for name in ("attributes", "xfam")}
            values |= {name: found[name] for name in ("mrtd", *known)}
            with self.subTest(title):
                yield arguments, values

    def trustee_values(self, arguments):
        message = json.loads(self.measure("trustee", arguments))
        self.assertEqual(list(message), ["version", "type", "payload"])
        self.assertEqual((message["version"], message["type"]), ("0.1.0", "sample"))
        return json.loads(base64.b64decode(message["payload"], validate=True))

    def test_the_boots_are_those_of_the_title(self):
        found = json.loads(self.measure("json", self.boots["a bundle with events"][0]))
        self.assertEqual(found["rtmr2"], replayed([sha384(b"os\0"), sha384(b"more\0")]))
        self.assertEqual(found["rtmr3"], replayed([sha384(b"app\0")]))
        self.assertEqual([little_endian(hex(SEPT_VE_DISABLE)), little_endian(hex(XFAM))], ["0000001000000000", "e700000000000000"])

    def test_trustee_has_a_list_of_one_value_by_each_name(self):
        for arguments, values in self.each_boot():
            self.assertEqual(self.trustee_values(arguments), {NAMES[name]: [value] for name, value in values.items()})

    def test_the_policy_for_trustee_compares_each_value_once(self):
        for arguments, values in self.each_boot():
            text = self.measure("trustee-policy", arguments).decode()
            lines = text.splitlines()
            self.assertEqual(lines[2:5], ["package policy", "", "import rego.v1"])
            compared = re.findall(r'^\tinput\.tdx\.quote\.body\.(\w+) in query_reference_value\("(\w+)"\)$', text, re.MULTILINE)
            self.assertEqual(sorted(compared), sorted((NAMES[name],) * 2 for name in values))
            self.assertEqual(text.count("query_reference_value"), len(values))
            self.assertEqual(re.findall(r"^default (\S+) := (\d+)$", text, re.MULTILINE),
                             [("hardware", "97"), ("configuration", "36"), ("executables", "33")])
            self.assertTrue(text.endswith('trust_claims := {\n\t"hardware": hardware,\n\t"configuration": configuration,\n'
                                          '\t"executables": executables,\n}\n'))

    def rules(self, arguments):
        text = self.measure("trustee-policy", arguments).decode()
        return {name: (int(value), body) for name, value, body in re.findall(r"^(\w+) := (\d+) if \{\n(.*?)^\}", text, re.S | re.M)}

    def test_a_rule_of_the_policy_compares_what_its_claim_is_about(self):
        rules = self.rules(self.boots["a bundle with events"][0])
        self.assertEqual({name: value for name, (value, _) in rules.items()}, {"hardware": 2, "configuration": 2, "executables": 3})
        self.assertEqual(re.findall(r"body\.(\w+)", rules["executables"][1]), ["rtmr_1", "rtmr_2", "rtmr_3"])
        self.assertEqual(re.findall(r"body\.(\w+)", rules["configuration"][1]), ["td_attributes", "xfam"])
        for condition in ('header.tee_type == "81000000"', f'header.vendor_id == "{INTEL}"', 'tcb_status == "UpToDate"',
                          'collateral_expiration_status == "0"', "body.mr_td in"):
            self.assertIn(condition, rules["hardware"][1])
        self.assertIn("rtmr_0", self.rules(self.whole)["configuration"][1])

    def test_without_a_kernel_the_policy_affirms_no_executables(self):
        self.assertEqual(list(self.rules(self.boots["an image alone"][0])), ["hardware", "configuration"])

    def test_go_tdx_guest_has_each_field_once_and_four_rtmrs_or_none(self):
        for arguments, values in self.each_boot():
            config = from_text_of_protobuf(self.measure("go-tdx-guest", arguments).decode())
            rtmrs = [values.pop(name, "") for name in RTMRS]
            expected = {NAMES[name]: [bytes.fromhex(value)] for name, value in values.items()}
            if any(rtmrs):
                expected["rtmrs"] = [bytes.fromhex(value) for value in rtmrs]
            self.assertEqual(config, {"policy": [{"header_policy": [{"qe_vendor_id": [bytes.fromhex(INTEL)]}],
                                                  "td_quote_body_policy": [expected]}]})

    def comid(self, arguments):
        tag, manifest = from_cbor(self.measure("corim", arguments))
        self.assertEqual((tag, sorted(manifest)), (501, [0, 1]))
        (inner_tag, content), = manifest[1]
        self.assertEqual(inner_tag, 506)
        comid = from_cbor(content)
        self.assertEqual(comid[1], {0: manifest[0]})
        self.assertRegex(manifest[0], r"\Atdshim-[0-9a-f]{32}\Z")
        return comid

    def test_corim_has_a_measurement_for_each_member_of_tdinfo(self):
        for arguments, values in self.each_boot():
            comid = self.comid(arguments)
            (environment, measurements), = comid[4].pop(0)
            self.assertEqual((sorted(comid), comid[4]), ([1, 4], {}))
            self.assertEqual(environment, {0: {1: "Intel Corporation", 2: "TDX TD"}})
            found = {measurement.pop(0): measurement.pop(1) for measurement in measurements}
            self.assertEqual(measurements, [{}] * len(found))
            digests = {name: [[SHA384, bytes.fromhex(values.pop(name))]] for name in ("mrtd", *RTMRS) if name in values}
            expected = {name: {4: (560, bytes.fromhex(value))} for name, value in values.items()}
            expected["mrtd"] = {2: digests.pop("mrtd")}
            if digests:
                expected["rtmr"] = {14: {int(name[-1]): digest for name, digest in digests.items()}}
            self.assertEqual(found, expected)

    def test_the_name_of_a_corim_goes_with_its_values(self):
        names = {title: self.comid(arguments)[1][0] for title, (arguments, _) in self.boots.items()}
        self.assertEqual(len(set(names.values())), len(names))
        self.assertEqual(self.comid(self.whole)[1][0], names["a whole boot"])

    def test_of_a_vm_that_is_no_td_there_is_none(self):
        for form in OTHERS:
            result = self.bad("shim-measure", *self.boots["without a VMM"][0], "--plain-vm", "--format", form)
            self.assertEqual(result.stderr, "shim-measure: --plain-vm: is no TD, and has no quote for other verifiers to read\n")

    def test_a_td_under_debug_is_warned_of(self):
        for form in OTHERS:
            result = self.run_tool("shim-measure", *self.whole, "--format", form, "--attributes", hex(DEBUG), errors="replace")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("WARNING: --attributes has 0x1 ", result.stderr)


if __name__ == "__main__":
    unittest.main()
