// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-enroll/wishes.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <format>
#include <limits>
#include <system_error>

#include "tools/common/files.hpp"
#include "tools/common/look.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-enroll/aml_tables.hpp"
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

/// Where a digest was meant, "cannot open" would say nothing.
Outcome<> check_no_half_digest(const std::string& text) {
    const auto is_digit = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    std::error_code ignored;
    if (!std::ranges::all_of(text, is_digit) || std::filesystem::exists(text, ignored))
        return {};
    return std::unexpected(
        failure(text, std::format("there is no such file, and a SHA-384 digest has {} digits, "
                                  "not {}",
                                  digits_of_digest, text.size())));
}

/// The digest of what runs: of a signed payload that of its contents.
Outcome<crypto::Digest> payload_digest(const std::string& text) {
    if (const auto digest = digest_of(text))
        return *digest;
    TRY(check_no_half_digest(text));
    const auto file = TRY(read_file(text));
    if (look_of(file) == look_of_pem)
        return std::unexpected(failure(
            text, std::format("is {} and no payload (--revoke-key is for keys)", look_of_pem)));
    if (!signed_payload::is_signed(file))
        return crypto::sha384(file);
    return crypto::sha384(TRY(of_file(text, signed_payload::parse(file))).contents);
}

Outcome<crypto::Digest> key_hash(const std::string& text) {
    if (const auto digest = digest_of(text))
        return *digest;
    TRY(check_no_half_digest(text));
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

/// Of two that contradict each other nobody knows which was meant.
template <class T, class Value>
Outcome<> set_once(std::optional<T>& member, Value value, std::string_view name,
                   const std::string& text) {
    if (member)
        return std::unexpected(
            failure("--key", std::format("\"{}\": {}= stands twice",
                                         is_token_uri(text) ? shown_name(text) : text, name)));
    member = value;
    return {};
}

/// One "svn=N" or "for=KIND" behind a key's file.
Outcome<> apply(NamedKey& key, std::string_view word, const std::string& text) {
    constexpr std::string_view svn = "svn=";
    if (word.starts_with(svn)) {
        if (const auto value = number_of(word.substr(svn.size())))
            return set_once(key.minimum_svn, *value, "svn", text);
        return std::unexpected(
            failure("--key", std::format("\"{}\": svn={}: expected a number from 0 to {}",
                                         is_token_uri(text) ? shown_name(text) : text,
                                         is_token_uri(text) ? "..." : word.substr(svn.size()),
                                         std::numeric_limits<std::uint64_t>::max())));
    }
    if (word == "for=executable")
        return set_once(key.kinds, cfv::payload_executable, "for", text);
    if (word == "for=linux-bundle")
        return set_once(key.kinds, cfv::payload_linux_bundle, "for", text);
    if (is_token_uri(text)) // of which a piece can be a PIN's
        return std::unexpected(failure(text, "expected svn=N, for=executable or for=linux-bundle "
                                             "behind the comma (of the URI itself it is %2C)"));
    return std::unexpected(failure(
        "--key", std::format("\"{}\": expected svn=N, for=executable or for=linux-bundle, found "
                             "\"{}\"",
                             text, word)));
}

Outcome<NamedKey> key_of(const EnrolOptions& options, const std::string& text) {
    const std::size_t comma = text.find(',');
    NamedKey named{.text = text};
    for (std::size_t at = comma; at != std::string::npos;) {
        const std::size_t next = text.find(',', at + 1);
        TRY(apply(named, std::string_view(text).substr(at + 1, next - at - 1), text));
        at = next;
    }
    named.has_own_svn = named.minimum_svn.has_value();
    if (!named.minimum_svn)
        named.minimum_svn = options.minimum_svn;
    if (!named.kinds)
        named.kinds = options.kinds;
    // Last: half a PIN, with a comma in it, is not to be tried.
    const PublicKey key = TRY(read_public_key(text.substr(0, comma)));
    named.hash = key.hash();
    named.algorithm = static_cast<std::uint32_t>(key.algorithm);
    return named;
}

Outcome<> check_sense(const EnrolOptions& options, const Wishes& wishes) {
    if (options.minimum_svn && wishes.keys.empty() && !options.changes)
        return std::unexpected(
            Failure{"--min-svn goes with a --key, or with --change, which raises that of "
                    "every enrolled one"});
    if (options.minimum_svn && !wishes.keys.empty() &&
        std::ranges::all_of(wishes.keys, &NamedKey::has_own_svn))
        return std::unexpected(failure(
            "--min-svn", "is of keys without svn= of their own, and each given key has one"));
    for (const NamedKey& key : wishes.keys)
        if (std::ranges::contains(wishes.revoked_keys, key.hash))
            return std::unexpected(
                failure(key.text, "is enrolled by --key and revoked by --revoke-key"));
    for (std::size_t i = 0; i < wishes.pinned.size(); ++i)
        if (std::ranges::contains(wishes.revoked, wishes.pinned[i]))
            return std::unexpected(
                failure(options.pinned[i], "is pinned by --pin and revoked by --revoke"));
    return {};
}

} // namespace

Outcome<Wishes> wishes_of(const EnrolOptions& options) {
    Wishes wishes;
    for (const std::string& text : options.keys)
        wishes.keys.push_back(TRY(key_of(options, text)));
    wishes.revoked_keys = TRY(digests_of(options.revoked_keys, key_hash));
    wishes.revoked = TRY(digests_of(options.revoked, payload_digest));
    wishes.pinned = TRY(digests_of(options.pinned, payload_digest));
    wishes.aml = TRY(aml_digests(options.aml));
    TRY(check_sense(options, wishes));
    return wishes;
}

} // namespace tdshim::tools
