// SPDX-License-Identifier: Apache-2.0
//
// shim/base/line.hpp and error.hpp: how numbers, bytes and errors read on the console, what happens
// to a line that is too long, and that every refusal has a sentence.

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <set>
#include <string>
#include <string_view>

#include "shim/base/error.hpp"
#include "shim/base/line.hpp"

namespace tdshim { namespace {

constexpr std::uint64_t top = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t capacity = 200;
constexpr auto last_fault = static_cast<unsigned>(Fault::acpi_fadt_twice);

template <class... Pieces>
std::string printed(const Pieces&... pieces) {
    Line line;
    static_cast<void>((line << ... << pieces));
    return std::string(line.text());
}

std::string decimal(std::uint64_t value) {
    return printed(value);
}
std::string hex(std::uint64_t value) {
    return printed(Hex{value});
}

TEST_CASE("a new line is empty", "[line]") {
    CHECK(Line().text().empty());
}

TEST_CASE("decimal numbers have the digits that they need", "[line]") {
    CHECK(decimal(0) == "0");
    CHECK(decimal(9) == "9");
    CHECK(decimal(10) == "10");
    CHECK(decimal(1002003) == "1002003");
    CHECK(decimal(top) == "18446744073709551615");
}

TEST_CASE("hexadecimal numbers have a prefix and the digits that they need", "[line]") {
    CHECK(hex(0) == "0x0");
    CHECK(hex(1) == "0x1");
    CHECK(hex(0xF) == "0xf");
    CHECK(hex(0x10) == "0x10");
    CHECK(hex(0xFF) == "0xff");
    CHECK(hex(0x100) == "0x100");
    CHECK(hex(0x123456789ABCDEF) == "0x123456789abcdef");
    CHECK(hex(0x8000000000000000) == "0x8000000000000000");
    CHECK(hex(top) == "0xffffffffffffffff");
}

TEST_CASE("bytes are two lower-case digits each", "[line]") {
    constexpr std::array bytes{std::byte{0x00}, std::byte{0x0A}, std::byte{0xA0}, std::byte{0xFF}};
    CHECK(printed(Bytes(bytes)) == "000aa0ff");
    CHECK(printed(Bytes()).empty());
}

TEST_CASE("pieces follow one another", "[line]") {
    constexpr std::array bytes{std::byte{0x5A}};
    CHECK(printed(std::string_view("a="), std::uint64_t{12}, std::string_view(" b="), Hex{0xC},
                  std::string_view(" "), Bytes(bytes)) == "a=12 b=0xc 5a");
}

TEST_CASE("what is not printable ASCII is shown by its number", "[line]") {
    CHECK(printed(std::string_view(" ~")) == " ~");
    CHECK(printed(std::string_view("a\nb\r\x1b[2Jc")) == "a\\x0ab\\x0d\\x1b[2Jc");
    CHECK(printed(std::string_view("\0\x7f\x80\xff", 4)) == "\\x00\\x7f\\x80\\xff");
    const std::string shown = printed(std::string_view("\t\\"));
    CHECK(shown == "\\x09\\");
    CHECK(printed(std::string_view(shown)) == shown);
    const std::string nearly(capacity - 2, 'x');
    CHECK(printed(std::string_view(nearly), std::string_view("\n")) == nearly + "\\x");
}

TEST_CASE("a line holds its capacity and cuts what comes after it", "[line]") {
    const std::string full(capacity, 'x');
    CHECK(printed(std::string_view(full)) == full);
    CHECK(printed(std::string_view(full + "y")) == full);
    CHECK(printed(std::string_view(full), std::string_view("y"), std::uint64_t{1}, Hex{2}) == full);
    const std::string nearly(capacity - 3, 'x');
    CHECK(printed(std::string_view(nearly), std::uint64_t{12345}) == nearly + "123");
    CHECK(printed(std::string_view(nearly), Hex{0xABC}) == nearly + "0xa");
    constexpr std::array bytes{std::byte{0x12}, std::byte{0x34}};
    CHECK(printed(std::string_view(nearly), Bytes(bytes)) == nearly + "123");
    CHECK(printed(std::string_view(nearly), Error{.fault = Fault::truncated}) == nearly + "inp");
}

TEST_CASE("an error without numbers is its sentence", "[line]") {
    CHECK(printed(Error{.fault = Fault::truncated}) == "input ends too early");
    CHECK(printed(Error{.fault = Fault::fw_cfg_absent}) == "no fw_cfg device answers");
}

TEST_CASE("an error shows its place, and both values where one is not zero", "[line]") {
    CHECK(printed(Error{Fault::truncated, 0x10, 0x4, 0x2}) ==
          "input ends too early (at 0x10: expected 0x4, found 0x2)");
    CHECK(printed(Error{Fault::truncated, 1, 0, 0}) == "input ends too early (at 0x1)");
    CHECK(printed(Error{Fault::truncated, 0, 1, 0}) ==
          "input ends too early (at 0x0: expected 0x1, found 0x0)");
    CHECK(printed(Error{Fault::truncated, 0, 0, 1}) ==
          "input ends too early (at 0x0: expected 0x0, found 0x1)");
}

TEST_CASE("refuse makes an error of its numbers in order", "[line]") {
    const auto refused = refuse(Fault::log_full, 1, 2, 3);
    CHECK(refused.error().fault == Fault::log_full);
    CHECK(refused.error().at == 1);
    CHECK(refused.error().expected == 2);
    CHECK(refused.error().found == 3);
}

TEST_CASE("every fault has a sentence of its own, without a full stop", "[line]") {
    std::set<std::string_view> seen;
    for (unsigned number = 0; number <= last_fault; ++number) {
        const std::string_view text = sentence(static_cast<Fault>(number));
        CAPTURE(number, text);
        REQUIRE_FALSE(text.empty());
        CHECK(text != "unknown fault");
        CHECK(text.back() != '.');
        CHECK(text.find('\n') == std::string_view::npos);
        CHECK(seen.insert(text).second);
    }
    // A fault added behind the last one would not be covered above.
    CHECK(sentence(static_cast<Fault>(last_fault + 1)) == "unknown fault");
}

TEST_CASE("every error fits a line with the largest numbers", "[line]") {
    for (unsigned number = 0; number <= last_fault; ++number) {
        const std::string text = printed(Error{static_cast<Fault>(number), top, top, top});
        CAPTURE(text);
        CHECK(text.ends_with("found 0xffffffffffffffff)"));
    }
}

}} // namespace tdshim
