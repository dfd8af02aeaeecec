#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keys in a PKCS#11 token, which SoftHSM makes in a folder of the test: what shim-sign has it sign, shim-sign verify and
reference.py take; what cannot be signed is refused with one line that holds no PIN."""

import ctypes.util
import json
import os
import pathlib
import pty
import re
import secrets
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))

# pylint: disable=wrong-import-position
from reference import EcKey, ecdsa_verify, hash_of, openssl, payload_header, pss_verify
from support import BIN, BOOT_SECTOR, ToolTest, elf, reset_vector

CONTENTS = BOOT_SECTOR + bytes(range(256)) * 20
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
MODULE = next(filter(os.path.exists, MODULES), None)
P384 = bytes.fromhex("3076301006072a8648ce3d020106052b81040022036200")  # before the point [RFC 5480]
LABEL = f"tdshim-test-{secrets.token_hex(4)}"  # of no token that this machine has already
PIN, SKIPPED = "4711-geheim", 77


def lacking():
    """The packages that these tests need and this machine lacks."""
    has = {"softhsm2": MODULE and shutil.which("softhsm2-util"), "opensc": shutil.which("pkcs11-tool"),
           "libp11-kit0": ctypes.util.find_library("p11-kit")}
    return [package for package, found in has.items() if not found]


def uri(name, query="", **attributes):
    path = ";".join(f"{key}={value}" for key, value in {"token": LABEL, "object": name, **attributes}.items())
    return f"pkcs11:{path}?module-path={MODULE}{query}"


class TokenTest(ToolTest):
    @classmethod
    def make_token(cls):
        """One for all tests: RSA keys take their time."""
        folder = tempfile.TemporaryDirectory()
        unittest.addModuleCleanup(folder.cleanup)
        cls.token = pathlib.Path(folder.name)
        (cls.token / "objects").mkdir()
        (cls.token / "softhsm2.conf").write_text(f"directories.tokendir = {cls.token}/objects\nlog.level = ERROR\n")
        cls.environment = {**os.environ, "SOFTHSM2_CONF": str(cls.token / "softhsm2.conf")}
        (cls.token / "pin").write_text(PIN + "\n")
        cls.pin = f"&pin-source=file:{cls.token}/pin"
        cls.command("softhsm2-util", "--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "00000000")
        for number, (name, kind, *options) in enumerate((
                ("rsa", "rsa:3072"), ("ec", "EC:secp384r1"), ("always", "EC:secp384r1", "--always-auth"),
                ("p256", "EC:prime256v1"), ("small", "rsa:2048"), ("lonely-rsa", "rsa:3072"),
                ("lonely-ec", "EC:secp384r1"), ("mixed", "EC:secp384r1"))):
            cls.pkcs11("--keypairgen", "--key-type", kind, "--label", name, "--id", f"{number:02x}", *options)
        for name in ("lonely-rsa", "lonely-ec", "mixed"):
            (cls.token / f"{name}.der").write_bytes(cls.public_key(name))
            cls.pkcs11("--delete-object", "--type", "pubkey", "--label", name)
        stranger = cls.token / "stranger.der"
        stranger.write_bytes(cls.public_key("ec"))
        cls.pkcs11("--write-object", stranger, "--type", "pubkey", "--label", "mixed", "--id", "07")

    @classmethod
    def command(cls, *words):
        return subprocess.run(list(map(str, words)), env=cls.environment, capture_output=True, check=True, timeout=120).stdout

    @classmethod
    def pkcs11(cls, *words):
        return cls.command("pkcs11-tool", "--module", MODULE, "--token-label", LABEL, "--login", "--pin", PIN, *words)

    @classmethod
    def public_key(cls, name):
        """SubjectPublicKeyInfo in DER, of which opensc 0.23 with OpenSSL 3 gives only that of RSA."""
        if "rsa" in name:
            return cls.pkcs11("--read-object", "--type", "pubkey", "--label", name)
        listed = cls.pkcs11("--list-objects", "--type", "pubkey").decode().split("Public Key Object")
        text, = (one for one in listed if re.search(rf"label: *{name}\n", one))
        return P384 + bytes.fromhex(re.search(r"EC_POINT: *0461(04[0-9a-f]{192})\n", text)[1])

    def setUp(self):
        super().setUp()
        self.payload = self.put("payload", CONTENTS)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_tool(self, tool, *arguments, **options):
        options = {"env": self.environment, "stdin": subprocess.DEVNULL, "start_new_session": True, **options}
        result = super().run_tool(tool, *arguments, **options)
        self.assertNotIn(PIN, result.stdout + result.stderr)
        return result

    def sign(self, name, *options, query=None):
        self.good("shim-sign", self.payload, "--pkcs11", uri(name, self.pin if query is None else query), *options,
                  "-o", self.path("signed"))
        return pathlib.Path(self.path("signed")).read_bytes()

    def refused(self, reason, *options, **environment):
        result = self.run_tool("shim-sign", self.payload, *options, "-o", self.path("none"),
                               env={**self.environment, **environment})
        self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (2, "", 1), result.stderr)
        self.assertTrue(result.stderr.startswith("shim-sign: "), result.stderr)
        self.assertIn(reason, result.stderr)
        self.assertEqual(os.listdir(self.folder), ["payload"])

    def accepted(self, key):
        result = json.loads(self.good("shim-sign", "verify", self.path("signed"), "--public-key", key, "--json"))
        self.assertTrue(result["good"] and result["trusted"])


class SignTest(TokenTest):
    def test_ecdsa_signatures_are_those_of_the_reference(self):
        for name in ("ec", "always"):
            file = self.sign(name, "--svn", "3", "--version", "9")
            message, point = payload_header(CONTENTS, 2, 3, 9) + CONTENTS, self.public_key(name)[-96:]
            self.assertEqual(file[:-96], message + point)
            x, y, r, s = (int.from_bytes(file[at:][:48], "big") for at in range(len(message), len(file), 48))
            self.assertTrue(ecdsa_verify((x, y), message, r, s))
            self.assertFalse(ecdsa_verify((x, y), message + b"\0", r, s))
            self.accepted(uri(name))

    def test_rsa_signatures_are_those_of_the_reference(self):
        file = self.sign("rsa", "--svn", "3", "--version", "9", "--algorithm", "rsa")
        public = self.put("public.der", self.public_key("rsa"))
        text = openssl("rsa", "-pubin", "-inform", "DER", "-in", public, "-noout", "-modulus").decode()
        modulus = int(text.strip().removeprefix("Modulus="), 16)
        message = payload_header(CONTENTS, 1, 3, 9) + CONTENTS
        self.assertEqual(file[:-384], message + modulus.to_bytes(384, "big") + struct.pack(">Q", 65537))
        self.assertTrue(pss_verify(modulus, message, file[-384:]))
        self.assertFalse(pss_verify(modulus, message + b"\0", file[-384:]))
        self.accepted(uri("rsa"))
        self.accepted(public)

    def test_a_key_without_a_public_one_beside_it(self):
        self.sign("lonely-rsa")
        self.accepted(str(self.token / "lonely-rsa.der"))
        self.sign("lonely-ec", "--public-key", str(self.token / "lonely-ec.der"))
        self.accepted(str(self.token / "lonely-ec.der"))

    def test_every_way_to_the_pin_and_the_module(self):
        listed = f"pkcs11:token={LABEL};object=ec;type=private?pin-value={PIN}"
        found = self.run_tool("shim-sign", self.payload, "--pkcs11", listed, "-o", self.path("signed"))
        self.assertEqual((found.returncode, found.stderr), (0, ""))  # Debian's packages tell p11-kit of their modules
        self.good("shim-sign", self.payload, "--pkcs11", f"{listed}&module-name=softhsm2", "-o", self.path("signed"))
        for query in (f"&pin-value={PIN}", f"&pin-source=file://{self.token}/pin", f"&pin-source={self.token}/pin"):
            self.sign("ec", query=query)
        self.good("shim-sign", self.payload, "--pkcs11", uri("", self.pin, id="%01").replace("object=;", ""), "-o",
                  self.path("signed"))
        self.accepted(uri("ec"))

    def test_the_pin_is_asked_for_on_the_terminal(self):
        for typed, code in ((PIN, 0), ("another", 2)):
            output = self.path(f"typed-{code}")
            process, terminal = pty.fork()
            if process == 0:
                os.execve(os.path.join(BIN, "shim-sign"),
                          ["shim-sign", self.payload, "--pkcs11", uri("ec"), "-o", output], self.environment)
            text = b""
            while not text.endswith(b": ") or termios.tcgetattr(terminal)[3] & termios.ECHO:
                if select.select([terminal], [], [], 0.01)[0]:
                    text += os.read(terminal, 4096)
            os.write(terminal, typed.encode() + b"\n")
            try:
                while more := os.read(terminal, 4096):
                    text += more
            except OSError:  # the other end is closed
                pass
            os.close(terminal)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), code, text)
            self.assertTrue(text.startswith(f"PIN of token {LABEL}: ".encode()), text)
            self.assertNotIn(typed.encode(), text)
            self.assertEqual(os.path.exists(output), code == 0)


class RefusalTest(TokenTest):
    def test_keys(self):
        for name, reason in (("p256", "EC key is on prime256v1, not on P-384"), ("small", "RSA key has 2048 bits"),
                             ("nothing", "token has no such private key"),
                             ("lonely-ec", "token shows no public key with it"),
                             ("mixed", "signature is not that of this key")):
            with self.subTest(name):
                self.refused(f"pkcs11:token={LABEL};object={name}: ", "--pkcs11", uri(name, self.pin))
                self.refused(reason, "--pkcs11", uri(name, self.pin))
        self.refused("is a key of ECDSA_P384_SHA384", "--pkcs11", uri("ec", self.pin), "--algorithm", "rsa")
        self.refused("signature is not that of this key", "--pkcs11", uri("ec", self.pin), "--public-key",
                     str(self.token / "lonely-ec.der"))
        self.refused("does not sign", "--pkcs11", uri("lonely-rsa", self.pin), "--public-key",
                     str(self.token / "lonely-ec.der"))
        self.refused("names more than one private key", "--pkcs11", f"pkcs11:token={LABEL}?module-path={MODULE}{self.pin}")

    def test_pins(self):
        (self.token / "empty").write_bytes(b"\n")
        (self.token / "long").write_bytes(PIN.encode() * 30)
        for query, reason in (("", "wants a PIN"), ("&pin-value=1234-falsch", "refuses the login"),
                              (f"&pin-source=file:{self.token}/empty", "is no PIN"),
                              (f"&pin-source=file:{self.token}/long", "is no PIN"),
                              (f"&pin-source=file:{self.token}/none", "cannot open"),
                              ("&pin-source=%7Cecho 4711", "pin-source is not file:"),
                              ("&pin-source=file://host/pin", "pin-source is not file:")):
            with self.subTest(query):
                self.refused(reason, "--pkcs11", uri("ec", query))
        self.sign("ec")  # the token is not locked by what was no login

    def test_uris_and_modules(self):
        pin = f"pin-value={PIN}"
        for text, reason in ((uri("ec", self.pin, token="another"), "no such token"),
                             (f"pkcs11:token=another;object=ec?{pin}", "no such token"),
                             (f"pkcs11:token={LABEL};object=ec?module-name=nothing&{pin}", "o such token"),
                             (f"pkcs11:object=ec?module-path=/nowhere.so&{pin}", "module /nowhere.so cannot be loaded"),
                             (f"pkcs11:object=ec?module-path={self.payload}&{pin}", "cannot be loaded"),
                             (f"pkcs11:object=%zz?{pin}", "is no PKCS#11 URI"),
                             (f"pkcs11:objekt=ec?{pin}", "attribute that libp11-kit does not know"),
                             (f"file:ec?{pin}", "begins with pkcs11:")):
            with self.subTest(text):
                self.refused(reason, "--pkcs11", text)

    def test_usage(self):
        key = uri("ec", f"&pin-value={PIN}")
        self.refused("given by --pkcs11", "--key", key)
        self.refused("give one of", "--pkcs11", key, "--key", "x")
        self.refused("does not take", "--pkcs11", key, key)
        self.refused("holds no public key", "--pkcs11", key, "--public-key", self.payload)
        result = self.run_tool("shim-sign", key, "--pkcs11", key, "-o", self.path("none"))
        self.assertRegex(result.stderr, r"^shim-sign: pkcs11:[^?]*: cannot open: .*\n$")

    def test_a_machine_without_the_library(self):
        folder = self.token / "lib"
        folder.mkdir()
        (folder / "libp11-kit.so.0").touch()
        self.refused("of the package libp11-kit0", "--pkcs11", uri("ec", self.pin), LD_LIBRARY_PATH=str(folder))


class EnrolTest(TokenTest):
    def setUp(self):
        super().setUp()
        self.image = self.path("final.bin")
        self.good("shim-ld", self.put("vector", reset_vector()), self.put("elf", elf()), "-o", self.image)

    def enroll(self, *options):
        self.good("shim-enroll", "--firmware", self.image, *options, "-o", self.path("enrolled.bin"))
        return pathlib.Path(self.path("enrolled.bin")).read_bytes()

    def test_a_key_of_the_token_is_enrolled_as_its_file_is(self):
        for name in ("rsa", "ec"):
            file = self.put("public.der", self.public_key(name))
            self.assertEqual(self.enroll("--key", uri(name)), self.enroll("--key", file))
            self.assertEqual(self.enroll("--key", uri(name, self.pin) + ",svn=3,for=executable"),
                             self.enroll("--key", file + ",svn=3,for=executable"))
            self.sign(name, "--svn", "3")
            self.good("shim-sign", "verify", self.path("signed"), "--firmware", self.path("enrolled.bin"))

    def test_a_key_of_the_token_is_revoked(self):
        other = EcKey(self.folder)
        revoked = self.enroll("--key", other.public, "--revoke-key", uri("ec"))
        self.assertEqual(revoked, self.enroll("--key", other.public, "--revoke-key", hash_of(self.public_key("ec")[-96:]).hex()))
        self.sign("ec")
        result = self.run_tool("shim-sign", "verify", self.path("signed"), "--firmware", self.path("enrolled.bin"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("payload's public key is revoked", result.stdout)

    def test_what_is_no_key_is_refused(self):
        for key, reason in ((uri("p256"), "not on P-384"), (uri("lonely-ec"), "token has no such public key"),
                            (uri("ec", "&pin-value=1234-falsch"), "refuses the login"),
                            (uri("ec", f"&pin-value=1,{PIN}"), "behind the comma")):
            with self.subTest(key):
                result = self.bad("shim-enroll", "--firmware", self.image, "--key", key, "-o", self.path("none"))
                self.assertIn(reason, result.stderr)
                self.assertFalse(os.path.exists(self.path("none")))


def setUpModule():  # pylint: disable=invalid-name
    TokenTest.make_token()


if __name__ == "__main__":
    if packages := lacking():
        print(f"SKIP: no token to sign with: {' '.join(packages)} not installed (cmake/install-dependencies.sh)")
        sys.exit(SKIPPED)
    unittest.main()
