// SPDX-License-Identifier: Apache-2.0
//
// Signatures for tests, by libcrypto: keys are made when a test wants them and are gone with it.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <memory>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <vector>

#include "shim/base/bytes.hpp"
#include "shim/formats/signed_payload/signed_payload.hpp"

namespace tdshim::test {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* value) const {
        Free(value);
    }
};
using Evp = std::unique_ptr<EVP_PKEY, Freed<&EVP_PKEY_free>>;
using EvpDigest = std::unique_ptr<EVP_MD_CTX, Freed<&EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<&BN_free>>;
using EcdsaPair = std::unique_ptr<ECDSA_SIG, Freed<&ECDSA_SIG_free>>;

inline unsigned char* characters(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}
inline const unsigned char* characters(Bytes bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// `number` big-endian in exactly `size` bytes.
inline std::vector<std::byte> big_endian(const BIGNUM* number, std::size_t size) {
    std::vector<std::byte> bytes(size);
    REQUIRE(BN_bn2binpad(number, characters(std::span(bytes)), static_cast<int>(size)) >= 0);
    return bytes;
}

/// A choice in RSA's padding other than the one that is right.
struct RsaPadding {
    int salt_size = 48;
    const EVP_MD* mask_hash = EVP_sha384();
    bool is_pss = true;
};

class Signer {
  public:
    explicit Signer(signed_payload::Algorithm algorithm) : algorithm_(algorithm) {
        key_.reset(is_rsa() ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{3072})
                            : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
        REQUIRE(key_);
    }

    [[nodiscard]] signed_payload::Algorithm algorithm() const { return algorithm_; }

    /// As in a signature block.
    [[nodiscard]] std::vector<std::byte> public_key() const {
        if (is_rsa()) {
            auto bytes = big_endian(parameter(OSSL_PKEY_PARAM_RSA_N).get(), 384);
            bytes.append_range(big_endian(parameter(OSSL_PKEY_PARAM_RSA_E).get(), 8));
            return bytes;
        }
        auto bytes = big_endian(parameter(OSSL_PKEY_PARAM_EC_PUB_X).get(), 48);
        bytes.append_range(big_endian(parameter(OSSL_PKEY_PARAM_EC_PUB_Y).get(), 48));
        return bytes;
    }

    [[nodiscard]] std::vector<std::byte> sign(Bytes message, const RsaPadding& padding = {}) const {
        const EvpDigest context(EVP_MD_CTX_new());
        EVP_PKEY_CTX* parameters = nullptr; // owned by `context`
        REQUIRE(EVP_DigestSignInit(context.get(), &parameters, EVP_sha384(), nullptr, key_.get()) ==
                1);
        if (is_rsa() && padding.is_pss) {
            REQUIRE(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
            REQUIRE(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, padding.salt_size) == 1);
            REQUIRE(EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, padding.mask_hash) == 1);
        }
        std::vector<std::byte> signature(512);
        std::size_t size = signature.size();
        REQUIRE(EVP_DigestSign(context.get(), characters(std::span(signature)), &size,
                               characters(message), message.size()) == 1);
        signature.resize(size);
        return is_rsa() ? signature : raw(signature);
    }

  private:
    [[nodiscard]] bool is_rsa() const {
        return algorithm_ == signed_payload::Algorithm::rsa_pss_3072_sha384;
    }
    [[nodiscard]] Number parameter(const char* name) const {
        BIGNUM* number = nullptr;
        REQUIRE(EVP_PKEY_get_bn_param(key_.get(), name, &number) == 1);
        return Number(number);
    }
    static std::vector<std::byte> raw(Bytes der) {
        const unsigned char* at = characters(der);
        const EcdsaPair pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
        REQUIRE(pair);
        auto bytes = big_endian(ECDSA_SIG_get0_r(pair.get()), 48);
        bytes.append_range(big_endian(ECDSA_SIG_get0_s(pair.get()), 48));
        return bytes;
    }

    signed_payload::Algorithm algorithm_;
    Evp key_;
};

/// `contents` signed, as a file.
inline std::vector<std::byte>
signed_file(const Signer& signer, Bytes contents, std::uint64_t svn,
            signed_payload::Numbering numbering = signed_payload::Numbering::document) {
    const auto header =
        signed_payload::make_header(contents.size(), 7, svn, signer.algorithm(), numbering);
    REQUIRE(header);
    std::vector<std::byte> file;
    file.append_range(bytes_of(*header));
    file.append_range(contents);
    const auto signature = signer.sign(file);
    file.append_range(signer.public_key());
    file.append_range(signature);
    return file;
}

} // namespace tdshim::test
