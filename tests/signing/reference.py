# SPDX-License-Identifier: Apache-2.0
"""RSASSA-PSS, ECDSA on P-384 and td-shim's formats from their descriptions, in plain Python: RFC 8017, FIPS 186-5,
SP 800-186, UEFI PI and td-shim's doc/secure_boot.md. Keys are openssl's, made for one test run."""

import hashlib
import os
import secrets
import struct
import subprocess
import uuid

P = 2**384 - 2**128 - 2**96 + 2**32 - 1
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
B = 0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF
G = (0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
     0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F)


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True, timeout=120).stdout


def hash_of(data, name="sha384"):
    return hashlib.new(name, data).digest()


# --- P-384

def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(scalar, point):
    result = None
    for bit in bin(scalar % N)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def lift(x):
    """A point with this x, or None."""
    square = (x**3 - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    return (x, y) if y * y % P == square else None


def digest_number(message, name="sha384"):
    return int.from_bytes(hash_of(message, name)[:48], "big")


def ecdsa_sign(secret, message, nonce=None, name="sha384"):
    nonce = nonce or secrets.randbelow(N - 1) + 1
    r = multiply(nonce, G)[0] % N
    return r, pow(nonce, -1, N) * (digest_number(message, name) + r * secret) % N


def ecdsa_verify(key, message, r, s):
    if not (0 < r < N and 0 < s < N):
        return False
    inverse = pow(s, -1, N)
    point = add(multiply(digest_number(message) * inverse, G), multiply(r * inverse, key))
    return point is not None and point[0] % N == r


def key_for(point, s, message):
    """The public key for which (point.x mod N, s) is a signature of `message`: s * R = e * G + r * Q."""
    r = point[0] % N
    return multiply(pow(r, -1, N), add(multiply(s, point), multiply(-digest_number(message), G)))


def two(a, b, size=48):
    return a.to_bytes(size, "big") + b.to_bytes(size, "big")


# --- RSASSA-PSS

def mask(seed, size, name):
    out = b""
    for counter in range(size // hashlib.new(name).digest_size + 1):
        out += hash_of(seed + struct.pack(">I", counter), name)
    return out[:size]


def pss_encode(message, salt_size=48, name="sha384", mask_name="sha384", trailer=0xBC, one=1, padding=0, top=False,
               change=0):
    """EMSA-PSS for 3072 bits, with what a forger may get wrong."""
    salt = secrets.token_bytes(salt_size)
    hashed = hash_of(bytes(8) + hash_of(message, name) + salt, name)
    size = 384 - len(hashed) - 1
    block = bytearray(size - salt_size - 1) + bytearray([one]) + salt
    block[size - salt_size - 2] ^= padding
    masked = bytearray(a ^ b for a, b in zip(block, mask(hashed, size, mask_name)))
    masked[0] = masked[0] | 0x80 if top else masked[0] & 0x7F
    hashed = bytes([hashed[0] ^ change]) + hashed[1:]
    return bytes(masked) + hashed + bytes([trailer])


def pss_verify(modulus, message, signature):
    encoded = pow(int.from_bytes(signature, "big"), 65537, modulus).to_bytes(384, "big")
    masked, hashed, trailer = encoded[:335], encoded[335:383], encoded[383]
    block = bytearray(a ^ b for a, b in zip(masked, mask(hashed, 335, "sha384")))
    if masked[0] & 0x80 or trailer != 0xBC:
        return False
    block[0] &= 0x7F
    if any(block[:286]) or block[286] != 1:
        return False
    return hash_of(bytes(8) + hash_of(message) + bytes(block[287:])) == hashed


# --- openssl's keys

def read_der(data, at=0):
    """Tag, contents, and where the next begins."""
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    return tag, data[at : at + size], at + size


def der_items(data):
    items, at = [], 0
    while at < len(data):
        _, contents, at = read_der(data, at)
        items.append(contents)
    return items


class RsaKey:
    def __init__(self, folder, name="rsa", bits=3072, exponent=65537):
        self.path = os.path.join(folder, name + ".pem")
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}", "-pkeyopt",
                f"rsa_keygen_pubexp:{exponent}", "-out", self.path)
        numbers = der_items(read_der(openssl("rsa", "-in", self.path, "-traditional", "-outform", "DER"))[1])
        self.modulus, self.exponent, self.secret = (int.from_bytes(number, "big") for number in numbers[1:4])
        self.public = os.path.join(folder, name + ".pub.pem")
        openssl("pkey", "-in", self.path, "-pubout", "-out", self.public)

    def block(self):
        return self.modulus.to_bytes(384, "big") + self.exponent.to_bytes(8, "big")

    def raw(self, encoded):
        number = int.from_bytes(encoded, "big")
        return pow(number % self.modulus, self.secret, self.modulus).to_bytes(384, "big")

    def sign(self, message):
        return openssl("dgst", "-sha384", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:48", "-sign",
                       self.path, data=message)

    def verify(self, message, signature):
        return pss_verify(self.modulus, message, signature)


