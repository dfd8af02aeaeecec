// SPDX-License-Identifier: Apache-2.0
#include "shim/verify/payload.hpp"

#include <algorithm>
#include <cstddef>

#include "shim/crypto/signature.hpp"

namespace tdshim::verify {
namespace {

using signed_payload::Algorithm;
using signed_payload::Header;
using signed_payload::SignedPayload;

/// What the digest of the contents has to satisfy, signed or not. It is not computed for nothing.
Result<void> check_digest(const cfv::Enrolment& enrolment, Bytes contents) {
    const bool is_pinned = enrolment.policy == cfv::Policy::signed_and_pinned;
    if (!is_pinned && enrolment.revoked_payloads.size() == 0)
        return {};
    const crypto::Digest digest = crypto::sha384(contents);
    if (enrolment.revoked_payloads.contains(digest))
        return refuse(Fault::payload_revoked);
    if (is_pinned && !enrolment.pinned_payloads.contains(digest))
        return refuse(Fault::payload_not_pinned);
    return {};
}

/// What an enrolled key has to satisfy to stand for this payload.
Result<void> check_key(const cfv::Key& key, const SignedPayload& payload, PayloadKind kind) {
    if ((key.kinds & static_cast<std::uint32_t>(kind)) == 0)
        return refuse(Fault::payload_key_kind, payload.signed_bytes.size(), key.kinds,
                      static_cast<std::uint64_t>(kind));
    if (key.algorithm && *key.algorithm != payload.algorithm)
        return refuse(Fault::payload_key_algorithm, offsetof(Header, algorithm),
                      static_cast<std::uint64_t>(*key.algorithm),
                      static_cast<std::uint64_t>(payload.algorithm));
    if (payload.svn < key.minimum_svn)
        return refuse(Fault::payload_svn, offsetof(Header, svn), key.minimum_svn, payload.svn);
    return {};
}

/// The enrolled key that `payload` carries; nothing where there is none and none is demanded.
Result<const cfv::Key*> find_key(const cfv::Enrolment& enrolment, const SignedPayload& payload) {
    const crypto::Digest hash = crypto::sha384(payload.public_key);
    const std::size_t at = payload.signed_bytes.size();
    if (enrolment.revoked_keys.contains(hash))
        return refuse(Fault::payload_key_revoked, at);
    const auto key = std::ranges::find(enrolment.keys, hash, &cfv::Key::hash);
    if (key != enrolment.keys.end())
        return &*key;
    if (enrolment.policy != cfv::Policy::measured)
        return refuse(Fault::payload_key_unknown, at);
    return nullptr;
}

Result<Payload> check_signed(const cfv::Enrolment& enrolment, Bytes file, PayloadKind kind,
                             MutableBytes memory) {
    const SignedPayload parsed = TRY(signed_payload::parse(file));
    if (parsed.numbering != signed_payload::Numbering::document &&
        !enrolment.takes_td_shim_numbering)
        return refuse(
            Fault::payload_numbering, offsetof(Header, algorithm),
            signed_payload::number_of(parsed.algorithm, signed_payload::Numbering::document),
            signed_payload::number_of(parsed.algorithm, parsed.numbering));
    const cfv::Key* const key = TRY(find_key(enrolment, parsed));
    if (key != nullptr)
        TRY(check_key(*key, parsed, kind));
    TRY(check_signature(parsed, memory));
    TRY(check_digest(enrolment, parsed.contents));
    Payload payload{.contents = parsed.contents, .authority = {}};
    if (key != nullptr)
        payload.authority = {.key = key->hash, .anchor = key->anchor, .svn = parsed.svn};
    return payload;
}

} // namespace

Result<void> check_part(const cfv::Enrolment& enrolment, const crypto::Digest& digest) {
    return enrolment.revoked_payloads.contains(digest) ? refuse(Fault::payload_revoked)
                                                       : Result<void>{};
}

PayloadKind kind_of(payload::Kind kind) {
    const bool is_bundle = kind == payload::Kind::uki || kind == payload::Kind::bundle;
    return is_bundle ? PayloadKind::linux_bundle : PayloadKind::executable;
}

Result<void> check_signature(const SignedPayload& payload, MutableBytes memory) {
    const crypto::Digest digest = crypto::sha384(payload.signed_bytes);
    const auto outcome =
        payload.algorithm == Algorithm::rsa_pss_3072_sha384
            ? crypto::check_rsa_pss(payload.public_key.first<crypto::rsa_key_size>(), digest,
                                    payload.signature.first<crypto::rsa_signature_size>(), memory)
            : crypto::check_ecdsa_p384(payload.public_key.first<crypto::ecdsa_key_size>(), digest,
                                       payload.signature.first<crypto::ecdsa_signature_size>(),
                                       memory);
    return outcome.transform_error([&](Error error) {
        error.at += payload.signed_bytes.size();
        return error;
    });
}

Result<Payload> check_payload(const cfv::Enrolment& enrolment, Bytes file, PayloadKind kind,
                              MutableBytes memory) {
    if (signed_payload::is_signed(file))
        return check_signed(enrolment, file, kind, memory);
    if (enrolment.policy != cfv::Policy::measured)
        return refuse(Fault::payload_unsigned);
    TRY(check_digest(enrolment, file));
    return Payload{.contents = file, .authority = {}};
}

} // namespace tdshim::verify
