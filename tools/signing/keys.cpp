// SPDX-License-Identifier: Apache-2.0
#include "tools/signing/keys.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <format>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <utility>

#include "tools/common/descriptor.hpp"
#include "tools/common/files.hpp"
#include "tools/common/inputs.hpp"
#include "tools/signing/token_key.hpp"

namespace tdshim::tools {
namespace {

using signed_payload::Algorithm;

constexpr int rsa_bits = 3072;
constexpr BN_ULONG rsa_exponent = 65537;

template <auto Function>
struct Call {
    template <class T>
    void operator()(T* value) const {
        Function(value);
    }
};
using Number = std::unique_ptr<BIGNUM, Call<&BN_free>>;
using Input = std::unique_ptr<BIO, Call<&BIO_free_all>>;
using Digesting = std::unique_ptr<EVP_MD_CTX, Call<&EVP_MD_CTX_free>>;
using Pair = std::unique_ptr<ECDSA_SIG, Call<&ECDSA_SIG_free>>;

unsigned char* characters(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}
const unsigned char* characters(Bytes bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// Appends `number` big-endian in `size` bytes.
bool append(std::vector<std::byte>& to, const BIGNUM* number, std::size_t size) {
    std::vector<std::byte> bytes(size);
    if (number == nullptr ||
        BN_bn2binpad(number, characters(std::span(bytes)), static_cast<int>(size)) < 0)
        return false;
    to.append_range(bytes);
    return true;
}

Number parameter(const EVP_PKEY* key, const char* name) {
    BIGNUM* number = nullptr;
    return Number(EVP_PKEY_get_bn_param(key, name, &number) == 1 ? number : nullptr);
}

Outcome<PublicKey> rsa_key(const EVP_PKEY* key, const std::string& file) {
    if (EVP_PKEY_get_bits(key) != rsa_bits)
        return std::unexpected(failure(
            file, std::format("RSA key has {} bits, not {}", EVP_PKEY_get_bits(key), rsa_bits)));
    const Number exponent = parameter(key, OSSL_PKEY_PARAM_RSA_E);
    if (!exponent || BN_is_word(exponent.get(), rsa_exponent) != 1)
        return std::unexpected(failure(file, "RSA key has another exponent than 65537"));
    PublicKey result{.algorithm = Algorithm::rsa_pss_3072_sha384, .bytes = {}};
    if (!append(result.bytes, parameter(key, OSSL_PKEY_PARAM_RSA_N).get(),
                crypto::rsa_modulus_size) ||
        !append(result.bytes, exponent.get(), crypto::rsa_key_size - crypto::rsa_modulus_size))
        return std::unexpected(failure(file, "libcrypto gives no modulus"));
    return result;
}

Outcome<PublicKey> ec_key(const EVP_PKEY* key, const std::string& file) {
    std::array<char, 64> group{};
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1 ||
        std::string_view(group.data()) != "secp384r1")
        return std::unexpected(
            failure(file, std::format("EC key is on {}, not on P-384",
                                      group[0] == '\0' ? "an unnamed curve" : group.data())));
    PublicKey result{.algorithm = Algorithm::ecdsa_p384_sha384, .bytes = {}};
    if (!append(result.bytes, parameter(key, OSSL_PKEY_PARAM_EC_PUB_X).get(),
                crypto::p384_number_size) ||
        !append(result.bytes, parameter(key, OSSL_PKEY_PARAM_EC_PUB_Y).get(),
                crypto::p384_number_size))
        return std::unexpected(failure(file, "libcrypto gives no point"));
    return result;
}

/// The passphrase of a private key, for libcrypto to ask for.
class Passphrase {
  public:
    static Outcome<Passphrase> of_file(const std::string& file) {
        Passphrase result(file);
        if (!file.empty()) {
            auto bytes = TRY(read_file(file));
            result.text_.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            OPENSSL_cleanse(bytes.data(), bytes.size());
            result.text_.resize(std::min(result.text_.size(), result.text_.find_first_of("\r\n")));
        }
        return result;
    }
    ~Passphrase() { OPENSSL_cleanse(text_.data(), text_.size()); }
    Passphrase(Passphrase&&) = default;
    Passphrase& operator=(Passphrase&&) = delete;

