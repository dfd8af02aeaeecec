// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/cfv/enrolment.hpp"

#include <algorithm>
#include <cstddef>

#include "shim/formats/cfv/volume.hpp"

namespace tdshim::cfv {
namespace {

/// A file of the volume, and where it lies there.
struct Located {
    Bytes contents;
    std::uint64_t at = 0;
};

Located locate(Bytes volume, Bytes contents) {
    return {contents, static_cast<std::uint64_t>(contents.data() - volume.data())};
}

/// The hash in the anchor's file, which may be longer than its data, by zeros.
Result<crypto::Digest> parse_anchor(const Located& file) {
    constexpr std::size_t plain_size = anchor_size - anchor_padding;
    const auto header = TRY(read_at<AnchorHeader>(file.contents, 0).transform_error([&](Error e) {
        e.at += file.at;
        return e;
    }));
    if (header.type != anchor_data_guid || header.version != anchor_version)
        return refuse(Fault::anchor_type, file.at, anchor_version, header.version);
    if (header.hash_algorithm != hash_algorithm_sha384)
        return refuse(Fault::anchor_hash_algorithm,
                      file.at + offsetof(AnchorHeader, hash_algorithm), hash_algorithm_sha384,
                      header.hash_algorithm);
    if ((header.length != anchor_size && header.length != plain_size) ||
        header.length > file.contents.size())
        return refuse(Fault::anchor_length, file.at + offsetof(AnchorHeader, length),
                      std::min(anchor_size, file.contents.size()), header.length);
    const std::size_t hash_at = header.length - crypto::sha384_size;
    const Bytes reserved = file.contents.first(hash_at).subspan(offsetof(AnchorHeader, reserved));
    if (!is_blank(reserved) || !is_blank(file.contents.subspan(header.length)))
        return refuse(Fault::anchor_reserved, file.at + offsetof(AnchorHeader, reserved));
    return read_at<crypto::Digest>(file.contents, hash_at);
}

Result<PolicyHeader> read_policy_header(const Located& file) {
    if (file.contents.size() < sizeof(PolicyHeader))
        return refuse(Fault::truncated, file.at, sizeof(PolicyHeader), file.contents.size());
    const auto header = TRY(read_at<PolicyHeader>(file.contents, 0));
    if (header.type != policy_file_guid || header.version != policy_version)
        return refuse(Fault::policy_type, file.at, policy_version, header.version);
    if (header.policy < static_cast<std::uint32_t>(Policy::measured) ||
        header.policy > static_cast<std::uint32_t>(Policy::signed_and_pinned))
        return refuse(Fault::policy_word, file.at + offsetof(PolicyHeader, policy),
                      static_cast<std::uint64_t>(Policy::signed_and_pinned), header.policy);
    if ((header.flags & ~known_flags) != 0)
        return refuse(Fault::policy_flags, file.at + offsetof(PolicyHeader, flags), known_flags,
                      header.flags);
    if (header.keys > max_keys)
        return refuse(Fault::policy_entries, file.at + offsetof(PolicyHeader, keys), max_keys,
                      header.keys);
    if (!is_blank(header.reserved))
        return refuse(Fault::policy_reserved, file.at + offsetof(PolicyHeader, reserved));
    const std::uint32_t most = std::max(
        {header.revoked_keys, header.revoked_payloads, header.pinned_payloads, header.aml_tables});
    if (most > max_digests)
        return refuse(Fault::policy_entries, file.at + offsetof(PolicyHeader, revoked_keys),
                      max_digests, most);
    const std::uint64_t digests = std::uint64_t{header.revoked_keys} + header.revoked_payloads +
                                  header.pinned_payloads + header.aml_tables;
    const std::uint64_t length =
        sizeof(PolicyHeader) + header.keys * sizeof(KeyEntry) + digests * crypto::sha384_size;
    if (header.length != length)
        return refuse(Fault::policy_length, file.at + offsetof(PolicyHeader, length), length,
                      header.length);
    if (file.contents.size() != length)
        return refuse(Fault::policy_length, file.at, length, file.contents.size());
    return header;
}

Result<Key> parse_key(Bytes bytes, std::uint64_t at) {
    const auto entry = TRY(read_at<KeyEntry>(bytes, 0));
    if (entry.kinds == 0 || (entry.kinds & ~all_payloads) != 0)
        return refuse(Fault::policy_key_kinds, at + offsetof(KeyEntry, kinds), all_payloads,
                      entry.kinds);
    const auto algorithm = static_cast<signed_payload::Algorithm>(std::uint32_t{entry.algorithm});
    if (algorithm != signed_payload::Algorithm::rsa_pss_3072_sha384 &&
        algorithm != signed_payload::Algorithm::ecdsa_p384_sha384)
        return refuse(Fault::policy_key_algorithm, at + offsetof(KeyEntry, algorithm), 2,
                      entry.algorithm);
    return Key{.hash = entry.key,
               .minimum_svn = entry.minimum_svn,
               .kinds = entry.kinds,
               .algorithm = algorithm,
               .anchor = bytes};
}

Result<void> read_keys(Enrolment& enrolment, Reader& reader, std::uint64_t at, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t entry_at = at + reader.offset();
        const Bytes entry = TRY(reader.take_bytes(sizeof(KeyEntry)));
        const Key key = TRY(parse_key(entry, entry_at));
        if (std::ranges::find(enrolment.keys, key.hash, &Key::hash) != enrolment.keys.end())
            return refuse(Fault::policy_key_twice, entry_at);
        if (!enrolment.keys.push(key))
            return refuse(Fault::policy_entries, entry_at, max_keys, count);
    }
    return {};
}

Result<Digests> take_digests(Reader& reader, std::size_t count) {
    return reader.take_bytes(count * crypto::sha384_size).transform([](Bytes bytes) {
        return Digests(bytes);
    });
}

Result<void> read_policy(Enrolment& enrolment, const Located& file) {
    const PolicyHeader header = TRY(read_policy_header(file));
    enrolment.policy = static_cast<Policy>(std::uint32_t{header.policy});
    enrolment.takes_td_shim_numbering = (header.flags & flag_td_shim_numbering) != 0;
    Reader reader(file.contents);
    TRY(reader.take<PolicyHeader>());
    TRY(read_keys(enrolment, reader, file.at, header.keys));
    enrolment.revoked_keys = TRY(take_digests(reader, header.revoked_keys));
    enrolment.revoked_payloads = TRY(take_digests(reader, header.revoked_payloads));
    enrolment.pinned_payloads = TRY(take_digests(reader, header.pinned_payloads));
    enrolment.aml_tables = TRY(take_digests(reader, header.aml_tables));
    if (enrolment.policy != Policy::measured && enrolment.keys.empty())
        return refuse(Fault::policy_no_key, file.at + offsetof(PolicyHeader, keys));
    if (enrolment.policy == Policy::signed_and_pinned && header.pinned_payloads == 0)
        return refuse(Fault::policy_no_pin, file.at + offsetof(PolicyHeader, pinned_payloads));
    return {};
}

} // namespace

