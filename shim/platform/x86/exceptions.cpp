// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/x86/exceptions.hpp"

#include <array>
#include <atomic>
#include <type_traits>
#include <utility>

#include "shim/base/line.hpp"
#include "shim/platform/platform.hpp"
#include "shim/platform/x86/address_space.hpp"
#include "shim/platform/x86/instructions.hpp"

namespace tdshim::x86 {
namespace {

struct InterruptFrame {
    std::uint64_t rip, cs, rflags, rsp, ss;
};

constexpr std::size_t double_fault = 8;
constexpr std::size_t page_fault = 14;

constinit std::atomic<bool> reporting{};

[[noreturn]] void report(std::size_t vector, std::uint64_t error_code,
                         const InterruptFrame& frame) {
    if (reporting.exchange(true)) { // an exception in here must not start over
        if (is_in_exception(frame.rsp))
            platform::halt("tdshim: exception in the handler of another");
        halt_forever(); // another processor is about to tell of its own
    }
    Line line;
    line << "tdshim: exception " << std::uint64_t{vector} << ", error code " << Hex{error_code}
         << ", RIP " << Hex{frame.rip} << ", RSP " << Hex{frame.rsp} << ", CR2 " << Hex{read_cr2()};
    const std::string_view overflowed = overflowed_stack(read_cr2());
    if ((vector == page_fault || vector == double_fault) && !overflowed.empty())
        line << ", guard page of the stack: " << overflowed;
    line << (platform::is_td() ? ": halted" : ": reset");
    platform::print_end(line.text());
    platform::halt(line.text());
}

/// Vectors that push an error code [Intel SDM 3A, table 6-1].
constexpr bool has_error_code(std::size_t vector) {
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 ||
           vector == 29 || vector == 30;
}

// The handlers save all registers needlessly, for none of them returns.
#pragma clang diagnostic ignored "-Wexcessive-regsave"

template <std::size_t Vector>
[[gnu::interrupt]] void handle(InterruptFrame* frame) {
    report(Vector, 0, *frame);
}

template <std::size_t Vector>
[[gnu::interrupt]] void handle_with_code(InterruptFrame* frame, std::uint64_t error_code) {
    report(Vector, error_code, *frame);
}

template <std::size_t Vector>
std::uint64_t address() {
    if constexpr (has_error_code(Vector))
        return reinterpret_cast<std::uint64_t>(&handle_with_code<Vector>);
    else
        return reinterpret_cast<std::uint64_t>(&handle<Vector>);
}

template <std::size_t... Vectors>
std::uint64_t select(std::size_t vector, std::index_sequence<Vectors...>) {
    const std::array handlers{&address<Vectors>...};
    return handlers[vector]();
}

} // namespace

std::uint64_t exception_handler(std::size_t vector) {
    return select(vector, std::make_index_sequence<exception_count>());
}

} // namespace tdshim::x86