    /// A pem_password_cb, whose last argument is a Passphrase: its length, or -1.
    static int give(char* to, int room, int is_for_writing, void* passphrase) {
        return static_cast<Passphrase*>(passphrase)->answer(to, room, is_for_writing);
    }

    [[nodiscard]] bool was_asked() const { return was_asked_; }
    /// Why a key that could not be read could not.
    [[nodiscard]] std::string_view complaint() const {
        if (!was_asked_)
            return "holds no private key in PEM or DER";
        if (!file_.empty())
            return "is encrypted, with another passphrase than --passphrase-file has";
        return has_terminal() ? "is encrypted, with another passphrase"
                              : "is encrypted: without a terminal to ask on, give "
                                "--passphrase-file FILE";
    }

  private:
    explicit Passphrase(std::string file) : file_(std::move(file)) {}

    static bool has_terminal() {
        return Descriptor(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)).is_open();
    }

    int answer(char* to, int room, int is_for_writing) {
        if (std::exchange(was_asked_, true) && file_.empty())
            return -1; // libcrypto asks again for each form that the key could have
        if (file_.empty())
            return has_terminal() ? PEM_def_callback(to, room, is_for_writing, nullptr) : -1;
        if (text_.size() > static_cast<std::size_t>(room))
            return -1;
        std::ranges::copy(text_, to);
        return static_cast<int>(text_.size());
    }

    std::string file_;
    std::string text_;
    bool was_asked_ = false;
};

/// A pem_password_cb: libcrypto asks for the passphrase of a private key in a public one's place.
int give_none(char* /*to*/, int /*room*/, int /*is_for_writing*/, void* /*none*/) {
    return -1;
}

EVP_PKEY* read_public_key(BIO* input) {
    if (EVP_PKEY* const key = PEM_read_bio_PUBKEY(input, nullptr, &give_none, nullptr))
        return key;
    if (BIO_reset(input) < 0) // 0 is success for a file, 1 for memory
        return nullptr;
    return d2i_PUBKEY_bio(input, nullptr);
}

EVP_PKEY* read_private_key(BIO* input, Passphrase& passphrase) {
    if (EVP_PKEY* const key =
            PEM_read_bio_PrivateKey(input, nullptr, &Passphrase::give, &passphrase))
        return key;
    if (BIO_reset(input) < 0)
        return nullptr;
    if (EVP_PKEY* const key = d2i_PrivateKey_bio(input, nullptr))
        return key;
    if (BIO_reset(input) < 0)
        return nullptr;
    return d2i_PKCS8PrivateKey_bio(input, nullptr, &Passphrase::give, &passphrase);
}

/// What stands in the place of a public key, and how one is made of it.
std::string way_to_public_key(const std::string& file, Bytes contents) {
    const std::string_view text(reinterpret_cast<const char*>(contents.data()), contents.size());
    if (text.contains("PRIVATE KEY-----"))
        return std::format(", but a private key: openssl pkey -in {} -pubout", file);
    if (text.contains("-----BEGIN CERTIFICATE-----"))
        return std::format(", but a certificate: openssl x509 -in {} -noout -pubkey", file);
    return "";
}

/// What stands in the place of a private key, which `input` does not hold.
std::string_view look_for_public_key(BIO* input) {
    if (BIO_reset(input) < 0)
        return "";
    const std::unique_ptr<EVP_PKEY, Call<&EVP_PKEY_free>> key(read_public_key(input));
    return key ? ", but a public one: give the private key that belongs to it" : "";
}

} // namespace

Outcome<PublicKey> public_key_of(const EVP_PKEY* key, const std::string& name) {
    if (EVP_PKEY_is_a(key, "RSA") == 1)
        return rsa_key(key, name);
    if (EVP_PKEY_is_a(key, "EC") == 1)
        return ec_key(key, name);
    return std::unexpected(failure(name, "key is neither RSA of 3072 bits nor EC on P-384"));
}

