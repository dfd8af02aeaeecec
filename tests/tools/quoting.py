# SPDX-License-Identifier: Apache-2.0
"""A platform of our own that signs quotes: root, CA, PCK certificate with Intel's extension, quoting enclave, and the
collateral that belongs to it, by the openssl command. Its names are none of Intel's."""

import hashlib
import json
import pathlib
import struct
import subprocess
import tempfile
import time

SGX = "1.2.840.113741.1.13.1"
VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
FMSPC, PCE_ID, PCE_SVN = bytes.fromhex("50806f000000"), bytes(2), 11
SVNS = [5, 5, 2, 2, 3, 1, 0, 3] + [0] * 8
TDX_SVNS = [3, 0, 5] + [0] * 13
MODULE_SVNS = [6, 1, 5] + [0] * 13  # of a TDX module that has a version of its own
SIGNER = bytes.fromhex("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5")
ENCLAVE_ATTRIBUTES = bytes.fromhex("11000000000000000000000000000000")


def bound_data(asked, with_it=b""):
    """REPORTDATA, as specs/attestation.md has it."""
    return hashlib.sha512(b"tdshim-evidence-1" + hashlib.sha512(asked).digest() + hashlib.sha512(with_it).digest()).digest()


def day(distance):
    """RFC 3339, that many days from now."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400 * distance))


ISSUED, NEXT = day(-1), day(30)

CONFIGURATION = f"""
[req]
distinguished_name=none
[none]
[authority]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[signer]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,nonRepudiation
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[pck]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,nonRepudiation
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
{SGX}=ASN1:SEQUENCE:sgx
[sgx]
1=SEQUENCE:ppid
2=SEQUENCE:tcb
3=SEQUENCE:pce_id
4=SEQUENCE:fmspc
[ppid]
1=OID:{SGX}.1
2=FORMAT:HEX,OCTETSTRING:{'00' * 16}
[pce_id]
1=OID:{SGX}.3
2=FORMAT:HEX,OCTETSTRING:{PCE_ID.hex()}
[fmspc]
1=OID:{SGX}.4
2=FORMAT:HEX,OCTETSTRING:{FMSPC.hex()}
[tcb]
1=OID:{SGX}.2
2=SEQUENCE:components
[components]
""" + "".join(f"{n}=SEQUENCE:component{n}\n" for n in range(1, 18)) + "".join(
    f"[component{n}]\n1=OID:{SGX}.2.{n}\n2=INTEGER:{svn}\n" for n, svn in enumerate([*SVNS, PCE_SVN], 1))


def temporary_folder():
    return tempfile.TemporaryDirectory()


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True, timeout=120).stdout


def raw_signature(der):
    """r and s, 32 bytes each, of an ECDSA-Sig-Value."""
    numbers, at = b"", 2
    for _ in range(2):
        size = der[at + 1]
        numbers += der[at + 2:at + 2 + size][-32:].rjust(32, b"\0")
        at += 2 + size
    return numbers


class Key:
    def __init__(self, folder, name):
        self.path = folder / f"{name}.key"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.path)

    def point(self):
        return openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")[-64:]

    def sign(self, message):
        return raw_signature(openssl("dgst", "-sha256", "-sign", self.path, data=message))


class Platform:
    """Makes everything once; `quote` and `write_collateral` take what a test wants otherwise."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.configuration = self.folder / "openssl.cnf"
        self.configuration.write_text(CONFIGURATION)
        self.root, self.authority = Key(self.folder, "root"), Key(self.folder, "authority")
        self.pck, self.signer, self.attestation = (Key(self.folder, name) for name in ("pck", "signer", "attestation"))
        self.certificates = {}
        for name, key, issuer, kind in (("root", self.root, None, "authority"), ("stranger", self.signer, None, "authority"),
                                        ("pck_of_root", self.signer, "root", "pck"), ("authority", self.authority, "root", "authority"),
                                        ("pck", self.pck, "authority", "pck"), ("signer", self.signer, "root", "signer")):
            self.certificates[name] = self.certify(name, key, issuer, kind)
        self.lists = {name: self.revoke(name) for name in ("root", "authority")}

    def certify(self, name, key, issuer, kind):
        request, certificate = self.folder / f"{name}.csr", self.folder / f"{name}.pem"
        openssl("req", "-new", "-key", key.path, "-subj", f"/CN=tdshim test {name}", "-config", self.configuration, "-out", request)
        signed = ("-signkey", key.path) if issuer is None else ("-CA", self.folder / f"{issuer}.pem", "-CAkey",
                                                                self.folder / f"{issuer}.key", "-CAcreateserial")
        openssl("x509", "-req", "-in", request, "-days", "3650", "-extfile", self.configuration, "-extensions", kind, *signed,
                "-out", certificate)
        return certificate.read_bytes()

    def revoke(self, issuer, *revoked, reason=None):
        """The issuer's list, with these certificates on it."""
        folder = self.folder / f"ca-{issuer}-{len(revoked)}-{reason}"
        folder.mkdir()
        (folder / "index.txt").touch()
        configuration = folder / "ca.cnf"
        configuration.write_text(f"[ca]\ndefault_ca=own\n[own]\ndatabase={folder}/index.txt\ndefault_md=sha256\n"
                                 f"default_crl_days=3650\ncrl_extensions=crl\n[crl]\nauthorityKeyIdentifier=keyid\n")
        common = ("-config", configuration, "-keyfile", self.folder / f"{issuer}.key", "-cert", self.folder / f"{issuer}.pem")
        for name in revoked:
            openssl("ca", *common, "-revoke", self.folder / f"{name}.pem", *(("-crl_reason", reason) if reason else ()))
        openssl("ca", *common, "-gencrl", "-out", folder / "crl.pem")
        return openssl("crl", "-in", folder / "crl.pem", "-outform", "DER")

    def chain(self, *names):
        return b"".join(self.certificates[name] for name in names)

    def signed_json(self, member, value, signer=None):
        content = json.dumps(value, separators=(",", ":")).encode()
        return b'{"%s":%s,"signature":"%s"}' % (member.encode(), content, (signer or self.signer).sign(content).hex().encode())

    @staticmethod
    def tcb_info(status="UpToDate", **changes):
        def level(svns, pce_svn, tdx_svns, word):
            return {"tcb": {"sgxtcbcomponents": [{"svn": svn} for svn in svns], "pcesvn": pce_svn,
                            "tdxtcbcomponents": [{"svn": svn} for svn in tdx_svns]},
                    "tcbDate": ISSUED, "tcbStatus": word, "advisoryIDs": [] if word == "UpToDate" else ["TEST-SA-1"]}

        module = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}
        return {"id": "TDX", "version": 3, "issueDate": ISSUED, "nextUpdate": NEXT, "fmspc": FMSPC.hex(), "pceId": PCE_ID.hex(),
                "tcbType": 0, "tcbEvaluationDataNumber": 15, "tdxModule": module,
                "tdxModuleIdentities": [{"id": "TDX_01", **module, "tcbLevels": [
                    {"tcb": {"isvsvn": svn}, "tcbDate": ISSUED, "tcbStatus": word}
                    for svn, word in ((5, "UpToDate"), (2, "OutOfDate"))]}],
                "tcbLevels": [level(SVNS, PCE_SVN, TDX_SVNS, status), level([1] * 6 + [0] * 10, 5, [0] * 16, "OutOfDate")],
                **changes}

    @staticmethod
    def enclave_identity(**changes):
        return {"id": "TD_QE", "version": 2, "issueDate": ISSUED, "nextUpdate": NEXT, "tcbEvaluationDataNumber": 15,
                "miscselect": "00000000", "miscselectMask": "FFFFFFFF", "attributes": ENCLAVE_ATTRIBUTES.hex(),
                "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000", "mrsigner": SIGNER.hex(), "isvprodid": 2,
                "tcbLevels": [{"tcb": {"isvsvn": 4}, "tcbDate": ISSUED, "tcbStatus": "UpToDate"},
                              {"tcb": {"isvsvn": 2}, "tcbDate": ISSUED, "tcbStatus": "OutOfDate"}], **changes}

    def write_collateral(self, folder, tcb_info=None, enclave_identity=None, **files):
        """The folder; `files` by their names without what is behind the dot."""
        folder = pathlib.Path(folder)
        folder.mkdir(exist_ok=True)
        chain = self.chain("signer", "root")
        content = {"tcbinfo.json": self.signed_json("tcbInfo", tcb_info or self.tcb_info()),
                   "qeidentity.json": self.signed_json("enclaveIdentity", enclave_identity or self.enclave_identity()),
                   "tcbinfo-issuer-chain.pem": chain, "qeidentity-issuer-chain.pem": chain,
                   "rootcrl.der": self.lists["root"], "pckcrl.der": self.lists["authority"]}
        for name, value in {**content, **files}.items():
            (folder / name).write_bytes(value)
        return folder

    def enclave_report(self, authentication=bytes(32), **changes):
        fields = {"cpu_svn": bytes(16), "misc_select": 0, "attributes": ENCLAVE_ATTRIBUTES, "signer": SIGNER, "product": 2, "svn": 4,
                  "data": hashlib.sha256(self.attestation.point() + authentication).digest() + bytes(32), **changes}
        return (fields["cpu_svn"] + struct.pack("<I", fields["misc_select"]) + bytes(28) + fields["attributes"] + bytes(32) * 2 +
                fields["signer"] + bytes(96) + struct.pack("<HH", fields["product"], fields["svn"]) + bytes(60) + fields["data"])

    @staticmethod
    def body(registers=bytes(48 * 5), attributes=1 << 28, xfam=0xE7, report_data=bytes(64), tcb_svn=bytes(TDX_SVNS), is_1_5=False,
             module_signer=bytes(48), module_attributes=bytes(8), tcb_svn_2=None):
        """`registers`: MRTD and the four RTMRs."""
        body = (tcb_svn + bytes(48) + module_signer + module_attributes + struct.pack("<QQ", attributes, xfam) + registers[:48] +
                bytes(48 * 3) + registers[48:] + report_data)
        return body + ((tcb_svn if tcb_svn_2 is None else tcb_svn_2) + bytes(48) if is_1_5 else b"")

    def quote(self, body, version=4, authentication=bytes(32), report=None, chain=None, vendor=VENDOR, signer=None):
        header = struct.pack("<HHI", version, 2, 0x81) + bytes(4) + vendor + bytes(20)
        if version == 5:
            header += struct.pack("<HI", 3 if len(body) == 648 else 2, len(body))
        report = report or self.enclave_report(authentication)
        chain = chain or self.chain("pck", "authority", "root")
        enclave = report + self.pck.sign(report) + struct.pack("<H", len(authentication)) + authentication
        enclave += struct.pack("<HI", 5, len(chain)) + chain
        signature = ((signer or self.attestation).sign(header + body) + self.attestation.point() +
                     struct.pack("<HI", 6, len(enclave)) + enclave)
        return header + body + struct.pack("<I", len(signature)) + signature
