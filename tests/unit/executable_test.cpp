// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/executable, elf and pe: what a loader makes of good files, and of 50 bad ones, each
// refused for its own reason.

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/executable/program.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::executable { namespace {

using namespace tdshim::test;

struct ElfRow {
    std::uint64_t type, flags, offset, address, file_size, memory_size;
};

constexpr std::size_t elf_rows_at = 0x40;
constexpr std::size_t elf_row_size = 0x38;
std::size_t elf_row(std::size_t row) {
    return elf_rows_at + elf_row_size * row;
}

/// ET_DYN: code of 0x20 bytes, data of 0x40 bytes that begins with a relocated pointer, and behind
/// it in the data the dynamic section and one relocation.
Blob good_elf() {
    Blob file;
    file.dump("7F 45 4C 46 02 01 01 00 00 00 00 00 00 00 00 00");
    file.u16(3).u16(62).u32(1).u64(0x1004).u64(elf_rows_at).u64(0).u32(0);
    file.u16(64).u16(56).u16(3).u16(64).u16(0).u16(0);
    const std::vector<ElfRow> rows{{1, 5, 0x1000, 0x1000, 0x20, 0x20},
                                   {1, 6, 0x2000, 0x2000, 0x100, 0x1800},
                                   {2, 6, 0x2020, 0x2020, 0x40, 0x40}};
    for (const ElfRow& row : rows)
        file.u32(row.type)
            .u32(row.flags)
            .u64(row.offset)
            .u64(row.address)
            .u64(row.address)
            .u64(row.file_size)
            .u64(row.memory_size)
            .u64(0x1000);
    file.fill(0x1000 - file.size(), 0).fill(0x20, 0xC0).fill(0xFE0, 0);
    file.u64(0).fill(0x18, 0xDA);
    file.u64(7).u64(0x2080).u64(8).u64(24).u64(9).u64(24).u64(0).u64(0); // RELA, RELASZ, RELAENT
    file.fill(0x2080 - file.size(), 0);
    file.u64(0x2000).u64(8).u64(0x1010); // *0x2000 = base + 0x1010
    file.fill(0x2100 - file.size(), 0);
    return file;
}

void check_elf_refused(std::size_t offset, std::size_t size, std::uint64_t value, Fault fault) {
    CAPTURE(offset, value);
    const Result<Program> program = parse_elf(good_elf().patch(offset, size, value).view());
    REQUIRE_FALSE(program.has_value());
    CHECK(sentence(program.error().fault) == sentence(fault));
}

void check_load_refused(const Result<Program>& program, Fault fault) {
    REQUIRE(program.has_value());
    std::vector<std::byte> memory(program->size);
    const auto loaded = load(*program, {64 * MiB}, memory);
    REQUIRE_FALSE(loaded.has_value());
    CHECK(sentence(loaded.error().fault) == sentence(fault));
}

std::uint64_t number_at(Bytes memory, std::size_t offset) {
    return *read_at<le64>(memory, offset);
}

TEST_CASE("a position-independent ELF file is loaded and relocated", "[executable]") {
    const Blob file = good_elf();
    const auto program = parse_elf(file.view());
    REQUIRE(program.has_value());
    CHECK(program->is_relocatable);
    CHECK(program->linked_base.value == 0x1000);
    CHECK(program->size == 0x3000);
    CHECK(program->entry == 4);
    REQUIRE(program->parts.size() == 2);
    CHECK(program->parts[0].executable);
    CHECK_FALSE(program->parts[0].writable);
    CHECK(program->parts[1].writable);
    std::vector<std::byte> memory(program->size, std::byte{0xEE});
    REQUIRE(load(*program, {64 * MiB}, memory).has_value());
    CHECK(number_at(memory, 0x1000) == 64 * MiB + 0x10);
    CHECK(memory[0x20] == std::byte{0}); // what no segment fills
    CHECK(memory[0x2FFF] == std::byte{0});
}

TEST_CASE("an ELF file at fixed addresses stands nowhere else", "[executable]") {
    Blob file = good_elf();
    file.patch(16, 2, 2).patch(elf_row(2), 4, 6);
    const auto program = parse_elf(file.view());
    REQUIRE(program.has_value());
    CHECK_FALSE(program->is_relocatable);
    check_load_refused(program, Fault::relocation_missing);
}

TEST_CASE("malformed ELF executables are refused", "[executable]") {
    const std::size_t code = elf_row(0);
    const std::size_t data = elf_row(1);
    check_elf_refused(18, 2, 3, Fault::elf_header);         // 32-bit x86
    check_elf_refused(16, 2, 1, Fault::elf_not_executable); // an object file
    check_elf_refused(54, 2, 0x20, Fault::elf_header);      // program headers of another size
    check_elf_refused(56, 2, 0xFFFF, Fault::truncated);     // an absurd number of them
    check_elf_refused(32, 8, ~0ULL - 7, Fault::truncated);  // beyond the file
    check_elf_refused(elf_row(2), 4, 3, Fault::elf_not_executable); // an interpreter
    check_elf_refused(code + 4, 4, 7, Fault::elf_segment_writable_executable);
    check_elf_refused(code + 8, 8, ~0ULL, Fault::elf_segment_outside_file);
    check_elf_refused(data + 32, 8, 0x10000, Fault::elf_segment_outside_file);
    check_elf_refused(data + 40, 8, 0x10, Fault::elf_segment_size);
    check_elf_refused(data + 16, 8, 0x1010, Fault::elf_segment_overlap);
    check_elf_refused(data + 16, 8, 0x1800, Fault::elf_page_shared);
    check_elf_refused(data + 16, 8, ~0ULL - 0xFFF, Fault::elf_segment_address); // wraps around
    check_elf_refused(data + 16, 8, 4 * GiB, Fault::executable_size);
    check_elf_refused(data + 40, 8, 2 * GiB, Fault::executable_size);
    check_elf_refused(24, 8, 0x2000, Fault::executable_no_entry);  // in data
    check_elf_refused(24, 8, 0x0FFF, Fault::executable_no_entry);  // below
    check_elf_refused(0x2020, 8, 1, Fault::elf_dynamic);           // needs a library
    check_elf_refused(0x2048, 8, 16, Fault::elf_dynamic);          // entries of another size
    check_elf_refused(0x2038, 8, 25, Fault::elf_dynamic);          // a part of an entry
    check_elf_refused(0x2028, 8, 0x20F0, Fault::relocation_place); // table beyond the data
    check_elf_refused(0x2028, 8, 0x0F00, Fault::relocation_place); // table below it
}

TEST_CASE("relocations of an ELF file stay inside it", "[executable]") {
    Blob file = good_elf();
    SECTION("behind its end") {
        check_load_refused(parse_elf(file.patch(0x2080, 8, 0x3FF9).view()),
                           Fault::relocation_place);
    }
    SECTION("below its base") {
        check_load_refused(parse_elf(file.patch(0x2080, 8, 0x0FF8).view()),
                           Fault::relocation_place);
    }
    SECTION("of a symbol") {
        check_load_refused(parse_elf(file.patch(0x2088, 8, 0x1'0000'0001).view()),
                           Fault::relocation_kind);
    }
}

constexpr std::size_t coff_at = 0x84;
constexpr std::size_t optional_at = coff_at + 20;
constexpr std::size_t directories_at = optional_at + 112;
constexpr std::size_t sections_at = directories_at + 6 * 8;

/// .text of 0x20 bytes, .data whose first 8 bytes are a pointer, .reloc with one entry for it.
Blob good_pe() {
    Blob file;
    file.text("MZ").fill(0x3A, 0).u32(0x80).fill(0x40, 0).text("PE").u16(0);
    file.u16(0x8664).u16(3).u32(0).u32(0).u32(0).u16(112 + 48).u16(0x22);
    file.u16(0x20B).fill(14, 0).u32(0x1004).u32(0x1000).u64(0x1'4000'0000).u32(0x1000).u32(0x200);
    file.fill(16, 0).u32(0x4000).u32(0x400).fill(44, 0).u32(6);
    file.fill(5 * 8, 0).u32(0x3000).u32(12);
    const auto section = [&](std::string_view name, std::uint64_t address, std::uint64_t size,
                             std::uint64_t raw, std::uint64_t flags) {
        file.text(name).fill(8 - name.size(), 0).u32(size).u32(address).u32(0x200).u32(raw);
        file.fill(12, 0).u32(flags << 28U);
    };
    section(".text", 0x1000, 0x20, 0x400, 6);
    section(".data", 0x2000, 0x800, 0x600, 0xC);
    section(".reloc", 0x3000, 12, 0x800, 4);
    file.fill(0x400 - file.size(), 0).fill(0x200, 0xC0);
    file.u64(0x1'4000'1010).fill(0x1F8, 0xDA);
    file.u32(0x2000).u32(12).u16(0xA000).u16(0).fill(0x200 - 12, 0);
    return file;
}

void check_pe_refused(std::size_t offset, std::size_t size, std::uint64_t value, Fault fault) {
    CAPTURE(offset, value);
    const Result<Program> program = parse_pe(good_pe().patch(offset, size, value).view());
    REQUIRE_FALSE(program.has_value());
    CHECK(sentence(program.error().fault) == sentence(fault));
}

TEST_CASE("a PE file is loaded and relocated", "[executable]") {
    const Blob file = good_pe();
    const auto program = parse_pe(file.view());
    REQUIRE(program.has_value());
    CHECK(program->size == 0x4000);
    CHECK(program->entry == 0x1004);
    REQUIRE(program->parts.size() == 4); // with the headers
    CHECK(program->parts[1].executable);
    CHECK(program->parts[2].writable);
    CHECK(program->parts[2].data.size() == 0x200);
    std::vector<std::byte> memory(program->size);
    REQUIRE(load(*program, {64 * MiB}, memory).has_value());
    CHECK(number_at(memory, 0x2000) == 64 * MiB + 0x1010);
    REQUIRE(load(*program, program->linked_base, memory).has_value());
    CHECK(number_at(memory, 0x2000) == 0x1'4000'1010);
}

TEST_CASE("malformed PE executables are refused", "[executable]") {
    const std::size_t text = sections_at;
    const std::size_t data = sections_at + 40;
    check_pe_refused(0, 2, 0, Fault::pe_header);
    check_pe_refused(0x3C, 4, 0xFFFFFF00, Fault::truncated);
    check_pe_refused(0x80, 4, 0x4551, Fault::pe_header);
    check_pe_refused(coff_at, 2, 0x14C, Fault::pe_header);             // 32-bit x86
    check_pe_refused(coff_at + 2, 2, 0xFFFF, Fault::too_many_entries); // absurd number of sections
    check_pe_refused(coff_at + 16, 2, 0x40, Fault::pe_header);         // optional header cut short
    check_pe_refused(optional_at, 2, 0x10B, Fault::pe_header);         // PE32
    check_pe_refused(optional_at + 108, 4, 17, Fault::pe_header);      // directories beyond it
    check_pe_refused(directories_at + 8, 8, 0x10'0000'1000, Fault::pe_not_standalone); // imports
    check_pe_refused(directories_at + 72 - 32, 8, 0x10'0000'9000, Fault::relocation_place);
    check_pe_refused(optional_at + 56, 4, 0x2000, Fault::pe_section_place); // image too small
    check_pe_refused(optional_at + 56, 4, 0xFFFFF000, Fault::executable_size);
    check_pe_refused(optional_at + 24, 8, 0x1'4000'0800, Fault::pe_header); // base inside a page
    check_pe_refused(optional_at + 60, 4, 0x10000, Fault::truncated); // headers beyond the file
    check_pe_refused(optional_at + 16, 4, 0x2000, Fault::executable_no_entry);
    check_pe_refused(text + 36, 4, 0xE000'0000, Fault::pe_section_writable_executable);
    check_pe_refused(text + 12, 4, 0x1010, Fault::pe_section_alignment);
    check_pe_refused(data + 12, 4, 0x1000, Fault::pe_section_place); // overlaps .text
    check_pe_refused(data + 12, 4, 0, Fault::pe_section_place);      // overlaps the headers
    check_pe_refused(data + 20, 4, 0xFFFF0000, Fault::pe_section_outside_file);
    check_pe_refused(data + 16, 4, 0x10000, Fault::pe_section_outside_file);
}

TEST_CASE("relocations of a PE file stay inside it", "[executable]") {
    constexpr std::size_t block = 0x800;
    Blob file = good_pe();
    SECTION("behind its end") {
        check_load_refused(parse_pe(file.patch(block, 4, 0x4000).view()), Fault::relocation_place);
    }
    SECTION("of 32 bits") {
        check_load_refused(parse_pe(file.patch(block + 8, 2, 0x3000).view()),
                           Fault::relocation_kind);
    }
    SECTION("a block shorter than its head") {
        check_load_refused(parse_pe(file.patch(block + 4, 4, 4).view()), Fault::truncated);
    }
    SECTION("a block longer than the directory") {
        check_load_refused(parse_pe(file.patch(block + 4, 4, 64).view()), Fault::truncated);
    }
    SECTION("stripped, so that it stands nowhere else") {
        check_load_refused(parse_pe(file.patch(coff_at + 18, 2, 0x23).view()),
                           Fault::relocation_missing);
    }
}

}} // namespace tdshim::executable
