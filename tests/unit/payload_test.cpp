// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/payload and vmlinux: kinds by content, sizes by headers, unified kernel images taken
// apart, and kernels as ELF files.

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/linux/vmlinux.hpp"
#include "shim/formats/payload/kind.hpp"
#include "shim/formats/payload/uki.hpp"
#include "tests/unit/bundle_blob.hpp"
#include "tests/unit/kernel_blob.hpp"
#include "tests/unit/support.hpp"
#include "tests/unit/uki_blob.hpp"

namespace tdshim::payload { namespace {

using namespace tdshim::test;

std::string text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST_CASE("the parts of a unified kernel image are the files that it was made from", "[payload]") {
    const Blob file = pe_with({{".osrel", "ID=x\n"},
                               {".cmdline", std::string("quiet splash\n\0", 14)},
                               {".linux", "kernel"},
                               {".initrd", "initrd"}});
    CHECK(kind_of(file.view()) == Kind::uki);
    const auto image = parse_uki(file.view());
    REQUIRE(image.has_value());
    CHECK(text_of(image->kernel) == "kernel");
    CHECK(text_of(image->initrd) == "initrd");
    CHECK(text_of(image->command_line) == "quiet splash");
    CHECK(text_of(image->os_release) == "ID=x\n");
    CHECK(file_size(Kind::uki, file.view()) == file.size());
}

TEST_CASE("a unified kernel image may have a kernel alone", "[payload]") {
    const Blob file = pe_with({{".linux", "kernel"}});
    const auto image = parse_uki(file.view());
    REQUIRE(image.has_value());
    CHECK(image->initrd.empty());
    CHECK(image->command_line.empty());
    CHECK(image->os_release.empty());
}

TEST_CASE("a Linux bundle is a kind of its own, whose size its headers say", "[payload]") {
    Blob memory = bundle_of(good_members());
    const std::size_t size = memory.size();
    CHECK(kind_of(memory.view()) == Kind::bundle);
    CHECK(name_of(Kind::bundle) == "Linux bundle");
    memory.fill(100, 0xEE);
    CHECK(file_size(Kind::bundle, memory.view()) == size);
    CHECK(kind_of(Blob().text("070702").view()).error().fault == Fault::payload_kind);
}

TEST_CASE("malformed unified kernel images are refused", "[payload]") {
    CHECK(parse_uki(pe_with({{".linux", "a"}, {".linux", "b"}}).view()).error().fault ==
          Fault::uki_section_twice);
    CHECK(parse_uki(pe_with({{".linux", "a"}, {".initrd", "b"}, {".initrd", "c"}}).view())
              .error()
              .fault == Fault::uki_section_twice);
    CHECK(parse_uki(pe_with({{".linux", "a", 0x1000}}).view()).error().fault ==
          Fault::uki_section_size);
    Blob cut = pe_with({{".linux", "kernel"}});
    cut.resize(0x900);
    CHECK(parse_uki(cut.view()).error().fault == Fault::pe_section_outside_file);
    cut.resize(0x60);
    CHECK(kind_of(cut.view()).error().fault == Fault::truncated);
}

TEST_CASE("a unified kernel image of one profile is one, of more is refused", "[payload]") {
    const Blob file = pe_with({{".linux", "a"}, {".profile", "ID=main"}});
    const auto one = parse_uki(file.view());
    REQUIRE(one.has_value());
    CHECK(text_of(one->kernel) == "a");
    // As ukify joins them: the sections of the second stand behind its name.
    CHECK(parse_uki(pe_with({{".linux", "a"},
                             {".profile", "ID=main"},
                             {".cmdline", "x"},
                             {".profile", "ID=other"},
                             {".cmdline", "y"}})
                        .view())
              .error()
              .fault == Fault::uki_profiles);
}

TEST_CASE("microcode in a unified kernel image is not left out in silence", "[payload]") {
    CHECK(parse_uki(pe_with({{".linux", "a"}, {".ucode", "m"}}).view()).error().fault ==
          Fault::uki_microcode);
}

TEST_CASE("a boot loader for UEFI is no payload", "[payload]") {
    CHECK(kind_of(pe_with({{".text", "code"}, {".sbat", "sbat,1,"}}).view()).error().fault ==
          Fault::efi_application);
    CHECK(kind_of(pe_with({{".linux", "a"}, {".sbat", "sbat,1,"}}).view()) == Kind::uki);
}

TEST_CASE("without a section .linux a PE file is an executable", "[payload]") {
    CHECK(kind_of(pe_with({{".text", "code"}}).view()) == Kind::pe);
}

TEST_CASE("a bzImage is told from its header, PE or not, and its size too", "[payload]") {
    const Blob kernel = kernel_blob();
    CHECK(kind_of(kernel.view()) == Kind::bzimage);
    Blob in_memory = kernel;
    in_memory.fill(10000, 0);
    CHECK(file_size(Kind::bzimage, in_memory.view()) == kernel.size());
    CHECK(file_size(Kind::bzimage, kernel.view().first(kernel.size() - 1)).error().fault ==
          Fault::truncated);
}

TEST_CASE("anything else is refused", "[payload]") {
    CHECK(kind_of({}).error().fault == Fault::payload_kind);
    const Blob text = Blob().text("#!/bin/sh\n").fill(4096, ' ');
    CHECK(kind_of(text.view()).error().fault == Fault::payload_kind);
}

struct Row {
    std::uint64_t flags, offset, address, physical, file_size, memory_size;
};

Blob vmlinux_of(const std::vector<Row>& rows, std::uint64_t entry = 0x100'0010) {
    Blob file;
    file.dump("7F 45 4C 46 02 01 01 00 00 00 00 00 00 00 00 00");
    file.u16(2).u16(62).u32(1).u64(entry).u64(0x40).u64(0x400).u32(0);
    file.u16(64).u16(56).u16(rows.size()).u16(64).u16(2).u16(0);
    for (const Row& row : rows)
        file.u32(1)
            .u32(row.flags)
            .u64(row.offset)
            .u64(row.address)
            .u64(row.physical)
            .u64(row.file_size)
            .u64(row.memory_size)
            .u64(0x1000);
    file.fill(0x200 - file.size(), 0).fill(0x280, 0xC0);
    return file;
}

constexpr std::uint64_t kernel_base = 0xFFFF'FFFF'8000'0000;
const std::vector<Row> good_rows{{5, 0x200, kernel_base + 0x100'0000, 0x100'0000, 0x100, 0x100},
                                 {7, 0x300, kernel_base + 0x120'0000, 0x120'0000, 0x80, 0x5000}};

TEST_CASE("a vmlinux is loaded at its physical addresses", "[payload]") {
    const Blob file = vmlinux_of(good_rows);
    CHECK(kind_of(file.view()) == Kind::vmlinux);
    CHECK(file_size(Kind::vmlinux, file.view()) == 0x400 + 2 * 64);
    const auto vmlinux = linux_boot::parse_vmlinux(file.view());
    REQUIRE(vmlinux.has_value());
    CHECK(vmlinux->memory == GpaRange::of<0x100'0000, 0x20'5000>());
    CHECK(vmlinux->entry.value == 0x100'0010);
    CHECK(vmlinux->kernel.command_line_limit == 2047);
}

TEST_CASE("a vmlinux in the wrong memory is refused", "[payload]") {
    const auto refused_for = [](std::size_t row, auto change, std::uint64_t entry = 0x100'0010) {
        auto rows = good_rows;
        change(rows[row]);
        return linux_boot::parse_vmlinux(vmlinux_of(rows, entry).view()).error().fault;
    };
    CHECK(refused_for(0, [](Row& row) { row.physical = 0x1000; }) == Fault::vmlinux_address);
    CHECK(refused_for(1, [](Row& row) { row.physical = 4 * GiB; }) == Fault::vmlinux_address);
    CHECK(refused_for(1, [](Row& row) { row.physical = 4 * GiB - 0x1000; }) ==
          Fault::vmlinux_address);
    CHECK(refused_for(1, [](Row& row) { row.physical = 0x100'0080; }) ==
          Fault::elf_segment_overlap);
    CHECK(refused_for(0, [](Row&) {}, 0x100'0100) == Fault::elf_entry);
    CHECK(refused_for(0, [](Row& row) { row.flags = 6; }) == Fault::elf_entry);
    CHECK(linux_boot::raw_vmlinux(GpaRange::of<16 * MiB, MiB>(), {17 * MiB}).error().fault ==
          Fault::vmlinux_address);
}

}} // namespace tdshim::payload
