#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Guests whose root file system is measured too: what shim-guest makes is the same whoever makes it, boots as a TD and
as a plain VM, and nothing else does."""

import base64
import functools
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import firmware
import settings
import signed
import suite
import td_emu
from machine import Machine

busybox = "/bin/busybox"
init = """#!/bin/busybox sh
echo "guest: stage 2 began, $(/bin/busybox cat /etc/message)"
for file in /var/x /x; do
  if /bin/busybox touch $file 2>/dev/null; then echo "guest: $file was written"; else echo "guest: $file is read-only"; fi
done
/bin/busybox poweroff -f
"""
began = "guest: stage 2 began, the one that was measured"
block = 4096
boot_limit = 300


def shim_guest(*arguments):
    program = settings.tool("shim-guest")
    if program is None:
        settings.skip("shim-guest is not built")
    if not shutil.which("tar2sqfs"):
        settings.skip("squashfs-tools-ng is not installed")
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)


def make_root(folder, message="the one that was measured"):
    settings.required_file(busybox, "busybox-static")
    root = folder / "root"
    for name in ("bin", "sbin", "etc"):
        (root / name).mkdir(parents=True)
    shutil.copy(busybox, root / "bin" / "busybox")
    (root / "sbin" / "init").write_text(init)
    (root / "sbin" / "init").chmod(0o755)
    (root / "etc" / "message").write_text(message)
    (root / "etc" / "link").symlink_to("message")
    (root / "sbin" / "start").symlink_to("/sbin/init")
    return root


def of_kernel(append="console=ttyS0 panic=-1", variable="TDSHIM_KERNEL_6_12"):
    folder = settings.required_path(variable)
    return "--kernel", folder / "vmlinuz", "--append", append, "--modules", folder / "modules"


def build(test, root, output, *options):
    result = shim_guest("build", "--root", root, *of_kernel(), *options, "-o", output)
    test.assertEqual((result.returncode, result.stderr), (0, ""))
    return output


@functools.cache
def guest(*options):
    """One guest of each kind for all tests of a process."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tdshim-vm-"))
    unittest.addModuleCleanup(lambda: shutil.rmtree(folder))
    return build(unittest.TestCase(), make_root(folder), folder / "guest", *options)


def drive(disk, name="disk"):
    return ("-drive", f"file={disk},format=raw,if=none,readonly=on,id={name}", "-device", f"virtio-blk-pci,drive={name}")


def boot_plain(guest, *arguments):
    """The console of a plain VM that ended."""
    with Machine(settings.qemu(), settings.image(), memory="512M", arguments=arguments,
                 items={firmware.named_kernel: guest / "guest.bundle"}) as vm:
        vm.wait_for_end(timeout=boot_limit)
        return vm.console.replace("\r", "")


def tampered(source, output, offset):
    content = bytearray(source.read_bytes())
    content[offset] ^= 1
    output.write_bytes(content)
    return output