class EcKey:
    def __init__(self, folder, name="ec", curve="P-384"):
        self.path = os.path.join(folder, name + ".pem")
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", self.path)
        items = der_items(read_der(openssl("ec", "-in", self.path, "-outform", "DER"))[1])
        self.secret = int.from_bytes(items[1], "big")
        self.public = os.path.join(folder, name + ".pub.pem")
        openssl("pkey", "-in", self.path, "-pubout", "-out", self.public)
        self.point = multiply(self.secret, G) if curve == "P-384" else None

    def block(self):
        return two(*self.point)

    def sign(self, message):
        der = openssl("dgst", "-sha384", "-sign", self.path, data=message)
        return two(*(int.from_bytes(item, "big") for item in der_items(read_der(der)[1])))

    def verify(self, message, signature):
        return ecdsa_verify(self.point, message, int.from_bytes(signature[:48], "big"),
                            int.from_bytes(signature[48:], "big"))


# --- td-shim's formats

PAYLOAD = uuid.UUID("FCF2D558-9DF5-4F4D-B0D7-3E4B798AB066").bytes_le
ANCHOR_FILE = uuid.UUID("77A2742E-9340-4AC9-8F85-B7B978580021").bytes_le
ANCHOR_DATA = uuid.UUID("BE8F65A3-A83B-415C-A1FB-F78E105E824E").bytes_le
FFS3 = uuid.UUID("5473C07A-3DCB-4DCA-BD6F-1E9689E7349A").bytes_le
ALGORITHM = {RsaKey: 1, EcKey: 2}


def payload_header(contents, algorithm, svn=0, version=0):
    return PAYLOAD + struct.pack("<IIQQII", 1, 48 + len(contents), version, svn, algorithm, 0)


def signed(key, contents, svn=0, version=0, algorithm=None):
    message = payload_header(contents, algorithm or ALGORITHM[type(key)], svn, version) + contents
    return message + key.block() + key.sign(message)


def volume_header(size):
    """As td-shim-enroll writes it: its checksum is over the first 56 bytes."""
    head = bytes(16) + FFS3 + struct.pack("<QIIHHHBB", size, 0x4856465F, 0x4F6FF, 0x78, 0, 0x60, 0, 2)
    total = sum(struct.unpack("<28H", head))
    head = head[:50] + struct.pack("<H", -total & 0xFFFF) + head[52:]
    pad = bytes(18) + b"\xf0\0" + b"\x2c\0\0\x07"
    return head + struct.pack("<IIII", size // 4096, 4096, 0, 0) + pad + bytes(16) + struct.pack("<II", 20, 0)


def volume_file(name, contents):
    head = name + bytes(2) + b"\1\0" + struct.pack("<I", 24 + len(contents))[:3]
    data = head[:16] + bytes([-sum(head) & 0xFF, 0xAA]) + head[18:] + b"\7" + contents
    return data + bytes(-len(data) % 8)


def anchor(key_block, as_document=False):
    """The document's header has 32 bytes; td-shim's own code has 40, eight zeros more."""
    header = 32 if as_document else 40
    return (ANCHOR_DATA + struct.pack("<IIII", 1, header + 48, 1, 0) + bytes(header - 32) + hash_of(key_block))


POLICY = uuid.UUID("3838963B-9425-4FA2-ACE9-C579C29AB4BF").bytes_le


def policy(word, *, flags=0, keys=(), revoked_keys=(), revoked=(), pinned=(), aml=()):
    """Our policy, by the table in specs/secure-boot.md; `keys`: (block, minimum SVN, kinds, algorithm), the others
    are lists of digests."""
    entries = b"".join(hash_of(block) + struct.pack("<QII", *rest) for block, *rest in keys)
    lists = (revoked_keys, revoked, pinned, aml)
    data = entries + b"".join(digest for digests in lists for digest in digests)
    return POLICY + struct.pack("<IIII5H6x", 1, 48 + len(data), word, flags, len(keys), *map(len, lists)) + data


def acpi_table(signature, size, content=b""):
    """A table of `size` bytes whose bytes add up to 0 [ACPI 6.5, 5.2.6]."""
    table = bytearray(struct.pack("<4sIBB6s8sI4sI", signature, size, 2, 0, b"OEM", b"TABLE", 1, b"TEST", 1) + content)
    table += bytes(size - len(table))
    table[9] = -sum(table) & 0xFF
    return bytes(table)


def volume(size, *files):
    data = volume_header(size) + b"".join(files)
    return data + bytes(size - len(data))
