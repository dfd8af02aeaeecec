#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What stands under an output's name decides how it is written: a file and what a link leads to are replaced, a device
and a FIFO are written where they are, and nothing else is touched. The same for td-emu's --trace."""

import os
import socket
import stat
import subprocess
import unittest

from support import BIN, ToolTest, elf, reset_vector

DEADLINE = 60


class OutputsTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.inputs = (self.put("vector", reset_vector()), self.put("elf", elf()))
        self.link("expected")
        self.expected = self.read("expected")

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def link(self, output):
        return self.good("shim-ld", *self.inputs, "-o", self.path(output))

    def refused(self, output, reason):
        before = sorted(os.listdir(self.folder))
        for tool, *arguments in (("shim-ld", *self.inputs, "-o", output),
                                 ("td-emu", "--qemu", "/bin/true", "--firmware", self.path("expected"), "--trace", output)):
            with self.subTest(tool):
                self.assertEqual(self.bad(tool, *arguments).stderr, f"{tool}: {output}: {reason}\n")
                self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_a_file_is_replaced(self):
        self.put("out", b"older")
        os.link(self.path("out"), self.path("other name"))
        self.link("out")
        self.assertEqual(self.read("out"), self.expected)
        self.assertEqual(self.read("other name"), b"older")

    def test_a_device_stays_one(self):
        self.link("/dev/null")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))
        self.assertIn("No space left", self.bad("shim-ld", *self.inputs, "-o", "/dev/full").stderr)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/full").st_mode))

    def test_a_fifo_gives_its_reader_all_of_it(self):
        os.mkfifo(self.path("fifo"))
        with open(self.path("read"), "wb") as output, subprocess.Popen(["cat", self.path("fifo")], stdout=output) as reader:
            self.link("fifo")
            self.assertEqual(reader.wait(timeout=DEADLINE), 0)
        self.assertEqual(self.read("read"), self.expected)
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("fifo")).st_mode))

    def test_standard_output_is_a_pipe(self):
        done = subprocess.run([os.path.join(BIN, "shim-ld"), *self.inputs, "-o", "/dev/stdout"], capture_output=True,
                              check=True, timeout=DEADLINE)
        self.assertEqual(done.stdout, self.expected)
        self.assertIn(b"configuration volume (CFV)", done.stderr)

    def test_standard_output_is_a_file(self):
        """What stands in it stays in front."""
        with open(self.put("out", b"older"), "ab") as output:
            subprocess.run([os.path.join(BIN, "shim-ld"), *self.inputs, "-o", "/dev/stdout"], stdout=output,
                           stderr=subprocess.DEVNULL, check=True, timeout=DEADLINE)
        self.assertEqual(self.read("out"), b"older" + self.expected)

    def test_two_outputs_of_one_name_are_refused(self):
        os.symlink("same", self.path("link"))
        for other in (self.path("same"), self.path("./same"), self.path("link")):
            with self.subTest(other):
                self.put("same", b"older")
                self.assertEqual(self.bad("td-emu", "--qemu", "/bin/true", "--firmware", self.path("expected"), "--report",
                                          self.path("same"), "--trace", other).stderr,
                                 f"td-emu: {other}: is the name of two outputs: give another\n")
                self.assertEqual(self.read("same"), b"older")

    def test_what_a_link_leads_to_is_replaced(self):
        os.mkdir(self.path("elsewhere"))
        self.put("elsewhere/target", b"older")
        os.symlink("elsewhere/target", self.path("first"))
        os.symlink("first", self.path("second"))
        self.link("second")
        self.assertEqual((os.readlink(self.path("first")), os.readlink(self.path("second"))), ("elsewhere/target", "first"))
        self.assertEqual(self.read("elsewhere/target"), self.expected)
        self.assertEqual(os.listdir(self.path("elsewhere")), ["target"])

    def test_an_input_is_not_written_over(self):
        """By whatever name: it would be gone."""
        os.symlink(self.inputs[0], self.path("a link"))
        os.link(self.inputs[1], self.path("another name"))
        before = sorted(os.listdir(self.folder))
        contents = [self.read(name) for name in self.inputs]
        for output in (*self.inputs, self.path("a link"), self.path("another name")):
            with self.subTest(output):
                self.assertEqual(self.bad("shim-ld", *self.inputs, "-o", output).stderr,
                                 f"shim-ld: {output}: is read by this command, which would destroy it: give another name\n")
        for option in ("--trace", "--report", "--ccel", "--console"):
            for name in ("firmware", "kernel"):
                with self.subTest(option, name=name):
                    files = {"firmware": self.path("expected"), "kernel": self.inputs[0]}
                    done = self.bad("td-emu", "--qemu", "/bin/true", "--firmware", files["firmware"], "--kernel",
                                    files["kernel"], option, files[name])
                    self.assertIn(f"td-emu: {files[name]}: is read by this command", done.stderr)
        self.assertEqual([self.read(name) for name in self.inputs], contents)
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_a_private_key_is_not_written_over(self):
        """Also one that the command does not read."""
        for first_line in (b"-----BEGIN PRIVATE KEY-----\n", b"-----BEGIN RSA PRIVATE KEY-----\n",
                           b"of mine\n-----BEGIN ENCRYPTED PRIVATE KEY-----\n"):
            self.put("key", first_line + b"MIG2\n")
            self.refused(self.path("key"), "holds a private key, which this would destroy: give another name, or remove it")
        key, certificate = self.path("key"), self.path("certificate")
        make = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-subj", "/CN=x",
                "-keyout", self.path("pem"), "-outform", "DER", "-out", certificate)
        subprocess.run(make, check=True, capture_output=True)
        for form in (("pkey", "-outform", "DER"), ("ec", "-outform", "DER"), ("pkcs8", "-topk8", "-nocrypt", "-outform", "DER"),
                     ("pkcs8", "-topk8", "-passout", "pass:x", "-outform", "DER"),
                     ("pkcs12", "-export", "-nocerts", "-inkey", self.path("pem"), "-passout", "pass:x")):
            with self.subTest(form):
                subprocess.run(("openssl", *form, *(() if "-inkey" in form else ("-in", self.path("pem"))), "-out", key),
                               check=True, capture_output=True)
                self.refused(key, "holds a private key, which this would destroy: give another name, or remove it")
        public = ("openssl", "pkey", "-in", self.path("pem"), "-pubout", "-outform", "DER", "-out", key)
        subprocess.run(public, check=True, capture_output=True)
        for content in (b"-----BEGIN PUBLIC KEY-----\n", self.read("key"), self.read("certificate"), b"0", b""):
            self.put("key", content)
            self.link("key")
            self.assertEqual(self.read("key"), self.expected)

    def test_a_temporary_folder_that_is_none_or_too_long(self):
        for folder, reason in (("/nowhere", "leads to no folder for temporary files"),
                               (self.path("l" * 200), "is too long for a socket there")):
            if folder != "/nowhere":
                os.mkdir(folder)
            done = subprocess.run([os.path.join(BIN, "td-emu"), "--qemu", "/bin/true", "--firmware", self.path("expected")],
                                  capture_output=True, text=True, timeout=DEADLINE, env={**os.environ, "TMPDIR": folder})
            self.assertEqual(done.returncode, 2)
            self.assertTrue(done.stderr.startswith(f"td-emu: TMPDIR: {reason}"), done.stderr)

    def test_a_dash_is_no_file(self):
        done = self.bad("shim-ld", *self.inputs, "-o", "-")
        self.assertEqual(done.stderr, "shim-ld: -: is no file's name here; /dev/stdout is standard output, ./- a file\n")

    def test_what_cannot_be_written_is_refused(self):
        os.symlink("nothing", self.path("dangling"))
        os.symlink("itself", self.path("itself"))
        self.refused(self.path("dangling"), "is a link that leads to nothing")
        self.refused(self.path("itself"), "cannot create: Too many levels of symbolic links")
        self.refused(self.folder, "is a folder")
        self.refused(self.path("missing/file"), "cannot create: No such file or directory")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("socket"))
            self.refused(self.path("socket"), "is a socket")


if __name__ == "__main__":
    unittest.main()
