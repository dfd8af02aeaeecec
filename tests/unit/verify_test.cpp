// SPDX-License-Identifier: Apache-2.0
//
// shim/verify/payload.hpp: every row of the decision in specs/secure-boot.md. Files are really
// signed.

#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <vector>

#include "shim/verify/payload.hpp"
#include "tests/unit/signer.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::verify { namespace {

using namespace tdshim::test;
using cfv::Policy;
using signed_payload::Algorithm;
using signed_payload::Numbering;

const Blob contents = Blob().text("a kernel").fill(500, 0x90);
const crypto::Digest contents_digest = crypto::sha384(contents.view());
constexpr std::uint64_t svn = 6;

Result<Payload> check(const cfv::Enrolment& enrolment, Bytes file,
                      PayloadKind kind = PayloadKind::executable) {
    crypto::SignatureMemory memory;
    return check_payload(enrolment, file, kind, memory.bytes);
}

void refused(const cfv::Enrolment& enrolment, Bytes file, Fault fault, std::uint64_t at = 0,
             std::uint64_t expected = 0, std::uint64_t found = 0,
             PayloadKind kind = PayloadKind::executable) {
    require_refused(check(enrolment, file, kind), fault, at, expected, found);
}

/// ECDSA: quick to make. What depends on the algorithm has a test of its own.
struct Fixture {
    Signer signer{Algorithm::ecdsa_p384_sha384};
    std::vector<std::byte> file = signed_file(signer, contents.view(), svn);
    std::vector<std::byte> key = signer.public_key();
    crypto::Digest key_hash = crypto::sha384(key);
    Blob anchor = Blob().text("as enrolled");
    cfv::Enrolment enrolment = enrolled({});

    [[nodiscard]] cfv::Enrolment enrolled(const cfv::Key& pattern,
                                          Policy policy = Policy::signed_only) const {
        cfv::Enrolment made{.policy = policy};
        cfv::Key entry = pattern;
        entry.hash = key_hash;
        entry.anchor = anchor.view();
        REQUIRE(made.keys.push(entry));
        return made;
    }
};

TEST_CASE("nothing enrolled: an unsigned payload runs as it is", "[verify]") {
    const auto payload = check({}, contents.view());
    REQUIRE(payload);
    CHECK(payload->contents.data() == contents.view().data());
    CHECK(payload->contents.size() == contents.size());
    CHECK_FALSE(payload->authority);
    CHECK(check({}, {})); // what an empty file is worth is the loader's business
}

TEST_CASE("an enrolled key's signature gives contents, key and version", "[verify]") {
    for (const Algorithm algorithm :
         {Algorithm::ecdsa_p384_sha384, Algorithm::rsa_pss_3072_sha384}) {
        Fixture fixture{.signer = Signer(algorithm)};
        const auto payload = check(fixture.enrolment, fixture.file);
        REQUIRE(payload);
        CHECK(payload->contents.data() == Bytes(fixture.file).data() + 48);
        CHECK(copy_of(payload->contents) == contents.vector());
        REQUIRE(payload->authority);
        CHECK(payload->authority->key == fixture.key_hash);
        CHECK(copy_of(payload->authority->anchor) == fixture.anchor.vector());
        CHECK(payload->authority->svn == svn);
    }
}

TEST_CASE("the second of two keys is as good", "[verify]") {
    const Fixture fixture;
    cfv::Enrolment enrolment{.policy = Policy::signed_only};
    REQUIRE(enrolment.keys.push({}));
    REQUIRE(enrolment.keys.push(fixture.enrolment.keys[0]));
    CHECK(check(enrolment, fixture.file));
}

TEST_CASE("an unsigned payload is refused where signatures are demanded", "[verify]") {
    const Fixture fixture;
    refused(fixture.enrolment, contents.view(), Fault::payload_unsigned);
    refused(fixture.enrolment, {}, Fault::payload_unsigned);
    refused(fixture.enrolment, Bytes(fixture.file).first(15), Fault::payload_unsigned);
    refused(fixture.enrolment, Bytes(fixture.file).first(47), Fault::truncated, 0, 48, 47);
}

TEST_CASE("a key that is not enrolled is refused", "[verify]") {
    const Fixture fixture;
    const auto other = signed_file(Signer(Algorithm::ecdsa_p384_sha384), contents.view(), svn);
    refused(fixture.enrolment, other, Fault::payload_key_unknown, 48 + contents.size());
}

TEST_CASE("with policy measured, a stranger's signature counts as none, if it is right",
          "[verify]") {
    const Fixture fixture;
    for (const auto& enrolment : {cfv::Enrolment{}, fixture.enrolled({}, Policy::measured)}) {
        auto other = signed_file(Signer(Algorithm::ecdsa_p384_sha384), contents.view(), svn);
        const auto payload = check(enrolment, other);
        REQUIRE(payload);
        CHECK(payload->contents.size() == contents.size());
        CHECK_FALSE(payload->authority);
        other[60] ^= std::byte{1};
        refused(enrolment, other, Fault::signature_wrong, 48 + contents.size());
    }
    const auto own = check(fixture.enrolled({}, Policy::measured), fixture.file);
    REQUIRE(own);
    REQUIRE(own->authority);
    CHECK(own->authority->svn == svn);
}

