#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shim-sign and shim-enroll as a user meets them, against reference.py, which shares no code with them: what it makes
they take, what they make it takes, and what is wrong is refused with its own line."""

import json
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))

# pylint: disable=wrong-import-position
from reference import (
    ANCHOR_FILE, POLICY, EcKey, RsaKey, acpi_table, anchor, hash_of, openssl, payload_header, policy, signed, volume,
    volume_file,
)
from signing_case import CONTENTS, SigningTest
from support import BIN, CFV_SIZE
import unittest

class ForeignTest(SigningTest):
    """What reference.py makes."""

    def test_a_payload_and_an_anchor_from_the_description_are_taken(self):
        for key in self.both:
            for as_document in (False, True):
                image = self.with_volume(volume(CFV_SIZE, volume_file(ANCHOR_FILE, anchor(key.block(), as_document))))
                found = self.accepted(self.put("foreign", signed(key, CONTENTS, 3, 9)), "--firmware", image)
                self.assertEqual(found["digest"], hash_of(CONTENTS).hex())
                self.assertEqual(found["signed"]["svn"], 3)
                self.assertEqual(found["signed"]["version"], 9)
                self.assertEqual(found["signed"]["key"], hash_of(key.block()).hex())
                self.assertTrue(found["trusted"])

    def test_the_numbers_of_td_shims_tools_are_taken_as_the_enrolment_says(self):
        file = self.put("foreign", signed(self.ec, CONTENTS, algorithm=1))
        self.assertEqual(self.accepted(file, "--firmware", self.enroll("--key", self.ec.public))["signed"]["numbering"],
                         "td-shim")
        self.refused("signed payload names another algorithm", file, "--firmware",
                     self.enroll("--key", self.ec.public, "--min-svn", "0", "--policy", "signed", "--revoke", "0" * 96))
        self.accepted(file, "--firmware", self.enroll("--key", self.ec.public, "--td-shim-numbering"))

    def test_what_is_wrong_is_refused(self):
        for key, block in ((self.rsa, 776), (self.ec, 192)):
            image = self.with_volume(volume(CFV_SIZE, volume_file(ANCHOR_FILE, anchor(key.block()))))
            good = signed(key, CONTENTS, 3)
            end = 48 + len(CONTENTS)
            number = 1 if key is self.rsa else 2
            message = payload_header(CONTENTS, number) + CONTENTS
            short = payload_header(CONTENTS[:-1], number) + CONTENTS
            cases = {
                "payload is not signed": [CONTENTS],
                "payload is no bzImage": [b"", b"\0" + good, signed(key, bytes(300))],
                "input ends too early": [good[:16], good[:47]],
                "signed payload's structure version": [good[:16] + b"\2" + good[17:]],
                "signed payload's length": [good[:48], good[: end - 1], good[:20] + struct.pack("<I", 48) + good[24:],
                                            good[:20] + b"\xff" * 4 + good[24:], good[:20] + bytes(4) + good[24:]],
                "signed payload's signature block": [good[:end], good[:-1], good + b"\0", good[: end + 1],
                                                     short + key.block() + key.sign(short)],
                "signed payload has an unknown": [good[:40] + b"\3" + good[41:], good[:40] + b"\0" + good[41:]],
                "signed payload's reserved": [good[:44] + b"\1" + good[45:]],
                "payload's public key is not enrolled": [signed(self.other, CONTENTS), good[:end] + good[-block:][::-1]],
                "signature is not that of this key": [
                    good[:60] + b"\1" + good[61:], good[:32] + b"\7" + good[33:], good[:-1] + bytes([good[-1] ^ 1]),
                    good[:40] + bytes([3 - number]) + good[41:], message + key.block() + key.sign(CONTENTS),
                    message + key.block() + key.sign(hash_of(message))],
            }
            for reason, files in cases.items():
                for file in files:
                    with self.subTest(reason):
                        self.refused(reason, self.put("bad", file), "--firmware", image)

    def test_a_volume_that_is_wrong_is_bad_input(self):
        file = volume_file(ANCHOR_FILE, anchor(self.ec.block()))
        good = volume(CFV_SIZE, file)
        cases = {"signature _FVH": good[:40] + b"X" + good[41:], "a wrong checksum": good[:50] + b"X" + good[51:],
                 "a file twice": volume(CFV_SIZE, file, file), "behind its last file": good[:-1] + b"\1",
                 "neither a trust anchor nor a policy": volume(CFV_SIZE),
                 "another length than its place": volume(CFV_SIZE * 2, file)[:CFV_SIZE]}
        signed_file = self.put("foreign", signed(self.ec, CONTENTS))
        for reason, content in cases.items():
            with self.subTest(reason):
                image = self.with_volume(content)
                result = self.bad("shim-sign", "verify", signed_file, "--firmware", image)
                self.assertIn(reason, result.stderr)
                self.assertIn("policy: none that is known here", self.good("shim-info", image))
                self.assertIsNone(json.loads(self.good("shim-info", "--json", image))["enrolment"])


class OwnTest(SigningTest):
    """What the tools make."""

    def test_a_signed_payload_is_byte_for_byte_the_described_one(self):
        for key in self.both:
            file = self.read(self.sign(key, "--svn", "3", "--version", "9"))
            message = payload_header(CONTENTS, 1 if key is self.rsa else 2, 3, 9) + CONTENTS
            end = len(message) + len(key.block())
            self.assertEqual(file[:end], message + key.block())
            self.assertTrue(key.verify(message, file[end:]))
            self.assertFalse(key.verify(message + b"\0", file[end:]))
            swapped = self.read(self.sign(key, "--numbering", "td-shim"))
            self.assertEqual(struct.unpack_from("<I", swapped, 40)[0], 2 if key is self.rsa else 1)

    def test_an_anchor_is_byte_for_byte_that_of_td_shim(self):
        before = self.read(self.image)
        for key in self.both:
            enrolled = self.read(self.enroll("--key", key.public))
            self.assertEqual(enrolled[:CFV_SIZE], volume(CFV_SIZE, volume_file(ANCHOR_FILE, anchor(key.block()))))
            self.assertEqual(enrolled[CFV_SIZE:], before[CFV_SIZE:])

    def test_keys_of_every_form_sign(self):
        for key, kind in ((self.rsa, "rsa"), (self.ec, "ec")):
            for name, command in (("pkcs8.der", ("pkcs8", "-topk8", "-nocrypt", "-outform", "DER")),
                                  ("traditional.pem", (kind, *(("-traditional",) if kind == "rsa" else ()))),
                                  ("traditional.der", (kind, *(("-traditional",) if kind == "rsa" else ()), "-outform",
                                                       "DER"))):
                path = self.put(name, openssl(*command, "-in", key.path))
                self.good("shim-sign", self.payload, "--key", path, "-o", self.path("signed"))
                public = self.put("public.der", openssl("pkey", "-in", key.path, "-pubout", "-outform", "DER"))
                self.accepted(self.path("signed"), "--public-key", public)
                self.accepted(self.path("signed"), "--firmware", self.enroll("--key", public))

    def test_an_encrypted_key_has_its_passphrase_in_a_file(self):
        pem, der, output = self.path("encrypted.pem"), self.path("encrypted.der"), self.path("out")
        openssl("pkcs8", "-topk8", "-in", self.ec.path, "-out", pem, "-passout", "pass:of the key")
        openssl("pkcs8", "-topk8", "-in", self.ec.path, "-out", der, "-outform", "DER", "-passout", "pass:of the key")
        words = self.put("words", b"of the key\nof another\n")
        for key in (pem, der):
            with self.subTest(key):
                self.good("shim-sign", self.payload, "--key", key, "--passphrase-file", words, "--svn", "1", "-o", output)
                self.good("shim-sign", "verify", output, "--public-key", self.ec.public)
        wrong = self.bad("shim-sign", self.payload, "--key", pem, "--passphrase-file", self.put("no", b"of another"), "--svn", "1",
                         "-o", output)
        self.assertEqual(wrong.stderr, f"shim-sign: {pem}: is encrypted, with another passphrase than --passphrase-file has\n")
        # Nobody is asked where nobody is there to answer.
        alone = subprocess.run([os.path.join(BIN, "shim-sign"), self.payload, "--key", pem, "--svn", "1", "-o", output],
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                               start_new_session=True)
        self.assertEqual((alone.returncode, alone.stderr),
                         (2, f"shim-sign: {pem}: is encrypted: without a terminal to ask on, give --passphrase-file FILE\n"))
        self.assertIn("goes with --key", self.bad("shim-sign", self.payload, "--external-command", "true", "--public-key",
                                                  self.ec.public, "--passphrase-file", words, "-o", output).stderr)

    def test_other_keys_are_refused(self):
        openssl("genpkey", "-algorithm", "ED25519", "-out", self.path("ed.pem"))
        cases = {"RSA key has 2048 bits": RsaKey(self.folder, "small", 2048).path,
                 "exponent": RsaKey(self.folder, "three", 3072, 3).path,
                 "not on P-384": EcKey(self.folder, "p256", "P-256").path, "neither RSA": self.path("ed.pem"),
                 "holds no private key": self.ec.public}
        for reason, path in cases.items():
            with self.subTest(reason):
                result = self.bad("shim-sign", self.payload, "--key", path, "-o", self.path("none"))
                self.assertIn(reason, result.stderr)
                self.assertFalse(os.path.exists(self.path("none")))
        result = self.bad("shim-enroll", "--firmware", self.image, "--key", self.ec.path, "-o", self.path("none"))
        self.assertIn(f"holds no public key in PEM or DER, but a private key: openssl pkey -in {self.ec.path} -pubout\n",
                      result.stderr)
        subprocess.run(["openssl", "req", "-x509", "-key", self.ec.path, "-subj", "/CN=none", "-out", self.path("cert.pem")],
                       check=True, capture_output=True)
        result = self.bad("shim-enroll", "--firmware", self.image, "--key", self.path("cert.pem"), "-o", self.path("none"))
        self.assertIn(f"but a certificate: openssl x509 -in {self.path('cert.pem')} -noout -pubkey\n", result.stderr)
        for option in ("--revoke", "--revoke-key", "--pin"):
            result = self.bad("shim-enroll", "--firmware", self.image, option, "deadbeef", "-o", self.path("none"))
            self.assertIn("deadbeef: there is no such file, and a SHA-384 digest has 96 digits, not 8\n", result.stderr)

    def test_an_svn_that_nobody_gave_is_said(self):
        sign = ("shim-sign", self.payload, "--key", self.ec.path, "-o", self.path("signed"))
        self.assertIn("note: without --svn it is 0", self.good(*sign))
        self.assertNotIn("note:", self.good(*sign, "--svn", "0"))

    def test_a_key_that_is_elsewhere_signs_by_a_command(self):
        for key, command in ((self.ec, f"openssl dgst -sha384 -sign {self.ec.path}"),
                             (self.rsa, "openssl dgst -sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48 "
                                        f"-sign {self.rsa.path}")):
            output = self.path("signed")
            self.good("shim-sign", self.payload, "--external-command", command, "--public-key", key.public, "-o", output)
            self.accepted(output, "--public-key", key.public)
        for command, reason in (("exit 3", "exit code 3"), ("kill -9 $$", "signal 9"), ("cat", "more than a signature"),
                                ("true", "0 bytes are no ECDSA"), ("head -c 96", "signature"),
                                (f"openssl dgst -sha384 -sign {self.other.path}", "signature is not that of this key"),
                                (f"openssl dgst -sha256 -sign {self.ec.path}", "signature is not that of this key")):
            result = self.bad("shim-sign", self.payload, "--external-command", command, "--public-key", self.ec.public,
                              "-o", self.path("none"))
            self.assertIn(reason, result.stderr)
            self.assertFalse(os.path.exists(self.path("none")))
            self.assertTrue(result.stderr.startswith("shim-sign: --external-command"), result.stderr)
        result = self.bad("shim-sign", self.payload, "--external-command", f"openssl dgst -sha384 -sign {self.rsa.path}",
                          "--public-key", self.rsa.public, "-o", self.path("none"))
        self.assertTrue(result.stderr.startswith("shim-sign: --external-command: signature is not that"), result.stderr)
        self.assertIn("-sigopt rsa_padding_mode:pss", result.stderr)

    def test_a_command_is_not_named_and_what_it_leaves_running_is_not_waited_for(self):
        """...for PINs stand in commands, and an agent that a command starts keeps its output open."""
        result = self.bad("shim-sign", self.payload, "--external-command", "false --pin 1234", "--public-key",
                          self.ec.public, "-o", self.path("none"))
        self.assertNotIn("1234", result.stderr)
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        command = f"(read line <{fifo}) 2>/dev/null & openssl dgst -sha384 -sign {self.ec.path}"
        try:  # nobody writes to the FIFO before shim-sign has ended
            self.good("shim-sign", self.payload, "--external-command", command, "--public-key", self.ec.public, "-o",
                      self.path("signed"))
        finally:
            with open(fifo, "w", encoding="ascii") as file:
                file.write("end\n")
        self.accepted(self.path("signed"), "--public-key", self.ec.public)

    def test_a_key_that_is_elsewhere_signs_a_file(self):
        for key in self.both:
            what = ("--public-key", key.public, "--svn", "5", "--version", "2")
            message = self.path("to-be-signed")
            text = self.good("shim-sign", self.payload, *what, "--to-be-signed", message)
            self.assertIn(hash_of(self.read(message)).hex(), text)
            signature = self.put("signature", key.sign(self.read(message)))
            self.good("shim-sign", self.payload, *what, "--signature", signature, "-o", self.path("signed"))
            self.assertEqual(self.accepted(self.path("signed"), "--public-key", key.public)["signed"]["svn"], 5)
            result = self.bad("shim-sign", self.payload, "--public-key", key.public, "--signature", signature, "-o",
                              self.path("none"))  # of another SVN
            self.assertIn("signature is not that of this key", result.stderr)

    def test_wrong_usage(self):
        for options in ((), (self.payload,), (self.payload, "--key", self.ec.path),
                        ("--key", self.ec.path, "-o", "x"), (self.payload, "--signature", "x", "-o", "x"),
                        (self.payload, "--key", self.ec.path, "--algorithm", "rsa", "-o", self.path("none")),
                        (self.payload, "--key", self.ec.path, "--signature", "x", "-o", "x"),
                        (self.payload, "--key", self.ec.path, "--public-key", self.ec.public, "-o", "x"),
                        (self.put("empty", b""), "--key", self.ec.path, "-o", self.path("none")),
                        (self.sign(self.ec), "--key", self.ec.path, "-o", self.path("none")),
                        ("verify", self.payload, "--firmware", self.image, "--public-key", self.ec.public)):
            with self.subTest(options):
                self.bad("shim-sign", *options)
                self.assertFalse(os.path.exists(self.path("none")))
        self.assertEqual(self.bad("shim-sign", self.path("empty"), "--key", self.ec.path, "-o", self.path("none")).stderr,
                         f"shim-sign: {self.path('empty')}: is empty: expected a payload\n")
        self.assertIn("nobody says which key", self.bad("shim-sign", "verify", self.sign(self.ec)).stderr)
        self.refused("payload does not begin", self.payload, "--any-key")
        self.assertFalse(self.accepted(self.sign(self.other), "--any-key")["trusted"])
        self.assertRegex(self.good("shim-sign", "--version"), r"^shim-sign \(tdshim\) ")

    def test_no_private_key_is_written(self):
        before = set(os.listdir(self.folder))
        self.sign(self.ec)
        self.assertEqual(set(os.listdir(self.folder)) - before, {"signed"})
        secret = self.ec.secret.to_bytes(48, "big")
        for name in os.listdir(self.folder):
            self.assertNotIn(secret, self.read(self.path(name)))


class PolicyTest(SigningTest):
    """What an enrolment demands."""

    def test_nothing_enrolled(self):
        self.accepted(self.payload, "--firmware", self.image)
        self.assertFalse(self.accepted(self.sign(self.ec), "--firmware", self.image)["trusted"])
        self.assertIn("policy: measured, nothing is enrolled", self.good("shim-info", self.image))
        note = f"\nnote: {self.image} asks for nobody's signature: what is enrolled in it is no key\n"
        self.assertTrue(self.good("shim-sign", "verify", self.payload, "--firmware", self.image).endswith(note))
        said = json.loads(self.good("shim-sign", "verify", self.payload, "--firmware", self.image, "--json"))
        self.assertIs(said["firmware_asks_for_signature"], False)
        self.assertNotIn("note:", self.good("shim-sign", "verify", self.sign(self.ec), "--public-key", self.ec.public))

    def test_what_was_meant_to_be_revoked_otherwise(self):
        enrolled, changed = self.enroll("--key", self.ec.public, "--min-svn", "1"), self.path("changed.bin")
        change = ("shim-enroll", "--firmware", enrolled, "--change", "-o", changed, "--json")
        for option in ("--revoke", "--pin"):
            for key in (self.ec.public, self.ec.path):
                self.assertIn("is a key or certificate in PEM and no payload (--revoke-key is for keys)",
                              self.bad(*change, option, key).stderr)
        key = hash_of(self.ec.block()).hex()
        for option, digest, note in (("--revoke", key, "is the hash of a key, which --revoke-key revokes"),
                                     ("--revoke-key", "0" + key[:-1], "was not enrolled")):
            note_of_it, = json.loads(self.good(*change, option, digest))["notes"]
            self.assertIn(f"{digest} {note}", note_of_it)
        self.assertEqual(json.loads(self.good(*change, "--key", self.rsa.public + ",svn=1", "--revoke-key", key))["notes"], [])
        self.assertIn("or with --change, which raises that of every enrolled one",
                      self.bad("shim-enroll", "--firmware", enrolled, "--min-svn", "2", "-o", changed).stderr)

    def test_a_payload_in_the_image_that_it_would_refuse(self):
        image = self.path("held.bin")
        for payload, note in ((self.payload, "payload is not signed"), (self.sign(self.ec, "--svn", "1", output="older"), "below the enrolled minimum"),
                              (self.sign(self.ec, "--svn", "2"), None)):
            built = os.path.dirname(os.environ["TDSHIM_IMAGE"])
            self.good("shim-ld", os.path.join(built, "resetvector.bin"), os.path.join(built, "shim.elf"), "--payload", payload, "-o", image)
            said = json.loads(self.good("shim-enroll", "--firmware", image, "--key", self.ec.public, "--min-svn", "2", "-o",
                                        self.path("enrolled.bin"), "--json"))
            self.assertEqual(len(said["notes"]), note is not None, said["notes"])
            if note:
                self.assertIn("the firmware would refuse it: payload in the image: ", said["notes"][0])
                self.assertIn(note, said["notes"][0])

    def test_two_keys_with_their_own_versions_and_kinds(self):
        image = self.enroll("--key", self.rsa.public + ",svn=4,for=executable", "--key", self.ec.public)
        found = json.loads(self.good("shim-info", "--json", image))["enrolment"]
        self.assertEqual([(key["hash"], key["algorithm"], key["minimum_svn"], key["kinds"]) for key in found["keys"]], [
            (hash_of(self.rsa.block()).hex(), "RSAPSS_3072_SHA384", 4, "executable"),
            (hash_of(self.ec.block()).hex(), "ECDSA_P384_SHA384", 0, "executable,linux-bundle")])
        self.assertEqual((found["policy"], found["anchor"]), ("signed", True))
        self.refused("payload's secure version number is below", self.sign(self.rsa, "--svn", "3"), "--firmware", image)
        file = self.sign(self.rsa, "--svn", "4")
        self.accepted(file, "--firmware", image)
        self.accepted(file, "--firmware", image, "--kind", "executable")
        self.refused("is a bzImage, and --kind asks for another", file, "--firmware", image, "--kind", "linux-bundle")
        kernel, self.payload = self.payload, self.path("bundle")
        self.good("shim-bundle", "create", "--kernel", kernel, "-o", self.payload)
        file = self.sign(self.rsa, "--svn", "4")
        self.refused("payload's public key is not enrolled for its kind: it is for executable, and this is linux-bundle\n", file,
                     "--firmware", image)
        self.assertEqual(self.accepted(self.sign(self.ec), "--firmware", image)["kind"], "Linux bundle")
        self.refused("is a Linux bundle, and --kind", self.sign(self.ec), "--firmware", image, "--kind", "executable")
        self.payload = kernel
        self.refused("payload's public key is not enrolled", self.sign(self.other), "--firmware", image)
        self.refused("payload is not signed", self.payload, "--firmware", image)

    def test_a_refusal_names_the_key_that_signed(self):
        file = self.sign(self.other)
        expected, found = (hash_of(key.block()).hex() for key in (self.ec, self.other))
        self.refused(f"{self.ec.public}, key {expected}, did not sign it: it is signed by key {found}\n", file,
                     "--public-key", self.ec.public)
        said = json.loads(self.run_tool("shim-sign", "verify", file, "--public-key", self.ec.public, "--json").stdout)
        self.assertTrue(said["reason"].endswith(f"it is signed by key {found}"), said)
        result = self.run_tool("shim-sign", "verify", file, "--firmware", self.enroll("--key", self.ec.public))
        self.assertTrue(result.stdout.endswith(f": key {found}\n"), result.stdout)
        # A key that stands in the file, and signed nothing: nobody is to look for its owner.
        content = self.read(file)
        damaged = self.put("damaged", content[:-1] + bytes([content[-1] ^ 1]))
        self.refused(f"{self.ec.public}, key {expected}, did not sign it: it names key {found}, which did not either\n", damaged,
                     "--public-key", self.ec.public)

    def test_a_public_key_in_the_place_of_a_private_one(self):
        der = self.path("public.der")
        subprocess.run(["openssl", "pkey", "-pubin", "-in", self.ec.public, "-outform", "DER", "-out", der], check=True)
        for key in (self.ec.public, self.rsa.public, der):
            self.assertEqual(self.bad("shim-sign", self.payload, "--key", key, "-o", self.path("none")).stderr,
                             f"shim-sign: {key}: holds no private key in PEM or DER, but a public one: give the private key that "
                             "belongs to it\n")
        self.assertTrue(self.bad("shim-sign", self.payload, "--key", self.payload, "-o", self.path("none")).stderr.endswith(
            "holds no private key in PEM or DER\n"))

    def test_revocation(self):
        digest = hash_of(CONTENTS).hex()
        file = self.sign(self.ec)
        for what in (digest, self.payload, file):
            self.refused("payload is revoked", file, "--firmware", self.enroll("--key", self.ec.public, "--revoke", what))
        self.refused("payload is revoked", self.payload, "--firmware",
                     self.enroll("--policy", "measured", "--revoke", digest))
        for what in (hash_of(self.ec.block()).hex(), self.ec.public):
            for kind in ("measured", "signed"):
                image = self.enroll("--key", self.rsa.public, "--revoke-key", what, "--policy", kind)
                self.refused("payload's public key is revoked", file, "--firmware", image)

    def test_pinning(self):
        file = self.sign(self.ec)
        image = self.enroll("--key", self.ec.public, "--policy", "signed-and-pinned", "--pin", self.payload)
        self.accepted(file, "--firmware", image)
        self.refused("payload is not signed", self.payload, "--firmware", image)
        self.payload = self.put("payload", CONTENTS + b"2")
        self.refused("payload is not among those", self.sign(self.ec), "--firmware", image)
        self.assertIn("pinned payload " + hash_of(CONTENTS).hex(), self.good("shim-info", image))

    def test_a_policy_is_written_as_the_description_has_it(self):
        """...and read: every list, its place and its order."""
        digests = [bytes([value] * 48) for value in range(1, 6)]
        image = self.enroll("--policy", "signed-and-pinned", "--key", self.rsa.public + ",svn=4,for=executable", "--key",
                            self.ec.public, "--revoke-key", digests[0].hex(), "--revoke", digests[1].hex(), "--pin",
                            digests[2].hex(), "--aml", digests[3].hex(), "--aml", digests[4].hex(), "--td-shim-numbering")
        contents = policy(3, flags=1, keys=((self.rsa.block(), 4, 1, 1), (self.ec.block(), 0, 3, 2)),
                          revoked_keys=digests[:1], revoked=digests[1:2], pinned=digests[2:3], aml=digests[3:])
        expected = volume(CFV_SIZE, volume_file(ANCHOR_FILE, anchor(self.rsa.block())), volume_file(POLICY, contents))
        self.assertEqual(self.read(image)[:CFV_SIZE], expected)
        found = json.loads(self.good("shim-info", "--json", self.with_volume(expected)))["enrolment"]
        self.assertEqual([found[name] for name in ("revoked_keys", "revoked", "pinned", "aml")],
                         [[digest.hex() for digest in part] for part in
                          (digests[:1], digests[1:2], digests[2:3], digests[3:])])
        for bad, reason in ((contents[:47] + b"\1" + contents[48:], "policy has a reserved field that is not zero"),
                            (contents[:40] + b"\1" + contents[41:], "policy's length does not match its entries")):
            image = self.with_volume(volume(CFV_SIZE, volume_file(POLICY, bad)))
            self.assertIn("policy: none that is known here", self.good("shim-info", image))
            self.assertIn(reason, self.good("shim-info", image))

    def test_tables_of_aml_and_nothing_else(self):
        """A policy without keys, from digests, from tables, and from a folder as Linux has it."""
        tables = {"DSDT": acpi_table(b"DSDT", 100, b"\x10\x05ABCD"), "SSDT1": acpi_table(b"SSDT", 40),
                  "OSDT": acpi_table(b"OSDT", 36), "PSDT": acpi_table(b"PSDT", 37)}
        folder = self.path("tables")
        os.makedirs(os.path.join(folder, "dynamic"))
        for name, table in {**tables, "FACP": acpi_table(b"FACP", 244), "FACS": b"FACS" + bytes(60),
                            "dynamic/SSDT9": acpi_table(b"SSDT", 99)}.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(table)
        digests = {name: hash_of(table) for name, table in tables.items()}
        for options, names in ((("--aml", folder), ("DSDT", "OSDT", "PSDT", "SSDT1")),
                               (("--aml", os.path.join(folder, "SSDT1"), "--aml", digests["DSDT"].hex()),
                                ("SSDT1", "DSDT"))):
            image = self.enroll("--policy", "measured", *options)
            contents = policy(1, aml=[digests[name] for name in names])
            self.assertEqual(self.read(image)[:CFV_SIZE], volume(CFV_SIZE, volume_file(POLICY, contents)))
            self.assertIn(f"AML table {digests['DSDT'].hex()}", self.good("shim-info", image))
            self.accepted(self.payload, "--firmware", image)

    def test_what_is_no_table_of_aml_is_not_enrolled(self):
        table = acpi_table(b"SSDT", 64)
        os.mkdir(self.path("empty"))
        for what, reason in ((self.put("cut", table[:-1]), "ACPI table has a wrong length"),
                             (self.put("long", table + b"\0"), "ACPI table has a wrong length"),
                             (self.put("short", table[:35]), "ACPI table lies outside"),
                             (self.put("sum", table[:-1] + b"\1"), "ACPI table has a wrong checksum"),
                             (self.put("facp", acpi_table(b"FACP", 244)), "is an ACPI table, and none of AML"),
                             (self.path("empty"), "holds no table of AML"), ("0" * 95, "")):
            with self.subTest(what):
                result = self.bad("shim-enroll", "--firmware", self.image, "--policy", "measured", "--aml", what, "-o",
                                  self.path("none"))
                self.assertIn(reason, result.stderr)
                self.assertFalse(os.path.exists(self.path("none")))

    def test_a_minimum_svn_that_is_no_number_is_said(self):
        result = self.bad("shim-enroll", "--firmware", self.image, "--key", self.ec.public + ",svn=-1", "-o", self.path("none"))
        self.assertTrue(result.stderr.endswith("svn=-1: expected a number from 0 to 18446744073709551615\n"), result.stderr)

    def test_what_cannot_be_enrolled_leaves_no_file(self):
        enrolled = self.enroll("--key", self.ec.public)
        keys = ("--key", self.ec.public)
        for options in (("--firmware", self.image), ("--firmware", self.image, "--policy", "signed-and-pinned", *keys),
                        ("--firmware", self.image, *keys, *keys), ("--firmware", self.payload, *keys),
                        ("--firmware", self.image, "--key", self.ec.public + ",svn=3", "--min-svn", "9"),
                        *(("--firmware", self.image, "--key", self.ec.public + ",svn=" + number) for number in ("x", "-1", "010", "")),
                        ("--firmware", self.image, "--key", self.ec.public + ",for=all"),
                        ("--firmware", self.image, *keys, "--revoke", "0" * 95),
                        ("--firmware", self.image, *keys, "--revoke-key", self.payload),
                        ("--firmware", self.image, *keys, "--pin", self.path("missing")),
                        ("--firmware", enrolled, *keys)):
            with self.subTest(options):
                self.bad("shim-enroll", *options, "-o", self.path("none"))
                self.assertFalse(os.path.exists(self.path("none")))
        self.good("shim-enroll", "--firmware", enrolled, "--key", self.rsa.public, "--replace", "-o", self.path("new"))
        self.accepted(self.sign(self.rsa), "--firmware", self.path("new"))

    def changed(self, image, *options):
        """The image that --change makes of `image`, and what it said."""
        output = image + "+"
        said = json.loads(self.good("shim-enroll", "--firmware", image, "--change", *options, "--json", "-o", output))
        return output, said

    def test_rotate_revoke_raise(self):
        """specs/secure-boot.md's recipe: each step keeps what stood there."""
        old, new = hash_of(self.ec.block()).hex(), hash_of(self.rsa.block()).hex()
        digest, other = "a" * 96, "b" * 96
        first = self.enroll("--key", self.ec.public + ",svn=3,for=executable", "--revoke", digest)
        both, said = self.changed(first, "--key", self.rsa.public + ",svn=4,for=executable")
        keys = said["enrolment"]["keys"]
        self.assertEqual([(key["hash"], key["minimum_svn"], key["kinds"]) for key in keys],
                         [(old, 3, "executable"), (new, 4, "executable")])
        self.assertEqual((said["enrolment"]["revoked"], said["no_longer"]), ([digest], []))
        alone, said = self.changed(both, "--revoke-key", self.ec.public, "--revoke", other)
        self.assertEqual([key["hash"] for key in said["enrolment"]["keys"]], [new])
        self.assertEqual((said["enrolment"]["revoked"], said["enrolment"]["revoked_keys"]), ([digest, other], [old]))
        self.assertEqual(said["no_longer"], [f"key {old}"])
        narrowed, said = self.changed(self.enroll("--key", self.ec.public), "--key", self.ec.public + ",for=linux-bundle")
        self.assertEqual(said["no_longer"], [f"key {old} for executable"])
        raised, said = self.changed(alone, "--min-svn", "5")
        self.assertEqual((said["enrolment"]["keys"][0]["minimum_svn"], said["no_longer"]), (5, []))
        self.refused("payload's public key is revoked", self.sign(self.ec, "--svn", "9"), "--firmware", raised)
        self.refused("payload's secure version number is below", self.sign(self.rsa, "--svn", "4"), "--firmware", raised)
        self.accepted(self.sign(self.rsa, "--svn", "5"), "--firmware", raised)
        # The same again changes nothing.
        self.assertEqual(self.read(self.changed(raised, "--min-svn", "5", "--revoke", other)[0]), self.read(raised))

    def test_a_change_takes_nothing_away(self):
        first = self.enroll("--key", self.ec.public + ",svn=3", "--revoke", "a" * 96, "--revoke-key", "c" * 96)
        digest = hash_of(CONTENTS).hex()
        pinned = self.enroll("--key", self.ec.public, "--policy", "signed-and-pinned", "--pin", digest,
                             name="pinned.bin")
        anchor_alone = self.enroll("--key", self.ec.public, name="anchor.bin")
        for image, options, reason in ((first, ("--min-svn", "2"), "does not lower it to 2"),
                                       (first, ("--key", self.ec.public + ",svn=1"), "does not lower it to 1"),
                                       (first, ("--pin", "a" * 96), "is revoked in the image"),
                                       (first, ("--revoke-key", self.ec.public), "--revoke-key: no key would be left, and under policy "
                                        "signed nothing could boot: enrol the next one in the same step, --key FILE"),
                                       (pinned, ("--revoke", digest), "--revoke: no pinned payload would be left, and under policy "
                                        "signed-and-pinned nothing could boot: pin the next one in the same step, --pin FILE"),
                                       (anchor_alone, ("--min-svn", "2"), "does not say its algorithm; name it as well, --key FILE"),
                                       (first, ("--for", "executable"), "--for: says what the keys of --key are good for, and none is given"),
                                       (self.image, ("--key", self.ec.public), "nothing is enrolled that --change")):
            with self.subTest(options):
                self.assertIn(reason, self.bad("shim-enroll", "--firmware", image, "--change", *options, "-o",
                                               self.path("none")).stderr)
                self.assertFalse(os.path.exists(self.path("none")))
        revoked = self.changed(first, "--key", self.rsa.public, "--min-svn", "3", "--revoke-key", self.ec.public)[0]
        self.assertIn("is revoked in the image", self.bad("shim-enroll", "--firmware", revoked, "--change", "--key",
                                                          self.ec.public, "-o", self.path("none")).stderr)

    def test_a_key_beside_others_does_not_undo_unsaid_what_they_are_held_to(self):
        hash_ = hash_of(self.rsa.block()).hex()
        sealed = self.enroll("--key", self.ec.public + ",svn=5,for=linux-bundle")
        for options, reason in ((("--key", self.rsa.public), "every enrolled key has a minimum SVN of 5 or more"),
                                (("--key", self.rsa.public + ",svn=5"), "every enrolled key is for linux-bundle alone"),
                                (("--key", self.rsa.public, "--revoke-key", self.ec.public), "minimum SVN of 5")):
            with self.subTest(options):
                self.assertIn(reason, self.bad("shim-enroll", "--firmware", sealed, "--change", *options, "-o",
                                               self.path("none")).stderr)
        _, said = self.changed(sealed, "--key", self.rsa.public, "--min-svn", "0", "--for", "all")
        lower = [f"minimum SVN 5 of every key: key {hash_} has 0",
                 f"every key for linux-bundle alone: key {hash_} is for executable,linux-bundle"]
        self.assertEqual(said["no_longer"], lower)
        said = json.loads(self.good("shim-enroll", "--firmware", sealed, "--replace", "--key", self.rsa.public, "--json",
                                    "-o", self.path("new")))
        self.assertEqual(said["no_longer"], ["key " + hash_of(self.ec.block()).hex(), *lower,
                                             "refusal of td-shim's numbering of the algorithms"])

    def test_what_is_enrolled_and_decides_nothing_is_said(self):
        keys = ("--key", self.ec.public)
        for options, note in ((("--pin", "a" * 96), "policy signed: pinned payloads decide nothing"),
                              (("--aml", "a" * 96), "the image is linked with --aml measured: enrolled tables decide nothing"),
                              (("--policy", "measured"), "policy measured: no signature is demanded")):
            with self.subTest(options):
                said = json.loads(self.good("shim-enroll", "--firmware", self.image, *keys, *options, "--json", "-o",
                                            self.path("noted")))
                self.assertTrue(any(text.startswith(note) for text in said["notes"]), said["notes"])
        said = json.loads(self.good("shim-enroll", "--firmware", self.image, *keys, "--json", "-o", self.path("quiet")))
        self.assertEqual(said["notes"], [])
        self.assertIn("svn= stands twice", self.bad("shim-enroll", "--firmware", self.image, "--key",
                                                    self.ec.public + ",svn=5,svn=1", "-o", self.path("none")).stderr)

    def test_what_could_not_be_read_and_goes_is_said(self):
        image = bytearray(self.read(self.enroll("--key", self.ec.public + ",svn=5")))
        at = image.index(hash_of(self.ec.block()))
        image[at] ^= 1
        said = json.loads(self.good("shim-enroll", "--firmware", self.put("damaged", bytes(image)), "--replace", "--key",
                                    self.ec.public, "--json", "-o", self.path("new")))
        self.assertEqual(len(said["no_longer"]), 1)
        self.assertTrue(said["no_longer"][0].startswith("all that was enrolled, which could not be read: "), said)

    def test_an_anchor_becomes_a_policy(self):
        """...that takes what the anchor took."""
        _, said = self.changed(self.enroll("--key", self.ec.public), "--key", self.ec.public + ",svn=2")
        self.assertEqual([key["minimum_svn"] for key in said["enrolment"]["keys"]], [2])
        self.assertEqual((said["enrolment"]["td_shim_numbering"], said["no_longer"]), (True, []))
        self.assertEqual(len(said["notes"]), 1)
        self.assertIn("td-shim's numbering of the algorithms is still taken", said["notes"][0])

    def test_td_shim_s_numbering_can_be_ended(self):
        file = self.sign(self.ec, "--svn", "2", "--numbering", "td-shim")
        anchor_alone = self.enroll("--key", self.ec.public, name="anchor.bin")
        self.accepted(file, "--firmware", anchor_alone)
        ended, said = self.changed(anchor_alone, "--key", self.ec.public, "--document-numbering")
        self.assertEqual((said["enrolment"]["td_shim_numbering"], said["notes"]), (False, []))
        self.assertIn("payloads in td-shim's numbering of the algorithms", said["no_longer"])
        self.refused("signed payload names another algorithm", file, "--firmware", ended)
        self.accepted(self.sign(self.ec, output="document"), "--firmware", ended)
        self.assertEqual(self.read(self.enroll("--key", self.ec.public, "--document-numbering")), self.read(ended))
        again, said = self.changed(ended, "--td-shim-numbering")
        self.assertIn("refusal of td-shim's numbering of the algorithms", said["no_longer"])
        self.accepted(file, "--firmware", again)
        self.assertIn("excludes", self.bad("shim-enroll", "--firmware", ended, "--change", "--td-shim-numbering",
                                           "--document-numbering", "-o", self.path("none")).stderr)

    def test_what_is_lost_by_a_replacement_is_said(self):
        key, hash_ = self.ec.public, hash_of(self.ec.block()).hex()
        first = self.enroll("--key", key + ",svn=3,for=executable", "--key", self.rsa.public, "--policy", "signed-and-pinned",
                            "--pin", "d" * 96, "--revoke", "a" * 96, "--revoke-key", "c" * 96, "--aml", "e" * 96)
        text = self.good("shim-enroll", "--firmware", first, "--replace", "--key", key, "-o", self.path("new"))
        lost = [line.removeprefix("no longer: ") for line in text.splitlines() if line.startswith("no longer: ")]
        self.assertEqual(lost, ["policy signed-and-pinned: now signed", f"minimum SVN 3 of key {hash_}: now 0",
                                f"key {hash_} for its own algorithm alone: now for either",
                                f"key {hash_} for executable alone: now for executable,linux-bundle",
                                f"key {hash_of(self.rsa.block()).hex()}",
                                "refusal of td-shim's numbering of the algorithms", f"revoked key {'c' * 96}",
                                f"revoked payload {'a' * 96}", f"pinned payload {'d' * 96}", f"AML table {'e' * 96}"])

    def test_what_contradicts_itself_is_refused(self):
        digest = hash_of(CONTENTS).hex()
        file = self.sign(self.ec)
        keys = ("--key", self.ec.public)
        for options, named in (((*keys, "--revoke-key", self.ec.public), self.ec.public),
                               (("--key", self.rsa.public, *keys, "--revoke-key", hash_of(self.ec.block()).hex()),
                                self.ec.public),
                               ((*keys, "--policy", "signed-and-pinned", "--pin", digest, "--revoke", digest), digest),
                               ((*keys, "--policy", "signed-and-pinned", "--pin", self.payload, "--revoke", file),
                                self.payload),
                               (("--policy", "measured", "--revoke", digest, "--min-svn", "3"), "--min-svn")):
            with self.subTest(options):
                result = self.bad("shim-enroll", "--firmware", self.image, *options, "-o", self.path("none"))
                self.assertTrue(result.stderr.startswith(f"shim-enroll: {named}"), result.stderr)
                self.assertFalse(os.path.exists(self.path("none")))

    def test_what_a_revocation_does_not_stop_is_said(self):
        """...and is so: without its signature a payload of a revoked key runs, if no signature is demanded."""
        enroll = ("shim-enroll", "--firmware", self.image, "-o", self.path("enrolled.bin"))
        revoked = ("--revoke-key", self.ec.public)
        text = self.good(*enroll, *revoked, "--policy", "measured")
        self.assertRegex(text, r"(?m)^note: policy measured: a revoked key stops what it signed, not ")
        self.refused("payload's public key is revoked", self.sign(self.ec), "--firmware", self.path("enrolled.bin"))
        self.accepted(self.payload, "--firmware", self.path("enrolled.bin"))
        notes = json.loads(self.good(*enroll, "--revoke", self.payload, "--policy", "measured", "--json"))["notes"]
        self.assertEqual(len(notes), 1)
        self.assertIn("one with any byte changed runs", notes[0])
        self.assertNotIn("note:", self.good(*enroll, *revoked, "--key", self.rsa.public))
        self.assertNotIn("revoked", self.good(*enroll, "--policy", "measured", "--aml", "0" * 96))

    def test_an_igvm_file_is_called_one(self):
        self.good("shim-ld", self.path("vector"), self.path("elf"), "--image-format", "igvm", "-o", self.path("final.igvm"))
        result = self.bad("shim-enroll", "--firmware", self.path("final.igvm"), "--key", self.ec.public, "-o",
                          self.path("none"))
        self.assertTrue(result.stderr.startswith(f"shim-enroll: {self.path('final.igvm')}: is an IGVM file; "), result.stderr)
        self.assertFalse(os.path.exists(self.path("none")))

    def test_the_release_image_takes_an_enrolment(self):
        self.image = os.environ["TDSHIM_IMAGE"]
        image = self.enroll("--key", self.ec.public, "--min-svn", "2")
        self.accepted(self.sign(self.ec, "--svn", "2"), "--firmware", image)
        self.good("shim-check", image, "--vmm", "qemu")
        with open(image, "rb") as one, open(self.image, "rb") as two:
            self.assertEqual(one.read()[CFV_SIZE:], two.read()[CFV_SIZE:])
        result = subprocess.run(["cmp", image, self.image], capture_output=True, check=False)
        self.assertEqual(result.returncode, 1)


if __name__ == "__main__":
    unittest.main()
