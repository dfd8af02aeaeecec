// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-enroll/contents.hpp"

#include <algorithm>
#include <format>
#include <limits>

#include "tools/common/text.hpp"
#include "tools/signing/enrolment_text.hpp"

namespace tdshim::tools {
namespace {

using DigestList = std::vector<crypto::Digest>;

DigestList list_of(const cfv::Digests& digests) {
    DigestList list(digests.size());
    for (std::size_t i = 0; i < list.size(); ++i)
        std::ranges::copy(digests[i], list[i].begin());
    return list;
}

cfv::KeyEntry entry_of(const cfv::Key& key) {
    return {.key = key.hash,
            .minimum_svn = key.minimum_svn,
            .kinds = key.kinds,
            .algorithm = key.algorithm ? static_cast<std::uint32_t>(*key.algorithm) : 0};
}

cfv::KeyEntry entry_of(const NamedKey& key) {
    return {.key = key.hash,
            .minimum_svn = key.minimum_svn.value_or(0),
            .kinds = key.kinds.value_or(cfv::all_payloads),
            .algorithm = key.algorithm};
}

template <class Keys>
auto find_key(Keys& keys, const crypto::Digest& hash) {
    return std::ranges::find(keys, hash, &cfv::KeyEntry::key);
}

void add(DigestList& list, const DigestList& more) {
    for (const crypto::Digest& digest : more)
        if (!std::ranges::contains(list, digest))
            list.push_back(digest);
}

Outcome<> raise(cfv::KeyEntry& entry, std::uint64_t minimum) {
    if (minimum < entry.minimum_svn)
        return std::unexpected(Failure{std::format(
            "key {}: its minimum SVN is {}, and --change does not lower it to {} (--replace writes "
            "everything anew)",
            hex(entry.key), std::uint64_t{entry.minimum_svn}, minimum)});
    entry.minimum_svn = minimum;
    return {};
}

/// What any enrolled key is held to: none runs an older payload, nor one of another kind.
struct Bounds {
    std::uint64_t minimum_svn = 0;
    std::uint32_t kinds = cfv::all_payloads;
};
Bounds bounds_of(const std::vector<cfv::KeyEntry>& keys) {
    if (keys.empty())
        return {};
    Bounds bounds{.minimum_svn = std::numeric_limits<std::uint64_t>::max(), .kinds = 0};
    for (const cfv::KeyEntry& key : keys) {
        bounds.minimum_svn = std::min(bounds.minimum_svn, std::uint64_t{key.minimum_svn});
        bounds.kinds |= key.kinds;
    }
    return bounds;
}

/// A key that comes beside others is not to undo unsaid what they are held to.
Outcome<> check_said(const NamedKey& key, const Bounds& bounds) {
    if (!key.minimum_svn && bounds.minimum_svn != 0)
        return std::unexpected(failure(
            key.text, std::format("every enrolled key has a minimum SVN of {} or more: say this "
                                  "one's, --min-svn N or FILE,svn=N",
                                  bounds.minimum_svn)));
    if (!key.kinds && bounds.kinds != cfv::all_payloads)
        return std::unexpected(failure(
            key.text, std::format("every enrolled key is for {} alone: say what this one is for, "
                                  "--for KIND or FILE,for=KIND (--for all: both)",
                                  names_of_kinds(bounds.kinds))));
    return {};
}

Outcome<> add_key(Contents& contents, const NamedKey& key, const Bounds& bounds) {
    if (std::ranges::contains(contents.revoked_keys, key.hash))
        return std::unexpected(
            failure(key.text, "is revoked in the image (--replace writes everything anew)"));
    const auto entry = find_key(contents.keys, key.hash);
    if (entry == contents.keys.end()) {
        TRY(check_said(key, bounds));
        contents.keys.push_back(entry_of(key));
        return {};
    }
    entry->algorithm = key.algorithm;
    if (key.kinds)
        entry->kinds = *key.kinds;
    return key.minimum_svn ? raise(*entry, *key.minimum_svn) : Outcome<>{};
}

Outcome<> change_keys(Contents& contents, const EnrolOptions& options, const Wishes& wishes) {
    // Of all that are enrolled, before those that are named: each of these may say more.
    if (options.minimum_svn && wishes.keys.empty())
        for (cfv::KeyEntry& entry : contents.keys)
            TRY(raise(entry, *options.minimum_svn));
    const Bounds bounds = bounds_of(contents.keys);
    for (const NamedKey& key : wishes.keys)
        TRY(add_key(contents, key, bounds));
    add(contents.revoked_keys, wishes.revoked_keys);
    std::erase_if(contents.keys, [&](const cfv::KeyEntry& entry) {
        return std::ranges::contains(contents.revoked_keys, entry.key);
    });
    for (const cfv::KeyEntry& entry : contents.keys)
        if (entry.algorithm == 0)
            return std::unexpected(Failure{std::format(
                "key {}: it is enrolled by td-shim's anchor, which does not say its algorithm; "
                "name it as well, --key FILE",
                hex(entry.key))});
    return {};
}

Outcome<> change_payloads(Contents& contents, const EnrolOptions& options, const Wishes& wishes) {
    for (std::size_t i = 0; i < wishes.pinned.size(); ++i)
        if (std::ranges::contains(contents.revoked, wishes.pinned[i]))
            return std::unexpected(failure(
                options.pinned[i], "is revoked in the image (--replace writes everything anew)"));
    add(contents.pinned, wishes.pinned);
    add(contents.revoked, wishes.revoked);
    std::erase_if(contents.pinned, [&](const crypto::Digest& digest) {
        return std::ranges::contains(contents.revoked, digest);
    });
    return {};
}

void note_missing(std::vector<std::string>& lost, std::string_view what, const DigestList& before,
                  const DigestList& after) {
    for (const crypto::Digest& digest : before)
        if (!std::ranges::contains(after, digest))
            lost.push_back(std::format("{} {}", what, hex(digest)));
}

void note_key(std::vector<std::string>& lost, const cfv::KeyEntry& before,
              const std::vector<cfv::KeyEntry>& after) {
    const auto now = find_key(after, before.key);
    if (now == after.end()) {
        lost.push_back(std::format("key {}", hex(before.key)));
        return;
    }
    if (now->minimum_svn < before.minimum_svn)
        lost.push_back(std::format("minimum SVN {} of key {}: now {}",
                                   std::uint64_t{before.minimum_svn}, hex(before.key),
                                   std::uint64_t{now->minimum_svn}));
    if (before.algorithm != 0 && now->algorithm == 0)
        lost.push_back(
            std::format("key {} for its own algorithm alone: now for either", hex(before.key)));
    if ((now->kinds & ~before.kinds) != 0)
        lost.push_back(std::format("key {} for {} alone: now for {}", hex(before.key),
                                   names_of_kinds(before.kinds), names_of_kinds(now->kinds)));
    if (const std::uint32_t gone = before.kinds & ~now->kinds; gone != 0)
        lost.push_back(std::format("key {} for {}", hex(before.key), names_of_kinds(gone)));
}

/// What all keys together were held to, and one that was not there before is not.
void note_bounds(std::vector<std::string>& lost, const std::vector<cfv::KeyEntry>& before,
                 const std::vector<cfv::KeyEntry>& after) {
    const Bounds bounds = bounds_of(before);
    for (const cfv::KeyEntry& key : after) {
        if (find_key(before, key.key) != before.end())
            continue;
        if (key.minimum_svn < bounds.minimum_svn)
            lost.push_back(std::format("minimum SVN {} of every key: key {} has {}",
                                       bounds.minimum_svn, hex(key.key),
                                       std::uint64_t{key.minimum_svn}));
        if ((key.kinds & ~bounds.kinds) != 0)
            lost.push_back(std::format("every key for {} alone: key {} is for {}",
                                       names_of_kinds(bounds.kinds), hex(key.key),
                                       names_of_kinds(key.kinds)));
    }
}

} // namespace

Contents contents_of(const cfv::Enrolment& enrolment) {
    Contents contents{.policy = enrolment.policy,
                      .takes_td_shim_numbering = enrolment.takes_td_shim_numbering,
                      .revoked_keys = list_of(enrolment.revoked_keys),
                      .revoked = list_of(enrolment.revoked_payloads),
                      .pinned = list_of(enrolment.pinned_payloads),
                      .aml = list_of(enrolment.aml_tables)};
    for (const cfv::Key& key : enrolment.keys)
        contents.keys.push_back(entry_of(key));
    return contents;
}

Contents contents_of(const EnrolOptions& options, const Wishes& wishes) {
    Contents contents{.policy = options.policy.value_or(cfv::Policy::signed_only),
                      .takes_td_shim_numbering = options.takes_td_shim_numbering,
                      .revoked_keys = wishes.revoked_keys,
                      .revoked = wishes.revoked,
                      .pinned = wishes.pinned,
                      .aml = wishes.aml};
    for (const NamedKey& key : wishes.keys)
        contents.keys.push_back(entry_of(key));
    return contents;
}

Outcome<Contents> changed(const Contents& enrolled, const EnrolOptions& options,
                          const Wishes& wishes) {
    Contents contents = enrolled;
    contents.policy = options.policy.value_or(enrolled.policy);
    contents.takes_td_shim_numbering =
        (enrolled.takes_td_shim_numbering || options.takes_td_shim_numbering) &&
        !options.refuses_td_shim_numbering;
    TRY(change_keys(contents, options, wishes));
    TRY(change_payloads(contents, options, wishes));
    add(contents.aml, wishes.aml);
    return contents;
}

std::vector<std::string> lost_between(const Contents& before, const Contents& after) {
    std::vector<std::string> lost;
    if (after.policy < before.policy)
        lost.push_back(std::format("policy {}: now {}", cfv::name_of(before.policy),
                                   cfv::name_of(after.policy)));
    for (const cfv::KeyEntry& key : before.keys)
        note_key(lost, key, after.keys);
    note_bounds(lost, before.keys, after.keys);
    if (after.takes_td_shim_numbering && !before.takes_td_shim_numbering)
        lost.emplace_back("refusal of td-shim's numbering of the algorithms");
    if (before.takes_td_shim_numbering && !after.takes_td_shim_numbering)
        lost.emplace_back("payloads in td-shim's numbering of the algorithms");
    note_missing(lost, "revoked key", before.revoked_keys, after.revoked_keys);
    note_missing(lost, "revoked payload", before.revoked, after.revoked);
    note_missing(lost, "pinned payload", before.pinned, after.pinned);
    note_missing(lost, "AML table", before.aml, after.aml);
    return lost;
}

bool is_plain_anchor(const Contents& contents) {
    return contents.keys.size() == 1 && contents.keys[0].minimum_svn == 0 &&
           contents.keys[0].kinds == cfv::all_payloads &&
           contents.policy == cfv::Policy::signed_only && contents.revoked.empty() &&
           contents.pinned.empty() && contents.revoked_keys.empty() && contents.aml.empty() &&
           !contents.takes_td_shim_numbering;
}

} // namespace tdshim::tools