void PrivateKey::Free::operator()(evp_pkey_st* key) const {
    EVP_PKEY_free(key);
}

Outcome<PublicKey> read_public_key(const std::string& file) {
    if (is_token_uri(file))
        return read_token_public_key(file);
    const auto bytes = TRY(read_file(file));
    const Input input(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
    const std::unique_ptr<EVP_PKEY, Call<&EVP_PKEY_free>> key(input ? read_public_key(input.get())
                                                                    : nullptr);
    ERR_clear_error();
    if (!key)
        return std::unexpected(
            failure(file, "holds no public key in PEM or DER" + way_to_public_key(file, bytes)));
    return public_key_of(key.get(), file);
}

Outcome<PrivateKey> PrivateKey::read(const std::string& file, const std::string& passphrase_file) {
    Passphrase passphrase = TRY(Passphrase::of_file(passphrase_file));
    // libcrypto reads the file itself, so that no copy of the key stands in our memory.
    errno = 0;
    const Input input(BIO_new_file(file.c_str(), "rb"));
    if (!input)
        return std::unexpected(system_failure(file, "cannot open", errno));
    note_input(file);
    Handle key(read_private_key(input.get(), passphrase));
    const bool is_none =
        !key && !passphrase.was_asked(); // an encrypted one would be asked for again
    const std::string_view found = is_none ? look_for_public_key(input.get()) : "";
    ERR_clear_error();
    if (!key)
        return std::unexpected(failure(file, std::format("{}{}", passphrase.complaint(), found)));
    PublicKey public_key = TRY(public_key_of(key.get(), file));
    return PrivateKey(file, std::move(key), std::move(public_key));
}

Outcome<std::vector<std::byte>> PrivateKey::sign(Bytes message) const {
    const Digesting context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr; // owned by `context`
    bool is_ready = context && EVP_DigestSignInit(context.get(), &parameters, EVP_sha384(), nullptr,
                                                  key_.get()) == 1;
    if (is_ready && public_key_.algorithm == Algorithm::rsa_pss_3072_sha384)
        is_ready = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1 &&
                   EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, EVP_sha384()) == 1;
    std::vector<std::byte> signature(crypto::rsa_signature_size);
    std::size_t size = signature.size();
    if (!is_ready || EVP_DigestSign(context.get(), characters(std::span(signature)), &size,
                                    characters(message), message.size()) != 1) {
        ERR_clear_error();
        return std::unexpected(failure(file_, "libcrypto cannot sign with it"));
    }
    return plain_signature(public_key_.algorithm, Bytes(signature).first(size), file_);
}

Outcome<std::vector<std::byte>> plain_signature(Algorithm algorithm, Bytes signature,
                                                const std::string& name) {
    const bool is_rsa = algorithm == Algorithm::rsa_pss_3072_sha384;
    const std::size_t plain = is_rsa ? crypto::rsa_signature_size : crypto::ecdsa_signature_size;
    if (signature.size() == plain)
        return std::vector<std::byte>{signature.begin(), signature.end()};
    if (!is_rsa) {
        const unsigned char* at = characters(signature);
        const Pair pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size())));
        ERR_clear_error();
        std::vector<std::byte> bytes;
        if (pair && at == characters(signature) + signature.size() &&
            append(bytes, ECDSA_SIG_get0_r(pair.get()), crypto::p384_number_size) &&
            append(bytes, ECDSA_SIG_get0_s(pair.get()), crypto::p384_number_size))
            return bytes;
    }
    return std::unexpected(
        failure(name, std::format("{} bytes are no {} signature, which has {}{}", signature.size(),
                                  signed_payload::name_of(algorithm), plain,
                                  is_rsa ? "" : ", or is an ECDSA-Sig-Value in DER")));
}

} // namespace tdshim::tools
