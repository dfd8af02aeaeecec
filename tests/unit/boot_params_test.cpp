// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/linux/boot_params: the page that Linux is started with, by the offsets of
// Documentation/arch/x86/zero-page.rst, with every byte that the shim does not fill zero.

#include <catch2/catch_test_macros.hpp>
#include <cstdint>

#include "shim/formats/linux/boot_params.hpp"
#include "tests/unit/kernel_blob.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::linux_boot { namespace {

using namespace tdshim::test;

/// Offsets of boot_params that are not the setup header's.
constexpr std::size_t acpi_rsdp_addr = 0x070;
constexpr std::size_t ext_ramdisk_image = 0x0C0;
constexpr std::size_t ext_ramdisk_size = 0x0C4;
constexpr std::size_t ext_cmd_line_ptr = 0x0C8;
constexpr std::size_t e820_entries = 0x1E8;
constexpr std::size_t e820_table = 0x2D0;

constexpr std::size_t header_start = 0x1F1;
constexpr std::size_t header_end = 0x26C; // of kernel_blob: 0x202 and a jump over 0x6A

constexpr Placement kernel_only{
    .load_address = {0x1000000}, .initrd = {}, .command_line = {}, .rsdp = {}};

Kernel kernel_of(const Blob& file) {
    const auto kernel = parse_kernel(file.view());
    REQUIRE(kernel.has_value());
    return *kernel;
}

GpaRange range(std::uint64_t start, std::uint64_t size) {
    const auto made = GpaRange::make({start}, size);
    REQUIRE(made.has_value());
    return *made;
}

/// The page that the specification asks for with this file and nothing placed but the kernel.
Blob page_with(const Blob& file, std::size_t end, std::uint64_t load_address) {
    Blob page;
    page.resize(4096);
    page.patch(header_start, Blob().bytes(file.view().subspan(header_start, end - header_start)));
    page.patch(field::type_of_loader, 1, 0xFF);
    page.patch(field::code32_start, 4, load_address);
    return page;
}

void check_page(const BootParams& params, const Blob& expected) {
    CHECK(copy_of(bytes_of(params)) == expected.vector());
}

TEST_CASE("with only a kernel the page is its header and zeros", "[boot_params]") {
    const Blob file = kernel_blob();
    const BootParams params = make_boot_params(kernel_of(file), kernel_only, {});
    check_page(params, page_with(file, header_end, 0x1000000));
}

TEST_CASE("addresses below 4 GiB stand in the header's fields", "[boot_params]") {
    const Blob file = kernel_blob();
    const BootParams params = make_boot_params(kernel_of(file),
                                               {.load_address = {0x2400000},
                                                .initrd = range(0x7F123000, 0x00ABCDEF),
                                                .command_line = {0x100000},
                                                .rsdp = {0x7FFF0040}},
                                               {});
    Blob expected = page_with(file, header_end, 0x2400000);
    expected.patch(field::ramdisk_image, 4, 0x7F123000)
        .patch(field::ramdisk_size, 4, 0x00ABCDEF)
        .patch(field::cmd_line_ptr, 4, 0x100000)
        .patch(acpi_rsdp_addr, 8, 0x7FFF0040);
    check_page(params, expected);
}

TEST_CASE("addresses above 4 GiB are split over two fields", "[boot_params]") {
    const Blob file = kernel_blob();
    const BootParams params = make_boot_params(kernel_of(file),
                                               {.load_address = {0x1000000},
                                                .initrd = range(0x1'8000'0000, 0x2'0000'0001),
                                                .command_line = {0x3'1234'5000},
                                                .rsdp = {0x4'5678'9AB0}},
                                               {});
    Blob expected = page_with(file, header_end, 0x1000000);
    expected.patch(field::ramdisk_image, 4, 0x80000000)
        .patch(ext_ramdisk_image, 4, 1)
        .patch(field::ramdisk_size, 4, 1)
        .patch(ext_ramdisk_size, 4, 2)
        .patch(field::cmd_line_ptr, 4, 0x12345000)
        .patch(ext_cmd_line_ptr, 4, 3)
        .patch(acpi_rsdp_addr, 8, 0x456789AB0);
    check_page(params, expected);
}

