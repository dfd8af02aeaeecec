// SPDX-License-Identifier: Apache-2.0
#include "tools/signing/token_key.hpp"

#include <algorithm>
#include <cstring>
#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>

#include "tools/signing/token.hpp"

namespace tdshim::tools {
namespace {

using signed_payload::Algorithm;
using Value = std::vector<std::byte>;

template <auto Function>
struct Call {
    template <class T>
    void operator()(T* value) const {
        Function(value);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Call<&EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Call<&EVP_PKEY_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Call<&OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Call<&OSSL_PARAM_free>>;
using Number = std::unique_ptr<BIGNUM, Call<&BN_free>>;
using Octets = std::unique_ptr<ASN1_OCTET_STRING, Call<&ASN1_OCTET_STRING_free>>;
using Identifier = std::unique_ptr<ASN1_OBJECT, Call<&ASN1_OBJECT_free>>;

const unsigned char* characters(const Value& value) {
    return reinterpret_cast<const unsigned char*>(value.data());
}

Key make_key(const char* type, const Builder& builder) {
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
        return nullptr;
    return Key(key);
}

Key rsa_key(const Value& modulus, const Value& exponent) {
    const Number n(BN_bin2bn(characters(modulus), static_cast<int>(modulus.size()), nullptr));
    const Number e(BN_bin2bn(characters(exponent), static_cast<int>(exponent.size()), nullptr));
    const Builder builder(OSSL_PARAM_BLD_new());
    if (!n || !e || !builder ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
        return nullptr;
    return make_key("RSA", builder);
}

/// CKA_EC_POINT is an OCTET STRING in DER [PKCS#11 curves 2.3.3]; some modules give what is in it.
Value point_of(const Value& attribute) {
    const unsigned char* at = characters(attribute);
    const Octets octets(d2i_ASN1_OCTET_STRING(nullptr, &at, static_cast<long>(attribute.size())));
    if (!octets || at != characters(attribute) + attribute.size())
        return attribute;
    const auto* const first =
        reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(octets.get()));
    return {first, first + ASN1_STRING_length(octets.get())};
}

Key ec_key(const Value& curve, const Value& attribute) {
    const unsigned char* at = characters(curve);
    const Identifier identifier(d2i_ASN1_OBJECT(nullptr, &at, static_cast<long>(curve.size())));
    const char* const name = identifier ? OBJ_nid2sn(OBJ_obj2nid(identifier.get())) : nullptr;
    const Value point = point_of(attribute);
    const Builder builder(OSSL_PARAM_BLD_new());
    if (name == nullptr || !builder ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, name, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1)
        return nullptr;
    return make_key("EC", builder);
}

/// From a public key, or of RSA from a private one.
Outcome<PublicKey> key_of(const TokenSession& session, CK_OBJECT_HANDLE object) {
    CK_KEY_TYPE type = CK_UNAVAILABLE_INFORMATION;
    const auto bytes = session.attribute(object, CKA_KEY_TYPE);
    if (bytes && bytes->size() == sizeof(type))
        std::memcpy(&type, bytes->data(), sizeof(type));
    if (type != CKK_RSA && type != CKK_EC)
        return std::unexpected(
            failure(session.name(), "key is neither RSA of 3072 bits nor EC on P-384"));
    const bool is_rsa = type == CKK_RSA;
    const auto one = session.attribute(object, is_rsa ? CKA_MODULUS : CKA_EC_PARAMS);
    const auto other = session.attribute(object, is_rsa ? CKA_PUBLIC_EXPONENT : CKA_EC_POINT);
    if (!one || !other)
        return std::unexpected(failure(session.name(), "token shows no public key with it (give "
                                                       "--public-key FILE)"));
    const Key key = is_rsa ? rsa_key(*one, *other) : ec_key(*one, *other);
    ERR_clear_error();
    if (!key)
        return std::unexpected(failure(session.name(), "token's public key is none that libcrypto "
                                                       "takes"));
    return public_key_of(key.get(), session.name());
}

} // namespace

struct TokenKey::Parts {
    TokenSession session;
    CK_OBJECT_HANDLE key;
};

TokenKey::TokenKey(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
TokenKey::~TokenKey() = default;
TokenKey::TokenKey(TokenKey&& other) noexcept = default;

bool is_token_uri(std::string_view text) {
    return text.starts_with("pkcs11:");
}

Outcome<PublicKey> read_token_public_key(const std::string& uri) {
    auto session = TRY(TokenSession::open(uri));
    TRY(session.log_in_if_pin_is_given());
    const auto object = TRY(session.find(CKO_PUBLIC_KEY));
    if (!object)
        return std::unexpected(failure(session.name(), "token has no such public key"));
    return key_of(session, *object);
}

Outcome<TokenKey> TokenKey::open(const std::string& uri) {
    auto session = TRY(TokenSession::open(uri));
    TRY(session.log_in());
    const auto object = TRY(session.find(CKO_PRIVATE_KEY));
    if (!object)
        return std::unexpected(failure(session.name(), "token has no such private key"));
    return TokenKey(std::make_unique<Parts>(std::move(session), *object));
}

Outcome<PublicKey> TokenKey::public_key() const {
    const TokenSession& session = parts_->session;
    std::optional<CK_OBJECT_HANDLE> object;
    auto identifier = session.attribute(parts_->key, CKA_ID);
    if (identifier && !identifier->empty())
        object = TRY(session.find(CKO_PUBLIC_KEY, *identifier));
    else
        object = TRY(session.find(CKO_PUBLIC_KEY));
    return key_of(session, object.value_or(parts_->key));
}

Outcome<std::vector<std::byte>> TokenKey::sign(Algorithm algorithm, Bytes message) {
    CK_RSA_PKCS_PSS_PARAMS padding{
        .hashAlg = CKM_SHA384, .mgf = CKG_MGF1_SHA384, .sLen = crypto::sha384_size};
    const CK_MECHANISM mechanism =
        algorithm == Algorithm::rsa_pss_3072_sha384
            ? CK_MECHANISM{.mechanism = CKM_RSA_PKCS_PSS,
                           .pParameter = &padding,
                           .ulParameterLen = sizeof(padding)}
            : CK_MECHANISM{.mechanism = CKM_ECDSA, .pParameter = nullptr, .ulParameterLen = 0};
    const crypto::Digest digest = crypto::sha384(message);
    const auto signature = TRY(parts_->session.sign(parts_->key, mechanism, digest));
    return plain_signature(algorithm, signature, parts_->session.name());
}

} // namespace tdshim::tools
