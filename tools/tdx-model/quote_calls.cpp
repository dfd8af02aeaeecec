// SPDX-License-Identifier: Apache-2.0
//
// TDVMCALL GetQuote as KVM and QEMU answer it [GHCI 1.5, 3.3; Linux arch/x86/kvm/vmx/tdx.c,
// tdx_get_quote; QEMU target/i386/kvm/tdx.c, tdx_handle_get_quote]. They answer while the TD goes
// on; here a request is in flight for as many of the TD's calls as its answer says, so that a run
// is the same each time.
#include "tools/tdx-model/quote_calls.hpp"

#include <algorithm>

#include "shim/formats/tdx/calls.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::tdx_model {
namespace {

constexpr std::uint64_t buffer_version = 1;
constexpr std::uint64_t max_buffer_size = std::uint64_t{128} << 10; // QEMU's
constexpr std::size_t max_in_flight = 16;                           // QEMU's

} // namespace

bool Td::is_shared(const GpaRange& range) const {
    for (std::uint64_t at = range.start().value; at < range.end().value; at += page_size)
        if (pages_.state({at}) != PageState::shared)
            return false;
    return true;
}

/// The report in the buffer, or the status of the call that has none: a VMM sees shared memory
/// alone.
std::expected<std::vector<std::byte>, std::uint64_t> Td::take_report(const GpaRange& buffer) {
    const std::lock_guard lock(mutex_);
    QuoteBufferHeader header{};
    if (buffer.size() > max_buffer_size || !is_shared(buffer) ||
        !memory_.read(buffer.start(), std::as_writable_bytes(std::span(&header, 1))) ||
        header.version != buffer_version || header.in_size > buffer.size() - sizeof(header))
        return std::unexpected(tdx::vmcall_invalid_operand);
    if (quotes_in_flight_.size() >= max_in_flight)
        return std::unexpected(tdx::vmcall_retry);
    std::vector<std::byte> report(header.in_size);
    if (!memory_.read({buffer.start().value + sizeof(header)}, report))
        return std::unexpected(tdx::vmcall_invalid_operand);
    return report;
}

/// Without an effect where the TD took the buffer back.
void Td::finish_quote(const GpaRange& buffer, const QuoteAnswer& answer) {
    QuoteBufferHeader header{};
    if (!is_shared(buffer) ||
        !memory_.read(buffer.start(), std::as_writable_bytes(std::span(&header, 1))))
        return;
    const bool fits = answer.quote.size() <= buffer.size() - sizeof(header);
    header.status = fits ? answer.status : quote_error;
    const bool has_quote = header.status == quote_made;
    if (has_quote && !memory_.write({buffer.start().value + sizeof(header)}, Bytes(answer.quote)))
        return;
    if (has_quote)
        header.out_size = static_cast<std::uint32_t>(answer.quote.size());
    if (answer.said_size)
        header.out_size = *answer.said_size;
    static_cast<void>(memory_.write(buffer.start(), bytes_of(header)));
}

void Td::get_quote(Registers& shown) {
    const std::uint64_t address = shown[r12] & ~shared_bit();
    const auto buffer = GpaRange::make({address}, shown[r13]);
    if ((shown[r12] & shared_bit()) == 0 || !buffer || buffer->empty()) {
        shown[r10] = tdx::vmcall_invalid_operand;
        return;
    }
    if (!is_aligned(address | buffer->size(), page_size)) {
        shown[r10] = tdx::vmcall_align_error;
        return;
    }
    const auto report = take_report(*buffer);
    if (!report) {
        shown[r10] = report.error();
        return;
    }
    QuoteAnswer answer = vmm_.quote(*report); // may take its time: no other vCPU waits for it
    const std::lock_guard lock(mutex_);
    if (answer.calls_in_flight == 0) {
        finish_quote(*buffer, answer);
        return;
    }
    finish_quote(*buffer, {.status = quote_in_flight, .quote = {}, .said_size = {}});
    quotes_in_flight_.emplace_back(*buffer, std::move(answer));
}

void Td::pass_quotes_on() {
    for (auto& [buffer, answer] : quotes_in_flight_)
        if (--answer.calls_in_flight == 0)
            finish_quote(buffer, answer);
    std::erase_if(quotes_in_flight_,
                  [](const auto& request) { return request.second.calls_in_flight == 0; });
}

QuoteAnswer Vmm::quote(Bytes) {
    return {};
}

} // namespace tdshim::tdx_model
