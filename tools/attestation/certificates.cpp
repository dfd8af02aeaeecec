// SPDX-License-Identifier: Apache-2.0
#include "tools/attestation/certificates.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <format>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

using openssl::characters;
using openssl::Handle;
using Input = Handle<BIO, &BIO_free_all>;
using Key = Handle<EVP_PKEY, &EVP_PKEY_free>;

/// libcrypto's own way to free what it allocated is a macro.
struct FreeMemory {
    template <class T>
    void operator()(T* value) const {
        OPENSSL_free(value);
    }
};
template <class T>
using Memory = std::unique_ptr<T, FreeMemory>;

constexpr std::size_t max_certificates = 8;
constexpr std::size_t number_size = 32; // of P-256
constexpr std::string_view certificate_word = "CERTIFICATE";
constexpr std::string_view list_word = "X509 CRL";
constexpr std::string_view blanks = " \t\r\n";
constexpr std::size_t point_size = 1 + 2 * number_size;

std::string_view without_blanks(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of(blanks), text.size()));
}

/// The first block of PEM in `text`, which begins with it, named `word` and without headers; its
/// bytes, and `text` without it. Nothing where something else stands there.
std::optional<std::vector<std::byte>> take_block(std::string_view& text, std::string_view word) {
    const std::string end = std::format("-----END {}-----", word);
    const std::size_t at = text.find(end);
    if (!text.starts_with(std::format("-----BEGIN {}-----", word)) || at == text.npos)
        return std::nullopt;
    const std::string_view block = text.substr(0, at + end.size());
    const Input input(BIO_new_mem_buf(block.data(), static_cast<int>(block.size())));
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    const bool is_read =
        input && PEM_read_bio(input.get(), &name, &header, &data, &size) == 1 && *header == '\0';
    const Memory<char> owned_name(name);
    const Memory<char> owned_header(header);
    const Memory<unsigned char> owned_data(data);
    ERR_clear_error();
    if (!is_read)
        return std::nullopt;
    text.remove_prefix(block.size());
    const Bytes bytes = std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
    return std::vector(bytes.begin(), bytes.end());
}

/// What `decode`, of libcrypto's, makes of all of `der`; nothing where bytes are left.
template <class T>
T object_of(Bytes der, auto decode) {
    const unsigned char* const begin = characters(der);
    const unsigned char* at = begin;
    T object(decode(nullptr, &at, static_cast<long>(der.size())));
    ERR_clear_error();
    return at == begin + der.size() ? std::move(object) : nullptr;
}

/// SEC 1, 2.3.3, not compressed.
std::array<std::byte, point_size> point_of(const EcNumbers& key) {
    std::array<std::byte, point_size> point{std::byte{4}};
    std::ranges::copy(key, point.begin() + 1);
    return point;
}

Key key_of(const EcNumbers& numbers) {
    auto point = point_of(numbers);
    std::array<char, 11> group{"prime256v1"};
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
        OSSL_PARAM_construct_end()};
    const Handle<EVP_PKEY_CTX, &EVP_PKEY_CTX_free> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    EVP_PKEY* key = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                          const_cast<OSSL_PARAM*>(parameters.data())) != 1)
        return nullptr;
    return Key(key);
}

/// ECDSA-Sig-Value in DER [RFC 3279, 2.2.3]; empty where libcrypto has no memory.
std::vector<std::byte> der_of(const EcNumbers& signature) {
    const Handle<ECDSA_SIG, &ECDSA_SIG_free> pair(ECDSA_SIG_new());
    BIGNUM* const r = BN_bin2bn(characters(Bytes(signature)), number_size, nullptr);
    BIGNUM* const s =
        BN_bin2bn(characters(Bytes(signature).subspan(number_size)), number_size, nullptr);
    if (!pair || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return {};
    }
    std::vector<std::byte> der(static_cast<std::size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)));
    unsigned char* at = characters(std::span(der));
    i2d_ECDSA_SIG(pair.get(), &at);
    return der;
}

