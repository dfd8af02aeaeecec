// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/cfv: td-shim's volumes and anchors, our policy, and every way to refuse one.

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "shim/formats/cfv/builder.hpp"
#include "shim/formats/cfv/enrolment.hpp"
#include "shim/formats/cfv/volume.hpp"
#include "tests/unit/cfv_blob.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::cfv { namespace {

using namespace tdshim::test;

constexpr std::size_t file_at = first_file + 24; // contents of the first file

Blob anchored(const Blob& contents = anchor(hash_of(0xA1))) {
    Blob volume = volume_start();
    return finished(add_file(volume, anchor_name(), contents));
}

void refused(const Blob& volume, Fault fault, std::uint64_t at, std::uint64_t expected = 0,
             std::uint64_t found = 0) {
    require_refused(parse(volume.view()), fault, at, expected, found);
}

crypto::Digest digest_of(unsigned value) {
    crypto::Digest digest;
    digest.fill(std::byte(static_cast<unsigned char>(value)));
    return digest;
}

TEST_CASE("a blank volume enrols nothing", "[cfv]") {
    for (const std::size_t size : {0UZ, 1UZ, cfv_size}) {
        const auto enrolment = parse(Blob().fill(size, 0).view());
        REQUIRE(enrolment);
        CHECK(enrolment->policy == Policy::measured);
        CHECK(enrolment->keys.empty());
        CHECK(enrolment->anchor_file.empty());
        CHECK(enrolment->policy_file.empty());
    }
    refused(Blob().fill(cfv_size - 1, 0).u8(1), Fault::cfv_volume_signature, 40, 0x4856465F, 0);
}

TEST_CASE("td-shim's anchor alone means signed, by this key", "[cfv]") {
    for (const std::size_t padding : {8UZ, 0UZ})
        for (const std::size_t behind : {0UZ, 8UZ}) {
            const Blob contents = anchor(hash_of(0xA1), padding).fill(behind, 0);
            const auto volume = anchored(contents);
            const auto enrolment = parse(volume.view());
            REQUIRE(enrolment);
            CHECK(enrolment->policy == Policy::signed_only);
            CHECK(enrolment->takes_td_shim_numbering);
            REQUIRE(enrolment->keys.size() == 1);
            const Key& key = enrolment->keys[0];
            CHECK(key.hash == digest_of(0xA1));
            CHECK(key.minimum_svn == 0);
            CHECK(key.kinds == all_payloads);
            CHECK_FALSE(key.algorithm);
            CHECK(copy_of(key.anchor) == contents.vector());
            CHECK(copy_of(enrolment->anchor_file) == contents.vector());
        }
}

TEST_CASE("a volume of PI's form, with other files, free space of ones", "[cfv]") {
    // Checksum over a header of 72 bytes, files right behind it.
    Blob volume = volume_start();
    volume.resize(72);
    volume.patch(48, 2, 72).patch(50, 2, 0);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < 72; i += 2)
        sum += std::to_integer<unsigned>(volume.view()[i]) +
               256 * std::to_integer<unsigned>(volume.view()[i + 1]);
    volume.patch(50, 2, 0x10000 - sum % 0x10000);
    add_file(volume, Blob().fill(16, 0xFF), Blob().fill(21, 0xEE), 0xF0);
    add_file(volume, Blob().fill(16, 0x12), Blob().fill(3, 0xEE), 2);
    add_file(volume, anchor_name(), anchor(hash_of(0xA1)));
    volume.fill(cfv_size - volume.size(), 0xFF);
    const auto enrolment = parse(volume.view());
    REQUIRE(enrolment);
    CHECK(enrolment->keys.size() == 1);
}

