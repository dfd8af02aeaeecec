# SPDX-License-Identifier: Apache-2.0
"""One run of td-emu, and what a verifier would compute of its inputs by itself."""

import hashlib
import json
import os
import pathlib
import re
import select
import signal
import struct
import subprocess
import tempfile
import threading

import settings

reported_fatal_error = 3  # td-emu's exit code


class Report:
    """The fields of a TDREPORT that tests look at [Intel TDX Module ABI, TDREPORT_STRUCT]."""

    def __init__(self, content):
        self.mac = content[:256]
        self.data = content[128:192]
        self.attributes, self.xfam = struct.unpack_from("<QQ", content, 512)
        self.mrtd = content[528:576]
        self.identity = content[576:720]  # MRCONFIGID, MROWNER, MROWNERCONFIG
        self.rtmr = [content[at:at + 48] for at in range(720, 912, 48)]


class Run:
    """td-emu with these options to its end: exit code, console, result (its JSON), report of the end."""

    def __init__(self, *options, image=None, qemu=None, timeout=600, end_at=None, silence=None):
        program = settings.tool("td-emu")
        if program is None:
            settings.skip("td-emu is not built")
        options = ["--qemu", qemu or settings.qemu("new"), "--firmware", image or settings.image(), "--json", *options]
        self.exit_code, console, output, self.errors = self.run(program, list(map(str, options)), timeout, end_at,
                                                                silence)
        self.console = console.replace("\r", "")
        result = json.loads(output) if output else {"error": self.errors}
        self.result = None if "error" in result else result  # then there was no run
        self.report = self.result and Report(bytes.fromhex(self.result["report"]))

    @staticmethod
    def run(program, options, timeout, end_at, silence):
        """Exit code, console, and both outputs. QEMU, td-emu's only child, is asked to end once `end_at` is on the
        console. What goes on for `timeout` seconds, or says nothing on the console for `silence`, is killed."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            console_end, td_end = os.pipe()
            # A test that is killed takes its TD with it.
            process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", program, "--console", f"/dev/fd/{td_end}", *options], stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=errors, pass_fds=(td_end,))
            os.close(td_end)
            bound = threading.Timer(timeout, process.kill)
            bound.start()
            console = b""
            while True:
                if not select.select([console_end], [], [], silence)[0]:
                    process.kill()
                chunk = os.read(console_end, 65536)
                if not chunk:
                    break
                console += chunk
                if end_at and re.search(end_at, console):
                    for child in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                        os.kill(int(child), signal.SIGTERM)
                    end_at = None
            process.wait()
            bound.cancel()
            os.close(console_end)
            for file in (output, errors):
                file.seek(0)
            return process.returncode, *(content.decode("utf-8", "replace")
                                         for content in (console, output.read(), errors.read()))

    def line(self, pattern):
        match = re.search(pattern, self.console, re.MULTILINE)
        if match is None:
            raise AssertionError(f"no {pattern!r} on the console:\n{self.console[-3000:]}\n{self.errors[-500:]}")
        return match


def sha384(content):
    return hashlib.sha384(content).digest()


def replay(digests):
    register = bytes(48)
    for digest in digests:
        register = sha384(register + digest)
    return register


portable = ("--measurement", "portable")
static = ("--acpi", "static")


# The VMM wants all memory accepted: for what needs more of it than a small kernel does.
accept_all = ("--", "-fw_cfg", "name=opt/org.tdshim/accept,string=all")


def linked(output, *options, shim=None):
    """The image of the build with other options of shim-ld, or of another `shim`."""
    subprocess.run([settings.tool("shim-ld"), settings.image().parent / "resetvector.bin", shim or settings.shim_elf(),
                    "-o", output, *options], check=True, capture_output=True)
    return output