bool is_signed_by(EVP_PKEY* key, Bytes message, const EcNumbers& signature) {
    const auto der = der_of(signature);
    const Handle<EVP_MD_CTX, &EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    const bool is_good =
        key != nullptr && context && EVP_PKEY_is_a(key, "EC") == 1 &&
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
        EVP_DigestVerify(context.get(), characters(Bytes(der)), der.size(), characters(message),
                         message.size()) == 1;
    ERR_clear_error();
    return is_good;
}

std::string name_at(X509_STORE_CTX* context) {
    const X509* const certificate = X509_STORE_CTX_get_current_cert(context);
    return certificate == nullptr ? "a certificate" : common_name(*certificate);
}

std::string text_of(const ASN1_TIME* time) {
    std::tm parts{};
    return ASN1_TIME_to_tm(time, &parts) == 1 ? tools::text_of(::timegm(&parts)) : "?";
}

struct FreeStack {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using Stack = std::unique_ptr<STACK_OF(X509), FreeStack>;

/// Views, as the chain stays.
Stack stack_of(const Chain& chain) {
    Stack stack(sk_X509_new_null());
    for (const Certificate& certificate : chain)
        if (stack && sk_X509_push(stack.get(), certificate.get()) == 0)
            return nullptr;
    return stack;
}

/// Whether libcrypto's path is the chain, from the first to the last.
bool goes_by(const Chain& chain, const STACK_OF(X509) & path) {
    if (static_cast<std::size_t>(sk_X509_num(&path)) != chain.size())
        return false;
    for (std::size_t i = 0; i < chain.size(); ++i)
        if (X509_cmp(chain[i].get(), sk_X509_value(&path, static_cast<int>(i))) != 0)
            return false;
    return true;
}

} // namespace

Outcome<Chain> parse_chain(const std::string& name, Bytes text) {
    const std::string_view all(reinterpret_cast<const char*>(text.data()), text.size());
    // A quote's chain may end as a string of C does.
    const std::string_view whole = all.substr(0, all.find_last_not_of('\0') + 1);
    std::string_view left = without_blanks(whole);
    Chain chain;
    while (!left.empty()) {
        const std::size_t at = whole.size() - left.size();
        const auto der = take_block(left, certificate_word);
        auto certificate = der ? object_of<Certificate>(*der, d2i_X509) : nullptr;
        if (!certificate)
            return std::unexpected(failure(
                name, std::format("at {}: expected a certificate in PEM and nothing beside", at)));
        if (chain.size() == max_certificates)
            return std::unexpected(
                failure(name, std::format("has more than {} certificates", max_certificates)));
        chain.push_back(std::move(certificate));
        left = without_blanks(left);
    }
    if (chain.empty())
        return std::unexpected(failure(name, "holds no certificate in PEM"));
    return chain;
}

namespace {

/// An entry that takes a revocation back stands in lists of changes alone [RFC 5280, 5.3.1];
/// libcrypto calls its certificate good.
bool takes_back(X509_CRL& list) {
    const STACK_OF(X509_REVOKED)* const entries = X509_CRL_get_REVOKED(&list);
    for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
        const Handle<ASN1_ENUMERATED, &ASN1_ENUMERATED_free> reason(
            static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(
                sk_X509_REVOKED_value(entries, i), NID_crl_reason, nullptr, nullptr)));
        if (reason && ASN1_ENUMERATED_get(reason.get()) == CRL_REASON_REMOVE_FROM_CRL)
            return true;
    }
    return false;
}

} // namespace

