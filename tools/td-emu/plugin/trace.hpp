// SPDX-License-Identifier: Apache-2.0
//
// A line for each TDCALL, for who wants to see what a TD asked and what it was told.
#pragma once

#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>

#include "tools/tdx-model/registers.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::td_emu {

class Trace {
  public:
    /// Writes to `file`, which is emptied; an empty name asks for no trace.
    explicit Trace(const std::string& file);

    [[nodiscard]] bool is_wanted() const { return file_ != nullptr; }

    /// Number, vCPU, RIP, name, operands -> RAX, of a TDVMCALL R10, what else changed; and how the
    /// TD ended, if it did.
    void write(unsigned vcpu, std::uint64_t rip, const tdx_model::Registers& before,
               const tdx_model::Registers& after, const tdx_model::Outcome& outcome);

  private:
    std::FILE* file_ = nullptr;
    std::mutex mutex_;
    std::uint64_t calls_ = 0;
};

} // namespace tdshim::td_emu
