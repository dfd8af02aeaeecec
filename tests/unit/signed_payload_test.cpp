// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/signed_payload: files put together byte by byte from td-shim's doc/secure_boot.md.

#include <catch2/catch_test_macros.hpp>
#include <cstdint>

#include "shim/formats/signed_payload/signed_payload.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::signed_payload { namespace {

using namespace tdshim::test;

constexpr std::size_t contents_size = 100;

Blob header(std::uint32_t algorithm, std::uint32_t length = 48 + contents_size) {
    return Blob()
        .dump("58 D5 F2 FC F5 9D 4D 4F B0 D7 3E 4B 79 8A B0 66")
        .u32(1)
        .u32(length)
        .u64(0x0102030405060708)
        .u64(9)
        .u32(algorithm)
        .u32(0);
}

Blob file(std::uint32_t algorithm, std::size_t key_size, std::size_t signature_size) {
    return header(algorithm)
        .fill(contents_size, 0xC0)
        .fill(key_size, 0xA1)
        .fill(signature_size, 0xB2);
}

TEST_CASE("an RSA file is header, contents, N, E, signature", "[signed_payload]") {
    const Blob blob = file(1, 392, 384);
    REQUIRE(blob.size() == 48 + contents_size + 776);
    CHECK(is_signed(blob.view()));
    const auto payload = parse(blob.view());
    REQUIRE(payload);
    CHECK(payload->algorithm == Algorithm::rsa_pss_3072_sha384);
    CHECK(payload->numbering == Numbering::document);
    CHECK(payload->version == 0x0102030405060708);
    CHECK(payload->svn == 9);
    CHECK(copy_of(payload->signed_bytes) == copy_of(blob.view().first(148)));
    CHECK(copy_of(payload->contents) == Blob().fill(contents_size, 0xC0).vector());
    CHECK(copy_of(payload->public_key) == Blob().fill(392, 0xA1).vector());
    CHECK(copy_of(payload->signature) == Blob().fill(384, 0xB2).vector());
}

/// With the exponent that RSA keys have.
Blob rsa_file(std::uint32_t algorithm) {
    Blob blob = file(algorithm, 392, 384);
    const std::size_t exponent = 48 + contents_size + 384;
    return blob.patch(exponent, 8, 0).patch(exponent + 5, 1, 1).patch(exponent + 7, 1, 1);
}

TEST_CASE("in a larger memory the block tells where the file ends, whatever the number",
          "[signed_payload]") {
    for (const auto& blob : {rsa_file(1), rsa_file(2), file(1, 96, 96), file(2, 96, 96)}) {
        for (const unsigned behind : {0x00U, 0x01U, 0xFFU})
            CHECK(file_size(Blob(blob).fill(5000, behind).view()) == blob.size());
        CHECK(file_size(blob.view()) == blob.size());
        const auto cut = file_size(blob.view().first(blob.size() - 1));
        REQUIRE_FALSE(cut);
        CHECK(cut.error().fault == Fault::truncated);
        CHECK(cut.error().at == 48 + contents_size);
    }
    CHECK_FALSE(file_size(header(3).fill(5000, 0).view()));
    CHECK_FALSE(file_size(header(1, 48).fill(5000, 0).view()));
}

TEST_CASE("the contents of a file, signed or not", "[signed_payload]") {
    const Blob blob = file(2, 96, 96);
    CHECK(copy_of(contents_of(blob.view()).value()) == Blob().fill(contents_size, 0xC0).vector());
    const Blob plain = Blob().text("no header");
    CHECK(contents_of(plain.view())->data() == plain.view().data());
    CHECK_FALSE(contents_of(blob.view().first(100)));
}

TEST_CASE("an ECDSA file is header, contents, X, Y, R, S", "[signed_payload]") {
    const Blob blob = file(2, 96, 96);
    const auto payload = parse(blob.view());
    REQUIRE(payload);
    CHECK(payload->algorithm == Algorithm::ecdsa_p384_sha384);
    CHECK(payload->numbering == Numbering::document);
    CHECK(copy_of(payload->public_key) == Blob().fill(96, 0xA1).vector());
    CHECK(copy_of(payload->signature) == Blob().fill(96, 0xB2).vector());
}