Outcome<RevocationList> parse_revocation_list(const std::string& file, Bytes bytes) {
    std::string_view left =
        without_blanks({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    const auto der = take_block(left, list_word);
    const bool is_pem = der && without_blanks(left).empty();
    auto list = object_of<RevocationList>(is_pem ? Bytes(*der) : bytes, d2i_X509_CRL);
    if (!list)
        return std::unexpected(
            failure(file, "holds no revocation list in DER or PEM, or something beside"));
    if (takes_back(*list))
        return std::unexpected(failure(
            file, "is a list of changes: an entry has the reason removeFromCRL; fetch the whole"));
    return list;
}

std::string common_name(const X509& certificate) {
    std::array<char, 128> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(&certificate), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    return printable(name.data());
}

bool has_key(const X509& certificate, const EcNumbers& key) {
    const EVP_PKEY* const own = X509_get0_pubkey(&certificate);
    const Key other = key_of(key);
    return own != nullptr && other && EVP_PKEY_eq(own, other.get()) == 1;
}

std::string begin_of(const X509& certificate) {
    return text_of(X509_get0_notBefore(&certificate));
}

std::string end_of(const X509& certificate) {
    return text_of(X509_get0_notAfter(&certificate));
}

std::optional<std::time_t> time_of(std::string_view text) {
    constexpr std::string_view form = "dddd-dd-ddTdd:dd:ddZ";
    const auto fits = [](char form_character, char found) {
        return form_character == 'd' ? found >= '0' && found <= '9' : found == form_character;
    };
    if (!std::ranges::equal(form, text, fits))
        return std::nullopt;
    std::tm parts{};
    const std::string copy(text);
    if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2dZ", &parts.tm_year, &parts.tm_mon,
                    &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec) != 6)
        return std::nullopt;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    const std::time_t time = ::timegm(&parts);
    return text_of(time) == text ? std::optional(time) : std::nullopt; // not the 31st of April
}

std::string text_of(std::time_t time) {
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

bool is_signer(const X509& certificate) {
    X509* const asked = const_cast<X509*>(&certificate);
    return X509_check_ca(asked) == 0 && (X509_get_extension_flags(asked) & EXFLAG_KUSAGE) != 0 &&
           (X509_get_key_usage(asked) & KU_DIGITAL_SIGNATURE) != 0;
}

Outcome<> check_chain(const Chain& chain, const X509& root,
                      const std::vector<const X509_CRL*>& lists, const Moment& moment) {
    if (X509_cmp(chain.back().get(), &root) != 0)
        return std::unexpected(
            Failure{common_name(*chain.back()) + ": is another root than the one that was given"});
    const Handle<X509_STORE, &X509_STORE_free> store(X509_STORE_new());
    const Handle<X509_STORE_CTX, &X509_STORE_CTX_free> context(X509_STORE_CTX_new());
    const Stack stack = stack_of(chain);
    bool is_ready = store && context && stack &&
                    X509_STORE_add_cert(store.get(), const_cast<X509*>(&root)) == 1;
    for (const X509_CRL* list : lists)
        is_ready = is_ready && X509_STORE_add_crl(store.get(), const_cast<X509_CRL*>(list)) == 1;
    if (!is_ready ||
        X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), stack.get()) != 1)
        return std::unexpected(Failure{"libcrypto cannot check a chain"});
    X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
    if (!moment.ignores_dates) // it would be asked of lists all the same
        X509_VERIFY_PARAM_set_time(parameters, moment.time);
    X509_VERIFY_PARAM_set_flags(parameters,
                                X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
                                    X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE |
                                    (moment.ignores_dates ? X509_V_FLAG_NO_CHECK_TIME : 0UL));
    const bool is_good = X509_verify_cert(context.get()) == 1;
    ERR_clear_error();
    if (is_good && goes_by(chain, *X509_STORE_CTX_get0_chain(context.get())))
        return {};
    if (is_good)
        return std::unexpected(Failure{common_name(*chain.front()) +
                                       ": its issuers are not the certificates behind it"});
    return std::unexpected(
        Failure{name_at(context.get()) + ": " +
                X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))});
}

bool is_signed_by(const X509& signer, Bytes message, const EcNumbers& signature) {
    return is_signed_by(X509_get0_pubkey(&signer), message, signature);
}

bool is_signed_by(const EcNumbers& key, Bytes message, const EcNumbers& signature) {
    return is_signed_by(key_of(key).get(), message, signature);
}

} // namespace tdshim::tools
