// SPDX-License-Identifier: Apache-2.0
//
// What must fault: writes to code and constants, execution of data, the null page, the pages around
// the stacks. And that heap, relocated pointers and cleared data are as a program expects them.
#include <algorithm>
#include <array>

#include "payload/runtime/exceptions.hpp"
#include "payload/runtime/image.hpp"
#include "payload/selftest/checks.hpp"

namespace tdshim::selftest {
namespace {

using runtime::attempt;
using runtime::Exception;

// Of a page fault's error code [Intel SDM 3A, 4.7].
constexpr std::uint64_t protection = 1;
constexpr std::uint64_t write = 2;
constexpr std::uint64_t fetch = 16;

void read_byte(void* at) {
    static_cast<void>(*static_cast<volatile std::uint8_t*>(at));
}
void write_byte(void* at) {
    *static_cast<volatile std::uint8_t*>(at) = 0;
}
void execute(void* at) {
    reinterpret_cast<void (*)()>(at)();
}

void check_fault(Checks& checks, std::string_view name, void (*action)(void*), std::uint64_t at,
                 std::uint64_t error_code) {
    const auto exception = attempt(action, reinterpret_cast<void*>(at));
    if (!exception) {
        checks.check(name, false, Line() << "nothing was raised");
        return;
    }
    const bool is_good = exception->vector == runtime::page_fault && exception->address == at &&
                         exception->error_code == error_code;
    checks.check(name, is_good,
                 Line() << "exception " << exception->vector << ", error code "
                        << Hex{exception->error_code} << ", CR2 " << Hex{exception->address});
}

std::uint64_t address_of(const void* object) {
    return runtime::gpa_of(object).value;
}

[[gnu::noinline]] void use_stack(void* deeper) {
    std::array<std::byte, 512> frame;
    asm volatile("" : : "r"(frame.data()) : "memory");
    if (deeper != nullptr)
        use_stack(frame.data());
    asm volatile("" : : "r"(frame.data()) : "memory"); // no tail call
}

void check_stack(Checks& checks) {
    const auto& guard = runtime::payload_stacks.guard_below_main;
    check_fault(checks, "page fault: write below the stack", write_byte, address_of(&guard.back()),
                write);
    int any = 0;
    const auto overflow = attempt(use_stack, &any);
    const std::uint64_t start = address_of(&guard);
    checks.check("stack guard: endless recursion ends in a page fault below the stack",
                 overflow && overflow->vector == runtime::page_fault &&
                     overflow->address >= start && overflow->address < start + page_size,
                 Line() << "CR2 " << Hex{overflow.value_or(Exception{}).address});
}

const std::array<std::uint8_t, 4> constants{1, 2, 3, 4};
constinit std::array<std::uint8_t, 64> zeros{};
constexpr std::uint8_t return_instruction = 0xC3;
constinit std::array<std::uint8_t, 16> code_as_data{return_instruction};

// Addresses in constants: there only when the loader has relocated them.
void (*const relocated[])(void*) = {read_byte, write_byte, execute};

void check_program(Checks& checks) {
    bool are_good = true;
    for (auto* const& function : relocated)
        are_good =
            are_good &&
            address_of(reinterpret_cast<const void*>(function)) >= address_of(payload_text_begin) &&
            reinterpret_cast<const std::byte*>(function) < payload_text_end;
    checks.check("program: pointers in constants are relocated", are_good);
    checks.check("program: data without content is zero",
                 std::ranges::all_of(zeros, [](std::uint8_t byte) { return byte == 0; }));
}

} // namespace

void check_memory(Checks& checks) {
    check_program(checks);
    const auto memory = runtime::allocate(2 * page_size, page_size);
    checks.check("heap: gives zeros", memory && std::ranges::all_of(*memory, [](std::byte byte) {
                                          return byte == std::byte{0};
                                      }));
    constexpr std::uint64_t near_null = 8;
    check_fault(checks, "page fault: read near null", relocated[0], near_null, 0);
    check_fault(checks, "page fault: write near null", relocated[1], near_null, write);
    check_fault(checks, "page fault: write to constants", relocated[1], address_of(&constants),
                protection | write);
    check_fault(checks, "page fault: write to code", relocated[1], address_of(payload_text_begin),
                protection | write);
    check_fault(checks, "page fault: execution of data", relocated[2], address_of(&code_as_data),
                protection | fetch);
    if (memory)
        check_fault(checks, "page fault: execution of the heap", relocated[2],
                    address_of(memory->data()), protection | fetch);
    check_stack(checks);
}

} // namespace tdshim::selftest
