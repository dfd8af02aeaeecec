// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-enroll/enrol.hpp"

#include <charconv>
#include <format>
#include <iostream>
#include <optional>

#include "shim/formats/cfv/builder.hpp"
#include "shim/formats/cfv/volume.hpp"
#include "tools/common/files.hpp"
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
    if (word.starts_with("svn=")) {
        std::uint64_t value = 0;
        const char* const end = word.data() + word.size();
        const auto [stop, error] = std::from_chars(word.data() + 4, end, value);
        if (error == std::errc{} && stop == end) {
            entry.minimum_svn = value;
            return {};
        }
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

Outcome<> write_volume(const EnrolOptions& options, MutableBytes volume) {
    std::vector<cfv::KeyEntry> keys;
    for (const std::string& text : options.keys)
        keys.push_back(TRY(entry_of(options, text)));
    const auto revoked_keys = TRY(digests_of(options.revoked_keys, key_hash));
    const auto revoked = TRY(digests_of(options.revoked, payload_digest));
    const auto pinned = TRY(digests_of(options.pinned, payload_digest));
    const auto aml = TRY(aml_digests(options.aml));
    std::optional<crypto::Digest> anchor;
    if (!keys.empty())
        anchor = keys[0].key;
    std::optional<cfv::PolicyContents> policy;
    if (!is_plain(options, keys))
        policy = cfv::PolicyContents{.policy = options.policy,
                                     .takes_td_shim_numbering = options.takes_td_shim_numbering,
                                     .keys = keys,
                                     .revoked_keys = revoked_keys,
                                     .revoked_payloads = revoked,
                                     .pinned_payloads = pinned,
                                     .aml_tables = aml};
    return of_file(options.firmware, cfv::write(volume, anchor, policy));
}

} // namespace

Outcome<ExitCode> enrol(const EnrolOptions& options) {
    auto image = TRY(read_file(options.firmware));
    const VolumePlace place = TRY(require_volume(image, options.firmware));
    const MutableBytes volume = MutableBytes(image).subspan(place.offset, place.size);
    if (!options.replaces && !cfv::is_blank(volume))
        return std::unexpected(failure(
            options.firmware, "its configuration volume is in use (--replace writes a new one)"));
    TRY(write_volume(options, volume));
    const auto enrolment = TRY(of_file(options.firmware, cfv::parse(volume)));
    TRY(write_file(options.output, image));
    if (options.json)
        print_json({{"image", options.output}, {"enrolment", json_of(enrolment)}});
    else
        std::cout << options.output << ": " << table_of(enrolment);
    return ExitCode::good;
}

} // namespace tdshim::tools
