// SPDX-License-Identifier: Apache-2.0
#include "tools/attestation/evidence.hpp"

#include <openssl/evp.h>

#include "tools/common/base64.hpp"
#include "tools/common/json_input.hpp"
#include "tools/common/json_members.hpp"

namespace tdshim::tools {
namespace {

Outcome<std::vector<std::byte>> bytes_at(const Members& members, const std::string& name) {
    if (auto bytes = bytes_of_base64(TRY(members.text(name))))
        return std::move(*bytes);
    return members.wrong(name, "base64");
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