class Builds(unittest.TestCase):
    def setUp(self):
        self.folder = suite.temporary_folder(self)
        self.root = make_root(self.folder)

    def refused(self, root, reason, *options, of_kernel=of_kernel):
        result = shim_guest("build", "--root", root, *of_kernel(), *options, "-o", self.folder / "none")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn(reason, result.stderr)
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith("none")], [])

    def archive(self, *members, name="root.tar"):
        path = self.folder / name
        with tarfile.open(path, "w") as file:
            file.add(self.root, ".")
            for member, content in members:
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))
        return path

    def test_the_same_root_gives_the_same_bytes(self):
        """In another folder, by another user, of files with other times and owners."""
        first = build(self, self.root, self.folder / "first")
        other = suite.temporary_folder(self)
        shutil.copytree(self.root, other / "elsewhere", symlinks=True)
        os.utime(other / "elsewhere" / "etc" / "message", (1, 1))
        output = other / "second"
        if os.geteuid() == 0:
            other.chmod(0o777)
            command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        else:
            command = []
        result = subprocess.run([*command, settings.tool("shim-guest"), "build", "--root", other / "elsewhere",
                                 *of_kernel(), "-o", output], capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for name in ("disk.img", "guest.bundle", "initrd", "manifest.json"):
            self.assertEqual((first / name).read_bytes(), (output / name).read_bytes(), name)

    def test_the_manifest_names_every_file(self):
        made = build(self, self.root, self.folder / "made")
        manifest = json.loads((made / "manifest.json").read_text())
        files = {file["path"]: file for file in manifest["files"]}
        self.assertEqual(files["/etc/message"]["sha384"], td_emu.sha384(b"the one that was measured").hex())
        self.assertEqual(files["/etc/link"], {"path": "/etc/link", "kind": "symlink", "mode": "0777", "target": "message"})
        self.assertEqual({path for path in files if files[path]["kind"] == "folder"},
                         {f"/{name}" for name in ("bin", "dev", "etc", "proc", "run", "sbin", "sys", "tmp", "var")})

    def test_names_of_any_bytes_and_links_are_kept(self):
        names = ["F\u0151tan\u00fas\u00edtv\u00e1ny.crt".encode(), b"raw-\xff\xfe", b"x" * 200]
        for name in names:
            with open(os.path.join(os.fsencode(self.root), b"etc", name), "wb") as file:
                file.write(name)
        os.link(self.root / "etc/message", self.root / "etc/again")
        self.archive(name="root.tar")
        for source in (self.root, self.folder / "root.tar"):
            made = build(self, source, self.folder / f"of-{source.name}")
            unpacked = self.folder / f"unpacked-{source.name}"
            subprocess.run(["rdsquashfs", "--unpack-root", unpacked, "--unpack-path", "/", made / "disk.img"], check=True,
                           capture_output=True)
            for name in names:
                self.assertEqual(pathlib.Path(os.fsdecode(os.path.join(os.fsencode(unpacked), b"etc", name))).read_bytes(), name)
            self.assertEqual((unpacked / "etc/again").read_text(), "the one that was measured")
            paths = {file["path"] for file in json.loads((made / "manifest.json").read_text(encoding="utf-8"))["files"]}
            self.assertLessEqual({f"/etc/{names[0].decode()}", "/etc/raw-\\xff\\xfe"}, paths)
            for file in json.loads((made / "manifest.json").read_text(encoding="utf-8"))["files"]:
                if file["kind"] == "file" and "raw-" not in file["path"]:
                    content = (unpacked / file["path"].lstrip("/")).read_bytes()
                    self.assertEqual((file["size"], file["sha384"]), (len(content), td_emu.sha384(content).hex()))

    def test_an_archive_is_a_root_as_well(self):
        for name, mode in (("root.tar", "w"), ("root.tar.gz", "w:gz")):
            with tarfile.open(self.folder / name, mode) as file:
                file.add(self.root, ".")
            build(self, self.folder / name, self.folder / f"made-{name}", "--init", "/sbin/start")
        with tarfile.open(self.folder / "files.tar", "w") as file:  # which names no folders
            file.add(self.root / "sbin/init", "sbin-x")
            file.add(self.root / "sbin/init", "sbin/init")
        build(self, self.folder / "files.tar", self.folder / "made-files")

    def test_what_is_no_root_file_system(self):
        def member(name, kind=tarfile.REGTYPE, target=""):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mode = kind, target, 0o755
            return info

        for info, reason in ((member("/etc/passwd"), "is absolute, or has"), (member("a/../../x"), "is absolute, or has"),
                             (member("dev/sda", tarfile.BLKTYPE), "is a device"), (member("pipe", tarfile.FIFOTYPE), "a FIFO"),
                             (member("hard", tarfile.LNKTYPE, "/etc/shadow"), "hard link to /etc/shadow"),
                             (member("hard", tarfile.LNKTYPE, "../x"), "hard link to ../x"),
                             (member("hard", tarfile.LNKTYPE, "later"), "hard link to later"),
                             (member("hard", tarfile.LNKTYPE, "etc"), "hard link to etc, which is no file"),
                             (member("etc/link/x"), "etc/link/x: is below what is no folder"),
                             (member("sbin", tarfile.SYMTYPE, "usr/sbin"), "sbin/init: is below what is no folder"),
                             (member("etc/message"), "is there twice")):
            with self.subTest(reason):
                self.refused(self.archive((info, b"x")), reason)
        for names, reason in ((("a/b", "a"), "a/b: is below what is no folder"),):
            with tarfile.open(self.folder / "order.tar", "w") as file:
                for name in names:
                    file.addfile(member(name))
            self.refused(self.folder / "order.tar", reason)
        whole = self.archive().read_bytes()
        (self.folder / "short.tar").write_bytes(whole[: len(whole) // 2])
        self.refused(self.folder / "short.tar", "short.tar: ")
        (self.folder / "garbage").write_bytes(b"garbage" * 1000)
        self.refused(self.folder / "garbage", "garbage: ")
        os.mkfifo(self.root / "pipe")
        self.refused(self.root, "pipe: is a device, a FIFO or a socket")
        (self.root / "pipe").unlink()
        for name in ("dev", "run"):
            (self.root / name).symlink_to("/etc")
            self.refused(self.root, f"{name}: is no folder, and stage 1 or init mounts there")
            (self.root / name).unlink()
        (self.root / "sbin" / "init").chmod(0o644)
        self.refused(self.root, "has no program /sbin/init")
        self.refused(self.root, "has no program /no/init", "--init", "/no/init")

    def test_what_else_is_wrong(self):
        (self.folder / "there").mkdir()
        result = shim_guest("build", "--root", self.root, *of_kernel(), "-o", self.folder / "there")
        self.assertEqual(result.returncode, 2)
        self.assertIn("is there already", result.stderr)
        for words, reason in (("roothash=" + "0" * 64, "roothash is there twice"), ("stage1.x=1", "stage1.x is no word")):
            self.refused(self.root, reason, of_kernel=lambda words=words: of_kernel(words))
        self.refused(self.root, "--storage", "--storage", "floppy")
        self.refused(self.root, "--network: expected ADDRESS/BITS", "--network", "10.0.2.15")
        modules = self.folder / "modules"
        source, = (of_kernel()[-1] / "lib" / "modules").iterdir()
        (modules / "lib" / "modules" / "1").mkdir(parents=True)
        for name in ("modules.dep", "modules.builtin"):
            lines = (source / name).read_text().splitlines(keepends=True)
            (modules / "lib/modules/1" / name).write_text("".join(line for line in lines if "dm-verity" not in line))
        of_these = lambda: (*of_kernel()[:-1], modules)
        self.refused(self.root, "this kernel has no dm_verity, which stage 1 needs", of_kernel=of_these)
        shutil.rmtree(modules)
        modules.mkdir()
        self.refused(self.root, "expected one lib/modules/VERSION", of_kernel=of_these)

    def test_a_signal_leaves_nothing(self):
        """While it waits for an archive that never comes."""
        os.mkfifo(self.folder / "root.tar")
        process = subprocess.Popen([settings.tool("shim-guest"), "build", "--root", self.folder / "root.tar", *of_kernel(), "-o",
                                    self.folder / "guest"], stderr=subprocess.DEVNULL)
        while not list(self.folder.glob("guest.*")) and process.poll() is None:
            time.sleep(0.01)
        process.terminate()
        self.assertEqual(process.wait(timeout=60), 128 + signal.SIGTERM)
        self.assertEqual(list(self.folder.glob("guest*")), [])

    def test_verify_finds_every_changed_byte(self):
        made = build(self, self.root, self.folder / "made")
        disk, bundle = made / "disk.img", made / "guest.bundle"
        good = shim_guest("verify", disk, "--bundle", bundle, "--json")
        self.assertEqual((good.returncode, json.loads(good.stdout)["good"]), (0, True), good.stderr)
        size = disk.stat().st_size
        for offset in (0, 100, size // 2, size - 3 * block, size - block, size - 3000):
            bad = shim_guest("verify", tampered(disk, self.folder / "bad", offset), "--bundle", bundle)
            self.assertEqual((bad.returncode, bad.stderr), (1, ""), offset)
        (self.folder / "short").write_bytes(disk.read_bytes()[:-block])
        short = shim_guest("verify", self.folder / "short", "--bundle", bundle)
        self.assertEqual(short.returncode, 1)
        self.assertIn("data and tree", short.stdout)
        self.assertEqual(shim_guest("verify", disk, "--bundle", disk).returncode, 2)


class Image:
    """A container image in OCI's layout [OCI Image Format Specification 1.1], of layers that are lists of (path, content)
    pairs; a path that ends with a slash is a folder, content that is a TarInfo an entry as it is."""

    def __init__(self, folder, *layers, config=(), architecture="amd64", compressed=True):
        self.folder = folder
        (folder / "blobs/sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        described = [self.blob(self.layer(entries, compressed), "application/vnd.oci.image.layer.v1.tar") for entries in layers]
        configuration = self.blob(json.dumps({"architecture": architecture, "os": "linux", "config": dict(config)}).encode(),
                                  "application/vnd.oci.image.config.v1+json")
        self.manifest = self.blob(json.dumps({"schemaVersion": 2, "config": configuration, "layers": described}).encode(),
                                  "application/vnd.oci.image.manifest.v1+json")
        self.index(self.manifest)

    def index(self, *manifests):
        (self.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": manifests}))

    def blob(self, content, kind):
        digest = hashlib.sha256(content).hexdigest()
        (self.folder / "blobs/sha256" / digest).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    @staticmethod
    def layer(entries, compressed):
        output = io.BytesIO()
        with tarfile.open(fileobj=output, mode="w:gz" if compressed else "w") as file:
            for path, content in entries:
                info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(path.rstrip("/"))
                info.mode = 0o755
                if path.endswith("/"):
                    info.type = tarfile.DIRTYPE
                data = content if isinstance(content, bytes) else b""
                info.size = len(data)
                file.addfile(info, io.BytesIO(data))
        return output.getvalue()

    def file(self, digest):
        return self.folder / "blobs/sha256" / digest.removeprefix("sha256:")


def busybox_layer():
    return [("bin/", b""), ("bin/busybox", settings.required_file(busybox, "busybox-static").read_bytes())]


def says(text):
    return {"Entrypoint": ["busybox", "sh", "-c"], "Cmd": [text], "Env": ["PATH=/bin", "A=of the image"], "WorkingDir": "/srv",
            "User": "1000:100"}


class Containers(unittest.TestCase):
    def setUp(self):
        self.folder = suite.temporary_folder(self)

    def build(self, source, name="guest"):
        return shim_guest("build", "--oci", source, *of_kernel(), "--storage", "overlay", "-o", self.folder / name)

    def refused(self, source, reason):
        result = self.build(source)
        self.assertEqual((result.returncode, (self.folder / "guest").exists()), (2, False), result.stderr)
        self.assertIn(reason, result.stderr)

    def test_its_process_runs_and_ends_the_guest(self):
        image = Image(self.folder / "image", busybox_layer(), [("srv/", b""), ("srv/file", b"lower")],
                      [("srv/file", b"upper")],
                      config=says("echo \"guest: $A, $(id -u):$(id -g), $(pwd), $(cat file)\"; touch x 2>/dev/null; exit 7"))
        made = self.build(image.folder)
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        console = boot_plain(self.folder / "guest", *drive(self.folder / "guest/disk.img"))
        self.assertIn("guest: of the image, 1000:100, /srv, upper\n", console)
        self.assertIn("stage1: its process ended with exit code 7\n", console)
        self.assertIn("reboot: Power down", console)
        manifest = json.loads((self.folder / "guest/manifest.json").read_text())
        self.assertEqual(manifest["oci"], image.manifest["digest"])
        with tarfile.open(self.folder / "image.tar", "w") as file:
            file.add(image.folder, ".")
        again = self.build(self.folder / "image.tar", "again")
        self.assertEqual((again.returncode, again.stderr), (0, ""))
        self.assertEqual((self.folder / "guest/disk.img").read_bytes(), (self.folder / "again/disk.img").read_bytes())

    def test_what_it_serves_is_reached(self):
        """At the address that the command line has, without asking the host for one."""
        image = Image(self.folder / "image", busybox_layer(), [("www/", b""), ("www/index.html", b"of the container")],
                      config={"Entrypoint": ["/bin/busybox", "httpd", "-f", "-h", "/www"]})
        made = shim_guest("build", "--oci", image.folder, *of_kernel(), "--network", "10.0.2.15/24,10.0.2.2", "-o",
                          self.folder / "guest")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        devices = ("-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:80", "-device", "virtio-net-pci,netdev=net")
        with Machine(settings.qemu(), settings.image(), memory="512M", arguments=(*drive(self.folder / "guest/disk.img"), *devices),
                     items={firmware.named_kernel: self.folder / "guest/guest.bundle"}) as vm:
            vm.wait_for(r"^stage1: storage none, starting", timeout=boot_limit)
            # QEMU takes connections itself, and ends them until somebody listens.
            end = time.monotonic() + boot_limit
            content = b""
            while not content and time.monotonic() < end:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=boot_limit) as answer:
                        content = answer.read()
                except (OSError, http.client.HTTPException):
                    time.sleep(0.1)
        self.assertEqual(content, b"of the container")

    def test_what_is_no_image_for_a_guest(self):
        def link(target):
            info = tarfile.TarInfo("bin")
            info.type, info.linkname = tarfile.SYMTYPE, target
            return info

        config = says("true")
        for number, (layers, options, reason) in enumerate((
                ([[("etc/.wh.passwd", b"")]], {}, "etc/.wh.passwd: removes a file of a layer below"),
                ([[("bin", link("usr/bin"))], [("bin/x", b"")]], {}, "bin/x: is in a layer, and its folder is a file or a link"),
                ([[("../x", b"")]], {}, "is absolute, or has"), ([[("a", b"")]], {"architecture": "arm64"}, "is not for linux/amd64"),
                ([[("a", b"")]], {"config": {}}, "names no program"),
                ([[("a", b"")]], {"config": {**config, "User": "www-data"}}, "expected numbers, such as 1000:1000"),
                ([[("a", b"")]], {"config": {**config, "WorkingDir": "/\nuser 0"}}, "WorkingDir of its configuration is no line"),
                ([[("a", b"")]], {"config": {**config, "Env": ["A=b\nargument c"]}}, "expected lines of text"))):
            with self.subTest(reason):
                self.refused(Image(self.folder / str(number), *layers, **{"config": config, **options}).folder, reason)
        image = Image(self.folder / "image", [("a", b"x")], config=config)
        layer = json.loads(image.file(image.manifest["digest"]).read_text())["layers"][0]
        for digest in (image.manifest["digest"], layer["digest"]):
            content = image.file(digest).read_bytes()
            image.file(digest).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
            self.refused(image.folder, f"blob {digest}: what is there has sha256:")
            image.file(digest).write_bytes(content)
        image.file(layer["digest"]).unlink()
        self.refused(image.folder, "cannot open")
        image.index(image.manifest, image.manifest)
        self.refused(image.folder, "expected one image, found 2")
        image.index({**image.manifest, "digest": "sha256:../../../etc/passwd"})
        self.refused(image.folder, "a blob's digest: expected sha256: and 64 digits")
        for index in ([], 5, "x", {"manifests": {}}, {"manifests": [5]}, {"manifests": [[]]}, {"manifests": [{"digest": 5}]}):
            (image.folder / "index.json").write_text(json.dumps(index))
            self.refused(image.folder, "image: ")
        configuration = json.loads(image.file(image.manifest["digest"]).read_text())["config"]
        for manifest in ([], {"config": configuration}, {"config": 5, "layers": [5]}, {"config": configuration, "layers": 5},
                         {"config": configuration, "layers": [5]}, {"config": layer, "layers": [layer]}):
            image.index(image.blob(json.dumps(manifest).encode(), "manifest"))
            self.refused(image.folder, "image")
        (image.folder / "index.json").write_text("{")
        self.refused(image.folder, "index.json")
        result = shim_guest("build", *of_kernel(), "-o", self.folder / "guest")
        self.assertEqual((result.returncode, result.stderr), (2, "shim-guest: give a root file system: --root or --oci\n"))


class Boots(unittest.TestCase):
    def check_storage(self, console, writable):
        self.assertIn(began, console)
        for file in ("/var/x", "/x"):
            self.assertIn(f"guest: {file} " + ("was written" if file in writable else "is read-only"), console)
        self.assertIn("reboot: Power down", console)

    def test_plain(self):
        for storage, writable in (("none", ()), ("ram", ("/var/x",)), ("overlay", ("/var/x", "/x"))):
            with self.subTest(storage):
                made = guest("--storage", storage, "--check", "all")
                self.check_storage(boot_plain(made, *drive(made / "disk.img")), writable)

    def test_td(self):
        """And its registers are the ones that shim-measure says."""
        made = guest("--storage", "overlay", "--check", "all")
        devices = drive(made / "disk.img")
        run = td_emu.Run("--kernel", made / "guest.bundle", "--memory", "1G", "--cpus", 2, "--", *devices)
        self.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console[-3000:] + run.errors)
        self.check_storage(run.console, ("/var/x", "/x"))
        measured = subprocess.run([settings.tool("shim-measure"), settings.image(), "--kernel", made / "guest.bundle",
                                   "--memory", "1G", "--cpus", "2", "--qemu", settings.qemu("new"), "--format", "json", "--",
                                   *devices], capture_output=True, text=True, check=True).stdout
        self.assertEqual([run.report.rtmr[i].hex() for i in range(2)], [json.loads(measured)[f"rtmr{i}"] for i in range(2)])

    def test_signed(self):
        """By a key that an image has enrolled, which starts nothing else; and predicted so."""
        folder = suite.temporary_folder(self)
        private, public = signed.make_key(folder, "ecdsa")
        image = folder / "enrolled.bin"
        signed.tool("shim-enroll", "--firmware", settings.image(), "--key", public, "--min-svn", 3, "--for", "linux-bundle", "-o", image)
        made = build(self, make_root(folder), folder / "guest", "--key", private, "--svn", "3", "--firmware", image, "--memory",
                     "512M", "--qemu", settings.qemu("new"))
        disk = ("-drive", f"file={made / 'disk.img'},format=raw,if=virtio,readonly=on")
        run = td_emu.Run("--kernel", made / "guest.bundle", "--memory", "512M", "--", *disk, image=image)
        self.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console[-3000:] + run.errors)
        self.assertIn(began, run.console)
        policy = json.loads((made / "boot.json").read_text())
        self.assertEqual([register.hex() for register in run.report.rtmr[:2]], [policy["rtmr0"], policy["rtmr1"]])
        good = shim_guest("verify", made / "disk.img", "--bundle", made / "guest.bundle")
        self.assertEqual(good.returncode, 0, good.stderr)

    def test_the_disk_is_found_among_others_on_any_bus(self):
        made = guest("--check", "all")
        folder = suite.temporary_folder(self)
        size = (made / "disk.img").stat().st_size
        others = []
        for number, offset in enumerate((0, size // 3, size - 100)):
            others += drive(tampered(made / "disk.img", folder / f"bad{number}", offset), f"bad{number}")
        (folder / "empty").write_bytes(bytes(4 * size))
        console = boot_plain(made, *others, *drive(folder / "empty", "empty"), "-device", "virtio-scsi-pci", "-drive",
                             f"file={made / 'disk.img'},format=raw,if=none,readonly=on,id=good", "-device", "scsi-hd,drive=good")
        self.assertIn("stage1: root file system on /dev/sda", console)
        self.check_storage(console, ())


class Attested(unittest.TestCase):
    """What stage 1 started is in RTMR[2], where Linux shows the registers, and in the log."""

    nonce = "00112233445566778899aabbccddeeff"

    @functools.cached_property
    def built(self):
        folder = suite.temporary_folder(self)
        root = make_root(folder)
        shutil.copy(settings.tool("shim-attest"), root / "bin" / "shim-attest")
        (root / "sbin" / "init").write_text(
            "#!/bin/busybox sh\nset -- /bin/busybox\n$1 mount -t configfs none /sys/kernel/config 2>/dev/null\n"
            f"/bin/shim-attest collect --nonce {self.nonce} -o /run/evidence 2>&1\n"
            "echo 'guest: evidence begin'; $1 cat /run/evidence; echo 'guest: evidence end'; $1 poweroff -f\n")
        result = shim_guest("build", "--root", root, *of_kernel(variable="TDSHIM_KERNEL_NEWEST"), "--measure", "rtmr2", "--firmware",
                            settings.image(), "--memory", "1G", "--cpus", "2", "--qemu", settings.qemu("new"), "-o", folder / "guest")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return folder / "guest"

    @functools.cached_property
    def run_of_it(self):
        disk = f"file={self.built / 'disk.img'},format=raw,if=virtio,readonly=on"
        return td_emu.Run("--kernel", self.built / "guest.bundle", "--memory", "1G", "--cpus", 2, "--quote-keys",
                          self.built.parent / "keys", "--", "-drive", disk)

    def verify(self, evidence, policy):
        folder = self.built.parent
        for name, content in (("evidence", evidence), ("policy", policy)):
            (folder / name).write_text(json.dumps(content))
        result = subprocess.run([settings.tool("shim-attest"), "verify", folder / "evidence", "--policy", folder / "policy", "--nonce",
                                 self.nonce, "--collateral", folder / "keys", "--root", folder / "keys/root.pem", "--json"],
                                capture_output=True, text=True, check=False)
        self.assertIn(result.returncode, (0, 1), result.stderr)
        return {check["name"]: check["text"] for check in json.loads(result.stdout)["checks"] if check["outcome"] == "FAILED"}

    def test_every_register_is_predicted_and_in_the_log(self):
        run = self.run_of_it
        self.assertEqual((run.exit_code, run.result and run.result["finding"]), (0, ""), run.console[-3000:] + run.errors)
        self.assertIn("stage1: measured into RTMR[2]", run.console)
        policy = json.loads((self.built / "boot.json").read_text())
        self.assertEqual([register.hex() for register in run.report.rtmr],
                         [policy["rtmr0"], policy["rtmr1"], policy["rtmr2"], "00" * 48])
        evidence = json.loads(run.line(r"(?s)^guest: evidence begin\n(.*?)^guest: evidence end")[1])
        self.assertEqual(self.verify(evidence, policy), {})
        log = self.built.parent / "log"
        log.write_bytes(base64.b64decode(evidence["cc_eventlog"]))
        events = json.loads(subprocess.run([settings.tool("shim-log"), "decode", log, "--json"], check=True, capture_output=True,
                                           text=True).stdout)["events"]
        root_hash = json.loads((self.built / "manifest.json").read_text())["root_hash"]
        self.assertIn(f"roothash={root_hash}", json.dumps(events[-1]))
        self.assertEqual(set(self.verify(evidence, {**policy, "rtmr2": "00" * 48})), {"policy", "event-log"})

    def test_without_registers_there_is_no_way_on(self):
        """Linux 6.12 in a TD shows none; a plain VM has none, and says so."""
        made = guest("--measure", "rtmr2")
        run = td_emu.Run("--kernel", made / "guest.bundle", "--memory", "512M", "--", *drive(made / "disk.img"))
        self.assertIn("stage1: /sys/class/misc/tdx_guest/measurements/rtmr2:sha384: No such file or directory", run.console)
        self.assertIn("Attempted to kill init!", run.console)
        self.assertNotIn("guest: ", run.console)
        console = boot_plain(made, *drive(made / "disk.img"))
        self.assertIn("stage1: no TD: there is no RTMR[2] to extend", console)
        self.assertIn(began, console)


class Refusals(unittest.TestCase):
    def refused(self, console, reason):
        self.assertNotIn("guest: ", console)
        self.assertRegex(console, r"(?m)^stage1: " + reason)
        self.assertIn("Kernel panic - not syncing: Attempted to kill init!", console)

    def test_tampered_disks(self):
        """Forty, each with another bit changed somewhere, in two machines."""
        made = guest("--check", "all", "--wait", "5")
        folder = suite.temporary_folder(self)
        size = (made / "disk.img").stat().st_size
        for machine in range(2):
            arguments = ["-device", "virtio-scsi-pci"]
            for number in range(20):
                offset = (machine * 20 + number) * (size - 1) // 39
                disk = tampered(made / "disk.img", folder / f"{machine}-{number}", offset)
                arguments += ["-drive", f"file={disk},format=raw,if=none,readonly=on,id=d{number}", "-device",
                              f"scsi-hd,drive=d{number},lun={number}"]
            console = boot_plain(made, *arguments)
            self.refused(console, "no disk has the root file system of roothash=; tried: sda, ")
            self.assertEqual(len(re.search("tried: (.*)", console)[1].split(", ")), 20)

    def test_no_disk(self):
        self.refused(boot_plain(guest("--wait", "1")), "no disk has the root file system of roothash=; tried: none is there")

    def test_a_short_disk_and_that_of_another_guest(self):
        made, folder = guest("--wait", "2"), suite.temporary_folder(self)
        other = build(self, make_root(folder, "another one"), folder / "other")
        (folder / "short").write_bytes((made / "disk.img").read_bytes()[:-block])
        self.refused(boot_plain(made, *drive(folder / "short", "short"), *drive(other / "disk.img", "other")),
                     "no disk has the root file system")

    def test_a_block_that_is_changed_is_the_end(self):
        """Where nothing read it before: of the program that runs, which the kernel then loads."""
        made = guest()
        folder = suite.temporary_folder(self)
        size = (made / "disk.img").stat().st_size
        disk = folder / "disk"
        content = bytearray((made / "disk.img").read_bytes())
        for offset in range(10 * block, size // 2, block):
            content[offset] ^= 1
        disk.write_bytes(content)
        console = boot_plain(made, *drive(disk))
        self.assertNotIn("guest: ", console)
        self.assertIn("Kernel panic - not syncing: dm-verity device corrupted", console)

    def test_words_that_are_wrong(self):
        """A command line that nobody built: of a kernel and initrd by themselves."""
        made = guest()
        hash_of_root = "roothash=" + "0" * 64
        for words, reason in (("", "roothash is missing on the command line"),
                              (hash_of_root[:-1], "roothash: expected 64 hexadecimal digits"),
                              (f"{hash_of_root} {hash_of_root}", "roothash is there twice"),
                              (f"{hash_of_root} stage1.storge=ram", "stage1.storge is no word of stage 1's")):
            with self.subTest(words):
                with Machine(settings.qemu(), settings.image(), memory="512M", items={
                        firmware.named_kernel: of_kernel()[1], firmware.named_initrd: made / "initrd",
                        firmware.named_command_line: f"console=ttyS0 panic=-1 {words}".encode()}) as vm:
                    vm.wait_for_end(timeout=boot_limit)
                    self.refused(vm.console.replace("\r", ""), reason)


if __name__ == "__main__":
    suite.main()
