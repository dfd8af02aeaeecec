// SPDX-License-Identifier: Apache-2.0
#include "tools/quoting/key.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <vector>

#include "tools/common/files.hpp"

namespace tdshim::quoting {

using tools::Outcome;
using tools::openssl::characters;
template <class T, auto Function>
using Owned = tools::openssl::Handle<T, Function>;

namespace {

constexpr std::size_t number_size = 32; // of P-256
constexpr std::size_t point_size = 1 + 2 * number_size;

/// r and s of an ECDSA-Sig-Value in DER.
Outcome<tools::EcNumbers> numbers_of(Bytes der) {
    const unsigned char* at = characters(der);
    const Owned<ECDSA_SIG, &ECDSA_SIG_free> signature(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    tools::EcNumbers numbers{};
    unsigned char* const place = characters(MutableBytes(numbers));
    if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), place, number_size) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), place + number_size, number_size) < 0)
        return std::unexpected(libcrypto_failure("ECDSA signature"));
    return numbers;
}

} // namespace

tools::Failure libcrypto_failure(std::string_view what) {
    std::array<char, 200> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    ERR_clear_error();
    return {.text = std::format("{}: {}", what, text.data())};
}

Outcome<Key> Key::make() {
    Handle key(EVP_EC_gen("P-256"));
    if (!key)
        return std::unexpected(libcrypto_failure("new key on P-256"));
    return Key(std::move(key));
}

Outcome<Key> Key::read(const std::string& file) {
    const auto bytes = TRY(tools::read_file(file, tools::max_message_size));
    const Owned<BIO, &BIO_free_all> input(
        BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
    Handle key(PEM_read_bio_PrivateKey(input.get(), nullptr, nullptr, const_cast<char*>("")));
    ERR_clear_error();
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC ||
        EVP_PKEY_get_bits(key.get()) != 256)
        return std::unexpected(tools::failure(file, "expected a private key on P-256 in PEM"));
    return Key(std::move(key));
}

Outcome<std::string> Key::text() const {
    const Owned<BIO, &BIO_free_all> output(BIO_new(BIO_s_mem()));
    if (!output || PEM_write_bio_PrivateKey(output.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                            nullptr) != 1)
        return std::unexpected(libcrypto_failure("private key"));
    char* data = nullptr;
    const long size = BIO_get_mem_data(output.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

Outcome<tools::EcNumbers> Key::point() const {
    std::array<unsigned char, point_size> point{};
    std::size_t size = 0;
    if (EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                        point.size(), &size) != 1 ||
        size != point.size())
        return std::unexpected(libcrypto_failure("public key"));
    tools::EcNumbers numbers{};
    std::ranges::copy(std::as_bytes(std::span(point).subspan(1)), numbers.begin());
    return numbers;
}

Outcome<tools::EcNumbers> Key::sign(Bytes message) const {
    const Owned<EVP_MD_CTX, &EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    std::vector<std::byte> der(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
    std::size_t size = der.size();
    if (!context ||
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), characters(MutableBytes(der)), &size, characters(message),
                       message.size()) != 1)
        return std::unexpected(libcrypto_failure("ECDSA"));
    return numbers_of(Bytes(der).first(size));
}

} // namespace tdshim::quoting