TEST_CASE("a volume's header is checked", "[cfv]") {
    const Blob good = anchored();
    refused(Blob(good).patch(40, 1, 0), Fault::cfv_volume_signature, 40, 0x4856465F, 0x48564600);
    refused(Blob(good).patch(3, 1, 1), Fault::cfv_volume_reserved, 0);
    refused(Blob(good).patch(54, 1, 1), Fault::cfv_volume_reserved, 0);
    refused(Blob(good).patch(16, 1, 0), Fault::cfv_volume_file_system, 16);
    refused(Blob(good).patch(55, 1, 1), Fault::cfv_volume_revision, 55, 2, 1);
    refused(Blob(good).patch(32, 8, cfv_size + 1), Fault::cfv_volume_length, 32, cfv_size,
            cfv_size + 1);
    for (const std::uint64_t length : {0ULL, 56ULL, 0x7AULL, 0xFFF8ULL})
        refused(Blob(good).patch(48, 2, length), Fault::cfv_volume_header_length, 48, 64, length);
    refused(Blob(good).patch(50, 1, 0xFF), Fault::cfv_volume_checksum, 50);
    refused(Blob(good).patch(44, 1, 0), Fault::cfv_volume_checksum, 50);
    for (const std::size_t size : {1UZ, 55UZ}) {
        Blob cut = good;
        cut.resize(size);
        if (size > 16)
            refused(cut, Fault::truncated, 0, 56, size);
    }
}

TEST_CASE("a file's header is checked", "[cfv]") {
    const Blob good = anchored();
    const std::size_t at = first_file;
    refused(Blob(good).patch(at + 16, 1, 0), Fault::cfv_file_checksum, at + 16);
    refused(Blob(good).patch(at + 17, 1, 0), Fault::cfv_file_checksum, at + 16);
    refused(Blob(good).patch(at + 23, 1, 0xF8), Fault::cfv_file_state, at + 23, 7, 0xF8);
    Blob volume = volume_start();
    refused(finished(add_file(volume, anchor_name(), anchor(hash_of(1)), 1, 0x40)),
            Fault::cfv_file_attributes, at + 19, 0, 0x40);
    volume = volume_start();
    refused(finished(add_file(volume, anchor_name(), anchor(hash_of(1)), 2)), Fault::cfv_file_type,
            at + 18, 1, 2);
    volume = volume_start();
    refused(finished(add_file(volume, policy_name(), Blob())), Fault::cfv_file_length, at + 20, 25,
            24);
}

TEST_CASE("a file's length is checked", "[cfv]") {
    const std::size_t left = cfv_size - first_file;
    for (const std::size_t length : {0UZ, 23UZ, left + 1, 0xFFFFFFUZ}) {
        Blob head = anchor_name().u16(0).u8(1).u8(0);
        head.u8(length).u8(length >> 8).u8(length >> 16).u8(0);
        unsigned sum = 0;
        for (const std::byte byte : head.view())
            sum += std::to_integer<unsigned>(byte);
        head.patch(16, 1, 256 - sum % 256).patch(17, 1, 0xAA).patch(23, 1, 7);
        refused(finished(volume_start().bytes(head.view())), Fault::cfv_file_length,
                first_file + 20, length < 24 ? 24 : left, length);
    }
}

TEST_CASE("a file may fill the volume to its last byte", "[cfv]") {
    Blob volume = volume_start();
    add_file(volume, anchor_name(), anchor(hash_of(0xA1)));
    add_file(volume, Blob().fill(16, 0x77), Blob().fill(cfv_size - volume.size() - 24, 0x5A));
    REQUIRE(volume.size() == cfv_size);
    CHECK(parse(volume.view()));
    volume = volume_start();
    add_file(volume, anchor_name(), anchor(hash_of(0xA1)));
    add_file(volume, Blob().fill(16, 0x77), Blob().fill(cfv_size - volume.size() - 24 - 3, 0x5A));
    CHECK(parse(volume.view()));
}

