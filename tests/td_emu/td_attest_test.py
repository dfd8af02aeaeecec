#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From the guest to a verdict: an emulated TD collects its evidence and sends it over virtio-net, and a relying party
verifies it; with any one thing of it changed, it does not."""

import base64
import datetime
import functools
import hashlib
import json
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import event_log
import settings
import suite
import td_emu
import td_guest

nonce, public_key = "00112233445566778899aabbccddeeff", b"a public key"
command_line = "console=ttyS0 panic=-1"
events = b"""PCR11:string:what this bundle is
RTMR2:string:an image
RTMR2:binary:00ff80
RTMR3:string:a deployment
"""
memory = "512M"
ipl, event_tag = 0xD, 0x6


def tool(name, *arguments):
    return subprocess.run([settings.tool(name), *map(str, arguments)], capture_output=True, text=True, check=False)


def good(name, *arguments):
    result = tool(name, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


class Listener:
    """Takes what one guest sends. QEMU's user network leads 10.0.2.2 here."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.received = None
        self.thread = threading.Thread(target=self.take, daemon=True)
        self.thread.start()

    def take(self):
        with self.server, self.server.accept()[0] as connection:
            self.received = b"".join(iter(lambda: connection.recv(65536), b""))


class Bridge:
    """Leads one TCP connection to td-emu's quoting service, as vsock would."""

    def __init__(self, path):
        self.path = path
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with (self.server, self.server.accept()[0] as guest, socket.socket(socket.AF_UNIX) as service,
              socket.socket(socket.AF_UNIX) as idle):
            idle.connect(str(self.path))  # and says nothing: nobody waits for it
            idle.sendall(bytes(3))
            service.connect(str(self.path))
            asking = threading.Thread(target=self.copy, args=(guest, service), daemon=True)
            asking.start()
            self.copy(service, guest)

    @staticmethod
    def copy(source, destination):
        while content := source.recv(65536):
            destination.sendall(content)


class Guest:
    """One run of a guest that collects: with a kernel and initrd, or with a bundle that has events. `more` are options
    of collect's."""

    def __init__(self, test, *options, version="6.12", faults=None, in_bundle=False, more=""):
        self.folder = suite.temporary_folder(test)
        guest, listener = settings.Guest(version), Listener()
        program = td_guest.script(
            "ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; mount -t securityfs none /sys/kernel/security 2>/dev/null",
            f"said=$(shim-attest collect --nonce {nonce} --bind /key --connect tcp:10.0.2.2:{listener.port} {more} 2>&1)",
            "echo $? $said")
        initrd = td_guest.initrd_with(test, guest, program, {
            "bin/shim-attest": settings.tool("shim-attest").read_bytes(), "key": public_key})
        (self.folder / "key").write_bytes(public_key)
        if in_bundle:
            (self.folder / "events").write_bytes(events)
            good("shim-bundle", "create", "--kernel", guest.kernel, "--initrd", initrd, "--append", command_line, "--events",
                 self.folder / "events", "-o", self.folder / "bundle")
            self.payload = ("--kernel", self.folder / "bundle")
        else:
            self.payload = ("--kernel", guest.kernel, "--initrd", initrd, "--append", command_line)
        if faults is not None:
            (self.folder / "faults").write_text(json.dumps(faults), encoding="ascii")
            options = ("--fault", self.folder / "faults", *options)
        self.run = td_emu.Run(*self.payload, "--memory", memory, "--ccel", self.folder / "ccel", *options, "--",
                              "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net")
        self.exit_code, self.said = re.fullmatch(r"(\d+) ?(.*)", self.run.line("^guest: td-report (.*)$")[1]).groups()
        if listener.received is None and self.exit_code == "0":
            listener.thread.join(60)
        self.evidence = listener.received


@functools.cache
def attested():
    """What the tests of one process share: one TD's evidence, and what a relying party has."""
    case = unittest.TestCase()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tdshim-vm-"))
    unittest.addModuleCleanup(lambda: subprocess.run(["rm", "-r", folder], check=True))
    guest = Guest(case, "--quote-keys", folder / "keys", in_bundle=True)
    unittest.addModuleCleanup(case.doCleanups)
    assert guest.exit_code == "0", guest.said
    policy = folder / "policy.json"
    policy.write_text(good("shim-measure", settings.image(), *guest.payload, "--memory", memory, "--qemu", settings.qemu("new"),
                           "--format", "policy", "--", "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net"),
                      encoding="ascii")
    return guest, folder, policy


