// SPDX-License-Identifier: Apache-2.0
#include "tools/attestation/evidence.hpp"

#include <openssl/evp.h>

#include "tools/common/json_input.hpp"
#include "tools/common/json_members.hpp"

namespace tdshim::tools {
namespace {

/// RFC 4648, with padding, without line ends; nothing for any other text.
std::optional<std::vector<std::byte>> bytes_of_base64(const std::string& text) {
    constexpr std::size_t group = 4;
    constexpr std::size_t bytes_of_group = 3;
    if (text.size() % group != 0)
        return std::nullopt;
    std::vector<std::byte> bytes(text.size() / group * bytes_of_group);
    const int written = EVP_DecodeBlock(openssl::characters(std::span(bytes)),
                                        reinterpret_cast<const unsigned char*>(text.data()),
                                        static_cast<int>(text.size()));
    const std::size_t padding = text.size() - (text.find_last_not_of('=') + 1);
    if (written < 0 || static_cast<std::size_t>(written) != bytes.size() ||
        padding >= bytes_of_group || padding > bytes.size())
        return std::nullopt;
    bytes.resize(bytes.size() - padding);
    return bytes;
}

Outcome<std::vector<std::byte>> base64(const Members& members, const std::string& name) {
    if (auto bytes = bytes_of_base64(TRY(members.text(name))))
        return std::move(*bytes);
    return members.wrong(name, "base64");
}

} // namespace

Outcome<Evidence> parse_evidence(const std::string& file, Bytes bytes) {
    const auto json = TRY(parse_json(file, bytes));
    const Members members(json, file, "");
    Evidence evidence{.name = file, .quote = TRY(base64(members, "quote")), .log = {}};
    const auto* const log = members.find("cc_eventlog");
    if (log != nullptr && !log->is_null())
        evidence.log = TRY(base64(members, "cc_eventlog"));
    return evidence;
}

Outcome<tdx::ReportData> report_data_of(Bytes nonce, Bytes bound) {
    tdx::ReportData data{};
    const openssl::Handle<EVP_MD_CTX, &EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    if (!context || EVP_DigestInit_ex(context.get(), EVP_sha512(), nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), nonce.data(), nonce.size()) != 1 ||
        EVP_DigestUpdate(context.get(), bound.data(), bound.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), openssl::characters(MutableBytes(data)), nullptr) != 1)
        return std::unexpected(Failure{"libcrypto has no SHA-512"});
    return data;
}

} // namespace tdshim::tools
