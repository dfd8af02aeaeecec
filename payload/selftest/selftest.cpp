// SPDX-License-Identifier: Apache-2.0
//
// A payload that asks its machine for everything that a payload may rely on, and says what it got.
#include "payload/selftest/checks.hpp"

namespace tdshim::selftest {

void Checks::check(std::string_view name, bool is_good, const Line& detail) {
    ++(is_good ? passed_ : failed_);
    Line line;
    line << "selftest: " << (is_good ? "pass" : "FAIL") << ": " << name;
    if (!is_good && !detail.text().empty())
        line << ": " << detail.text();
    runtime::print(line);
}

void Checks::skip(std::string_view name, std::string_view reason) {
    ++skipped_;
    runtime::print(Line() << "selftest: skip: " << name << ": " << reason);
}

void Checks::print_sum() const {
    runtime::print(Line() << "selftest: " << std::uint64_t{passed_} << " passed, "
                          << std::uint64_t{failed_} << " failed, " << std::uint64_t{skipped_}
                          << " skipped");
}

} // namespace tdshim::selftest

void tdshim::runtime::run(const HobList& machine) {
    print(Line() << "selftest: begins in a " << (is_td() ? "TD" : "plain VM"));
    selftest::Checks checks;
    selftest::check_machine(checks, machine);
    selftest::check_memory(checks);
    selftest::check_processor(checks);
    selftest::check_measurement(checks, machine);
    selftest::check_inputs(checks);
    selftest::check_exceptions(checks, machine);
    selftest::check_sharing(checks);
    selftest::check_processors(checks, machine);
    checks.print_sum();
}