class Attested(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.guest, self.keys, self.policy = (lambda guest, folder, policy: (guest, folder / "keys", policy))(*attested())
        self.folder = suite.temporary_folder(self)
        self.evidence = json.loads(self.guest.evidence)
        self.quote = base64.b64decode(self.evidence["quote"])
        self.log = base64.b64decode(self.evidence["cc_eventlog"])

    def put(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def verify(self, quote=None, log=None, keys=None, policy=None, asked=nonce, key=public_key, root=None, more=()):
        """{name: outcome} and {name: text}."""
        evidence = {"quote": base64.b64encode(quote or self.quote).decode(), "cc_eventlog": base64.b64encode(log or self.log).decode()}
        result = tool("shim-attest", "verify", self.put("evidence", json.dumps(evidence).encode()), "--policy", policy or self.policy,
                      "--nonce", asked, "--bind", self.put("bound", key), "--collateral", keys or self.keys, "--root",
                      root or self.keys / "root.pem", "--json", *more)
        self.assertIn(result.returncode, (0, 1), result.stderr)
        checks = json.loads(result.stdout)["checks"]
        self.assertEqual(result.returncode == 0, all(check["outcome"] != "FAILED" for check in checks))
        return {check["name"]: check["outcome"] for check in checks}, {check["name"]: check["text"] for check in checks}

    def failed(self, **changed):
        return {name for name, outcome in self.verify(**changed)[0].items() if outcome == "FAILED"}

    def changed_keys(self, **files):
        """The relying party's folder with the file of that name (a _ for its dot and dashes) changed."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        for path in self.keys.iterdir():
            content = path.read_bytes()
            change = files.get(re.sub("[.-]", "_", path.name))
            (folder / path.name).write_bytes(change(content) if change else content)
        return folder

    def test_what_the_guest_sent_is_good(self):
        file = self.put("as-it-came", self.guest.evidence)
        result = tool("shim-attest", "verify", file, "--policy", self.policy, "--nonce", nonce, "--bind",
                      self.put("bound", public_key), "--collateral", self.keys, "--root", self.keys / "root.pem")
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        self.assertEqual({line.split()[0] for line in result.stdout.splitlines()[:-1]}, {"passed"})
        self.assertEqual(self.evidence["platform"]["quote_source"], "configfs-tsm")
        self.assertIn(b"boot_aggregate", base64.b64decode(self.evidence["ima_log"]))
        (self.folder / "report").write_bytes(bytes.fromhex(self.guest.run.result["report"]))
        of_quote, of_report = (json.loads(good("shim-attest", "show", name, "--json")) for name in (file, self.folder / "report"))
        del of_report["td"]["servtd_hash"]  # a quote of version 4 has none
        self.assertEqual(of_report["td"] | {"report_data": of_quote["td"]["report_data"]}, of_quote["td"])
        self.assertEqual((of_report["tdx_module"], of_report["form"]), (of_quote["tdx_module"], "TDREPORT"))
        # The log that Linux gives is td-emu's, and the quote's registers are its report's.
        self.assertEqual(self.log[:4096], (self.guest.folder / "ccel").read_bytes()[:4096])
        report = self.guest.run.report
        self.assertEqual(self.quote[48 + 136:48 + 184], report.mrtd)
        self.assertEqual(self.quote[48 + 328:48 + 520], b"".join(report.rtmr))

    def test_another_parser_replays_the_log_to_the_quote_s_registers(self):
        """tpm2-tools', which wants the log cut where its entries end; PCR n is RTMR[n - 1]."""
        if shutil.which("tpm2_eventlog") is None:
            settings.skip("tpm2_eventlog is not here")
        used = json.loads(good("shim-log", "decode", self.put("log", self.log), "--json"))["used"]
        text = subprocess.run(["tpm2_eventlog", self.put("cut", self.log[:used])], check=True, capture_output=True, text=True).stdout
        replayed = dict(re.findall(r"(?m)^    (\d+) +: 0x([0-9a-f]{96})$", text))
        registers = {str(i + 1): self.quote[48 + 328 + 48 * i:][:48].hex() for i in range(4)}
        self.assertEqual(replayed, registers)

    def test_what_trustee_asks_of_events_holds(self):
        """One event against these rules, and it rejects all of the evidence [confidential-containers/trustee,
        deps/eventlog/src/ccel: simple_string.rs, ipl.rs, event_tag.rs]; other types that the log has can be anything there."""
        kinds = set()
        for event in event_log.EventLog(self.log).events:
            kinds.add(event.kind)
            if event.kind == event_log.platform_firmware_blob2:
                event.data[1:event.data[0]].decode()  # without the last byte: a NUL
                self.assertEqual(event.blob()[0][-1:], b"\0")
            elif event.kind == ipl:
                self.assertGreaterEqual(len(event.data), 2)
                self.assertNotEqual(event.data[:2], b".\0")
            elif event.kind == event_tag:
                tag, size = struct.unpack_from("<II", event.data)
                self.assertEqual((event.data[:4], len(event.data)), (b"TDSH", 8 + size))
                self.assertNotEqual(tag, 0x4141454C)  # its agent's own
                self.assertEqual(event.digest, hashlib.sha384(event.data).digest())
        self.assertEqual(kinds, {event_log.separator, event_log.platform_config_flags, event_log.platform_firmware_blob2, ipl, event_tag})

    def test_each_single_change_fails_in_the_line_that_names_it(self):
        body, signature = 48, 48 + 584 + 4
        report = signature + 64 + 64 + 6
        authentication = report + 384 + 64
        chain = authentication + 2 + 32 + 6

        def at(offset, line):
            changed = bytearray(self.quote)
            changed[offset] ^= 1
            return {"quote": bytes(changed)}, line

        def of_log(find, line="event-log", distance=0):
            changed = bytearray(self.log)
            changed[self.log.index(find) + distance] ^= 1
            return {"log": bytes(changed)}, line

        def of_file(name, old, new, line):
            def change(content):
                self.assertIn(old, content)
                return content.replace(old, new, 1)
            return {"keys": self.changed_keys(**{name: change})}, line

        def of_list(name, distance, line):
            def change(content):
                return content[:distance] + bytes([content[distance] ^ 1]) + content[distance + 1:]
            return {"keys": self.changed_keys(**{name: change})}, line

        def of_policy(member, change, line="policy"):
            policy = json.loads(self.policy.read_text(encoding="ascii"))
            policy[member] = change(policy[member])
            return {"policy": self.put(f"policy-{member}", json.dumps(policy).encode())}, line

        def other_digit(text):
            return text[:-1] + ("0" if text[-1] != "0" else "1")

        fields = {"tee_tcb_svn": 2, "mr_seam": 16, "mr_signer_seam": 64, "seam_attributes": 112, "attributes": 123, "xfam": 128,
                  "mrtd": 136, "mrconfigid": 184, "mrowner": 232, "mrownerconfig": 280, "rtmr0": 328, "rtmr1": 376, "rtmr2": 424,
                  "rtmr3": 472, "report_data": 520}
        cases = {f"quote's {name}": at(body + offset, "quote-signature") for name, offset in fields.items()}
        cases |= {f"quote's {name} as a register": at(body + fields[name], "event-log")
                  for name in ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3")}
        cases |= {f"quote's {name} against the policy": at(body + fields[name], "policy")
                  for name in ("mrtd", "rtmr0", "rtmr1", "xfam", "attributes")}
        cases |= {
            "version": at(0, "quote-format"), "key type": at(2, "quote-format"), "TEE type": at(4, "quote-format"),
            "vendor": at(12, "quoting-enclave-vendor"), "user data": at(28, "quote-signature"),
            "report data": at(body + 520, "report-data"), "SEAM's signer": at(body + 64, "tdx-module"),
            "SEAM's attributes": at(body + 112, "tdx-module"), "debug": at(body + 120, "no-debug"),
            "sept_ve_disable": ({"quote": self.quote[:body + 123] + bytes([self.quote[body + 123] ^ 0x10]) +
                                 self.quote[body + 124:]}, "sept-ve-disable"),
            "signature": at(signature + 5, "quote-signature"), "attestation key": at(signature + 70, "attestation-key"),
            "enclave's CPUSVN": at(report, "quoting-enclave-report"), "enclave's attributes": at(report + 48, "quoting-enclave"),
            "enclave's measurement": at(report + 64, "quoting-enclave-report"), "enclave's signer": at(report + 128, "quoting-enclave"),
            "enclave's product": at(report + 256, "quoting-enclave"), "enclave's SVN": at(report + 258, "quoting-enclave-report"),
            "enclave's report data": at(report + 320, "attestation-key"),
            "enclave's signature": at(report + 384 + 9, "quoting-enclave-report"),
            "authentication data": at(authentication + 4, "attestation-key"),
            "PCK certificate": at(chain + 400, "pck-chain"),
            "CA's certificate": at(self.quote.index(b"BEGIN", chain + 100) + 300, "pck-chain"),
            "log: command line": of_log(command_line.encode()), "log: title of the bundle's event": of_log(b"what this bundle is"),
            "log: event of RTMR[2]": of_log(b"an image"), "log: event of RTMR[3]": of_log(b"a deployment"),
            "log: a digest": of_log(self.some_digest(), distance=7),
            "log: first event's signature": of_log(b"Spec ID Event03"),
            "TCB info: FMSPC": of_file("tcbinfo_json", b"454d554c4154", b"454d554c4155", "tcb-info"),
            "TCB info: status": of_file("tcbinfo_json", b"UpToDate", b"OutOfDate", "tcb-info"),
            "TCB info: an SVN": of_file("tcbinfo_json", b'"svn":69', b'"svn":68', "tcb-info"),
            "TCB info: module's SVN": of_file("tcbinfo_json", b'"isvsvn":69', b'"isvsvn":68', "tcb-info"),
            "TCB info: signature": of_file("tcbinfo_json", b'"signature":"', b'"signature":"0', "tcb-info"),
            "identity: signer": of_file("qeidentity_json", b'"mrsigner":"454d', b'"mrsigner":"454e', "enclave-identity"),
            "identity: SVN": of_file("qeidentity_json", b'"isvsvn":4', b'"isvsvn":3', "enclave-identity"),
            "identity: product": of_file("qeidentity_json", b'"isvprodid":2', b'"isvprodid":1', "enclave-identity"),
            "root's list": of_list("rootcrl_der", -3, "pck-chain"), "platforms' list": of_list("pckcrl_der", -3, "pck-chain"),
            "nonce": ({"asked": other_digit(nonce)}, "report-data"), "longer nonce": ({"asked": nonce + "00"}, "report-data"),
            "what is bound": ({"key": public_key + b"!"}, "report-data"),
            "policy's MRTD": of_policy("mrtd", other_digit), "policy's RTMR[0]": of_policy("rtmr0", other_digit),
            "policy's RTMR[1]": of_policy("rtmr1", other_digit), "policy's RTMR[2]": of_policy("rtmr2", lambda _: "00" * 48),
            "policy's attributes": of_policy("attributes", lambda text: hex(int(text, 16) ^ 2)),
            "policy's XFAM": of_policy("xfam", lambda text: hex(int(text, 16) ^ 4)),
            "a year later": ({"more": ("--time", f"{datetime.date.today().year + 1}-12-31T00:00:00Z")}, "tcb-info-dates"),
            "long ago": ({"more": ("--time", "2020-01-01T00:00:00Z")}, "enclave-identity-dates"),
            "another root": ({"root": self.keys / "tcb-signer.pem"}, "pck-chain"),
        }
        self.assertGreaterEqual(len(cases), 60)
        for name, (changed, line) in cases.items():
            with self.subTest(name):
                outcome = tool_outcome(self, changed)
                self.assertIn(line, outcome)

    def some_digest(self):
        """Of the first event that has one."""
        decoded = json.loads(good("shim-log", "decode", self.put("log", self.log), "--json"))
        return bytes.fromhex(next(event["digest"] for event in decoded["events"] if event["digest"]))


def tool_outcome(test, changed):
    """The lines that fail; what is refused as a file (exit code 2) is named in its message."""
    try:
        return test.failed(**changed)
    except AssertionError as refused:
        if "tcbinfo.json: signature" in str(refused):
            return {"tcb-info"}
        raise


class Keys(unittest.TestCase):
    """Folders of keys that were not made by one run, and places for a socket that are none."""

    def refused(self, *options):
        run = td_emu.Run("--until", "payload", *options)
        self.assertEqual((run.exit_code, run.result), (2, None), run.errors)
        return run.errors

    def test_folders_and_sockets_that_are_wrong(self):
        keys = attested()[1] / "keys"
        self.assertEqual(keys.stat().st_mode & 0o777, 0o700)
        self.assertEqual({path.stat().st_mode & 0o077 for path in keys.glob("*.key")}, {0})
        for name, change, options, message in (
                ("mixed", lambda folder: shutil.copy(keys / "attestation.key", folder / "pck.key"), (), "pck.pem: does not belong to"),
                ("other-root", lambda folder: shutil.copy(keys / "tcb-signer.pem", folder / "root.pem"), (), "root.pem: expected a"),
                ("half", lambda folder: (folder / "pck.pem").unlink(), (), "pck.pem: is not there, and others of its keys are"),
                ("empty", lambda folder: (folder / "pck.key").write_bytes(b""), (), "pck.key: expected a private key on P-256 in PEM"),
                ("names", lambda folder: None, ("--quote-names", "intel"), 'expected a certificate of "Intel SGX Root CA"'),
                ("file", lambda folder: None, ("--quote-socket", keys / "root.pem"), "root.pem: is there already")):
            with self.subTest(name):
                folder = suite.temporary_folder(self) / name
                shutil.copytree(keys, folder)
                change(folder)
                self.assertIn(message, self.refused("--quote-keys", folder, *options))

    def test_a_socket_that_nobody_listens_on_is_taken(self):
        path = suite.temporary_folder(self) / "qgs"
        with socket.socket(socket.AF_UNIX) as abandoned:
            abandoned.bind(str(path))
        run = td_emu.Run("--until", "payload", "--quote-socket", path, *payloads())
        self.assertEqual(run.exit_code, 0, run.errors)
        self.assertFalse(path.exists())


def payloads():
    guest = settings.Guest("6.12")
    return "--kernel", guest.kernel, "--memory", memory


class Quotes(unittest.TestCase):
    def test_version_5_with_intel_s_names(self):
        folder = suite.temporary_folder(self)
        guest = Guest(self, "--quote-keys", folder / "keys", "--quote-version", "5", "--quote-names", "intel")
        self.assertEqual(guest.exit_code, "0", guest.said)
        quote = base64.b64decode(json.loads(guest.evidence)["quote"])
        self.assertEqual((quote[0], quote[48:54]), (5, bytes([3, 0, 0x88, 2, 0, 0])))
        (folder / "evidence").write_bytes(guest.evidence)
        (folder / "key").write_bytes(public_key)
        verdict = json.loads(tool("shim-attest", "verify", folder / "evidence", "--collateral", folder / "keys", "--root",
                                  folder / "keys/root.pem", "--nonce", nonce, "--bind", folder / "key", "--accept", "no-policy",
                                  "--json").stdout)
        self.assertTrue(verdict["good"], verdict)
        self.assertIn("Intel SGX PCK Certificate", next(c["text"] for c in verdict["checks"] if c["name"] == "pck-chain"))

    def test_a_quote_in_flight_is_waited_for(self):
        guest = Guest(self, faults=[{"quote": {"in_flight": 50}}])
        self.assertEqual(guest.exit_code, "0", guest.said)

    def test_a_host_that_gives_no_quote_or_another_s(self):
        for fault, said in (({"status": "0x8000000000000001"}, "the host made no quote"),
                            ({"status": "0x8000000000000000", "size": 2000}, "what the host gave is no quote"),
                            ({"size": 4000}, "what the host gave is no quote"),
                            ({"offset": 48 + 520, "bytes": "00"}, "a quote of other REPORTDATA")):
            with self.subTest(fault):
                guest = Guest(self, faults=[{"quote": fault}])
                self.assertEqual(guest.exit_code, "2", guest.said)
                self.assertIn(said, guest.said)

    def test_a_report_of_the_device_s_and_the_quoting_service(self):
        folder = suite.temporary_folder(self)
        bridge = Bridge(folder / "qgs")
        guest = Guest(self, "--quote-socket", bridge.path, more=f"--source device --quote-service tcp:10.0.2.2:{bridge.port}")
        self.assertEqual(guest.exit_code, "0", guest.said)
        evidence = json.loads(guest.evidence)
        self.assertEqual(evidence["platform"]["quote_source"], f"tdx_guest and tcp:10.0.2.2:{bridge.port}")
        self.assertEqual(base64.b64decode(evidence["quote"])[48 + 328:48 + 520], b"".join(guest.run.report.rtmr))
        self.assertNotIn("GetQuote", guest.run.result["tdvmcalls_by_name"])
        self.assertFalse(bridge.path.exists())

    def test_linux_without_quotes(self):
        guest = Guest(self, version="6.1")
        self.assertEqual(guest.exit_code, "3", guest.said)
        self.assertIn("this is a TD, and its Linux has no quotes", guest.said)


if __name__ == "__main__":
    suite.main()
