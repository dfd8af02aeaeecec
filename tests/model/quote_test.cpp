// SPDX-License-Identifier: Apache-2.0
//
// tools/tdx-model: TDVMCALL GetQuote, as KVM and QEMU answer it.

#include <catch2/catch_test_macros.hpp>

#include "tests/model/fixture.hpp"

namespace tdshim::tdx_model { namespace {

constexpr std::uint64_t buffer = 8 * MiB;
constexpr std::uint64_t buffer_size = 8192;
constexpr std::uint64_t vmcall_get_quote = 0x10002;
constexpr std::uint64_t invalid_operand = 0x8000'0000'0000'0000;

/// A TD with a shared buffer, in which a report of 1,024 bytes stands.
struct QuoteFixture : Fixture {
    QuoteFixture() {
        share(buffer | shared_bit);
        put({.version = 1, .status = 0, .in_size = 1024, .out_size = 0});
    }
    void share(std::uint64_t address) {
        static_cast<void>(vmcall(0x10001, {{r12, address}, {r13, buffer_size}}));
    }
    void put(const QuoteBufferHeader& header) { REQUIRE(memory.write({buffer}, bytes_of(header))); }
    std::uint64_t ask(std::uint64_t address = buffer | shared_bit,
                      std::uint64_t size = buffer_size) {
        static_cast<void>(vmcall(vmcall_get_quote, {{r12, address}, {r13, size}}));
        CHECK(registers[rax] == 0);
        return registers[r10];
    }
    QuoteBufferHeader header() const {
        return read_at<QuoteBufferHeader>(memory.bytes, buffer).value();
    }
    std::byte first_byte() const { return memory.bytes[buffer + sizeof(QuoteBufferHeader)]; }
};

TEST_CASE("a quote is in the buffer with its size when the call comes back", "[model]") {
    QuoteFixture fixture;
    CHECK(fixture.ask() == 0);
    CHECK(fixture.vmm.said == "quote of 1024 ");
    CHECK(fixture.header().status == quote_made);
    CHECK(fixture.header().out_size == 5000);
    CHECK(fixture.first_byte() == std::byte{7});
}

TEST_CASE("a quote is in flight for as many calls as the VMM takes", "[model]") {
    QuoteFixture fixture;
    fixture.vmm.answer.calls_in_flight = 2;
    CHECK(fixture.ask() == 0);
    CHECK(fixture.header().status == quote_in_flight);
    CHECK(fixture.header().out_size == 0);
    static_cast<void>(fixture.vmcall(12, {}));
    CHECK(fixture.header().status == quote_in_flight);
    static_cast<void>(fixture.vmcall(12, {}));
    CHECK(fixture.header().status == quote_made);
    CHECK(fixture.first_byte() == std::byte{7});
}

TEST_CASE("at most 16 quotes are in flight", "[model]") {
    QuoteFixture fixture;
    fixture.vmm.answer.calls_in_flight = 100;
    for (int i = 0; i < 16; ++i) {
        CHECK(fixture.ask() == 0);
        fixture.put({.version = 1, .status = 0, .in_size = 1024, .out_size = 0});
    }
    CHECK(fixture.ask() == 1);
}

TEST_CASE("a quote does not reach a buffer that the TD took back", "[model]") {
    QuoteFixture fixture;
    fixture.vmm.answer.calls_in_flight = 2;
    CHECK(fixture.ask() == 0);
    fixture.share(buffer); // without the shared bit: private again
    static_cast<void>(fixture.vmcall(12, {}));
    CHECK(fixture.first_byte() == std::byte{0});
}

TEST_CASE("a quote that is larger than its buffer is an error", "[model]") {
    QuoteFixture fixture;
    fixture.vmm.answer.quote.resize(buffer_size - sizeof(QuoteBufferHeader));
    CHECK(fixture.ask() == 0);
    CHECK(fixture.header().status == quote_made);
    fixture.vmm.answer.quote.resize(buffer_size - sizeof(QuoteBufferHeader) + 1);
    CHECK(fixture.ask() == 0);
    CHECK(fixture.header().status == quote_error);
}

TEST_CASE("a VMM without a quoting service says so in the buffer", "[model]") {
    QuoteFixture fixture;
    fixture.vmm.answer = {};
    CHECK(fixture.ask() == 0);
    CHECK(fixture.header().status == quote_service_unavailable);
}

TEST_CASE("bad buffers of GetQuote are refused and not written", "[model]") {
    QuoteFixture fixture;
    CHECK(fixture.ask(buffer) == invalid_operand); // private
    CHECK(fixture.ask((buffer + buffer_size) | shared_bit) == invalid_operand);
    CHECK(fixture.ask(buffer | shared_bit, 0) == invalid_operand);
    CHECK(fixture.ask(buffer | shared_bit, ~std::uint64_t{0xFFF}) == invalid_operand);
    CHECK(fixture.ask(buffer | shared_bit, 132 * KiB) == invalid_operand);
    CHECK(fixture.ask((buffer + 64) | shared_bit) == 0x8000'0000'0000'0002);
    CHECK(fixture.ask(buffer | shared_bit, 5000) == 0x8000'0000'0000'0002);
    fixture.put({.version = 2, .status = 5, .in_size = 1024, .out_size = 0});
    CHECK(fixture.ask() == invalid_operand);
    fixture.put({.version = 1, .status = 5, .in_size = buffer_size - 23, .out_size = 0});
    CHECK(fixture.ask() == invalid_operand);
    CHECK(fixture.header().status == 5);
    CHECK(fixture.vmm.said.empty());
}

}} // namespace tdshim::tdx_model
