// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/soundness/signer.hpp"

#include <array>
#include <cstdlib>
#include <openssl/evp.h>

#include "shim/formats/signed_payload/signed_payload.hpp"
#include "tools/signing/keys.hpp"

namespace tdshim::soundness {
namespace {

using signed_payload::Algorithm;

/// What cannot go wrong but by this file's own mistake.
template <class Expected>
auto require(Expected&& value) {
    if (!value)
        std::abort();
    return *std::forward<Expected>(value);
}

std::vector<std::byte> der_signature(evp_pkey_st* key, Bytes message) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    std::array<unsigned char, 256> signature{};
    std::size_t size = signature.size();
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha384(), nullptr, key) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &size,
                       reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1)
        std::abort();
    const Bytes bytes = std::as_bytes(std::span(signature)).first(size);
    return {bytes.begin(), bytes.end()};
}

} // namespace

void Signer::Free::operator()(evp_pkey_st* key) const {
    EVP_PKEY_free(key);
}

Signer::Signer() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384")) {
    public_key_ = require(tools::public_key_of(key_.get(), "the fuzzer's key")).bytes;
    hash_ = crypto::sha384(public_key_);
}

native::Blob Signer::signed_file(Bytes contents) const {
    constexpr std::uint64_t version = 1;
    constexpr std::uint64_t svn = 1;
    const auto header = require(signed_payload::make_header(contents.size(), version, svn,
                                                            Algorithm::ecdsa_p384_sha384,
                                                            signed_payload::Numbering::document));
    native::Blob file;
    file.append_range(bytes_of(header));
    file.append_range(contents);
    const auto signature = require(tools::plain_signature(
        Algorithm::ecdsa_p384_sha384, der_signature(key_.get(), file), "the fuzzer's signature"));
    file.append_range(public_key_);
    file.append_range(signature);
    return file;
}

} // namespace tdshim::soundness
