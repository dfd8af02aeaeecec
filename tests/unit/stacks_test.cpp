// SPDX-License-Identifier: Apache-2.0
//
// shim/platform/x86/stacks.hpp: which page guards which stack, by its offset.

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <string_view>

#include "shim/platform/x86/stacks.hpp"

namespace tdshim::x86 { namespace {

TEST_CASE("every stack has a guard page below it that is named after it", "[stacks]") {
    std::map<std::string_view, int> bytes;
    for (std::uint64_t offset = 0; offset < sizeof(Stacks); ++offset)
        ++bytes[guarded_stack(offset)];
    constexpr int page = page_size;
    CHECK(bytes["boot"] == page);
    CHECK(bytes["exceptions"] == page);
    CHECK(bytes["double faults"] == page);
    CHECK(bytes["worker"] == page * int{max_workers});
    CHECK(bytes["worker exceptions"] == page * int{max_workers});
    CHECK(bytes.size() == 6);

    CHECK(guarded_stack(offsetof(Stacks, boot) - 1) == "boot");
    CHECK(guarded_stack(offsetof(Stacks, boot)).empty());
    CHECK(guarded_stack(offsetof(Stacks, exceptions) - 1) == "exceptions");
    CHECK(guarded_stack(offsetof(Stacks, double_faults) - 1) == "double faults");
    for (std::size_t i = 0; i < max_workers; ++i) {
        const std::size_t worker = worker_stacks_offset + i * sizeof(WorkerStack);
        CHECK(guarded_stack(worker + offsetof(WorkerStack, exceptions) - 1) == "worker exceptions");
        CHECK(guarded_stack(worker + offsetof(WorkerStack, stack) - 1) == "worker");
    }
    CHECK(guarded_stack(offsetof(Stacks, guard_above)).empty());
    CHECK(guarded_stack(~std::uint64_t{0}).empty());
}

TEST_CASE("a stack pointer tells whether an exception is being handled", "[stacks]") {
    CHECK_FALSE(is_exception_stack(offsetof(Stacks, boot)));
    CHECK_FALSE(is_exception_stack(boot_stack_top));
    CHECK(is_exception_stack(offsetof(Stacks, exceptions) + 8));
    CHECK(is_exception_stack(offsetof(Stacks, exceptions) + sizeof(Stacks::exceptions)));
    CHECK(is_exception_stack(offsetof(Stacks, double_faults) + sizeof(Stacks::double_faults)));
    for (std::size_t i = 0; i < max_workers; ++i) {
        const std::size_t worker = worker_stacks_offset + i * sizeof(WorkerStack);
        CHECK(is_exception_stack(worker + offsetof(WorkerStack, exceptions) + 8));
        CHECK(is_exception_stack(worker + offsetof(WorkerStack, guard)));
        CHECK_FALSE(is_exception_stack(worker + offsetof(WorkerStack, stack) + 8));
        CHECK_FALSE(is_exception_stack(worker + sizeof(WorkerStack)));
    }
    CHECK_FALSE(is_exception_stack(sizeof(Stacks) + 1));
    CHECK_FALSE(is_exception_stack(~std::uint64_t{0}));
}

}} // namespace tdshim::x86
