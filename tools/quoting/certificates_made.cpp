// SPDX-License-Identifier: Apache-2.0
#include "tools/quoting/certificates_made.hpp"

#include <format>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tools/common/text.hpp"

namespace tdshim::quoting {

using tools::Certificate;
using tools::Outcome;
template <class T, auto Function>
using Owned = tools::openssl::Handle<T, Function>;

namespace {

constexpr const char* sgx = "1.2.840.113741.1.13.1";
constexpr long version_3 = 2;
constexpr long list_version_2 = 1;
constexpr int serial_bits = 159; // 20 octets that are positive

std::string_view name_of(CertificateKind kind) {
    switch (kind) {
    case CertificateKind::root: return "SGX Root CA";
    case CertificateKind::platform_authority: return "SGX PCK Platform CA";
    case CertificateKind::pck: return "SGX PCK Certificate";
    case CertificateKind::tcb_signer: break;
    }
    return "SGX TCB Signing";
}

bool is_authority(CertificateKind kind) {
    return kind == CertificateKind::root || kind == CertificateKind::platform_authority;
}

bool set_name(X509_NAME* name, Names names, CertificateKind kind) {
    const auto add = [&](const char* field, const std::string& text) {
        return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                          reinterpret_cast<const unsigned char*>(text.c_str()), -1,
                                          -1, 0) == 1;
    };
    const bool is_intel = names == Names::intel;
    return add("CN", common_name(names, kind)) &&
           add("O", is_intel ? "Intel Corporation" : "EMULATED by td-emu") &&
           (!is_intel || (add("L", "Santa Clara") && add("ST", "CA") && add("C", "US")));
}

/// libcrypto's description of what a PCK certificate says of its platform.
std::string describe(const tools::PckExtensions& platform) {
    std::string text = std::format("[sgx]\n1=SEQUENCE:ppid\n2=SEQUENCE:tcb\n3=SEQUENCE:pce_id\n"
                                   "4=SEQUENCE:fmspc\n5=SEQUENCE:type\n"
                                   "[tcb]\n1=OID:{}.2\n2=SEQUENCE:components\n",
                                   sgx);
    const auto add_octets = [&](std::string_view name, std::string_view number, Bytes octets) {
        text += std::format("[{}]\n1=OID:{}.{}\n2=FORMAT:HEX,OCTETSTRING:{}\n", name, sgx, number,
                            tools::hex(octets));
    };
    add_octets("ppid", "1", std::array<std::byte, 16>{});
    add_octets("pce_id", "3", platform.pce_id);
    add_octets("fmspc", "4", platform.fmspc);
    text += std::format("[type]\n1=OID:{}.5\n2=ENUM:0\n", sgx);
    add_octets("component18", "2.18", std::as_bytes(std::span(platform.svns)));
    std::string components = "[components]\n18=SEQUENCE:component18\n";
    for (std::size_t i = 0; i <= platform.svns.size(); ++i) {
        const unsigned svn = i < platform.svns.size() ? platform.svns[i] : platform.pce_svn;
        components += std::format("{0}=SEQUENCE:component{0}\n", i + 1);
        text += std::format("[component{0}]\n1=OID:{1}.2.{0}\n2=INTEGER:{2}\n", i + 1, sgx, svn);
    }
    return text + components;
}

/// Adds extensions by libcrypto's words for them.
class Extensions {
  public:
    Extensions(X509* certificate, const X509* issuer) : certificate_(certificate) {
        X509V3_set_ctx(&context_, const_cast<X509*>(issuer == nullptr ? certificate : issuer),
                       certificate, nullptr, nullptr, 0);
    }

    [[nodiscard]] bool add(const char* name, const char* value, const std::string& sections = {}) {
        const Owned<CONF, &NCONF_free> configuration(NCONF_new(nullptr));
        const Owned<BIO, &BIO_free_all> text(
            BIO_new_mem_buf(sections.data(), static_cast<int>(sections.size())));
        long line = 0;
        if (!configuration || !text || NCONF_load_bio(configuration.get(), text.get(), &line) != 1)
            return false;
        X509V3_set_nconf(&context_, configuration.get());
        const Owned<X509_EXTENSION, &X509_EXTENSION_free> extension(
            X509V3_EXT_nconf(configuration.get(), &context_, name, value));
        return extension && X509_add_ext(certificate_, extension.get(), -1) == 1;
    }

