// SPDX-License-Identifier: Apache-2.0
//
// Whole boots of images with an enrolment, plain VM and TD: what the owner's key signed runs and is
// measured as specs/secure-boot.md says; anything else is refused with a reason of its own.
#include <algorithm>
#include <functional>

#include <catch2/catch_test_macros.hpp>

#include "tests/native/inputs.hpp"
#include "tests/native/logged.hpp"
#include "tests/native/signed_boot.hpp"

using namespace tdshim;
using namespace tdshim::native;

namespace {

using signed_payload::Algorithm;
using signed_payload::Numbering;
using test::RsaPadding;
using test::Signer;

constexpr std::size_t header_size = 48;
constexpr std::string_view by_item = "opt/org.tdshim/kernel: ";

/// A refusal: what is enrolled and handed in differs from a good boot by one thing.
struct Case {
    std::string name;
    std::string reason; ///< how the line goes on behind the input's name
    std::function<void(SignedBoot&)> spoil;
    Algorithm algorithm = Algorithm::ecdsa_p384_sha384;
};

void check(const Case& expected, bool is_td) {
    INFO(expected.name << (is_td ? " in a TD" : " in a plain VM"));
    SignedBoot boot(expected.algorithm);
    expected.spoil(boot);
    Machine machine;
    boot.prepare(machine, is_td);
    check_refused(machine, std::string(by_item) + expected.reason);
    const auto events = events_of(machine).value();
    CHECK(count_separators(events) == 2);
    // What was refused is in the log, whole.
    CHECK(std::ranges::contains(events, crypto::sha384(boot.file()), &event_log::Event::digest));
}

void check_all(const std::vector<Case>& cases) {
    for (const Case& expected : cases) {
        check(expected, false);
        check(expected, true);
    }
}

/// The signed file with `value` at `offset`.
template <Wire T>
auto patched(std::size_t offset, const T& value) {
    return [=](SignedBoot& boot) { overwrite(boot.file(), offset, value); };
}

auto cut_to(std::size_t size) {
    return [=](SignedBoot& boot) { boot.file().resize(size); };
}

/// In the signature block, behind header and contents.
auto in_block(std::size_t offset, Blob bytes) {
    return
        [=](SignedBoot& boot) { std::ranges::copy(bytes, boot.block().subspan(offset).begin()); };
}

/// The same, and the key that is there then is the enrolled one.
auto in_enrolled_block(std::size_t offset, Blob bytes) {
    return [=](SignedBoot& boot) {
        std::ranges::copy(bytes, boot.block().subspan(offset).begin());
        boot.key().key = crypto::sha384(boot.public_key());
    };
}

Blob number_of_48_bytes(std::byte fill) {
    return Blob(48, fill);
}

std::vector<Case> refused_keys() {
    return {
        {"unsigned", "payload is not signed, which the enrolled policy demands",
         [](SignedBoot& boot) { boot.file() = boot.contents(); }},
        {"another key", "payload's public key is not enrolled",
         [](SignedBoot& boot) { boot.key().key[0] ^= std::byte{1}; }},
        {"a revoked key", "payload's public key is revoked",
         [](SignedBoot& boot) { boot.revoked_keys = {boot.key().key}; }},
        {"a key for bundles", "payload's public key is not enrolled for its kind",
         [](SignedBoot& boot) { boot.key().kinds = cfv::payload_linux_bundle; }},
        {"a key for RSA", "payload's public key is enrolled for another algorithm",
         [](SignedBoot& boot) { boot.key().algorithm = 1; }},
        {"SVN below the minimum", "payload's secure version number is below the enrolled minimum",
         [](SignedBoot& boot) { boot.key().minimum_svn = SignedBoot::svn + 1; }},
        {"a revoked payload", "payload is revoked",
         [](SignedBoot& boot) { boot.revoked_payloads = {crypto::sha384(boot.contents())}; }},
        {"a payload that is not pinned", "payload is not among those that the policy pins",
         [](SignedBoot& boot) {
             boot.policy = cfv::Policy::signed_and_pinned;
             boot.pinned_payloads = {crypto::sha384(boot.file())};
         }},
        {"a pinned payload that is revoked", "payload is revoked",
         [](SignedBoot& boot) {
             boot.policy = cfv::Policy::signed_and_pinned;
             boot.pinned_payloads = {crypto::sha384(boot.contents())};
             boot.revoked_payloads = boot.pinned_payloads;
         }},
    };
}

std::vector<Case> refused_headers() {
    const std::string wrong = "signature is not that of this key over these bytes";
    return {
        {"another structure version", "signed payload's structure version is not 1",
         patched(16, le32{2U})},
        {"no contents", "signed payload's length leaves no contents or lies outside the file",
         patched(20, le32{48U})},
        {"a length of zero", "signed payload's length leaves no contents or lies outside the file",
         patched(20, le32{0U})},
        {"a length beyond the file",
         "signed payload's length leaves no contents or lies outside the file",
         patched(20, le32{0xFFFFFFFFU})},
        {"a length into the block",
         "signed payload's signature block is not of the size of its algorithm",
         [](SignedBoot& boot) {
             const auto length = static_cast<std::uint32_t>(boot.file().size() - 191);
             overwrite(boot.file(), 20, le32{length});
         }},
        {"another payload version", wrong, patched(24, le64{8U})},
        {"a larger SVN than was signed", wrong, patched(32, le64{99U})},
        {"an unknown algorithm", "signed payload has an unknown signing algorithm",
         patched(40, le32{3U})},
        {"algorithm 0", "signed payload has an unknown signing algorithm", patched(40, le32{0U})},
        {"the other algorithm's number",
         "signed payload names another algorithm than its signature block has",
         patched(40, le32{1U})},
        {"a reserved field", "signed payload's reserved field is not zero", patched(44, le32{1U})},
        {"another byte in the contents", wrong,
         [](SignedBoot& boot) { boot.file()[header_size + 5000] ^= std::byte{1}; }},
        {"a byte behind", "signed payload's signature block is not of the size of its algorithm",
         [](SignedBoot& boot) { boot.file().push_back({}); }},
        {"the signature of another header", wrong,
         [](SignedBoot& boot) {
             const Blob other = boot.signed_with_svn(SignedBoot::svn + 1);
             std::ranges::copy(Bytes(other).last(96), boot.block().last(96).begin());
         }},
    };
}

std::vector<Case> refused_ecdsa() {
    const std::string range = "ECDSA signature has a number that is zero or too large";
    const Blob zero = number_of_48_bytes(std::byte{0});
    const Blob huge = number_of_48_bytes(std::byte{0xFF});
    return {
        {"r is zero", range, in_block(96, zero)},
        {"s is zero", range, in_block(144, zero)},
        {"r above the order", range, in_block(96, huge)},
        {"s above the order", range, in_block(144, huge)},
        {"a point off the curve", "public key is no point of P-384",
         in_enrolled_block(0, number_of_48_bytes(std::byte{1}))},
        {"x above the field", "public key is no point of P-384", in_enrolled_block(0, huge)},
    };
}

/// Signed again with a choice in the padding that is not ours.
auto padded(RsaPadding padding) {
    return [=](SignedBoot& boot) {
        const Bytes message = Bytes(boot.file()).first(boot.file().size() - boot.block().size());
        const auto signature = boot.signer().sign(message, padding);
        std::ranges::copy(signature, boot.block().last(384).begin());
    };
}

std::vector<Case> refused_rsa() {
    const std::string wrong = "signature is not that of this key over these bytes";
    const std::string exponent = "RSA exponent is not 65537";
    std::vector<Case> cases{
        {"exponent 3", exponent, in_enrolled_block(384, wire_blob(be64{3U}))},
        {"exponent 1", exponent, in_enrolled_block(384, wire_blob(be64{1U}))},
        {"an even modulus", "RSA modulus is not an odd number of 3072 bits",
         in_enrolled_block(383, Blob{std::byte{0x10}})},
        {"a short modulus", "RSA modulus is not an odd number of 3072 bits",
         in_enrolled_block(0, Blob{std::byte{0}})},
        {"a salt of 32 bytes", wrong, padded({.salt_size = 32})},
        {"no salt", wrong, padded({.salt_size = 0})},
        {"MGF1 with SHA-256", wrong, padded({.mask_hash = EVP_sha256()})},
        {"PKCS #1 v1.5", wrong, padded({.is_pss = false})},
        {"a signature of ones", wrong, in_block(392, Blob(384, std::byte{0xFF}))},
        {"ECDSA's number", "signed payload names another algorithm than its signature block has",
         patched(40, le32{2U})},
        {"a key for ECDSA", "payload's public key is enrolled for another algorithm",
         [](SignedBoot& boot) { boot.key().algorithm = 2; }},
    };
    for (Case& made : cases)
        made.algorithm = Algorithm::rsa_pss_3072_sha384;
    return cases;
}

/// The descriptor and data of a configuration event.
bool is_config(const event_log::Event& event, std::string_view descriptor, Bytes data) {
    const Bytes name = bytes_of(descriptor);
    return event.data.size() == 20 + data.size() && event.digest == crypto::sha384(event.data) &&
           std::ranges::equal(event.data.first(name.size()), name) &&
           std::ranges::equal(event.data.subspan(20), data);
}

void check_good(SignedBoot& boot, bool is_td) {
    Machine machine;
    boot.prepare(machine, is_td);
    const Outcome outcome = machine.boot();
    CHECK(outcome.refusal() == "");
    REQUIRE(outcome.linux);
    CHECK(outcome.findings.empty());
    CHECK(log_leads_to_registers(machine));
    const auto events = events_of(machine).value();
    const auto has = [&](auto is_it) { return std::ranges::count_if(events, is_it) == 1; };
    CHECK(has([&](const event_log::Event& event) {
        return event.mr_index == 1 && is_config(event, "secure_authority", bytes_of(boot.key()));
    }));
    CHECK(has([&](const event_log::Event& event) {
        return event.mr_index == 2 && is_config(event, std::string_view("td_payload_svn\0", 15),
                                                bytes_of(le64{SignedBoot::svn}));
    }));
    // The kernel's own event is over the file that was signed, not over the signed one.
    CHECK(
        std::ranges::contains(events, crypto::sha384(boot.contents()), &event_log::Event::digest));
}

} // namespace