TEST_CASE("files that are there twice, or bytes behind the last, are refused", "[cfv]") {
    Blob volume = volume_start();
    add_file(volume, anchor_name(), anchor(hash_of(1)));
    const std::size_t second = volume.size();
    refused(finished(Blob(add_file(volume, anchor_name(), anchor(hash_of(1))))),
            Fault::cfv_file_twice, second);
    const std::size_t behind = first_file + 24 + 88;
    refused(anchored().patch(behind + 24, 1, 1), Fault::cfv_free_space, behind);
    refused(anchored().patch(cfv_size - 1, 1, 0xFF), Fault::cfv_free_space, behind);
    refused(finished(volume_start()), Fault::cfv_no_anchor, 0);
}

TEST_CASE("an anchor's fields are checked", "[cfv]") {
    const Blob good = anchor(hash_of(0xA1));
    refused(anchored(Blob(good).patch(0, 1, 0)), Fault::anchor_type, file_at, 1, 1);
    refused(anchored(Blob(good).patch(16, 4, 2)), Fault::anchor_type, file_at, 1, 2);
    for (const std::uint64_t length : {0ULL, 40ULL, 79ULL, 87ULL, 89ULL, 0xFFFFFFFFULL})
        refused(anchored(Blob(good).patch(20, 4, length)), Fault::anchor_length, file_at + 20, 88,
                length);
    refused(anchored(Blob(good).patch(24, 4, 2)), Fault::anchor_hash_algorithm, file_at + 24, 1, 2);
    refused(anchored(Blob(good).patch(28, 1, 1)), Fault::anchor_reserved, file_at + 28);
    refused(anchored(Blob(good).patch(39, 1, 1)), Fault::anchor_reserved, file_at + 28);
    refused(anchored(Blob(good).u8(1)), Fault::anchor_reserved, file_at + 28);
    for (std::size_t size = 1; size < 88; ++size) {
        Blob cut = good;
        cut.resize(size);
        const auto enrolment = parse(anchored(cut).view());
        REQUIRE_FALSE(enrolment);
        CHECK(enrolment.error().fault == (size < 32 ? Fault::truncated : Fault::anchor_length));
    }
}

TEST_CASE("a policy says which keys, from which version, for what", "[cfv]") {
    Blob contents = policy_header(3, 2, 1, 2, 1, 2);
    contents.bytes(key_entry(hash_of(1), 5, 1, 1).view());
    contents.bytes(key_entry(hash_of(2), 0, 2, 2).view());
    for (const unsigned value : {11U, 21U, 22U, 31U, 41U, 42U})
        contents.bytes(hash_of(value).view());
    const Blob volume = volume_with(contents);
    const auto enrolment = parse(volume.view());
    REQUIRE(enrolment);
    CHECK(enrolment->policy == Policy::signed_and_pinned);
    CHECK_FALSE(enrolment->takes_td_shim_numbering);
    REQUIRE(enrolment->keys.size() == 2);
    CHECK(enrolment->keys[0].hash == digest_of(1));
    CHECK(enrolment->keys[0].minimum_svn == 5);
    CHECK(enrolment->keys[0].kinds == payload_executable);
    CHECK(enrolment->keys[0].algorithm == signed_payload::Algorithm::rsa_pss_3072_sha384);
    CHECK(copy_of(enrolment->keys[0].anchor) == key_entry(hash_of(1), 5, 1, 1).vector());
    CHECK(enrolment->keys[1].kinds == payload_linux_bundle);
    CHECK(enrolment->keys[1].algorithm == signed_payload::Algorithm::ecdsa_p384_sha384);
    CHECK(enrolment->revoked_keys.contains(digest_of(11)));
    CHECK(enrolment->revoked_payloads.size() == 2);
    CHECK(enrolment->revoked_payloads.contains(digest_of(22)));
    CHECK_FALSE(enrolment->revoked_payloads.contains(digest_of(31)));
    CHECK(enrolment->pinned_payloads.contains(digest_of(31)));
    CHECK_FALSE(enrolment->pinned_payloads.contains(digest_of(41)));
    CHECK(enrolment->aml_tables.size() == 2);
    CHECK(enrolment->aml_tables.contains(digest_of(42)));
    CHECK(copy_of(enrolment->policy_file) == contents.vector());
}

