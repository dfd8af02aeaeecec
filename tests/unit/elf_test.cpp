// SPDX-License-Identifier: Apache-2.0
//
// linker/elf and linker/shim: the firmware's ELF file, and its places.

#include <catch2/catch_test_macros.hpp>

#include "linker/elf.hpp"
#include "linker/shim.hpp"
#include "tests/unit/firmware_elf.hpp"

namespace tdshim::linker { namespace {

using namespace tdshim::test;

TEST_CASE("an executable at fixed addresses is read", "[elf]") {
    const Blob file = good_elf();
    const auto executable = parse_executable(file.view());
    REQUIRE(executable.has_value());
    CHECK(executable->entry.value == code + 4);
    REQUIRE(executable->segments.size() == 3);
    const Segment& text = executable->segments[0];
    CHECK(text.executable);
    CHECK_FALSE(text.writable);
    CHECK(text.memory.start().value == code);
    CHECK(copy_of(text.data) == Blob().fill(0x20, 0xC0).vector());
    CHECK(executable->segments[2].writable);
    CHECK(executable->segments[2].data.empty());
}

TEST_CASE("a file that is no x86-64 ELF is refused", "[elf]") {
    require_refused(parse_executable({}), Fault::truncated, 0, 64, 0);
    Blob file = good_elf();
    require_refused(parse_executable(file.view().first(63)), Fault::truncated, 0, 64, 63);
    SECTION("magic") {
        file.patch(1, 1, 'F');
        require_refused(parse_executable(file.view()), Fault::elf_header, 1, 'E', 'F');
    }
    SECTION("32 bits") {
        file.patch(4, 1, 1);
        require_refused(parse_executable(file.view()), Fault::elf_header, 4, 2, 1);
    }
    SECTION("big-endian") {
        file.patch(5, 1, 2);
        require_refused(parse_executable(file.view()), Fault::elf_header, 5, 1, 2);
    }
    SECTION("another machine") {
        file.patch(18, 2, 183);
        require_refused(parse_executable(file.view()), Fault::elf_header, 18, 62, 183);
    }
    SECTION("program headers of another size") {
        file.patch(54, 2, 32);
        require_refused(parse_executable(file.view()), Fault::elf_header, 54, 56, 32);
    }
}

TEST_CASE("what needs relocating or an interpreter is refused", "[elf]") {
    Blob file = good_elf();
    file.patch(16, 2, 3);
    require_refused(parse_executable(file.view()), Fault::elf_not_executable, 16, 2, 3);
    require_refused(parse_executable(elf_with(3, {2, 6, 0, 0, 0, 0, 0}).view()),
                    Fault::elf_not_executable, program_row_at(3), 1, 2);
    require_refused(parse_executable(elf_with(3, {3, 4, 0, 0, 0, 0, 0}).view()),
                    Fault::elf_not_executable, program_row_at(3), 1, 3);
}

TEST_CASE("program headers outside the file are refused", "[elf]") {
    Blob file = good_elf();
    file.patch(32, 8, 0x2000);
    require_refused(parse_executable(file.view()), Fault::truncated, 0x2000, 56, 0x10);
    file.patch(32, 8, ~0ULL - 10);
    require_refused(parse_executable(file.view()), Fault::truncated, ~0ULL - 10, 56, 0);
    file.patch(32, 8, 0xFFFFFFFFFFFFFFF0).patch(56, 2, 0);
    require_refused(parse_executable(file.view()), Fault::elf_entry, 24, 0, code + 4);
}

TEST_CASE("a segment whose data is not in the file is refused", "[elf]") {
    const Blob size = elf_with(1, {1, 4, 0x2000, code + 0x1000, code + 0x1000, 0x11, 0x20});
    require_refused(parse_executable(size.view()), Fault::elf_segment_outside_file,
                    program_row_at(1) + 32, 0x10, 0x11);
    const Blob offset = elf_with(1, {1, 4, ~0ULL, code + 0x1000, code + 0x1000, 0x10, 0x20});
    require_refused(parse_executable(offset.view()), Fault::elf_segment_outside_file,
                    program_row_at(1) + 8, 0x2010, ~0ULL);
}

TEST_CASE("a segment smaller in memory than in the file is refused", "[elf]") {
    for (const std::uint64_t memory : {0xFULL, 0ULL}) {
        const Blob file = elf_with(1, {1, 4, 0x2000, code + 0x1000, code + 0x1000, 0x10, memory});
        require_refused(parse_executable(file.view()), Fault::elf_segment_size,
                        program_row_at(1) + 40, 0x10, memory);
    }
}

TEST_CASE("a segment both writable and executable is refused", "[elf]") {
    const Blob file = elf_with(0, {1, 7, 0x1000, code, code, 0x20, 0x20});
    require_refused(parse_executable(file.view()), Fault::elf_segment_writable_executable,
                    program_row_at(0) + 4, 0, 3);
}

TEST_CASE("segments stand on pages of their own, at one address", "[elf]") {
    const Blob physical = elf_with(1, {1, 4, 0x2000, code + 0x1000, 0x5000, 0x10, 0x20});
    require_refused(parse_executable(physical.view()), Fault::elf_segment_address,
                    program_row_at(1) + 24, code + 0x1000, 0x5000);
    const Blob page = elf_with(1, {1, 4, 0x2000, code + 0x20, code + 0x20, 0x10, 0x20});
    require_refused(parse_executable(page.view()), Fault::elf_segment_alignment,
                    program_row_at(1) + 16, code, code + 0x20);
    const Blob overlap = elf_with(1, {1, 4, 0x2000, code, code, 0x10, 0x20});
    require_refused(parse_executable(overlap.view()), Fault::elf_segment_overlap,
                    program_row_at(1) + 16, code + 0x20, code);
    const Blob wraps = elf_with(2, {1, 6, 0, 0xFFFFFFFFFFFFF000, 0xFFFFFFFFFFFFF000, 0, 0x1001});
    require_refused(parse_executable(wraps.view()), Fault::elf_segment_address,
                    program_row_at(2) + 40, 0xFFF, 0x1001);
}

TEST_CASE("too many segments are refused", "[elf]") {
    auto rows = good_program_rows();
    rows.resize(3);
    for (std::uint64_t i = 0; i < 14; ++i)
        rows.push_back({1, 4, 0, code + (2 + i) * page_size, code + (2 + i) * page_size, 0, 1});
    require_refused(parse_executable(elf_of(rows).view()), Fault::too_many_entries,
                    program_row_at(16), 16, 17);
}

TEST_CASE("an entry point outside code is refused", "[elf]") {
    for (const std::uint64_t entry : {code - 1, code + 0x20, code + 0x1000, data}) {
        Blob file = good_elf();
        file.patch(24, 8, entry);
        require_refused(parse_executable(file.view()), Fault::elf_entry, 24, 0, entry);
    }
}

TEST_CASE("the shim's sizes are counted by permission", "[shim]") {
    const Blob file = good_elf();
    const auto shim = parse_shim(file.view());
    REQUIRE(shim.has_value());
    CHECK(shim->code_size == 0x20);
    CHECK(shim->constants_size == 0x20);
    CHECK(shim->memory_size == 0x8000);
    CHECK(shim->rom_size == 0x1020);
}

TEST_CASE("a shim outside its places is refused", "[shim]") {
    const std::uint64_t end = code + layout::shim_rom_size;
    const Blob below = elf_with(1, {1, 4, 0x2000, code - 0x1000, code - 0x1000, 0x10, 0x20});
    require_refused(parse_shim(below.view()), Fault::elf_segment_address, program_row_at(1) + 16,
                    code, code - 0x1000);
    const Blob above = elf_with(1, {1, 4, 0x2000, end - 0x1000, end - 0x1000, 0x10, 0x1001});
    require_refused(parse_shim(above.view()), Fault::elf_segment_address, program_row_at(1) + 40,
                    end, end + 1);
    CHECK(parse_shim(elf_with(1, {1, 4, 0x2000, end - 0x1000, end - 0x1000, 0x10, 0x1000}).view())
              .has_value());
    const Blob memory = elf_with(2, {1, 6, 0, code + 0x2000, code + 0x2000, 0, 0x1000});
    require_refused(parse_shim(memory.view()), Fault::elf_segment_address, program_row_at(2) + 16,
                    data, code + 0x2000);
    const std::uint64_t large = layout::shim_data.size() + 1;
    require_refused(parse_shim(elf_with(2, {1, 6, 0, data, data, 0, large}).view()),
                    Fault::elf_segment_address, program_row_at(2) + 40, data + large - 1,
                    data + large);
}

TEST_CASE("initialised data is refused", "[shim]") {
    const Blob file = elf_with(2, {1, 6, 0x2000, data, data, 0x10, 0x8000});
    require_refused(parse_shim(file.view()), Fault::elf_segment_initialised_data,
                    program_row_at(2) + 32, 0, 0x10);
}

}} // namespace tdshim::linker
