// SPDX-License-Identifier: Apache-2.0
//
// Collateral: what the first byte says of the rest, as a file that a stranger wrote.
#include "tools/attestation/collateral.hpp"

namespace {

using namespace tdshim;

/// As it would come from the file: the signature is checked later, and not by these.
void parse_signed(Bytes bytes, std::string_view member, auto parse) {
    const auto json = tools::split_signed_json("file", {bytes.begin(), bytes.end()}, member);
    if (json)
        static_cast<void>(parse("file", json->content));
}

void parse_certificates(Bytes bytes) {
    if (const auto chain = tools::parse_chain("file", bytes))
        for (const tools::Certificate& certificate : *chain)
            static_cast<void>(tools::pck_extensions_of(*certificate));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const Bytes bytes = std::as_bytes(std::span(data, size)).subspan(1);
    switch (data[0] % 6) {
    case 0: parse_signed(bytes, "tcbInfo", tools::parse_tcb_info); break;
    case 1: parse_signed(bytes, "enclaveIdentity", tools::parse_enclave_identity); break;
    case 2: static_cast<void>(tools::parse_tcb_info("file", bytes)); break;
    case 3: static_cast<void>(tools::parse_enclave_identity("file", bytes)); break;
    case 4: static_cast<void>(tools::parse_revocation_list("file", bytes)); break;
    default: parse_certificates(bytes);
    }
    return 0;
}
