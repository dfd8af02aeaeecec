#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shim-attest verify: evidence of a platform of our own is good, and with any one thing changed it is not, in the line
that names it; and a quote of a production machine is what Intel's rules make of it."""

import base64
import json
import os
import pathlib
import struct
import unittest

import quoting
from measured_boot import Boot
from support import ToolTest, elf, reset_vector

production = pathlib.Path(__file__).resolve().parents[3] / "shared/data/quotes"
nonce, bound = bytes(range(32)), b"a public key"


class AttestTest(ToolTest):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.platform_folder = cls.enterClassContext(quoting.temporary_folder())
        cls.platform = quoting.Platform(cls.platform_folder)

    def setUp(self):
        super().setUp()
        image = os.path.join(self.folder, "final.bin")
        self.good("shim-ld", self.put("reset", reset_vector()), self.put("elf", elf()), "-o", image)
        self.boot = Boot(pathlib.Path(image).read_bytes())
        self.policy = self.put("policy.json", self.good(
            "shim-measure", image, "--kernel", self.put("kernel", self.boot.kernel), "--initrd",
            self.put("initrd", self.boot.initrd), "--append-file", self.put("text", self.boot.text), "--hob",
            self.put("hob", self.boot.hob), "--acpi", self.boot.put_acpi(self.folder), "--format", "policy").encode())
        values = json.loads(pathlib.Path(self.policy).read_text(encoding="ascii"))
        self.registers = bytes.fromhex(values["mrtd"] + values["rtmr0"] + values["rtmr1"]) + bytes(96)
        self.collateral = self.platform.write_collateral(os.path.join(self.folder, "pcs"))
        self.report_data = quoting.bound_data(nonce, bound)

    def body(self, **changes):
        return self.platform.body(**{"registers": self.registers, "report_data": self.report_data, **changes})

    def verify(self, quote, *options, log=None, collateral=None, root=True, time=None, policy=True):
        """{name: outcome} and {name: text}, whether all of it holds."""
        evidence = {"quote": base64.b64encode(quote).decode(), "cc_eventlog": base64.b64encode(log or self.boot.log()).decode()}
        command = ["shim-attest", "verify", self.put("evidence.json", json.dumps(evidence).encode()), "--json",
                   *(("--policy", self.policy) if policy else ()), "--nonce", nonce.hex(), "--bind", self.put("bound", bound),
                   "--collateral", collateral or self.collateral, *(("--time", time) if time else ()), *options]
        if root:
            command += ["--root", os.path.join(self.platform_folder, "root.pem")]
        result = self.run_tool(*map(str, command))
        self.assertIn(result.returncode, (0, 1), result.stderr)
        verdict = json.loads(result.stdout)
        self.assertEqual(verdict["good"], result.returncode == 0)
        self.assertEqual(verdict["good"], all(check["outcome"] != "FAILED" for check in verdict["checks"]))
        return ({check["name"]: check["outcome"] for check in verdict["checks"]},
                {check["name"]: check["text"] for check in verdict["checks"]})

    def failed(self, *arguments, **options):
        return {name for name, outcome in self.verify(*arguments, **options)[0].items() if outcome == "FAILED"}

    def test_all_of_it_holds(self):
        for version, is_1_5 in ((4, False), (5, False), (5, True)):
            with self.subTest(version=version, is_1_5=is_1_5):
                quote = self.platform.quote(self.body(is_1_5=is_1_5), version)
                outcomes, texts = self.verify(quote)
                self.assertEqual(set(outcomes.values()), {"passed"}, texts)
                self.assertEqual(texts["tcb-level"], "UpToDate")
        text = self.run_tool("shim-attest", "verify", "--quote", self.put("quote", quote), "--ccel", self.put("log", self.boot.log()),
                             "--policy", self.policy, "--report-data", self.report_data.hex(), "--collateral",
                             str(self.collateral), "--root", os.path.join(self.platform_folder, "root.pem"))
        self.assertEqual((text.returncode, text.stderr), (0, ""))
        self.assertTrue(text.stdout.endswith("good: all of it holds\n"))
        self.assertEqual({line.split()[0] for line in text.stdout.splitlines()[:-1]}, {"passed"})

    def test_without_collateral_the_lines_of_it_fail(self):
        quote = self.platform.quote(self.body())
        outcomes = self.verify(quote)[0]
        result = self.run_tool("shim-attest", "verify", "--quote", self.put("quote", quote), "--ccel", self.put("log", self.boot.log()),
                               "--policy", self.policy, "--report-data", self.report_data.hex(), "--json")
        self.assertEqual(result.returncode, 1)
        checks = json.loads(result.stdout)["checks"]
        self.assertEqual([check["name"] for check in checks], list(outcomes))
        self.assertEqual({check["text"] for check in checks if check["outcome"] == "FAILED"},
                         {"no collateral was given: --collateral DIR"})

    def test_a_root_of_nobody_s_is_not_intel_s(self):
        self.assertEqual(self.failed(self.platform.quote(self.body()), root=False), {"pck-chain", "tcb-info", "enclave-identity"})

    def test_each_change_fails_in_the_line_that_names_it(self):
        platform, quote = self.platform, self.platform.quote(self.body())
        size = 48 + 584
        report = size + 4 + 128 + 6
        authentication = report + 384 + 64 + 2
        certificate = quote.index(b"-----BEGIN") + 200

        def flipped(at):
            changed = bytearray(quote)
            changed[at] ^= 1
            return bytes(changed)

        changes = {
            "header": (flipped(30), {"quote-signature"}),
            "vendor": (flipped(12), {"quote-signature", "quoting-enclave-vendor"}),
            "tee_tcb_svn": (flipped(48 + 5), {"quote-signature"}),
            "mrtd": (flipped(48 + 136), {"quote-signature", "policy", "event-log"}),
            "rtmr0": (flipped(48 + 328), {"quote-signature", "policy", "event-log"}),
            "rtmr1": (flipped(48 + 376), {"quote-signature", "policy", "event-log"}),
            "rtmr3": (flipped(48 + 472), {"quote-signature", "event-log"}),
            "report data": (flipped(48 + 520), {"quote-signature", "report-data"}),
            "signature": (flipped(size + 4), {"quote-signature"}),
            "attestation key": (flipped(size + 4 + 64), {"quote-signature", "attestation-key"}),
            "enclave report": (flipped(report + 20), {"quoting-enclave-report"}),
            "enclave report's signature": (flipped(report + 384 + 40), {"quoting-enclave-report"}),
            "authentication data": (flipped(authentication), {"attestation-key"}),
            "certificate": (flipped(certificate), None),
            "another's signature": (platform.quote(self.body(), signer=platform.signer), {"quote-signature"}),
            "another's attestation key": (platform.quote(self.body(), report=platform.enclave_report(data=bytes(64))),
                                          {"attestation-key"}),
            "debug": (platform.quote(self.body(attributes=1 << 28 | 1)), {"no-debug", "policy", "event-log"}),
            "sept_ve_disable": (platform.quote(self.body(attributes=0)), {"sept-ve-disable", "policy", "event-log"}),
            "xfam": (platform.quote(self.body(xfam=3)), {"policy", "event-log"}),
            "enclave's signer": (platform.quote(self.body(), report=platform.enclave_report(signer=bytes(32))),
                                 {"quoting-enclave", "tcb-level"}),
            "enclave's attributes": (platform.quote(self.body(), report=platform.enclave_report(attributes=bytes(16))),
                                     {"quoting-enclave", "tcb-level"}),
            "enclave's misc_select": (platform.quote(self.body(), report=platform.enclave_report(misc_select=1)),
                                      {"quoting-enclave", "tcb-level"}),
            "enclave's product": (platform.quote(self.body(), report=platform.enclave_report(product=1)),
                                  {"quoting-enclave", "tcb-level"}),
            "enclave's old SVN": (platform.quote(self.body(), report=platform.enclave_report(svn=2)), {"tcb-level"}),
            "enclave's SVN of none": (platform.quote(self.body(), report=platform.enclave_report(svn=1)),
                                      {"quoting-enclave", "tcb-level"}),
            "module's signer": (platform.quote(self.body(module_signer=b"\1" * 48)), {"tdx-module", "tcb-level"}),
            "old TDX": (platform.quote(self.body(tcb_svn=bytes([3, 0, 4] + [0] * 13))), {"tcb-level"}),
            "old module": (platform.quote(self.body(tcb_svn=bytes([2, 1, 5] + [0] * 13))), {"tcb-level"}),
            "module of none": (platform.quote(self.body(tcb_svn=bytes([9, 2, 5] + [0] * 13))), {"tdx-module", "tcb-level"}),
            "chain without PCK": (platform.quote(self.body(), chain=platform.chain("signer", "root")),
                                  {"quoting-enclave-report", "pck-chain", "platform"}),
            "chain in another order": (platform.quote(self.body(), chain=platform.chain("pck", "root", "authority")), {"pck-chain"}),
            "another root in the quote": (platform.quote(self.body(), chain=platform.chain("pck", "authority", "stranger")),
                                          {"pck-chain"}),
            "a middle that issued nothing": (platform.quote(self.body(), chain=platform.chain("pck_of_root", "authority", "root")),
                                             {"quoting-enclave-report", "pck-chain"}),
            "junk in the signature": (quote[:size] + struct.pack("<I", len(quote) - size - 4 + 3) + quote[size + 4:] + b"abc",
                                      {"quote-format"}),
            "module's attributes": (platform.quote(self.body(module_attributes=b"\1" + bytes(7))),
                                    {"module-attributes", "tdx-module", "tcb-level"}),
            "migratable": (platform.quote(self.body(attributes=1 << 28 | 1 << 29)), {"not-migratable", "service-td", "policy", "event-log"}),
            "old module now": (platform.quote(self.body(is_1_5=True, tcb_svn=bytes(quoting.MODULE_SVNS),
                                                        tcb_svn_2=bytes([2, 1, 5] + [0] * 13)), version=5), {"tcb-level-now"}),
            "old module at first": (platform.quote(self.body(is_1_5=True, tcb_svn=bytes([2, 1, 5] + [0] * 13),
                                                             tcb_svn_2=bytes(quoting.MODULE_SVNS)), version=5), {"tcb-level"}),
            "text behind the quote's chain": (platform.quote(self.body(), chain=platform.chain("pck", "authority", "root") + b"text"),
                                              {"pck-chain"}),
            "a service TD": (platform.quote(self.body(is_1_5=True)[:-1] + b"\1", version=5), {"service-td"}),
        }
        for name, (changed, expected) in changes.items():
            with self.subTest(name):
                failed = self.failed(changed)
                if expected is None:
                    self.assertTrue(failed & {"pck-chain", "quoting-enclave-report"}, failed)
                elif expected:
                    self.assertEqual(failed, expected)
        with self.subTest("log"):
            log = bytearray(self.boot.log())
            log[log.index(self.boot.text)] ^= 1
            self.assertEqual(self.failed(quote, log=bytes(log)), {"event-log"})
        self.assertEqual(self.verify(platform.quote(self.body(tcb_svn=bytes(quoting.MODULE_SVNS))))[0]["tcb-level"], "passed")

    def test_each_piece_of_collateral_is_checked(self):
        platform, quote = self.platform, self.platform.quote(self.body())
        stranger = platform.signed_json("tcbInfo", platform.tcb_info())
        cases = {
            "another's signature": ({"tcbinfo.json": stranger[:-4] + b'00"}'}, {"tcb-info"}),
            "a changed status": ({"tcbinfo.json": platform.signed_json("tcbInfo", platform.tcb_info()).replace(b"SA-1", b"SA-2")},
                                 {"tcb-info"}),
            "identity changed": ({"qeidentity.json": platform.signed_json(
                "enclaveIdentity", platform.enclave_identity()).replace(b'"isvsvn":4', b'"isvsvn":3')}, {"enclave-identity"}),
            "signed by a platform": ({"tcbinfo-issuer-chain.pem": platform.chain("pck", "root")}, {"tcb-info"}),
            "signed by a CA below": ({"tcbinfo-issuer-chain.pem": platform.chain("signer", "authority", "root")}, {"tcb-info"}),
            "signed by a CA": ({"tcbinfo.json": platform.signed_json("tcbInfo", platform.tcb_info(), platform.authority),
                                "tcbinfo-issuer-chain.pem": platform.chain("authority", "root")}, {"tcb-info"}),
            "revoked platform": ({"pckcrl.der": platform.revoke("authority", "pck")}, {"pck-chain"}),
            "revoked CA": ({"rootcrl.der": platform.revoke("root", "authority")}, {"pck-chain"}),
            "list of another": ({"pckcrl.der": platform.lists["root"]}, {"pck-chain"}),
            "no list of the root": ({"rootcrl.der": platform.lists["authority"]}, {"pck-chain", "tcb-info", "enclave-identity"}),
        }
        for index, (name, (files, expected)) in enumerate(cases.items()):
            with self.subTest(name):
                folder = platform.write_collateral(os.path.join(self.folder, f"pcs-{index}"), **files)
                self.assertEqual(self.failed(quote, collateral=folder), expected)
        for name, tcb_info, identity, expected in (
                ("another platform's", platform.tcb_info(fmspc="00" * 6), None, {"tcb-level"}),
                ("another PCE's", platform.tcb_info(pceId="0100"), None, {"tcb-level"}),
                ("no level", platform.tcb_info(tcbLevels=[]), None, {"tcb-level"}),
                ("revoked level", platform.tcb_info("Revoked"), None, {"tcb-level"}),
                ("old info", platform.tcb_info(nextUpdate=quoting.day(-0.5)), None, {"tcb-info-dates"}),
                ("info of tomorrow", platform.tcb_info(issueDate=quoting.day(1)), None, {"tcb-info-dates"}),
                ("old identity", None, platform.enclave_identity(nextUpdate=quoting.day(-0.5)), {"enclave-identity-dates"})):
            with self.subTest(name):
                folder = platform.write_collateral(os.path.join(self.folder, name), tcb_info, identity)
                self.assertEqual(self.failed(quote, collateral=folder), expected)

    def test_nothing_stands_beside_certificates_and_lists(self):
        quote, chain = self.platform.quote(self.body()), self.platform.chain("signer", "root")
        pem = self.platform.folder / "list.pem"
        quoting.openssl("crl", "-inform", "DER", "-out", pem, data=self.platform.lists["root"])
        for name, file, content, reason in (
                ("in front", "tcbinfo-issuer-chain.pem", b"subject=me\n" + chain, "at 0: expected a certificate in PEM"),
                ("behind", "qeidentity-issuer-chain.pem", chain + b"x", f"at {len(chain)}: expected a certificate in PEM"),
                ("between", "tcbinfo-issuer-chain.pem", chain.replace(b"-----\n-----", b"-----\nx\n-----"), "expected a certificate in PEM"),
                ("of another kind", "tcbinfo-issuer-chain.pem", chain + pem.read_bytes(), "expected a certificate in PEM"),
                ("half", "tcbinfo-issuer-chain.pem", chain[:-30], "expected a certificate in PEM"),
                ("nothing", "tcbinfo-issuer-chain.pem", b"\n", "holds no certificate in PEM"),
                ("behind DER", "rootcrl.der", self.platform.lists["root"] + b"\0", "no revocation list in DER or PEM, or something beside"),
                ("taken back", "pckcrl.der", self.platform.revoke("authority", "pck", reason="removeFromCRL"), "is a list of changes"),
                ("behind PEM", "rootcrl.der", pem.read_bytes() + b"x", "no revocation list in DER or PEM, or something beside")):
            with self.subTest(name):
                folder = self.platform.write_collateral(os.path.join(self.folder, name), **{file: content})
                self.assertRegex(self.bad("shim-attest", "verify", "--quote", self.put("quote", quote), "--collateral",
                                          folder).stderr, f"{file}: .*{reason}")
        folder = self.platform.write_collateral(os.path.join(self.folder, "blanks"), **{
            "tcbinfo-issuer-chain.pem": b"\n" + chain.replace(b"-----\n-----", b"-----\r\n\n-----") + b"\n\0", "rootcrl.der": pem.read_bytes()})
        self.assertEqual(self.failed(quote, collateral=folder), set())

    def test_what_a_policy_does_not_say_of_a_td_is_asked_for(self):
        """MIGRATABLE is good where the policy pins it, attributes of the module's and service TDs where they are named."""
        policy = json.loads(pathlib.Path(self.policy).read_text(encoding="ascii"))
        quote = self.platform.quote(self.body(attributes=1 << 28 | 1 << 29, is_1_5=True), 5)
        for attributes, failed in ((None, {"not-migratable"}), (hex(1 << 28 | 1 << 29), set())):
            with self.subTest(attributes):
                self.policy = self.put("policy.json", json.dumps({**policy, "attributes": attributes}).encode())
                self.assertEqual(self.failed(quote), failed)
                self.assertEqual(self.failed(quote, "--accept", "migratable"), set())
                outcomes, texts = self.verify(quote, "--accept", "migratable")
                self.assertEqual((outcomes["service-td"], texts["service-td"]), ("passed", "none is bound"))
        allowing = self.platform.tcb_info()
        allowing["tdxModule"] = {**allowing["tdxModule"], "attributes": "01" + "00" * 7}
        folder = self.platform.write_collateral(os.path.join(self.folder, "allowing"), allowing)
        quote = self.platform.quote(self.body(attributes=1 << 28 | 1 << 29, module_attributes=b"\1" + bytes(7)))
        self.assertEqual(self.failed(quote, "--accept", "service-td", collateral=folder), {"module-attributes"})
        self.assertEqual(self.failed(quote, "--accept", "module-attributes", "service-td", collateral=folder), set())
        bound_td = self.platform.quote(self.body(attributes=1 << 28 | 1 << 29, is_1_5=True)[:-48] + b"\5" * 48, version=5)
        self.assertEqual(self.failed(bound_td), {"service-td"})
        self.assertEqual(self.failed(bound_td, "--servtd-hash", "05" * 48), set())
        self.assertEqual(self.failed(bound_td, "--servtd-hash", "06" * 48), {"service-td"})
        self.assertEqual(self.failed(quote, "--servtd-hash", "05" * 48, "--accept", "service-td", collateral=folder),
                         {"service-td", "module-attributes"})
        # The host chooses the form: one without SERVTD_HASH excuses no TD that can be moved.
        for version in (4, 5):
            hidden = self.platform.quote(self.body(attributes=1 << 28 | 1 << 29), version)
            self.assertEqual(self.failed(hidden), {"service-td"})
            outcomes, texts = self.verify(hidden, "--accept", "service-td")
            self.assertEqual((outcomes["service-td"], texts["service-td"][:40]),
                             ("accepted", "this form of quote has no SERVTD_HASH: o"))

    def test_what_is_accepted_is_named_and_shown(self):
        quote = self.platform.quote(self.body())
        for status, word in (("SWHardeningNeeded", "sw-hardening-needed"), ("ConfigurationNeeded", "configuration-needed"),
                             ("ConfigurationAndSWHardeningNeeded", "configuration-and-sw-hardening-needed"),
                             ("OutOfDate", "out-of-date"), ("OutOfDateConfigurationNeeded", "out-of-date-configuration-needed")):
            with self.subTest(status):
                folder = self.platform.write_collateral(os.path.join(self.folder, word), self.platform.tcb_info(status))
                self.assertEqual(self.failed(quote, collateral=folder), {"tcb-level"})
                self.assertEqual(self.failed(quote, "--accept", "no-nonce", collateral=folder), {"tcb-level"})
                outcomes, texts = self.verify(quote, "--accept", word, collateral=folder)
                self.assertEqual((outcomes["tcb-level"], texts["tcb-level"]), ("accepted", f"{status}: TEST-SA-1"))
        alone = ("shim-attest", "verify", "--quote", self.put("quote", quote), "--collateral", str(self.collateral), "--root",
                 os.path.join(self.platform_folder, "root.pem"), "--json")
        failed = {check["name"] for check in json.loads(self.run_tool(*alone).stdout)["checks"] if check["outcome"] == "FAILED"}
        self.assertEqual(failed, {"policy", "event-log", "report-data"})
        self.assertEqual(self.run_tool(*alone, "--accept", "no-policy", "no-log", "no-nonce").returncode, 0)

    def test_evaluations_can_be_asked_for(self):
        quote = self.platform.quote(self.body())
        self.assertEqual(self.failed(quote, "--min-evaluation", "15"), set())
        self.assertEqual(self.failed(quote, "--min-evaluation", "16"), {"tcb-info", "enclave-identity"})

    def test_nobody_takes_an_end_of_the_nonce_for_what_is_bound(self):
        """A relay that asks for NONCE and its own key behind it, of a TD that binds nothing."""
        relayed = quoting.bound_data(nonce + b"a stranger's key")
        self.assertEqual(self.failed(self.platform.quote(self.body(report_data=relayed))), {"report-data"})
        for half in (nonce + bound, nonce):
            self.assertEqual(self.failed(self.platform.quote(self.body(report_data=quoting.bound_data(half)))), {"report-data"})

    def test_dates_are_those_of_the_time_that_is_asked_for(self):
        quote = self.platform.quote(self.body())
        late = {"pck-chain", "tcb-info", "enclave-identity", "tcb-info-dates", "enclave-identity-dates"}
        self.assertEqual(self.failed(quote, time="2060-01-01T00:00:00Z"), late)
        outcomes, texts = self.verify(quote, "--ignore-dates", time="2060-01-01T00:00:00Z")
        self.assertEqual(set(outcomes.values()), {"passed"}, texts)
        self.assertIn("ignored", texts["tcb-info-dates"])
        self.assertIn("dates were ignored", texts["pck-chain"])

    def test_bad_input_is_named(self):
        quote = self.platform.quote(self.body())
        file = self.put("quote", quote)
        for options, reason in ((("--quote", file, "--time", "2026-02-30T00:00:00Z"), "--time: expected such as"),
                                (("--quote", file, "--nonce", "xyz"), "--nonce: expected pairs of hexadecimal digits"),
                                (("--quote", file, "--nonce", "00" * 15), "--nonce: expected 16 to 64 bytes, found 15"),
                                (("--quote", file, "--nonce", "00" * 65), "--nonce: expected 16 to 64 bytes, found 65"),
                                (("--quote", file, "--bind", file, "--report-data", "00"), "--bind goes with --nonce"),
                                (("--quote", file, "--report-data", "00" * 65), "at most 64 bytes, found 65"),
                                (("--quote", file, "--servtd-hash", "00"), "--servtd-hash: expected 96 hexadecimal digits"),
                                (("--quote", file, "--bind", file), "--bind goes with --nonce"),
                                (("--quote", file, "--nonce", "00" * 16, "--bind", self.put("empty", b"")), "empty: is empty, and binds"),
                                ((file, "--quote", file), "give EVIDENCE or --quote FILE"),
                                (("--ccel", file, self.put("evidence", b"{}")), "--ccel goes with --quote"),
                                ((self.put("no", b"{}"),), "quote: expected a text, found nothing"),
                                ((self.put("percent", b'{"quote":"%%%%"}'),), "quote: expected base64"),
                                (("--quote", file, "--collateral", self.folder), "tcbinfo.json: cannot open"),
                                (("--quote", file, "--root", file + "x"), "cannot open")):
            with self.subTest(reason):
                self.assertIn(reason, self.bad("shim-attest", "verify", *options).stderr)
        certification = 48 + 584 + 4 + 128
        chain = certification + 6 + 384 + 64 + 2 + 32
        key = "quote's attestation key is of type 3 at offset 0x2: expected 2, ECDSA with P-256, found 3, another"
        for changed, reason in ((quote[:700], "input ends too early at offset 0x27c"),
                                (quote[:2] + b"\3" + quote[3:], key),
                                (quote[:certification] + b"\5" + quote[certification + 1:],
                                 f"quote's certification data are of type 5 at offset {certification:#x}: expected 6, the quoting"),
                                (quote[:chain] + b"\3" + quote[chain + 1:],
                                 f"quote's certification data are of type 3 at offset {chain:#x}: expected 5, a chain of PCK "
                                 "certificates, found 3, an encrypted PPID")):
            with self.subTest(reason):
                result = self.run_tool("shim-attest", "verify", "--quote", self.put("half", changed))
                self.assertEqual((result.returncode, result.stdout.split(":")[0]), (1, "FAILED    quote-format"))
                self.assertIn(reason, result.stdout)

    def test_the_fields_are_shown(self):
        for version, is_1_5 in ((4, False), (5, True)):
            shown = json.loads(self.good("shim-attest", "show", self.put("quote", self.platform.quote(
                self.body(is_1_5=is_1_5), version)), "--json"))
            self.assertEqual((shown["schema"], shown["form"]), ("shim-attest-show/1", f"quote v{version}"))
            td = shown["td"]
            self.assertEqual((td["attributes"], td["attribute_names"], td["xfam"]), ("0x10000000", ["SEPT_VE_DISABLE"], "0xe7"))
            self.assertEqual(td["mrtd"] + "".join(td[f"rtmr{i}"] for i in range(4)), self.registers.hex())
            self.assertEqual(td["report_data"], self.report_data.hex())
            self.assertEqual(shown["tdx_module"]["tee_tcb_svn"], bytes(quoting.TDX_SVNS).hex())
            self.assertEqual((shown["quoting_enclave"]["mrsigner"], shown["quoting_enclave"]["svn"]), (quoting.SIGNER.hex(), 4))
            self.assertEqual([certificate["subject"] for certificate in shown["certificates"]],
                             ["tdshim test pck", "tdshim test authority", "tdshim test root"])
            self.assertEqual((shown["certificates"][0]["fmspc"], shown["certificates"][0]["svns"]),
                             (quoting.FMSPC.hex(), quoting.SVNS))
        text = self.good("shim-attest", "show", os.path.join(self.folder, "quote"))
        self.assertRegex(text, r"(?m)^  mrtd +" + td["mrtd"] + "$")
        self.assertRegex(text, r"(?m)^  subject +tdshim test pck$")

    def test_nothing_to_collect_outside_of_a_td(self):
        result = self.run_tool("shim-attest", "collect", "--nonce", "00" * 16)
        self.assertEqual((result.returncode, result.stdout), (3, ""))
        self.assertIn("this is no TD", result.stderr)
        for options, reason in ((("--nonce", "0"), "--nonce: expected pairs of hexadecimal digits"),
                                (("--nonce", "00" * 16, "--bind", self.folder + "/none"), "none: cannot open"),
                                (("--nonce", "00" * 16, "-o", self.folder), "is a folder"), (("--nonce", "00" * 16, "--connect", "x"), "x: expected such as"), ((), "--nonce is required")):
            with self.subTest(reason):
                self.assertIn(reason, self.bad("shim-attest", "collect", *options).stderr)

    def test_a_gibibyte_is_refused_at_once(self):
        large = os.path.join(self.folder, "large")
        with open(large, "wb") as file:
            file.truncate(1 << 30)
        for options in ((large,), ("--quote", large), ("--quote", self.put("q", b"q"), "--ccel", large),
                        ("--quote", self.put("q", b"q"), "--policy", large), ("--quote", self.put("q", b"q"), "--root", large)):
            with self.subTest(options):
                self.assertIn("larger than 16 MiB", self.bad("shim-attest", "verify", *options).stderr)

    @unittest.skipUnless(production.is_dir(), "the quote of a production machine is not here")
    def test_a_production_quote(self):
        command = ("shim-attest", "verify", "--quote", str(production / "quote-v4-production.bin"), "--collateral", str(production),
                   "--accept", "no-policy", "no-log", "no-nonce", "--json")
        verdict = json.loads(self.run_tool(*command, "--time", "2023-06-20T00:00:00Z").stdout)
        outcomes = {check["name"]: check["outcome"] for check in verdict["checks"]}
        self.assertEqual({name for name, outcome in outcomes.items() if outcome == "FAILED"}, {"tcb-level", "sept-ve-disable"})
        # Its third TDX component is 4, and the one level of any SVN that this information has asks for 5.
        texts = {check["name"]: check["text"] for check in verdict["checks"]}
        self.assertIn("reaches no TCB level", texts["tcb-level"])
        for name in ("quote-signature", "attestation-key", "quoting-enclave-report", "pck-chain", "tcb-info", "enclave-identity",
                     "tcb-info-dates", "enclave-identity-dates", "quoting-enclave", "tdx-module", "no-debug"):
            self.assertEqual(outcomes[name], "passed", texts[name])
        later = json.loads(self.run_tool(*command, "--time", "2025-01-01T00:00:00Z").stdout)
        failed = {check["name"] for check in later["checks"] if check["outcome"] == "FAILED"}
        self.assertLessEqual({"pck-chain", "tcb-info", "tcb-info-dates", "enclave-identity-dates"}, failed)


if __name__ == "__main__":
    unittest.main()
