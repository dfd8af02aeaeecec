// SPDX-License-Identifier: Apache-2.0
//
// Whether an enrolment lets a payload run: the only place that decides it (specs/secure-boot.md,
// "The decision"). Pure: the boot flow measures what comes out, and the host tools ask the same
// question.
#pragma once

#include <cstdint>
#include <optional>

#include "shim/base/bytes.hpp"
#include "shim/crypto/sha384.hpp"
#include "shim/formats/cfv/enrolment.hpp"
#include "shim/formats/payload/kind.hpp"

namespace tdshim::verify {

/// What a payload is, as the boot flow will treat it.
enum class PayloadKind : std::uint32_t {
    executable = cfv::payload_executable,     ///< one program or kernel
    linux_bundle = cfv::payload_linux_bundle, ///< kernel, initrd and command line in one
};

/// Of a payload whose contents are of this kind.
[[nodiscard]] PayloadKind kind_of(payload::Kind kind);

/// The enrolled key that signed a payload.
struct Authority {
    crypto::Digest key{};  ///< SHA-384 of the public key
    Bytes anchor;          ///< its entry: what is measured as "secure_authority"
    std::uint64_t svn = 0; ///< secure version number of the payload
};

struct Payload {
    Bytes contents; ///< what runs: a view into the file, all of it when it is not signed
    std::optional<Authority> authority; ///< nothing: only policy measured lets that pass
};

/// Decides about the payload `file`. A signed file is always checked against the key that it
/// carries, also where the policy does not demand it.
/// Errors: those of signed_payload::parse and of crypto's checks, with `at` in `file`; the payload_
/// faults. One decision at a time (crypto/signature.hpp).
[[nodiscard]] Result<Payload> check_payload(const cfv::Enrolment& enrolment, Bytes file,
                                            PayloadKind kind, MutableBytes memory);

/// Decides about a file with this digest that a payload brings: one that is revoked does not run,
/// however it comes. Errors: payload_revoked.
[[nodiscard]] Result<void> check_part(const cfv::Enrolment& enrolment,
                                      const crypto::Digest& digest);

/// Whether the signature of `payload` is that of the key that it carries over its signed bytes.
/// Errors: those of crypto's checks.
[[nodiscard]] Result<void> check_signature(const signed_payload::SignedPayload& payload,
                                           MutableBytes memory);

} // namespace tdshim::verify