TEST_CASE("what an enrolled key signed runs, and who signed it is measured", "[native][secure]") {
    for (const Algorithm algorithm : {Algorithm::ecdsa_p384_sha384, Algorithm::rsa_pss_3072_sha384})
        for (const bool is_td : {false, true}) {
            SignedBoot boot(algorithm);
            boot.key().minimum_svn = SignedBoot::svn;
            check_good(boot, is_td);
            boot.policy = cfv::Policy::signed_and_pinned;
            boot.pinned_payloads = {crypto::sha384(boot.contents())};
            check_good(boot, is_td);
        }
}

TEST_CASE("keys and policies that refuse a payload", "[native][secure]") {
    check_all(refused_keys());
}

TEST_CASE("headers that do not go with the signature", "[native][secure]") {
    check_all(refused_headers());
}

TEST_CASE("signatures that no signer makes", "[native][secure]") {
    check_all(refused_ecdsa());
    check_all(refused_rsa());
}

TEST_CASE("a signed payload that is cut in any field is refused", "[native][secure]") {
    const SignedBoot whole(Algorithm::ecdsa_p384_sha384);
    const std::size_t length = whole.file().size() - 192;
    const std::string cut = "input ends too early";
    const std::string outside = "signed payload's length leaves no contents or lies outside";
    const std::string block = "signed payload's signature block is not of the size";
    std::vector<Case> cases;
    for (const std::size_t size : {17UZ, 20UZ, 24UZ, 32UZ, 40UZ, 44UZ, 47UZ})
        cases.push_back({"cut to " + std::to_string(size), cut, cut_to(size)});
    for (const std::size_t size : {48UZ, 49UZ, length - 1})
        cases.push_back({"cut to " + std::to_string(size), outside, cut_to(size)});
    for (const std::size_t size : {0UZ, 1UZ, 48UZ, 95UZ, 96UZ, 144UZ, 191UZ})
        cases.push_back({"cut to " + std::to_string(length + size), block, cut_to(length + size)});
    check_all(cases);
}

