// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/signer.hpp"

#include <cstdlib>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "tools/signing/keys.hpp"

namespace tdshim::fuzz {
namespace {

using signed_payload::Algorithm;

/// What cannot go wrong but by this file's own mistake.
template <class Expected>
auto require(Expected&& value) {
    if (!value)
        std::abort();
    return *std::forward<Expected>(value);
}

const unsigned char* characters(Bytes bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// r and s, each of half the size, in DER, as libcrypto takes them.
std::vector<unsigned char> der_of(Bytes pair) {
    const auto number = [](Bytes bytes) {
        return BN_bin2bn(characters(bytes), static_cast<int>(bytes.size()), nullptr);
    };
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(ECDSA_SIG_new(),
                                                                          &ECDSA_SIG_free);
    const std::size_t half = pair.size() / 2;
    if (ECDSA_SIG_set0(signature.get(), number(pair.first(half)), number(pair.subspan(half))) != 1)
        std::abort();
    unsigned char* made = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &made);
    std::vector<unsigned char> der(made, made + size);
    OPENSSL_free(made);
    return der;
}

} // namespace

void Signer::Free::operator()(evp_pkey_st* key) const {
    EVP_PKEY_free(key);
}

void Signer::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Signer::Signer(Algorithm algorithm) : algorithm_(algorithm) {
    key_.reset(is_rsa() ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{3072})
                        : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
    public_key_ = require(tools::public_key_of(key_.get(), "the fuzzer's key")).bytes;
    hash_ = crypto::sha384(public_key_);
}

bool Signer::is_rsa() const {
    return algorithm_ == Algorithm::rsa_pss_3072_sha384;
}

Signer::Context Signer::context_for(bool signs) const {
    Context context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* of_key = nullptr;
    const auto start = signs ? &EVP_DigestSignInit : &EVP_DigestVerifyInit;
    if (start(context.get(), &of_key, EVP_sha384(), nullptr, key_.get()) != 1)
        std::abort();
    if (is_rsa() && (EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PSS_PADDING) != 1 ||
                     EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, RSA_PSS_SALTLEN_DIGEST) != 1))
        std::abort();
    return context;
}

std::vector<std::byte> Signer::sign(Bytes message) const {
    const Context context = context_for(true);
    std::vector<std::byte> signature(512);
    std::size_t size = signature.size();
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       characters(message), message.size()) != 1)
        std::abort();
    signature.resize(size);
    return require(tools::plain_signature(algorithm_, signature, "the fuzzer's signature"));
}

std::vector<std::byte> Signer::signed_file(Bytes contents) const {
    constexpr std::uint64_t version = 1;
    constexpr std::uint64_t svn = 1;
    const auto header = require(signed_payload::make_header(
        contents.size(), version, svn, algorithm_, signed_payload::Numbering::document));
    std::vector<std::byte> file;
    file.append_range(bytes_of(header));
    file.append_range(contents);
    const std::vector<std::byte> signature = sign(file);
    file.append_range(public_key_);
    file.append_range(signature);
    return file;
}

bool Signer::verifies(Bytes message, Bytes signature) const {
    const Context context = context_for(false);
    std::vector<unsigned char> form(characters(signature),
                                    characters(signature) + signature.size());
    if (!is_rsa())
        form = der_of(signature);
    return EVP_DigestVerify(context.get(), form.data(), form.size(), characters(message),
                            message.size()) == 1;
}

} // namespace tdshim::fuzz
