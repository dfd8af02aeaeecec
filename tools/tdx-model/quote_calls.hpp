// SPDX-License-Identifier: Apache-2.0
//
// What a TD and its VMM have between them of a quote: the buffer of TDVMCALL GetQuote [GHCI 1.5,
// 3.3].
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shim/base/bytes.hpp"

namespace tdshim::tdx_model {

/// Begins the buffer; the TD's report is behind it, and its quote after that.
struct QuoteBufferHeader {
    le64 version;  // 0: 1
    le64 status;   // 8: of the VMM's making
    le32 in_size;  // 16: bytes from the TD
    le32 out_size; // 20: bytes from the VMM
};
static_assert(sizeof(QuoteBufferHeader) == 24);

inline constexpr std::uint64_t quote_made = 0;
inline constexpr std::uint64_t quote_in_flight = ~std::uint64_t{0};
inline constexpr std::uint64_t quote_error = 0x8000'0000'0000'0000;
inline constexpr std::uint64_t quote_service_unavailable = 0x8000'0000'0000'0001;

/// What a quoting service made of a report, and how its VMM passes it on.
struct QuoteAnswer {
    std::uint64_t status = quote_service_unavailable;
    std::vector<std::byte> quote;
    std::optional<std::uint32_t> said_size; ///< an untrue one, of a hostile VMM
    std::uint64_t calls_in_flight = 0;      ///< TDVMCALLs of the TD until the buffer has it
};

} // namespace tdshim::tdx_model
