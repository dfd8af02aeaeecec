// SPDX-License-Identifier: Apache-2.0
#include "shim/crypto/signature.hpp"

#include <algorithm>

#include "mbedtls/ecdsa.h"
#include "mbedtls/memory_buffer_alloc.h"
#include "mbedtls/rsa.h"

namespace tdshim::crypto {
namespace {

constexpr std::byte uncompressed_point{4}; // [SEC 1, 2.3.3]

const unsigned char* characters(Bytes bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// mbedTLS's allocator on the caller's memory while this lives.
class Allocator {
  public:
    explicit Allocator(MutableBytes memory) {
        mbedtls_memory_buffer_alloc_init(reinterpret_cast<unsigned char*>(memory.data()),
                                         memory.size());
    }
    ~Allocator() { mbedtls_memory_buffer_alloc_free(); }
    Allocator(const Allocator&) = delete;
    Allocator& operator=(const Allocator&) = delete;
};

class RsaContext {
  public:
    RsaContext() { mbedtls_rsa_init(&context_); }
    ~RsaContext() { mbedtls_rsa_free(&context_); }
    RsaContext(const RsaContext&) = delete;
    RsaContext& operator=(const RsaContext&) = delete;
    [[nodiscard]] mbedtls_rsa_context* get() { return &context_; }

  private:
    mbedtls_rsa_context context_{};
};

class EcdsaContext {
  public:
    EcdsaContext() {
        mbedtls_ecp_group_init(&group);
        mbedtls_ecp_point_init(&key);
        mbedtls_mpi_init(&r);
        mbedtls_mpi_init(&s);
    }
    ~EcdsaContext() {
        mbedtls_mpi_free(&s);
        mbedtls_mpi_free(&r);
        mbedtls_ecp_point_free(&key);
        mbedtls_ecp_group_free(&group);
    }
    EcdsaContext(const EcdsaContext&) = delete;
    EcdsaContext& operator=(const EcdsaContext&) = delete;

    mbedtls_ecp_group group{};
    mbedtls_ecp_point key{};
    mbedtls_mpi r{};
    mbedtls_mpi s{};
};

/// mbedTLS adds a low-level code (the last seven bits) to the code of the module that met it.
bool is_out_of_memory(int status) {
    const unsigned code = static_cast<unsigned>(-status);
    return (code & 0x7F) == static_cast<unsigned>(-MBEDTLS_ERR_MPI_ALLOC_FAILED) ||
           (code & ~0x7FU) == static_cast<unsigned>(-MBEDTLS_ERR_ECP_ALLOC_FAILED) ||
           (code & ~0x7FU) == static_cast<unsigned>(-MBEDTLS_ERR_MD_ALLOC_FAILED);
}

/// Nothing when mbedTLS says success, else `fault`, or that the memory was too small.
Result<void> outcome_of(int status, Fault fault) {
    if (status == 0)
        return {};
    return refuse(is_out_of_memory(status) ? Fault::memory_exhausted : fault);
}

int read_number(mbedtls_mpi& number, Bytes bytes) {
    return mbedtls_mpi_read_binary(&number, characters(bytes), bytes.size());
}

/// The group, the point and both numbers; the numbers are of any size.
Result<void> load(EcdsaContext& context, EcdsaKey key, EcdsaSignature signature) {
    TRY(outcome_of(mbedtls_ecp_group_load(&context.group, MBEDTLS_ECP_DP_SECP384R1),
                   Fault::memory_exhausted));
    std::array<std::byte, 1 + ecdsa_key_size> point{uncompressed_point};
    std::ranges::copy(key, point.begin() + 1);
    TRY(outcome_of(mbedtls_ecp_point_read_binary(&context.group, &context.key, characters(point),
                                                 point.size()),
                   Fault::signature_point));
    TRY(outcome_of(read_number(context.r, signature.first<p384_number_size>()),
                   Fault::memory_exhausted));
    return outcome_of(read_number(context.s, signature.last<p384_number_size>()),
                      Fault::memory_exhausted);
}

bool is_in_range(const mbedtls_mpi& number, const mbedtls_ecp_group& group) {
    return mbedtls_mpi_cmp_int(&number, 1) >= 0 && mbedtls_mpi_cmp_mpi(&number, &group.N) < 0;
}

} // namespace

Result<void> check_rsa_pss(RsaKey key, const Digest& digest, RsaSignature signature,
                           MutableBytes memory) {
    const Bytes modulus = key.first<rsa_modulus_size>();
    const Bytes exponent = key.last<rsa_key_size - rsa_modulus_size>();
    const bool has_all_bits = (modulus.front() & std::byte{0x80}) != std::byte{0};
    const bool is_odd = (modulus.back() & std::byte{1}) != std::byte{0};
    if (!has_all_bits || !is_odd)
        return refuse(Fault::signature_modulus);
    if (const std::uint64_t value = TRY(read_at<be64>(exponent, 0)); value != rsa_exponent)
        return refuse(Fault::signature_exponent, rsa_modulus_size, rsa_exponent, value);

    const Allocator allocator(memory);
    RsaContext context;
    TRY(outcome_of(mbedtls_rsa_import_raw(context.get(), characters(modulus), modulus.size(),
                                          nullptr, 0, nullptr, 0, nullptr, 0, characters(exponent),
                                          exponent.size()),
                   Fault::memory_exhausted));
    return outcome_of(mbedtls_rsa_rsassa_pss_verify_ext(
                          context.get(), MBEDTLS_MD_SHA384, sha384_size, characters(digest),
                          MBEDTLS_MD_SHA384, sha384_size, characters(signature)),
                      Fault::signature_wrong);
}

Result<void> check_ecdsa_p384(EcdsaKey key, const Digest& digest, EcdsaSignature signature,
                              MutableBytes memory) {
    const Allocator allocator(memory);
    EcdsaContext context;
    TRY(load(context, key, signature));
    TRY(outcome_of(mbedtls_ecp_check_pubkey(&context.group, &context.key), Fault::signature_point));
    if (!is_in_range(context.r, context.group))
        return refuse(Fault::signature_range);
    if (!is_in_range(context.s, context.group))
        return refuse(Fault::signature_range, p384_number_size);
    return outcome_of(mbedtls_ecdsa_verify(&context.group, characters(digest), digest.size(),
                                           &context.key, &context.r, &context.s),
                      Fault::signature_wrong);
}

} // namespace tdshim::crypto
