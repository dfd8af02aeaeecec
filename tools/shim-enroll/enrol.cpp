// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-enroll/enrol.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <iostream>
#include <optional>

#include "shim/formats/cfv/builder.hpp"
#include "shim/formats/cfv/volume.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"
#include "tools/igvm/file.hpp"
#include "tools/shim-enroll/aml_tables.hpp"
#include "tools/signing/enrolment_text.hpp"
#include "tools/signing/firmware_volume.hpp"
#include "tools/signing/keys.hpp"
#include "tools/signing/token_key.hpp"

namespace tdshim::tools {
namespace {

constexpr std::size_t digits_of_digest = 2 * crypto::sha384_size;

/// A digest as sha384sum prints it; nothing for any other text.
std::optional<crypto::Digest> digest_of(std::string_view text) {
    if (text.size() != digits_of_digest)
        return std::nullopt;
    crypto::Digest digest{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
        unsigned value = 0;
        const char* const end = &text[2 * i] + 2;
        const auto [stop, error] = std::from_chars(&text[2 * i], end, value, 16);
        if (error != std::errc{} || stop != end)
            return std::nullopt;
        digest[i] = std::byte(static_cast<unsigned char>(value));
    }
    return digest;
}

/// The digest of what runs: of a signed payload that of its contents.
Outcome<crypto::Digest> payload_digest(const std::string& text) {
    if (const auto digest = digest_of(text))
        return *digest;
    const auto file = TRY(read_file(text));
    if (!signed_payload::is_signed(file))
        return crypto::sha384(file);
    return crypto::sha384(TRY(of_file(text, signed_payload::parse(file))).contents);
}

Outcome<crypto::Digest> key_hash(const std::string& text) {
    if (const auto digest = digest_of(text))
        return *digest;
    return read_public_key(text).transform([](const PublicKey& key) { return key.hash(); });
}

template <class Read>
Outcome<std::vector<crypto::Digest>> digests_of(const std::vector<std::string>& texts, Read read) {
    std::vector<crypto::Digest> digests;
    for (const std::string& text : texts)
        digests.push_back(TRY(read(text)));
    return digests;
}

Outcome<std::vector<crypto::Digest>> aml_digests(const std::vector<std::string>& texts) {
    std::vector<crypto::Digest> digests;
    for (const std::string& text : texts) {
        const auto digest = digest_of(text);
        digests.append_range(digest ? std::vector{*digest} : TRY(digests_of_aml(text)));
    }
    return digests;
}

/// One "svn=N" or "for=KIND" behind a key's file.
Outcome<> apply(cfv::KeyEntry& entry, std::string_view word, const std::string& text) {
    constexpr std::string_view svn = "svn=";
    if (word.starts_with(svn))
        if (const auto value = number_of(word.substr(svn.size()))) {
            entry.minimum_svn = *value;
            return {};
        }
    if (word == "for=executable") {
        entry.kinds = cfv::payload_executable;
        return {};
    }
    if (word == "for=linux-bundle") {
        entry.kinds = cfv::payload_linux_bundle;
        return {};
    }
    if (is_token_uri(text)) // of which a piece can be a PIN's
        return std::unexpected(failure(text, "expected svn=N, for=executable or for=linux-bundle "
                                             "behind the comma (of the URI itself it is %2C)"));
    return std::unexpected(failure(
        "--key", std::format("\"{}\": expected svn=N, for=executable or for=linux-bundle, found "
                             "\"{}\"",
                             text, word)));
}

Outcome<cfv::KeyEntry> entry_of(const EnrolOptions& options, const std::string& text) {
    const std::size_t comma = text.find(',');
    cfv::KeyEntry entry{};
    entry.minimum_svn = options.minimum_svn;
    entry.kinds = options.kinds;
    for (std::size_t at = comma; at != std::string::npos;) {
        const std::size_t next = text.find(',', at + 1);
        TRY(apply(entry, std::string_view(text).substr(at + 1, next - at - 1), text));
        at = next;
    }
    // Last: half a PIN, with a comma in it, is not to be tried.
    const PublicKey key = TRY(read_public_key(text.substr(0, comma)));
    entry.key = key.hash();
    entry.algorithm = static_cast<std::uint32_t>(key.algorithm);
    return entry;
}

/// Whether td-shim's anchor alone says all that is asked for.
bool is_plain(const EnrolOptions& options, const std::vector<cfv::KeyEntry>& keys) {
    return keys.size() == 1 && keys[0].minimum_svn == 0 && keys[0].kinds == cfv::all_payloads &&
           options.policy == cfv::Policy::signed_only && options.revoked.empty() &&
           options.pinned.empty() && options.revoked_keys.empty() && options.aml.empty() &&
           !options.takes_td_shim_numbering;
}

/// The files and digests that the options name.
struct Lists {
    std::vector<cfv::KeyEntry> keys; ///< in the order of the options
    std::vector<crypto::Digest> revoked_keys;
    std::vector<crypto::Digest> revoked;
    std::vector<crypto::Digest> pinned;
    std::vector<crypto::Digest> aml;
};

Outcome<Lists> lists_of(const EnrolOptions& options) {
    Lists lists;
    for (const std::string& text : options.keys)
        lists.keys.push_back(TRY(entry_of(options, text)));
    lists.revoked_keys = TRY(digests_of(options.revoked_keys, key_hash));
    lists.revoked = TRY(digests_of(options.revoked, payload_digest));
    lists.pinned = TRY(digests_of(options.pinned, payload_digest));
    lists.aml = TRY(aml_digests(options.aml));
    return lists;
}

/// Refuses what contradicts itself: an owner who asks for it is mistaken in one half, and would
/// learn in which when nothing boots, or when something does.
Outcome<> check_sense(const EnrolOptions& options, const Lists& lists) {
    if (options.minimum_svn != 0 && lists.keys.empty())
        return std::unexpected(Failure{"--min-svn goes with a --key: it is enrolled with a key"});
    for (std::size_t i = 0; i < lists.keys.size(); ++i)
        if (std::ranges::contains(lists.revoked_keys, lists.keys[i].key))
            return std::unexpected(
                failure(options.keys[i], "is enrolled by --key and revoked by --revoke-key"));
    for (std::size_t i = 0; i < lists.pinned.size(); ++i)
        if (std::ranges::contains(lists.revoked, lists.pinned[i]))
            return std::unexpected(
                failure(options.pinned[i], "is pinned by --pin and revoked by --revoke"));
    return {};
}

/// What an owner may expect of a revocation, and does not get where no signature is demanded.
std::vector<std::string> notes_of(const EnrolOptions& options) {
    std::vector<std::string> notes;
    if (options.policy != cfv::Policy::measured)
        return notes;
    if (!options.revoked_keys.empty())
        notes.emplace_back("policy measured: a revoked key stops what it signed, not the same "
                           "payload without the signature, nor with another's (--policy signed "
                           "does, and --revoke of that payload)");
    if (!options.revoked.empty())
        notes.emplace_back("policy measured: a revoked payload is stopped by its digest; one with "
                           "any byte changed runs (--policy signed stops that)");
    return notes;
}

Outcome<> write_volume(const EnrolOptions& options, MutableBytes volume) {
    const Lists lists = TRY(lists_of(options));
    TRY(check_sense(options, lists));
    std::optional<crypto::Digest> anchor;
    if (!lists.keys.empty())
        anchor = lists.keys[0].key;
    std::optional<cfv::PolicyContents> policy;
    if (!is_plain(options, lists.keys))
        policy = cfv::PolicyContents{.policy = options.policy,
                                     .takes_td_shim_numbering = options.takes_td_shim_numbering,
                                     .keys = lists.keys,
                                     .revoked_keys = lists.revoked_keys,
                                     .revoked_payloads = lists.revoked,
                                     .pinned_payloads = lists.pinned,
                                     .aml_tables = lists.aml};
    return of_file(options.firmware, cfv::write(volume, anchor, policy));
}

void report(const EnrolOptions& options, const cfv::Enrolment& enrolment) {
    const auto notes = notes_of(options);
    if (options.json) {
        print_json(
            {{"image", options.output}, {"enrolment", json_of(enrolment)}, {"notes", notes}});
        return;
    }
    std::cout << options.output << ": " << table_of(enrolment);
    for (const std::string& note : notes)
        std::cout << "note: " << note << '\n';
}

} // namespace

Outcome<ExitCode> enrol(const EnrolOptions& options) {
    auto image = TRY(read_file(options.firmware));
    if (igvm::has_magic(image))
        return std::unexpected(failure(options.firmware,
                                       "is an IGVM file; keys are enrolled into a "
                                       "flat image (shim-ld --image-format tdvf)"));
    const VolumePlace place = TRY(require_volume(image, options.firmware));
    const MutableBytes volume = MutableBytes(image).subspan(place.offset, place.size);
    if (!options.replaces && !cfv::is_blank(volume))
        return std::unexpected(failure(
            options.firmware, "its configuration volume is in use (--replace writes a new one)"));
    TRY(write_volume(options, volume));
    const auto enrolment = TRY(of_file(options.firmware, cfv::parse(volume)));
    TRY(write_file(options.output, image));
    report(options, enrolment);
    return ExitCode::good;
}

} // namespace tdshim::tools