TEST_CASE("a policy's header is checked", "[cfv]") {
    const Blob good = policy_header(2, 1).bytes(key_entry(hash_of(1)).view());
    REQUIRE(parse(volume_with(good).view()));
    refused(volume_with(Blob(good).patch(0, 1, 0)), Fault::policy_type, file_at, 1, 1);
    refused(volume_with(Blob(good).patch(16, 4, 2)), Fault::policy_type, file_at, 1, 2);
    for (const std::uint64_t word : {0ULL, 4ULL, 0xFFFFFFFFULL})
        refused(volume_with(Blob(good).patch(24, 4, word)), Fault::policy_word, file_at + 24, 3,
                word);
    refused(volume_with(Blob(good).patch(28, 4, 2)), Fault::policy_flags, file_at + 28, 1, 2);
    refused(volume_with(Blob(good).patch(20, 4, 103)), Fault::policy_length, file_at + 20, 112,
            103);
    refused(volume_with(Blob(good).patch(34, 2, 1)), Fault::policy_length, file_at + 20, 160, 112);
    refused(volume_with(Blob(good).u8(0)), Fault::policy_length, file_at, 112, 113);
    refused(volume_with(Blob(good).patch(32, 2, 17)), Fault::policy_entries, file_at + 32, 16, 17);
    for (const std::size_t reserved : {42UZ, 47UZ})
        refused(volume_with(Blob(good).patch(reserved, 1, 1)), Fault::policy_reserved,
                file_at + 42);
    for (const std::size_t list : {34UZ, 36UZ, 38UZ, 40UZ})
        refused(volume_with(Blob(good).patch(list, 2, 0xFFFF)), Fault::policy_entries, file_at + 34,
                256, 0xFFFF);
    for (std::size_t size = 1; size < good.size(); ++size) {
        Blob cut = good;
        cut.resize(size);
        const auto enrolment = parse(volume_with(cut).view());
        REQUIRE_FALSE(enrolment);
        CHECK(enrolment.error().fault == (size < 48 ? Fault::truncated : Fault::policy_length));
    }
}

TEST_CASE("a policy's keys are checked", "[cfv]") {
    const auto with = [](const Blob& entry) {
        return volume_with(
            policy_header(2, 2).bytes(key_entry(hash_of(1)).view()).bytes(entry.view()));
    };
    const std::size_t entry_at = file_at + 48 + 64;
    for (const std::uint32_t kinds : {0U, 4U, 7U})
        refused(with(key_entry(hash_of(2), 0, kinds)), Fault::policy_key_kinds, entry_at + 56, 3,
                kinds);
    for (const std::uint32_t algorithm : {0U, 3U})
        refused(with(key_entry(hash_of(2), 0, 3, algorithm)), Fault::policy_key_algorithm,
                entry_at + 60, 2, algorithm);
    refused(with(key_entry(hash_of(1), 9)), Fault::policy_key_twice, entry_at);
}

TEST_CASE("a policy that nothing could satisfy is refused", "[cfv]") {
    CHECK(parse(volume_with(policy_header(1, 0)).view()));
    CHECK(parse(volume_with(policy_header(1, 0, 0, 0, 0, 1).bytes(hash_of(1).view())).view()));
    refused(volume_with(policy_header(2, 0)), Fault::policy_no_key, file_at + 32);
    refused(volume_with(policy_header(3, 0, 0, 0, 1).bytes(hash_of(1).view())),
            Fault::policy_no_key, file_at + 32);
    refused(volume_with(policy_header(3, 1).bytes(key_entry(hash_of(1)).view())),
            Fault::policy_no_pin, file_at + 38);
}

