// SPDX-License-Identifier: Apache-2.0
//
// shim/base/bytes.hpp: integers in wire order, and the checks of Reader, read_at and Writer, which
// stand between every input and the rest of the firmware.

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "shim/base/bytes.hpp"
#include "tests/unit/support.hpp"

namespace tdshim { namespace {

using namespace tdshim::test;

struct Pair {
    le16 first;
    be32 second;
};

TEST_CASE("little-endian integers stand with the lowest byte first", "[bytes]") {
    CHECK(copy_of(bytes_of(le16(0x1234))) == Blob().dump("34 12").vector());
    CHECK(copy_of(bytes_of(le32(0x12345678))) == Blob().dump("78 56 34 12").vector());
    CHECK(copy_of(bytes_of(le64(0x0123456789ABCDEF))) ==
          Blob().dump("EF CD AB 89 67 45 23 01").vector());
}

TEST_CASE("big-endian integers stand with the highest byte first", "[bytes]") {
    CHECK(copy_of(bytes_of(be16(0x1234))) == Blob().dump("12 34").vector());
    CHECK(copy_of(bytes_of(be32(0x12345678))) == Blob().dump("12 34 56 78").vector());
    CHECK(copy_of(bytes_of(be64(0x0123456789ABCDEF))) ==
          Blob().dump("01 23 45 67 89 AB CD EF").vector());
}

TEST_CASE("wire integers give back the value that was put in", "[bytes]") {
    STATIC_CHECK(le16(0xFEDC) == 0xFEDC);
    STATIC_CHECK(be16(0xFEDC) == 0xFEDC);
    STATIC_CHECK(le32(0xFEDCBA98) == 0xFEDCBA98);
    STATIC_CHECK(be32(0xFEDCBA98) == 0xFEDCBA98);
    STATIC_CHECK(le64(0xFEDCBA9876543210) == 0xFEDCBA9876543210);
    STATIC_CHECK(be64(0xFEDCBA9876543210) == 0xFEDCBA9876543210);
    STATIC_CHECK(le32() == 0);
    STATIC_CHECK(be64() == 0);
}

TEST_CASE("wire structures have neither padding nor alignment", "[bytes]") {
    STATIC_CHECK(sizeof(Pair) == 6);
    STATIC_CHECK(alignof(Pair) == 1);
    STATIC_CHECK(Wire<Pair>);
    STATIC_CHECK(Wire<be64>);
    STATIC_CHECK_FALSE(Wire<std::uint32_t>);
}

TEST_CASE("the bytes of a text are its characters without a NUL", "[bytes]") {
    CHECK(copy_of(bytes_of(std::string_view("ab"))) == Blob().dump("61 62").vector());
    CHECK(bytes_of(std::string_view()).empty());
}

TEST_CASE("a reader takes values from the front, one after the other", "[bytes]") {
    const Blob input = Blob().dump("34 12 12 34 56 78 AA BB CC");
    Reader reader(input.view());
    CHECK(reader.offset() == 0);
    CHECK(reader.left() == 9);
    const auto pair = reader.take<Pair>();
    REQUIRE(pair.has_value());
    CHECK(pair->first == 0x1234);
    CHECK(pair->second == 0x12345678);
    CHECK(reader.offset() == 6);
    CHECK(reader.left() == 3);
    const auto rest = reader.take_bytes(3);
    REQUIRE(rest.has_value());
    CHECK(rest->data() == input.view().data() + 6);
    CHECK(rest->size() == 3);
    CHECK(reader.offset() == 9);
    CHECK(reader.left() == 0);
}

TEST_CASE("a reader at the end gives no bytes but refuses one", "[bytes]") {
    Reader empty({});
    const auto nothing = empty.take_bytes(0);
    REQUIRE(nothing.has_value());
    CHECK(nothing->empty());
    require_refused(empty.take_bytes(1), Fault::truncated, 0, 1, 0);
    require_refused(empty.take<le16>(), Fault::truncated, 0, 2, 0);
}

TEST_CASE("a reader refuses more than is left and stays where it was", "[bytes]") {
    const Blob input = Blob().dump("01 02 03 04 05");
    Reader reader(input.view());
    REQUIRE(reader.take<le16>().has_value());
    require_refused(reader.take<le32>(), Fault::truncated, 2, 4, 3);
    require_refused(reader.take_bytes(4), Fault::truncated, 2, 4, 3);
    constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
    require_refused(reader.take_bytes(all), Fault::truncated, 2, all, 3);
    require_refused(reader.take_bytes(all - 1), Fault::truncated, 2, all - 1, 3);
    CHECK(reader.offset() == 2);
    CHECK(reader.left() == 3);
    CHECK(reader.take_bytes(3).has_value());
}

TEST_CASE("a value is read at an offset up to the last that holds it whole", "[bytes]") {
    const Blob input = Blob().dump("01 02 03 04 05 06");
    const auto first = read_at<be32>(input.view(), 0);
    REQUIRE(first.has_value());
    CHECK(*first == 0x01020304);
    const auto last = read_at<be32>(input.view(), 2);
    REQUIRE(last.has_value());
    CHECK(*last == 0x03040506);
}

TEST_CASE("a value that does not lie inside wholly is refused", "[bytes]") {
    const Blob input = Blob().dump("01 02 03 04 05 06");
    require_refused(read_at<be32>(input.view(), 3), Fault::truncated, 3, 4, 3);
    require_refused(read_at<be32>(input.view(), 6), Fault::truncated, 6, 4, 0);
    require_refused(read_at<be32>(input.view(), 7), Fault::truncated, 7, 4, 0);
    constexpr std::uint64_t top = std::numeric_limits<std::uint64_t>::max();
    require_refused(read_at<be32>(input.view(), top), Fault::truncated, top, 4, 0);
    require_refused(read_at<be32>(input.view(), top - 3), Fault::truncated, top - 3, 4, 0);
    require_refused(read_at<be32>({}, 0), Fault::truncated, 0, 4, 0);
}

TEST_CASE("a part lies inside wholly or there is none", "[bytes]") {
    std::array<std::byte, 6> bytes{};
    const MutableBytes all(bytes);
    constexpr std::uint64_t top = std::numeric_limits<std::uint64_t>::max();
    const auto part = part_of(all, 2, 4);
    REQUIRE(part.has_value());
    CHECK(part->data() == bytes.data() + 2);
    CHECK(part->size() == 4);
    CHECK(part_of(all, 6, 0).has_value());
    CHECK(part_of(Bytes(all), 0, 6).has_value());
    CHECK_FALSE(part_of(all, 2, 5).has_value());
    CHECK_FALSE(part_of(all, 7, 0).has_value());
    CHECK_FALSE(part_of(all, 0, 7).has_value());
    CHECK_FALSE(part_of(all, top, 1).has_value());
    CHECK_FALSE(part_of(all, 1, top).has_value());
}

TEST_CASE("a writer appends until its area is full", "[bytes]") {
    std::array<std::byte, 8> area{};
    Writer writer(MutableBytes(area).first(7));
    CHECK(writer.size() == 0);
    CHECK(writer.left() == 7);
    CHECK(writer.put(le32(0x12345678)));
    CHECK(writer.put(bytes_of(std::string_view("abc"))));
    CHECK(writer.size() == 7);
    CHECK(writer.left() == 0);
    CHECK(writer.put(Bytes()));
    CHECK_FALSE(writer.put(std::byte{0xFF}));
    CHECK(copy_of(area) == Blob().dump("78 56 34 12 61 62 63 00").vector());
}

TEST_CASE("what does not fit into a writer is refused whole", "[bytes]") {
    std::array<std::byte, 5> area{};
    Writer writer(area);
    REQUIRE(writer.put(le16(0x0201)));
    CHECK_FALSE(writer.put(le32(0xFFFFFFFF)));
    CHECK_FALSE(writer.put(bytes_of(std::string_view("abcd"))));
    CHECK(writer.size() == 2);
    CHECK(writer.left() == 3);
    CHECK(copy_of(area) == Blob().dump("01 02 00 00 00").vector());
    CHECK(writer.put(bytes_of(std::string_view("abc"))));
    CHECK(writer.left() == 0);
}

}} // namespace tdshim
