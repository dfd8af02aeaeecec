// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/signed_payload/signed_payload.hpp"

#include <cstddef>
#include <limits>

namespace tdshim::signed_payload {
namespace {

constexpr std::uint32_t first_number = 1;
constexpr std::uint32_t last_number = 2;

Result<void> check(const Header& header, std::size_t file_size) {
    if (header.version != struct_version)
        return refuse(Fault::signed_payload_version, offsetof(Header, version), struct_version,
                      header.version);
    if (header.length <= sizeof(Header))
        return refuse(Fault::signed_payload_length, offsetof(Header, length), sizeof(Header) + 1,
                      header.length);
    if (header.length > file_size)
        return refuse(Fault::signed_payload_length, offsetof(Header, length), file_size,
                      header.length);
    if (header.algorithm < first_number || header.algorithm > last_number)
        return refuse(Fault::signed_payload_algorithm, offsetof(Header, algorithm), last_number,
                      header.algorithm);
    if (header.reserved != 0)
        return refuse(Fault::signed_payload_reserved, offsetof(Header, reserved), 0,
                      header.reserved);
    return {};
}

} // namespace

std::string_view name_of(Algorithm algorithm) {
    return algorithm == Algorithm::rsa_pss_3072_sha384 ? "RSAPSS_3072_SHA384" : "ECDSA_P384_SHA384";
}

std::uint32_t number_of(Algorithm algorithm, Numbering numbering) {
    const auto number = static_cast<std::uint32_t>(algorithm);
    return numbering == Numbering::document ? number : first_number + last_number - number;
}

bool is_signed(Bytes file) {
    const auto guid = read_at<Guid>(file, 0);
    return guid && *guid == header_guid;
}

Result<SignedPayload> parse(Bytes file) {
    const auto header = TRY(read_at<Header>(file, 0));
    if (header.type != header_guid)
        return refuse(Fault::signed_payload_guid);
    TRY(check(header, file.size()));
    const Bytes block = file.subspan(header.length);
    SignedPayload payload{.version = header.payload_version,
                          .svn = header.svn,
                          .signed_bytes = file.first(header.length),
                          .contents = file.first(header.length).subspan(sizeof(Header)),
                          .public_key = {},
                          .signature = {}};
    std::size_t key_size = crypto::rsa_key_size;
    if (block.size() == rsa_block_size) {
        payload.algorithm = Algorithm::rsa_pss_3072_sha384;
    } else if (block.size() == ecdsa_block_size) {
        payload.algorithm = Algorithm::ecdsa_p384_sha384;
        key_size = crypto::ecdsa_key_size;
    } else {
        const bool is_rsa = header.algorithm == first_number;
        return refuse(Fault::signed_payload_block, header.length,
                      is_rsa ? rsa_block_size : ecdsa_block_size, block.size());
    }
    payload.numbering = header.algorithm == number_of(payload.algorithm, Numbering::document)
                            ? Numbering::document
                            : Numbering::td_shim_tools;
    payload.public_key = block.first(key_size);
    payload.signature = block.subspan(key_size);
    return payload;
}

Result<Bytes> contents_of(Bytes file) {
    return is_signed(file) ? TRY(parse(file)).contents : file;
}

Result<std::uint64_t> file_size(Bytes memory) {
    const auto header = TRY(read_at<Header>(memory, 0));
    TRY(check(header, memory.size()));
    const auto exponent = read_at<be64>(memory, header.length + crypto::rsa_modulus_size);
    const bool is_rsa = exponent && *exponent == crypto::rsa_exponent;
    const std::uint64_t size = header.length + (is_rsa ? rsa_block_size : ecdsa_block_size);
    if (size > memory.size())
        return refuse(Fault::truncated, header.length, size, memory.size());
    return size;
}

Result<Header> make_header(std::uint64_t contents_size, std::uint64_t version, std::uint64_t svn,
                           Algorithm algorithm, Numbering numbering) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max() - sizeof(Header);
    if (contents_size == 0 || contents_size > most)
        return refuse(Fault::signed_payload_length, 0, most, contents_size);
    return Header{.type = header_guid,
                  .version = struct_version,
                  .length = static_cast<std::uint32_t>(sizeof(Header) + contents_size),
                  .payload_version = version,
                  .svn = svn,
                  .algorithm = number_of(algorithm, numbering),
                  .reserved = 0};
}

} // namespace tdshim::signed_payload
