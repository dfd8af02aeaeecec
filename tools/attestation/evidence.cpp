// SPDX-License-Identifier: Apache-2.0
#include "tools/attestation/evidence.hpp"

#include <array>
#include <format>
#include <openssl/evp.h>

#include "tools/common/base64.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_input.hpp"
#include "tools/common/json_members.hpp"
#include "tools/common/openssl.hpp"
#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

Outcome<std::vector<std::byte>> bytes_at(const Members& members, const std::string& name) {
    if (auto bytes = bytes_of_base64(TRY(members.text(name))))
        return std::move(*bytes);
    return members.wrong(name, "base64");
}

Outcome<std::array<std::byte, 64>> sha512(Bytes bytes) {
    std::array<std::byte, 64> digest{};
    if (EVP_Digest(bytes.data(), bytes.size(), openssl::characters(MutableBytes(digest)), nullptr,
                   EVP_sha512(), nullptr) != 1)
        return std::unexpected(Failure{"libcrypto has no SHA-512"});
    return digest;
}

} // namespace

Outcome<Evidence> parse_evidence(const std::string& file, Bytes bytes) {
    const auto json = TRY(parse_json(file, bytes));
    const Members members(json, file, "");
    Evidence evidence{.name = file, .quote = TRY(bytes_at(members, "quote")), .log = {}};
    const auto* const log = members.find("cc_eventlog");
    if (log != nullptr && !log->is_null())
        evidence.log = TRY(bytes_at(members, "cc_eventlog"));
    return evidence;
}

Outcome<std::vector<std::byte>> parse_nonce(const std::string& digits) {
    auto nonce = bytes_of_hex(digits);
    if (!nonce)
        return std::unexpected(Failure{std::format(
            "--nonce: expected pairs of hexadecimal digits, found \"{}\"", printable(digits))});
    if (nonce->size() < min_nonce_size || nonce->size() > max_nonce_size)
        return std::unexpected(
            Failure{std::format("--nonce: expected {} to {} bytes, found {}; openssl rand -hex 32 "
                                "makes one",
                                min_nonce_size, max_nonce_size, nonce->size())});
    return std::move(*nonce);
}

Outcome<std::vector<std::byte>> read_bound(const std::string& file) {
    if (file.empty())
        return {};
    auto bytes = TRY(read_file(file, max_message_size));
    if (bytes.empty())
        return std::unexpected(failure(file, "is empty, and binds nothing"));
    return bytes;
}

Outcome<tdx::ReportData> report_data_of(Bytes nonce, Bytes bound) {
    constexpr std::string_view purpose = "tdshim-evidence-1";
    std::vector<std::byte> text;
    text.append_range(bytes_of(purpose));
    text.append_range(TRY(sha512(nonce)));
    text.append_range(TRY(sha512(bound)));
    return sha512(text);
}

} // namespace tdshim::tools