TEST_CASE("with nothing enrolled a signature counts as none, but has to be right",
          "[native][secure]") {
    SignedBoot boot(Algorithm::ecdsa_p384_sha384);
    boot.is_enrolled = false;
    for (const bool is_good : {true, false}) {
        if (!is_good)
            boot.file()[header_size] ^= std::byte{1};
        Machine machine;
        boot.prepare(machine, true);
        const Outcome outcome = machine.boot();
        CHECK(outcome.linux.has_value() == is_good);
        CHECK(outcome.refusal().starts_with(is_good ? "" : by_item));
        const auto events = events_of(machine).value();
        for (const std::string_view name : {"secure_policy_db", "secure_authority"})
            CHECK_FALSE(std::ranges::any_of(events, [&](const event_log::Event& event) {
                return event.data.size() > 20 &&
                       std::ranges::equal(event.data.first(name.size()), bytes_of(name));
            }));
    }
}

TEST_CASE("an enrolment that cannot be read ends the boot", "[native][secure]") {
    for (const std::size_t at : {0UZ, 16UZ, 40UZ, 50UZ, 125UZ, 136UZ, 60000UZ}) {
        SignedBoot boot(Algorithm::ecdsa_p384_sha384);
        boot.spoil_volume = [at](MutableBytes volume) { volume[at] ^= std::byte{0x40}; };
        Machine machine;
        boot.prepare(machine, true);
        const Outcome outcome = machine.boot();
        INFO(at << ": " << outcome.refusal());
        CHECK_FALSE(outcome.linux);
        CHECK(outcome.refusal().starts_with("configuration volume: "));
        CHECK(log_leads_to_registers(machine));
    }
}