  private:
    X509* certificate_;
    X509V3_CTX context_{};
};

bool set_serial_number(ASN1_INTEGER* number) {
    const Owned<BIGNUM, &BN_free> random(BN_new());
    return random && BN_rand(random.get(), serial_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(random.get(), number) != nullptr;
}

bool add_extensions(X509* certificate, CertificateKind kind, const X509* issuer,
                    const tools::PckExtensions& platform) {
    Extensions extensions(certificate, issuer);
    const bool is_ca = is_authority(kind);
    return extensions.add("basicConstraints", is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
           extensions.add("keyUsage", is_ca ? "critical,keyCertSign,cRLSign"
                                            : "critical,digitalSignature,nonRepudiation") &&
           extensions.add("subjectKeyIdentifier", "hash") &&
           extensions.add("authorityKeyIdentifier", "keyid") &&
           extensions.add("crlDistributionPoints", kind == CertificateKind::pck
                                                       ? "URI:http://localhost/pckcrl.der"
                                                       : "URI:http://localhost/rootcrl.der") &&
           (kind != CertificateKind::pck ||
            extensions.add(sgx, "ASN1:SEQUENCE:sgx", describe(platform)));
}

std::vector<std::byte> content_of(BIO* output) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(output, &data);
    const auto bytes = std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
    return {bytes.begin(), bytes.end()};
}

} // namespace

std::string common_name(Names names, CertificateKind kind) {
    return std::format("{} {}", names == Names::intel ? "Intel" : "EMULATED", name_of(kind));
}

Outcome<Certificate> make_certificate(Names names, CertificateKind kind, const Key& key,
                                      const Issuer& issuer, const Validity& validity,
                                      const tools::PckExtensions& platform) {
    Certificate certificate(X509_new());
    X509* const made = certificate.get();
    if (!certificate || X509_set_version(made, version_3) != 1 ||
        !set_serial_number(X509_get_serialNumber(made)) ||
        ASN1_TIME_set(X509_getm_notBefore(made), validity.begin) == nullptr ||
        ASN1_TIME_set(X509_getm_notAfter(made), validity.end) == nullptr ||
        X509_set_pubkey(made, key.handle()) != 1 ||
        !set_name(X509_get_subject_name(made), names, kind) ||
        X509_set_issuer_name(made, X509_get_subject_name(issuer.certificate == nullptr
                                                             ? made
                                                             : issuer.certificate)) != 1 ||
        !add_extensions(made, kind, issuer.certificate, platform) ||
        X509_sign(made, issuer.key->handle(), EVP_sha256()) == 0)
        return std::unexpected(libcrypto_failure(common_name(names, kind)));
    return certificate;
}

Outcome<tools::RevocationList> make_revocation_list(const Issuer& issuer,
                                                    const Validity& validity) {
    tools::RevocationList list(X509_CRL_new());
    const Owned<ASN1_TIME, &ASN1_TIME_free> begin(ASN1_TIME_set(nullptr, validity.begin));
    const Owned<ASN1_TIME, &ASN1_TIME_free> end(ASN1_TIME_set(nullptr, validity.end));
    const Owned<ASN1_INTEGER, &ASN1_INTEGER_free> number(ASN1_INTEGER_new());
    if (!list || !begin || !end || !number || ASN1_INTEGER_set(number.get(), 1) != 1 ||
        X509_CRL_set_version(list.get(), list_version_2) != 1 ||
        X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate)) != 1 ||
        X509_CRL_set1_lastUpdate(list.get(), begin.get()) != 1 ||
        X509_CRL_set1_nextUpdate(list.get(), end.get()) != 1 ||
        X509_CRL_add1_ext_i2d(list.get(), NID_crl_number, number.get(), 0, 0) != 1 ||
        X509_CRL_sign(list.get(), issuer.key->handle(), EVP_sha256()) == 0)
        return std::unexpected(libcrypto_failure("revocation list"));
    return list;
}

Outcome<std::string> pem_of(const X509& certificate) {
    const Owned<BIO, &BIO_free_all> output(BIO_new(BIO_s_mem()));
    if (!output || PEM_write_bio_X509(output.get(), const_cast<X509*>(&certificate)) != 1)
        return std::unexpected(libcrypto_failure("certificate"));
    const auto bytes = content_of(output.get());
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Outcome<std::vector<std::byte>> der_of(const X509_CRL& list) {
    const Owned<BIO, &BIO_free_all> output(BIO_new(BIO_s_mem()));
    if (!output || i2d_X509_CRL_bio(output.get(), const_cast<X509_CRL*>(&list)) != 1)
        return std::unexpected(libcrypto_failure("revocation list"));
    return content_of(output.get());
}

} // namespace tdshim::quoting
