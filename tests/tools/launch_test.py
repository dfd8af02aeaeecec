#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""launch/qemu.sh --dry-run: a command for files that are there, and an error for any that is not; and what launch/demo.sh
refuses."""

import base64
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = PROJECT / "launch" / "qemu.sh"
# Readers that go before their input ends: under pipefail the writer's SIGPIPE is then an error, now and then.
LEAVES_EARLY = re.compile(r"(?<!\|)\|&?\s*(?:head\b|grep\s+(?:-\w*[qm]|--quiet|--max-count)|sed\s.*\bq['}]|awk\s.*\bexit\b(?!\s*!))")


class Launch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.files = {}
        for name in ("firmware", "kernel", "initrd"):
            self.files[name] = self.folder / name
            self.files[name].write_bytes(b"content")

    def dry_run(self, *more, **files):
        options = [word for name, path in {**self.files, **files}.items() for word in (f"--{name}", path)]
        return subprocess.run([PROGRAM, *options, *more, "--dry-run"], capture_output=True, text=True, check=False)

    def test_the_command_is_printed(self):
        result = self.dry_run("--append", "a,b", "--qemu", "/no/qemu", "--memory", "3G")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for words in ("/no/qemu ", f" -bios {self.files['firmware']}", " -m 3G ", "opt/org.tdshim/cmdline,string=a,,b",
                      f"name=opt/org.tdshim/kernel,file={self.files['kernel']}"):
            self.assertIn(words, result.stdout)

    def test_an_empty_value_is_no_value(self):
        for more in ((), ("--td",), ("--td", "--emulate")):
            for name in ("firmware", "kernel", "initrd", "memory", "cpus", "machine", "accel", "cpu", "qemu"):
                with self.subTest(name, more=more):
                    result = self.dry_run(*more, f"--{name}", "")
                    self.assertEqual((result.returncode, result.stdout), (2, ""))
                    self.assertEqual(result.stderr, f"qemu.sh: error: --{name}: is empty: expected a value; for none leave it out\n")
        result = self.dry_run("--append", "")
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def td_object(self, *more):
        """The properties of the TD, and what was said beside the command."""
        result = self.dry_run("--td", *more)
        self.assertEqual(result.returncode, 0, result.stderr)
        words = shlex.split(result.stdout)
        (text,) = (words[index + 1] for index, word in enumerate(words) if word == "-object")
        return json.loads(text), result.stderr

    def test_words_of_qemu_s(self):
        """They are the same for QEMU and for the emulator, behind --, which come before the user's own."""
        words = ["-fw_cfg", "name=opt/org.tdshim/smbios,string=pass", "-global", "q35-pcihost.pci-hole64-size=512G", "-S"]
        for kind in ((), ("--td", "--emulate")):
            # --dry-run stands before the words behind --.
            options = [word for name, path in self.files.items() for word in (f"--{name}", path)]
            result = subprocess.run([PROGRAM, *options, "--dry-run", "--smbios", "--pci-window", "512G", *kind, "--", "-S"],
                                    capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(shlex.split(result.stdout)[-len(words):], words)
        for more, message in ((("512",), "--pci-window: expected a size, such as 512G, found '512'"),
                              (("1G", "--machine", "microvm"), "--pci-window needs --machine q35")):
            result = self.dry_run("--pci-window", *more)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn(message, result.stderr)

    def test_what_the_launch_gives_a_td(self):
        no_quote = "qemu.sh: without --quote-socket the guest can get no quote\n"
        self.assertEqual(self.td_object(), ({"qom-type": "tdx-guest", "id": "tdx0"}, no_quote))
        digest = bytes(range(48))
        for name in ("mrconfigid", "mrowner", "mrownerconfig"):
            self.assertEqual(base64.b64decode(self.td_object(f"--{name}", digest.hex())[0][name]), digest)
        self.assertEqual(self.td_object("--tdx-attributes", "0x8000000010000000")[0]["attributes"], 1 << 63 | 1 << 28)
        for address, properties in (("vsock:2:4050", {"type": "vsock", "cid": "2", "port": "4050"}),
                                    ('unix:/run/"q,s"', {"type": "unix", "path": '/run/"q,s"'})):
            found, said = self.td_object("--quote-socket", address)
            self.assertEqual((found["quote-generation-socket"], said), (properties, ""))

    def test_debug_is_never_silent(self):
        for more, attributes in ((("--debug",), 0x10000001), (("--tdx-attributes", "1"), 1), (("--tdx-attributes", "2", "--debug"), 3)):
            found, said = self.td_object(*more, "--quote-socket", "vsock:2:4050")
            self.assertEqual(found["attributes"], attributes)
            self.assertIn("WARNING: a TD under DEBUG: the host reads and writes its memory", said)
        self.assertIn("WARNING: a TD under debug (ATTRIBUTES, bits 7 to 0, TUD)",
                      self.td_object("--tdx-attributes", "0x10000002")[1])
        self.assertNotIn("attributes", self.td_object()[0])

    def test_an_emulated_td_has_them_too(self):
        result = self.dry_run("--td", "--emulate", "--mrowner", "ab" * 48, "--debug")
        self.assertIn(f" --mrowner {'ab' * 48} --attributes 268435457", result.stdout)
        self.assertIn("WARNING: a TD under DEBUG", result.stderr)
        self.assertIn("td-emu signs the quotes of an emulated TD itself", self.dry_run("--td", "--emulate", "--quote-socket", "vsock:1:1").stderr)

    def test_options_of_a_td_that_are_wrong(self):
        for more, message in ((("--quote-socket", "tcp:1"), "expected vsock:CID:PORT or unix:PATH, found 'tcp:1'"),
                              (("--mrowner", "12"), "--mrowner: expected 96 hexadecimal digits, found '12'"),
                              (("--tdx-attributes", "010"), "--tdx-attributes: expected a number")):
            result = self.dry_run("--td", *more)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn(message, result.stderr)
            self.assertIn("need --td", self.dry_run(*more).stderr)

    def test_qemu_has_these_words(self):
        """Its own check of an object's properties, which comes before it looks for KVM."""
        qemu = os.environ.get("TDSHIM_QEMU_NEW")
        if not qemu:
            self.skipTest("no QEMU with tdx-guest")
        found, _ = self.td_object("--quote-socket", "vsock:2:4050", "--mrconfigid", "00" * 48, "--mrowner", "11" * 48,
                                  "--mrownerconfig", "22" * 48, "--debug")
        for name, value in (("nothing", 1), (None, None)):
            words = {**found, **({name: value} if name else {})}
            result = subprocess.run([qemu, "-machine", "none", "-nodefaults", "-display", "none", "-S", "-object", json.dumps(words)],
                                    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
            self.assertNotEqual(result.returncode, 0)
            (self.assertIn if name else self.assertNotIn)("Parameter", result.stderr)

    def test_a_file_that_cannot_be_read_is_an_error(self):
        for more in ((), ("--td",), ("--td", "--emulate")):
            for name in self.files:
                for path in (self.folder / "nothing", self.folder):
                    with self.subTest(name, more=more, path=path):
                        result = self.dry_run(*more, **{name: path})
                        self.assertEqual((result.returncode, result.stdout), (2, ""))
                        self.assertEqual(result.stderr, f"qemu.sh: error: --{name}: no readable file {path}\n")

    def run_with_firmware(self, content):
        self.files["firmware"].write_bytes(content)
        return subprocess.run([PROGRAM, "--firmware", self.files["firmware"], "--qemu", "true"], capture_output=True, text=True, check=False)

    def test_what_is_no_firmware_is_not_started(self):
        """It would stand still, and say nothing."""
        size = 1 << 16
        table = bytes.fromhex("de82b596b21ff745baeaa366c55a082d") + bytes(32)
        by_offset = b"TDVF" + bytes(size - 36) + (0).to_bytes(4, "little") + bytes(28)
        for content in (bytes(size - len(table)) + table, by_offset):
            result = self.run_with_firmware(content)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
        for content in (bytes(size), b"\xff" * size, os.urandom(size)):
            result = self.run_with_firmware(content)
            self.assertEqual(result.returncode, 2)
            self.assertEqual(result.stderr, f"qemu.sh: error: --firmware {self.files['firmware']}: expected an image of shim-ld's, such "
                             "as build/release/final.bin, or other firmware with TDX metadata, found none at the file's end "
                             "(shim-info FILE says what it is)\n")

    def test_the_demo_configures_what_is_not_configured(self):
        copy = self.folder / "copy"
        shutil.copytree(PROGRAM.parent, copy / "launch")
        (copy / "CMakePresets.json").write_text("{}")
        calls = self.folder / "calls"
        for name, text in (("cmake/install-dependencies.sh", "exit 0"),
                           ("bin/cmake", f'echo "$@" >>{calls}; case "$1" in --build) exit 1 ;; esac')):
            (copy / name).parent.mkdir()
            (copy / name).write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
            (copy / name).chmod(0o755)
        build = copy / "build" / "release"
        build.mkdir(parents=True)

        def configures():
            calls.write_text("")
            subprocess.run([copy / "launch" / "demo.sh"], capture_output=True, text=True, check=False,
                           env={**os.environ, "PATH": f"{copy}/bin:{os.environ['PATH']}"})
            self.assertIn("--build --preset release --target image shim-log", calls.read_text())
            return "--preset release\n" in calls.read_text().splitlines(keepends=True)

        self.assertTrue(configures())
        (build / "build.ninja").touch()
        for home, kind, is_new in ((copy, "Release", False), (copy, "Debug", True), (self.folder, "Release", True)):
            (build / "CMakeCache.txt").write_text(f"CMAKE_BUILD_TYPE:STRING={kind}\nCMAKE_HOME_DIRECTORY:INTERNAL={home}\n")
            self.assertEqual(configures(), is_new)
        (build / "CMakeCache.txt").write_text(f"CMAKE_BUILD_TYPE:STRING=Release\nCMAKE_HOME_DIRECTORY:INTERNAL={copy}\n")
        os.utime(build / "build.ninja", (0, 0))  # before the presets were changed
        self.assertTrue(configures())

    def test_the_demo_refuses_an_option_before_it_installs_anything(self):
        copy = self.folder / "copy"
        shutil.copytree(PROGRAM.parent, copy / "launch")
        (copy / "cmake").mkdir()
        install = copy / "cmake" / "install-dependencies.sh"
        install.write_text("#!/bin/sh\necho installs\nexit 1\n", encoding="ascii")
        install.chmod(0o755)
        for options, message in ((("--nonsense",), "unknown option: --nonsense"), (("--cpus", "x"), "--cpus takes a number"),
                                 (("--memory", ""), "--memory: is empty"), (("--suite", ""), "--suite needs a value"),
                                 ((), None), (("--cpus", "2", "--", "-snapshot"), None)):
            with self.subTest(options):
                result = subprocess.run([copy / "launch" / "demo.sh", *options], capture_output=True, text=True, check=False)
                self.assertEqual((result.returncode, result.stdout), (2, "") if message else (1, "installs\n"), result.stderr)
                self.assertIn(message or "installing what is lacking", result.stderr)


class Guest(unittest.TestCase):
    def test_of_the_event_log_it_prints_what_is_used(self):
        busybox = shutil.which("busybox")
        if busybox is None:
            self.skipTest("no busybox here (cmake/install-dependencies.sh)")
        text = (PROGRAM.parent / "guest" / "init").read_text(encoding="utf-8")
        function = re.search(r"^used_of_log\(\) \{\n.*?^\}\n", text, re.MULTILINE | re.DOTALL)[0]
        ours = bytes(64) + b"\x0ctd_shim\0" + (0x10203).to_bytes(4, "little")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([busybox, "--install", "-s", folder], check=True)
            log = pathlib.Path(folder) / "log"
            # td-shim's own has no number behind the name, or no name.
            for begin, used in ((ours, 0x10203), (ours.replace(b"\x0c", b"\x08"), 1 << 17), (bytes(80), 1 << 17)):
                log.write_bytes(begin + b"\xff" * ((1 << 17) - len(begin)))
                result = subprocess.run([busybox, "sh", "-c", f'{function}used_of_log "$0"', log], capture_output=True, text=True,
                                        env={"PATH": folder}, check=True)
                self.assertEqual(int(result.stdout), used)


class Scripts(unittest.TestCase):
    def test_no_script_leaves_a_pipe_early(self):
        scripts = [path for folder in ("launch", "cmake", "tests") for path in (PROJECT / folder).rglob("*.sh")]
        for path in (*scripts, PROJECT / ".ci" / "run"):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                with self.subTest(f"{path}:{number}"):
                    self.assertNotRegex(line, LEAVES_EARLY)


if __name__ == "__main__":
    unittest.main()
