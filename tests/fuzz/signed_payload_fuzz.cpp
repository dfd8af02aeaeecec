// SPDX-License-Identifier: Apache-2.0
//
// Signed payloads: what the parser takes apart covers the file and overlaps nowhere, its header can
// be made again, and no file of a fuzzer's has a good signature. The input is tried as a file and
// behind a good header, whose sizes it chooses.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "shim/verify/payload.hpp"

using namespace tdshim;
using signed_payload::Algorithm;
using signed_payload::Numbering;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

void check_views(Bytes file, const signed_payload::SignedPayload& payload) {
    require(payload.signed_bytes.data() == file.data());
    require(payload.contents.data() == file.data() + sizeof(signed_payload::Header));
    require(payload.contents.data() + payload.contents.size() == payload.public_key.data());
    require(payload.signed_bytes.data() + payload.signed_bytes.size() == payload.public_key.data());
    require(payload.public_key.data() + payload.public_key.size() == payload.signature.data());
    require(payload.signature.data() + payload.signature.size() == file.data() + file.size());
    require(!payload.contents.empty());
}

void check_file(Bytes file) {
    const auto payload = signed_payload::parse(file);
    if (!payload)
        return;
    require(signed_payload::is_signed(file));
    check_views(file, *payload);
    const auto header =
        signed_payload::make_header(payload->contents.size(), payload->version, payload->svn,
                                    payload->algorithm, payload->numbering);
    require(header && std::ranges::equal(bytes_of(*header), file.first(sizeof(*header))));
    crypto::SignatureMemory memory;
    require(!verify::check_payload({}, file, verify::PayloadKind::executable, memory.bytes));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input = std::as_bytes(std::span(data, size));
    check_file(input);
    Reader reader(input);
    const auto choice = reader.take<std::uint8_t>();
    const auto length = reader.take<std::uint8_t>();
    if (!choice || !length || *length == 0 || reader.left() == 0)
        return 0;
    const bool is_rsa = (*choice & 1) != 0;
    const auto header = signed_payload::make_header(
        *length, *choice, *length,
        is_rsa ? Algorithm::rsa_pss_3072_sha384 : Algorithm::ecdsa_p384_sha384,
        (*choice & 2) != 0 ? Numbering::document : Numbering::td_shim_tools);
    std::vector<std::byte> file;
    file.append_range(bytes_of(*header));
    const Bytes rest = input.subspan(reader.offset());
    const std::size_t total =
        sizeof(*header) + *length +
        (is_rsa ? signed_payload::rsa_block_size : signed_payload::ecdsa_block_size);
    for (std::size_t i = 0; file.size() < total; ++i)
        file.push_back(rest[i % rest.size()]);
    if (is_rsa) { // a key that comes as far as the arithmetic
        const be64 exponent = 65537;
        const std::size_t key = sizeof(*header) + *length;
        std::ranges::copy(bytes_of(exponent),
                          file.begin() + static_cast<std::ptrdiff_t>(key + 384));
        file[key] |= std::byte{0x80};
        file[key + 383] |= std::byte{1};
    }
    require(signed_payload::parse(file).has_value());
    check_file(file);
    return 0;
}