TEST_CASE("the numbers of td-shim's tools are told from the document's", "[signed_payload]") {
    const Blob ecdsa = file(1, 96, 96);
    REQUIRE(parse(ecdsa.view()));
    CHECK(parse(ecdsa.view())->algorithm == Algorithm::ecdsa_p384_sha384);
    CHECK(parse(ecdsa.view())->numbering == Numbering::td_shim_tools);
    const Blob rsa = file(2, 392, 384);
    REQUIRE(parse(rsa.view()));
    CHECK(parse(rsa.view())->algorithm == Algorithm::rsa_pss_3072_sha384);
    CHECK(parse(rsa.view())->numbering == Numbering::td_shim_tools);
}

TEST_CASE("a file cut short anywhere is refused", "[signed_payload]") {
    for (const Blob& blob : {file(1, 392, 384), file(2, 96, 96)})
        for (std::size_t size = 0; size < blob.size(); ++size) {
            // A cut that leaves the other algorithm's block is that algorithm's file, with a bad
            // signature.
            if (size == 148 + 192)
                continue;
            CAPTURE(size);
            const auto payload = parse(blob.view().first(size));
            REQUIRE_FALSE(payload);
            const Fault expected = size < 48    ? Fault::truncated
                                   : size < 148 ? Fault::signed_payload_length
                                                : Fault::signed_payload_block;
            CHECK(payload.error().fault == expected);
            CHECK(is_signed(blob.view().first(size)) == (size >= 16));
        }
}

TEST_CASE("a byte behind the signature is refused", "[signed_payload]") {
    require_refused(parse(file(1, 392, 385).view()), Fault::signed_payload_block, 148, 776, 777);
    require_refused(parse(file(2, 96, 97).view()), Fault::signed_payload_block, 148, 192, 193);
}

TEST_CASE("each field of the header is checked", "[signed_payload]") {
    const Blob good = file(2, 96, 96);
    require_refused(parse(Blob(good).patch(0, 1, 0).view()), Fault::signed_payload_guid, 0, 0, 0);
    CHECK_FALSE(is_signed(Blob(good).patch(15, 1, 0).view()));
    require_refused(parse(Blob(good).patch(16, 4, 2).view()), Fault::signed_payload_version, 16, 1,
                    2);
    require_refused(parse(Blob(good).patch(44, 4, 1).view()), Fault::signed_payload_reserved, 44, 0,
                    1);
    for (const std::uint32_t number : {0U, 3U, 0x01000000U, 0xFFFFFFFFU})
        require_refused(parse(Blob(good).patch(40, 4, number).view()),
                        Fault::signed_payload_algorithm, 40, 2, number);
}

TEST_CASE("a length that is absurd is refused", "[signed_payload]") {
    const Blob good = file(2, 96, 96);
    for (const std::uint32_t length : {0U, 1U, 47U, 48U})
        require_refused(parse(Blob(good).patch(20, 4, length).view()), Fault::signed_payload_length,
                        20, 49, length);
    for (const std::uint32_t length : {341U, 0x7FFFFFFFU, 0xFFFFFFFFU})
        require_refused(parse(Blob(good).patch(20, 4, length).view()), Fault::signed_payload_length,
                        20, 340, length);
    // The contents would reach into the key, or end before the file says.
    require_refused(parse(Blob(good).patch(20, 4, 149).view()), Fault::signed_payload_block, 149,
                    192, 191);
    require_refused(parse(Blob(good).patch(20, 4, 340).view()), Fault::signed_payload_block, 340,
                    192, 0);
}

TEST_CASE("a header that is made is the header that is read", "[signed_payload]") {
    const auto made = make_header(contents_size, 0x0102030405060708, 9,
                                  Algorithm::ecdsa_p384_sha384, Numbering::document);
    REQUIRE(made);
    CHECK(copy_of(bytes_of(*made)) == header(2).vector());
    const auto other = make_header(contents_size, 0x0102030405060708, 9,
                                   Algorithm::ecdsa_p384_sha384, Numbering::td_shim_tools);
    REQUIRE(other);
    CHECK(copy_of(bytes_of(*other)) == header(1).vector());
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{0xFFFFFFFF - 47}})
        require_refused(make_header(size, 0, 0, Algorithm::ecdsa_p384_sha384, Numbering::document),
                        Fault::signed_payload_length, 0, 0xFFFFFFFF - 48, size);
}

}} // namespace tdshim::signed_payload
