#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signatures by the hundred: good ones, and ones that are wrong in every way that is known to have been taken for good
somewhere. Made by reference.py, and from Project Wycheproof's vectors where the distribution's archive can be had."""

import json
import os
import secrets
import subprocess
import tempfile
import unittest

from reference import (
    B, G, N, P, EcKey, RsaKey, add, ecdsa_sign, ecdsa_verify, hash_of, key_for, lift, multiply, pss_encode, two,
)

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = 2**384


class Vectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)

    def setUp(self):
        self.lines, self.wanted = [], []

    def expect(self, good, algorithm, key, message, signature, comment):
        self.lines.append(" ".join([algorithm, key.hex(), message.hex() or "-", signature.hex() or "-"]))
        self.wanted.append((good, comment))

    def judge(self):
        program = os.path.join(os.environ["TDSHIM_TEST_BIN"], "signature-lines")
        result = subprocess.run([program], input="\n".join(self.lines) + "\n", capture_output=True, text=True,
                                timeout=500, check=True)
        verdicts = result.stdout.splitlines()
        self.assertEqual(len(verdicts), len(self.wanted))
        for (good, comment), verdict in zip(self.wanted, verdicts):
            self.assertEqual(verdict == "good", good, f"{comment}: {verdict}")
        count = sum(good for good, _ in self.wanted)
        print(f"{self._testMethodName}: {count} good, {len(self.wanted) - count} bad", flush=True)


class EcdsaTest(Vectors):
    def check(self, good, point, message, r, s, comment):
        if 0 <= r < TOP and 0 <= s < TOP:
            self.expect(good, "ecdsa", two(*point), message, two(r, s), comment)

    def test_good(self):
        for count in range(60):
            key = secrets.randbelow(N - 1) + 1
            message = secrets.token_bytes(7 * count)
            self.check(True, multiply(key, G), message, *ecdsa_sign(key, message), "random")
        key = EcKey(self.folder.name)
        for count in range(10):
            message = secrets.token_bytes(count)
            self.expect(True, "ecdsa", key.block(), message, key.sign(message), "by openssl")
        self.judge()

    def test_numbers_at_the_edge(self):
        """Keys are made for signatures: any r that is a point's x, any s."""
        points = [multiply(k, G) for k in (1, 2, 3, N - 1, (N + 1) // 2, 2**383)]
        # Points whose x is not below N: r is x - N, and has to be compared so.
        beyond = [point for point in map(lift, range(N, N + 40)) if point and point[0] != N]
        small = [point for point in map(lift, range(1, 20)) if point]
        self.assertTrue(beyond and small)
        numbers = (1, 2, 3, N - 1, N - 2, N // 2, N // 2 + 1, 2**128, 2**383 + 1)
        for point in points + beyond + small:
            for s in numbers:
                message = secrets.token_bytes(20)
                key = key_for(point, s, message)
                r = point[0] % N
                if s == 3:
                    self.assertTrue(ecdsa_verify(key, message, r, s))
                self.check(True, key, message, r, s, f"r {r:x} s {s:x}")
                self.check(True, key, message, r, N - s, "the other s")
                self.check(False, key, message, r + N, s, "r + n")
                self.check(False, key, message, r, s + N, "s + n")
        self.judge()

    def test_bad(self):
        secret = secrets.randbelow(N - 1) + 1
        key = multiply(secret, G)
        message = b"what is signed"
        r, s = ecdsa_sign(secret, message)
        self.check(True, key, message, r, s, "the original")
        for bit in range(384):
            self.check(False, key, message, r ^ 1 << bit, s, f"bit {bit} of r")
            self.check(False, key, message, r, s ^ 1 << bit, f"bit {bit} of s")
        special = (0, 1, 2, N - 1, N, N + 1, N // 2, P, P - 1, TOP - 1)
        for a in special:
            for b in special:
                self.check(False, key, message, a, b, f"{a:x}, {b:x}")
            self.check(False, key, message, a, s, f"r {a:x}")
            self.check(False, key, message, r, a, f"s {a:x}")
        for a, b, comment in ((s, r, "swapped"), (N - r, s, "n - r"), (r + N, s, "r + n"), (r, s + N, "s + n"),
                              (key[0] % N, s, "r is the key's x"), (G[0], s, "r is G's x"), (r, r, "twice r")):
            self.check(False, key, message, a, b, comment)
        for name in ("sha256", "sha512", "sha3_384"):
            self.check(False, key, message, *ecdsa_sign(secret, message, name=name), name)
        for other in (b"", message + b"\0", message[:-1], hash_of(message)):
            self.check(False, key, other, r, s, "another message")
        self.judge()

    def test_bad_keys(self):
        secret = secrets.randbelow(N - 1) + 1
        x, y = multiply(secret, G)
        message = b"what is signed"
        r, s = ecdsa_sign(secret, message)
        twist = next(v for v in range(2, 99) if lift(v) is None)
        for point, comment in (((x, P - y), "negated"), ((x, y ^ 1), "off the curve"), ((y, x), "swapped"),
                               ((0, 0), "nothing"), ((twist, 1), "on the twist"), (G, "G"), ((x, 0), "y is 0"),
                               (multiply(secret + 1, G), "a neighbour"), ((TOP - 1, TOP - 1), "all ones"),
                               ((P, pow(B, (P + 1) // 4, P)), "x is p")):
            self.check(False, point, message, r, s, comment)
        for low in range(2**10):  # a coordinate that is not reduced
            point = lift(low)
            if point:
                self.check(False, (point[0] + P, point[1]), message, r, s, "x + p")
                break
        block, good = two(x, y), two(r, s)
        for key, signature in ((block, good + b"\0"), (block, good[:-1]), (block, b""), (block, b"\0" + good),
                               (block + b"\0", good), (b"\4" + block, good), (block[:-1], good), (block, b"\x30" + good)):
            self.expect(False, "ecdsa", key, message, signature, "size")
        self.assertIsNone(add((x, y), (x, P - y)))
        self.judge()


class RsaTest(Vectors):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = RsaKey(cls.folder.name)
        cls.block = cls.key.block()

    def check(self, good, message, signature, comment, block=None):
        self.expect(good, "rsa", block or self.block, message, signature, comment)

    def test_good(self):
        for size in range(0, 600, 20):
            message = secrets.token_bytes(size)
            self.check(True, message, self.key.raw(pss_encode(message)), "encoded here")
        for size in range(10):
            message = secrets.token_bytes(size)
            self.check(True, message, self.key.sign(message), "by openssl")
        self.judge()

    def test_bad_encodings(self):
        message = b"what is signed"
        for salt in [*range(48), *range(49, 80), 128, 286]:
            self.check(False, message, self.key.raw(pss_encode(message, salt_size=salt)), f"salt of {salt}")
        for trailer in (0, 0x3C, 0xBB, 0xBD, 0xCC, 0xFF):
            self.check(False, message, self.key.raw(pss_encode(message, trailer=trailer)), f"trailer {trailer:x}")
        for one in (0, 2, 3, 0x80, 0xFF):
            self.check(False, message, self.key.raw(pss_encode(message, one=one)), f"{one} in place of 1")
        for bit in range(8):
            self.check(False, message, self.key.raw(pss_encode(message, padding=1 << bit)), "padding is not zero")
            self.check(False, message, self.key.raw(pss_encode(message, change=1 << bit)), "hash changed")
        encoded = int.from_bytes(pss_encode(message, top=True), "big")
        if encoded < self.key.modulus:
            self.check(False, message, self.key.raw(encoded.to_bytes(384, "big")), "top bit")
        for name in ("sha256", "sha512", "sha3_384", "sha1"):
            self.check(False, message, self.key.raw(pss_encode(message, name=name)), f"hash {name}")
            self.check(False, message, self.key.raw(pss_encode(message, mask_name=name)), f"mask {name}")
            self.check(False, message, self.key.raw(pss_encode(message, name=name, mask_name=name, salt_size=20)), name)
        digest_info = bytes.fromhex("3041300d060960864801650304020205000430") + hash_of(message)
        self.check(False, message, self.key.raw(b"\0\1" + b"\xff" * (381 - len(digest_info)) + b"\0" + digest_info),
                   "PKCS#1 1.5")
        self.judge()

    def test_bad_numbers(self):
        message = b"what is signed"
        good = self.key.sign(message)
        number = int.from_bytes(good, "big")
        self.check(True, message, good, "the original")
        for bit in range(0, 3072, 8):
            self.check(False, message, (number ^ 1 << bit).to_bytes(384, "big"), f"bit {bit}")
        modulus = self.key.modulus
        for value in (0, 1, 2, modulus - 1, modulus, modulus + 1, modulus - number, number + modulus, 2**3072 - 1):
            if value < 2**3072:
                self.check(False, message, value.to_bytes(384, "big"), "special")
        self.check(False, message, good[::-1], "little-endian")
        for signature in (good + b"\0", good[1:], good[:-1], b""):
            self.check(False, message, signature, "size")
        for other in (b"", message + b"\0", message[1:]):
            self.check(False, other, good, "another message")
        self.judge()

    def test_bad_keys(self):
        message = b"what is signed"
        good = self.key.sign(message)
        modulus = self.key.modulus
        for exponent in (0, 1, 2, 3, 17, 65536, 65539, 65537 << 8, 65537 << 40, 2**64 - 1):
            self.check(False, message, good, f"exponent {exponent}",
                       modulus.to_bytes(384, "big") + exponent.to_bytes(8, "big"))
        for value in (0, 1, 3, modulus - 1, modulus + 1, modulus + 2, modulus >> 1, modulus ^ 1 << 3071, 2**3072 - 1,
                      2**3071, 2**3071 + 1):
            if value < 2**3072:
                self.check(False, message, good, f"modulus {value:x}", value.to_bytes(384, "big") + self.block[384:])
        # e = 1: everybody can sign.
        self.check(False, message, pss_encode(message), "exponent 1", self.block[:384] + (1).to_bytes(8, "big"))
        for key in (self.block[:-1], self.block + b"\0", self.block[:384], self.block[:384] + b"\1\0\1"):
            self.check(False, message, good, "size", key)
        other = RsaKey(self.folder.name, "other")
        self.check(False, message, good, "another key", other.block())
        self.judge()


class WycheproofTest(Vectors):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        fetched = subprocess.run([os.path.join(HERE, "fetch-wycheproof.sh")], capture_output=True, text=True, check=False)
        if fetched.returncode != 0:
            raise unittest.SkipTest("Wycheproof's vectors cannot be had: " + fetched.stderr.strip().split("\n")[-1])
        cls.vectors = fetched.stdout.strip()

    def groups(self, name):
        with open(os.path.join(self.vectors, name), encoding="ascii") as file:
            return json.load(file)["testGroups"]

    def test_ecdsa(self):
        for group in self.groups("ecdsa_secp384r1_sha384_p1363_test.json"):
            key = bytes.fromhex(group["key"]["uncompressed"])[1:]
            for test in group["tests"]:
                self.expect(test["result"] == "valid", "ecdsa", key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]),
                            f"{test['tcId']} {test['comment']}")
        self.judge()

    def test_rsa_of_another_hash(self):
        """There are none for 3072 bits with SHA-384: what is right with SHA-256 is wrong here."""
        for group in self.groups("rsa_pss_3072_sha256_mgf1_32_test.json"):
            key = int(group["n"], 16).to_bytes(384, "big") + int(group["e"], 16).to_bytes(8, "big")
            for test in group["tests"]:
                self.expect(False, "rsa", key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]), test["comment"])
        self.judge()


if __name__ == "__main__":
    unittest.main()
