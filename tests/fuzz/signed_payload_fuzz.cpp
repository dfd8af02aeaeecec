// SPDX-License-Identifier: Apache-2.0
//
// Signed payloads: what the parser takes apart covers the file and overlaps nowhere, its header can
// be made again, and no file of a fuzzer's has a good signature. The input is tried as a file,
// behind a good header, whose sizes it chooses, and as changes to a file that is well signed, of
// which what the firmware still takes has to be good to OpenSSL as well.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "shim/verify/payload.hpp"
#include "tests/fuzz/signer.hpp"

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

/// Whether its signature is that of the key that it carries.
bool is_taken(Bytes file) {
    const auto payload = signed_payload::parse(file);
    if (!payload)
        return false;
    require(signed_payload::is_signed(file));
    check_views(file, *payload);
    const auto header =
        signed_payload::make_header(payload->contents.size(), payload->version, payload->svn,
                                    payload->algorithm, payload->numbering);
    require(header && std::ranges::equal(bytes_of(*header), file.first(sizeof(*header))));
    crypto::SignatureMemory memory;
    return verify::check_payload({}, file, verify::PayloadKind::executable, memory.bytes)
        .has_value();
}

struct Good {
    fuzz::Signer signer;
    std::vector<std::byte> file;
};

const Good& good_file(bool is_rsa) {
    const auto make = [](Algorithm algorithm) {
        const std::array<std::byte, 40> contents{};
        fuzz::Signer signer(algorithm);
        std::vector<std::byte> file = signer.signed_file(contents);
        require(is_taken(file));
        return Good{std::move(signer), std::move(file)};
    };
    static const Good rsa = make(Algorithm::rsa_pss_3072_sha384);
    static const Good ecdsa = make(Algorithm::ecdsa_p384_sha384);
    return is_rsa ? rsa : ecdsa;
}

struct Change {
    le16 at;
    std::uint8_t difference;
};

void check_changed(Reader reader) {
    const auto choice = reader.take<std::uint8_t>();
    if (!choice)
        return;
    const Good& good = good_file((*choice & 1) != 0);
    std::vector<std::byte> file = good.file;
    while (const auto change = reader.take<Change>())
        file[change->at % file.size()] ^= std::byte{change->difference};
    if (!is_taken(file))
        return;
    const auto payload = signed_payload::parse(file);
    require(std::ranges::equal(payload->public_key, good.signer.public_key()));
    require(good.signer.verifies(payload->signed_bytes, payload->signature));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input = std::as_bytes(std::span(data, size));
    require(!is_taken(input));
    check_changed(Reader(input));
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
    require(!is_taken(file));
    return 0;
}