TEST_CASE("the memory map stands as 20-byte entries with its number", "[boot_params]") {
    const Blob file = kernel_blob();
    e820::Table memory;
    REQUIRE(memory.push({range(0, 0xA0000), e820::Type::memory}));
    REQUIRE(memory.push({range(0x7FFF0000, 0x1000), e820::Type::acpi}));
    REQUIRE(memory.push({range(0x1'0000'0000, 0x1'8000'0000), static_cast<e820::Type>(12)}));
    const BootParams params = make_boot_params(kernel_of(file), kernel_only, memory);
    Blob expected = page_with(file, header_end, 0x1000000);
    expected.patch(e820_entries, 1, 3)
        .patch(e820_table, Blob()
                               .u64(0)
                               .u64(0xA0000)
                               .u32(1)
                               .u64(0x7FFF0000)
                               .u64(0x1000)
                               .u32(3)
                               .u64(0x1'0000'0000)
                               .u64(0x1'8000'0000)
                               .u32(12));
    check_page(params, expected);
}

TEST_CASE("the memory map may fill its table", "[boot_params]") {
    const Blob file = kernel_blob();
    e820::Table memory;
    Blob entries;
    for (std::uint64_t i = 0; i < 128; ++i) {
        REQUIRE(memory.push({range(i * 0x2000, 0x1000), e820::Type::memory}));
        entries.u64(i * 0x2000).u64(0x1000).u32(1);
    }
    const BootParams params = make_boot_params(kernel_of(file), kernel_only, memory);
    Blob expected = page_with(file, header_end, 0x1000000);
    expected.patch(e820_entries, 1, 128).patch(e820_table, entries);
    check_page(params, expected);
}

TEST_CASE("what stands behind the header's own end in the file is not copied", "[boot_params]") {
    Blob file = kernel_blob().patch(field::jump_offset, 1, 0x66); // up to kernel_info_offset
    file.patch(field::kernel_info_offset, 4, 0xEEEEEEEE);
    const BootParams params = make_boot_params(kernel_of(file), kernel_only, {});
    check_page(params, page_with(file, field::kernel_info_offset, 0x1000000));
}

TEST_CASE("a header longer than the known fields is cut behind them", "[boot_params]") {
    Blob file = kernel_blob().patch(field::jump_offset, 1, 0x7F);
    file.patch(header_end, 4, 0xEEEEEEEE);
    const BootParams params = make_boot_params(kernel_of(file), kernel_only, {});
    check_page(params, page_with(file, header_end, 0x1000000));
}

TEST_CASE("a loader's fields that the file brings along are overwritten", "[boot_params]") {
    // QEMU's legacy keys deliver a header that QEMU filled for its own loader.
    Blob file = kernel_blob();
    file.patch(field::type_of_loader, 1, 0xB0)
        .patch(field::ramdisk_image, 4, 0x11111111)
        .patch(field::ramdisk_size, 4, 0x22222222)
        .patch(field::cmd_line_ptr, 4, 0x20000)
        .patch(field::setup_data, 8, 0x3333333333333333);
    const BootParams params = make_boot_params(kernel_of(file), kernel_only, {});
    check_page(params, page_with(kernel_blob(), header_end, 0x1000000));
}

TEST_CASE("the sentinel before the header is zero whatever the file holds", "[boot_params]") {
    const Blob file = kernel_blob().patch(0x1EF, 1, 0xFF).patch(0x1E8, 1, 0xFF);
    const BootParams params = make_boot_params(kernel_of(file), kernel_only, {});
    check_page(params, page_with(kernel_blob(), header_end, 0x1000000));
}

}} // namespace tdshim::linux_boot
