// SPDX-License-Identifier: Apache-2.0
//
// The selftest's account: one line for each check, and how many of each kind there were.
#pragma once

#include <cstddef>
#include <string_view>

#include "payload/runtime/runtime.hpp"

namespace tdshim::selftest {

class Checks {
  public:
    /// `detail` is printed with what failed.
    void check(std::string_view name, bool is_good, const Line& detail = {});
    /// A check that is good when nothing went wrong.
    template <class T>
    void check(std::string_view name, const Result<T>& outcome) {
        Line detail;
        if (!outcome)
            detail << outcome.error();
        check(name, outcome.has_value(), detail);
    }
    void skip(std::string_view name, std::string_view reason);
    /// "selftest: N passed, N failed, N skipped"
    void print_sum() const;

  private:
    std::size_t passed_ = 0;
    std::size_t failed_ = 0;
    std::size_t skipped_ = 0;
};

// Parts of the selftest, each in a file of its own.
void check_machine(Checks& checks, const runtime::HobList& machine);
void check_memory(Checks& checks);
void check_processor(Checks& checks);
void check_measurement(Checks& checks, const runtime::HobList& machine);
void check_inputs(Checks& checks);
void check_exceptions(Checks& checks, const runtime::HobList& machine);
void check_sharing(Checks& checks);
void check_processors(Checks& checks, const runtime::HobList& machine);

inline constexpr std::string_view no_td = "this is no TD";

} // namespace tdshim::selftest