TEST_CASE("an anchor beside a policy is one of its keys", "[cfv]") {
    const auto with = [](unsigned anchored_key) {
        Blob volume = volume_start();
        add_file(volume, anchor_name(), anchor(hash_of(anchored_key)));
        return finished(add_file(volume, policy_name(),
                                 policy_header(2, 1).bytes(key_entry(hash_of(1), 4).view())));
    };
    const Blob volume = with(1);
    const auto enrolment = parse(volume.view());
    REQUIRE(enrolment);
    CHECK(enrolment->keys.size() == 1);
    CHECK(enrolment->keys[0].minimum_svn == 4);
    CHECK_FALSE(enrolment->anchor_file.empty());
    refused(with(2), Fault::anchor_not_listed, file_at);
}

TEST_CASE("an anchor is written byte for byte as td-shim-enroll writes it", "[cfv]") {
    std::vector<std::byte> volume(cfv_size, std::byte{0x55});
    REQUIRE(write(volume, digest_of(0xA1), std::nullopt));
    CHECK(volume == anchored().vector());
}

TEST_CASE("a policy is written as it is read", "[cfv]") {
    const std::array keys{
        KeyEntry{.key = digest_of(1), .minimum_svn = 5, .kinds = 1, .algorithm = 1},
        KeyEntry{.key = digest_of(2), .minimum_svn = 0, .kinds = 2, .algorithm = 2}};
    const std::array<crypto::Digest, 1> revoked_keys{digest_of(11)};
    const std::array revoked{digest_of(21), digest_of(22)};
    const std::array<crypto::Digest, 1> pinned{digest_of(31)};
    const std::array aml{digest_of(41), digest_of(42)};
    std::vector<std::byte> volume(cfv_size);
    REQUIRE(write(volume, digest_of(1),
                  PolicyContents{.policy = Policy::signed_and_pinned,
                                 .takes_td_shim_numbering = true,
                                 .keys = keys,
                                 .revoked_keys = revoked_keys,
                                 .revoked_payloads = revoked,
                                 .pinned_payloads = pinned,
                                 .aml_tables = aml}));
    Blob contents = policy_header(3, 2, 1, 2, 1, 2).patch(28, 4, 1);
    contents.bytes(key_entry(hash_of(1), 5, 1, 1).view());
    contents.bytes(key_entry(hash_of(2), 0, 2, 2).view());
    for (const unsigned value : {11U, 21U, 22U, 31U, 41U, 42U})
        contents.bytes(hash_of(value).view());
    Blob expected = volume_start();
    add_file(expected, anchor_name(), anchor(hash_of(1)));
    CHECK(volume == finished(add_file(expected, policy_name(), contents)).vector());
    CHECK(parse(volume));
}

TEST_CASE("what does not fit is not written", "[cfv]") {
    std::vector<std::byte> volume(cfv_size);
    const std::vector<crypto::Digest> many(257);
    const std::vector<KeyEntry> keys(17);
    require_refused(write(volume, {}, PolicyContents{.revoked_keys = many}), Fault::policy_entries,
                    0, 256, 257);
    require_refused(write(volume, {}, PolicyContents{.aml_tables = many}), Fault::policy_entries, 0,
                    256, 257);
    require_refused(write(volume, {}, PolicyContents{.keys = keys}), Fault::policy_entries, 0, 16,
                    17);
    const std::span most = std::span(many).first(256);
    require_refused(write(volume, {}, PolicyContents{.pinned_payloads = most}), Fault::cfv_full, 0,
                    cfv_size, 48 + 256 * 48);
    require_refused(write(std::span(volume).first(4095), {}, {}), Fault::cfv_volume_length, 0, 4096,
                    4095);
    // The volume of our images takes the longest policy that there is.
    std::vector<std::byte> large(0x10000);
    CHECK(write(large, digest_of(1),
                PolicyContents{.keys = std::span(keys).first(16),
                               .revoked_keys = most,
                               .revoked_payloads = most,
                               .pinned_payloads = most,
                               .aml_tables = most}));
}

}} // namespace tdshim::cfv