std::string_view name_of(Policy policy) {
    switch (policy) {
    case Policy::measured: return "measured";
    case Policy::signed_only: return "signed";
    case Policy::signed_and_pinned: return "signed-and-pinned";
    }
    return "unknown";
}

Result<Enrolment> parse(Bytes volume) {
    Enrolment enrolment;
    if (is_blank(volume))
        return enrolment;
    const Files files = TRY(read_files(volume));
    enrolment.anchor_file = files.anchor;
    enrolment.policy_file = files.policy;
    if (files.anchor.empty() && files.policy.empty())
        return refuse(Fault::cfv_no_anchor);
    if (!files.policy.empty())
        TRY(read_policy(enrolment, locate(volume, files.policy)));
    if (files.anchor.empty())
        return enrolment;
    const Located anchor = locate(volume, files.anchor);
    const crypto::Digest hash = TRY(parse_anchor(anchor));
    if (files.policy.empty()) {
        enrolment.policy = Policy::signed_only;
        const Key key{.hash = hash, .algorithm = std::nullopt, .anchor = files.anchor};
        if (!enrolment.keys.push(key))
            return refuse(Fault::policy_entries, anchor.at, max_keys, 1);
    } else if (std::ranges::find(enrolment.keys, hash, &Key::hash) == enrolment.keys.end()) {
        return refuse(Fault::anchor_not_listed, anchor.at);
    }
    return enrolment;
}

} // namespace tdshim::cfv
