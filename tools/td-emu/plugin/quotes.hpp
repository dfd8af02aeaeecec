// SPDX-License-Identifier: Apache-2.0
//
// Quotes for the TD, by the quoting service of this run, and what a hostile VMM makes of them.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "tools/td-emu/faults.hpp"
#include "tools/tdx-model/quote_calls.hpp"

namespace tdshim::td_emu {

class Quotes {
  public:
    /// `socket`: where the service is.
    Quotes(std::string socket, std::vector<QuoteFault> faults)
        : socket_(std::move(socket)), faults_(std::move(faults)) {}

    [[nodiscard]] tdx_model::QuoteAnswer quote(Bytes report);

  private:
    const std::string socket_;
    const std::vector<QuoteFault> faults_;
    std::mutex mutex_;
    std::uint64_t asked_ = 0;
};

} // namespace tdshim::td_emu