TEST_CASE("no byte of a signed file can change", "[verify]") {
    Fixture fixture;
    for (std::size_t at = 0; at < fixture.file.size(); at += 7) {
        auto file = fixture.file;
        file[at] ^= std::byte{0x10};
        CAPTURE(at);
        CHECK_FALSE(check(fixture.enrolment, file));
    }
    auto file = fixture.file;
    file[49] ^= std::byte{1};
    refused(fixture.enrolment, file, Fault::signature_wrong, 48 + contents.size());
    file = fixture.file;
    file[32] = std::byte{7}; // a larger SVN than was signed
    refused(fixture.enrolment, file, Fault::signature_wrong, 48 + contents.size());
}

TEST_CASE("every cut of a signed file is refused", "[verify]") {
    const Fixture fixture;
    for (std::size_t size = 0; size < fixture.file.size(); ++size)
        CHECK_FALSE(check(fixture.enrolment, Bytes(fixture.file).first(size)));
    auto longer = fixture.file;
    longer.push_back({});
    refused(fixture.enrolment, longer, Fault::signed_payload_block, 48 + contents.size(), 192, 193);
}

TEST_CASE("a revoked key is refused, enrolled or not, whatever the policy", "[verify]") {
    const Fixture fixture;
    for (const Policy policy : {Policy::measured, Policy::signed_only}) {
        auto enrolment = fixture.enrolled({}, policy);
        enrolment.revoked_keys = cfv::Digests(fixture.key_hash);
        refused(enrolment, fixture.file, Fault::payload_key_revoked, 48 + contents.size());
    }
    const cfv::Enrolment none{.revoked_keys = cfv::Digests(fixture.key_hash)};
    refused(none, fixture.file, Fault::payload_key_revoked, 48 + contents.size());
}

TEST_CASE("a revoked payload is refused, signed or not", "[verify]") {
    Fixture fixture;
    fixture.enrolment.revoked_payloads = cfv::Digests(contents_digest);
    refused(fixture.enrolment, fixture.file, Fault::payload_revoked);
    const cfv::Enrolment measured{.revoked_payloads = cfv::Digests(contents_digest)};
    refused(measured, contents.view(), Fault::payload_revoked);
    refused(measured, fixture.file, Fault::payload_revoked);
}

TEST_CASE("a secure version number below the minimum is refused", "[verify]") {
    const Fixture fixture;
    CHECK(check(fixture.enrolled({.minimum_svn = svn}), fixture.file));
    refused(fixture.enrolled({.minimum_svn = svn + 1}), fixture.file, Fault::payload_svn, 32,
            svn + 1, svn);
    refused(fixture.enrolled({.minimum_svn = svn + 1}, Policy::measured), fixture.file,
            Fault::payload_svn, 32, svn + 1, svn);
}

TEST_CASE("a key is good for the kinds that it is enrolled for", "[verify]") {
    const Fixture fixture;
    const auto enrolment = fixture.enrolled({.kinds = cfv::payload_executable});
    CHECK(check(enrolment, fixture.file, PayloadKind::executable));
    refused(enrolment, fixture.file, Fault::payload_key_kind, 48 + contents.size(), 1, 2,
            PayloadKind::linux_bundle);
    CHECK(check(fixture.enrolled({.kinds = cfv::all_payloads}), fixture.file,
                PayloadKind::linux_bundle));
}

TEST_CASE("the key decides the algorithm, and the header has to agree", "[verify]") {
    const Fixture fixture;
    CHECK(check(fixture.enrolled({.algorithm = Algorithm::ecdsa_p384_sha384}), fixture.file));
    refused(fixture.enrolled({.algorithm = Algorithm::rsa_pss_3072_sha384}), fixture.file,
            Fault::payload_key_algorithm, 40, 1, 2);
    // Signed as it stands, with the number that the document gives to RSA.
    const auto other = signed_file(fixture.signer, contents.view(), svn, Numbering::td_shim_tools);
    CHECK(check(fixture.enrolment, other)); // a plain anchor takes td-shim's own numbers
    auto strict = fixture.enrolment;
    strict.takes_td_shim_numbering = false;
    refused(strict, other, Fault::payload_numbering, 40, 2, 1);
    CHECK(check(strict, fixture.file));
}

TEST_CASE("pinned: the digest has to be enrolled as well", "[verify]") {
    const Fixture fixture;
    auto enrolment = fixture.enrolled({}, Policy::signed_and_pinned);
    refused(enrolment, contents.view(), Fault::payload_unsigned);
    refused(enrolment, fixture.file, Fault::payload_not_pinned);
    enrolment.pinned_payloads = cfv::Digests(fixture.key_hash);
    refused(enrolment, fixture.file, Fault::payload_not_pinned);
    enrolment.pinned_payloads = cfv::Digests(contents_digest);
    CHECK(check(enrolment, fixture.file));
    enrolment.revoked_payloads = cfv::Digests(contents_digest);
    refused(enrolment, fixture.file, Fault::payload_revoked);
}

TEST_CASE("no memory is no signature", "[verify]") {
    const Fixture fixture;
    require_refused(check_payload(fixture.enrolment, fixture.file, PayloadKind::executable, {}),
                    Fault::memory_exhausted, 48 + contents.size(), 0, 0);
}

TEST_CASE("a bundle is what has a boot's files in one", "[verify]") {
    using payload::Kind;
    for (const Kind kind : {Kind::bundle, Kind::uki})
        CHECK(kind_of(kind) == PayloadKind::linux_bundle);
    for (const Kind kind : {Kind::elf, Kind::pe, Kind::bzimage, Kind::vmlinux, Kind::raw_vmlinux})
        CHECK(kind_of(kind) == PayloadKind::executable);
}

}} // namespace tdshim::verify
