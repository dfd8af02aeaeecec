// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/fw_cfg: the file directory as QEMU's docs/specs/fw_cfg.rst lays it out, entry by
// entry, and every directory that is not to be believed.

#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <string>

#include "shim/formats/fw_cfg/directory.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::fw_cfg { namespace {

using namespace tdshim::test;

constexpr std::size_t entry_size = 64;
constexpr std::size_t longest_name = 55; // the NUL has the 56th place

/// Appends a big-endian number of `size` bytes.
Blob& big_endian(Blob& blob, std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i != 0; --i)
        blob.u8((value >> (8 * (i - 1))) & 0xFF);
    return blob;
}

/// struct FWCfgFile.
Blob entry(std::string_view name, std::uint16_t selector, std::uint32_t size) {
    Blob blob;
    big_endian(blob, size, 4);
    big_endian(blob, selector, 2);
    big_endian(blob, 0, 2);
    blob.text(name);
    blob.resize(entry_size);
    return blob;
}

/// `count` files, file0 at selector 0x20 and so on, of 100 bytes and more.
Blob files(std::uint16_t count) {
    Blob blob;
    for (std::uint16_t i = 0; i < count; ++i)
        blob.bytes(entry("file" + std::to_string(i), static_cast<std::uint16_t>(0x20 + i), 100U + i)
                       .view());
    return blob;
}

Directory parsed(const Blob& entries) {
    const auto directory = Directory::parse(entries.view());
    REQUIRE(directory.has_value());
    return *directory;
}

void check_file(const std::optional<File>& file, std::uint16_t selector, std::uint32_t size) {
    REQUIRE(file.has_value());
    CHECK(file->selector == selector);
    CHECK(file->size == size);
}

be32 announced(std::string_view dump) {
    const auto value = read_at<be32>(Blob().dump(dump).view(), 0);
    REQUIRE(value.has_value());
    return *value;
}

TEST_CASE("selectors and names are those of QEMU's specification", "[fw_cfg]") {
    STATIC_CHECK(signature == 0x0000);
    STATIC_CHECK(features == 0x0001);
    STATIC_CHECK(feature_dma == 1U << 1);
    STATIC_CHECK(kernel_size == 0x08);
    STATIC_CHECK(kernel_data == 0x11);
    STATIC_CHECK(initrd_size == 0x0B);
    STATIC_CHECK(initrd_data == 0x12);
    STATIC_CHECK(command_line_size == 0x14);
    STATIC_CHECK(command_line_data == 0x15);
    STATIC_CHECK(setup_size == 0x17);
    STATIC_CHECK(setup_data == 0x18);
    STATIC_CHECK(directory == 0x0019);
    STATIC_CHECK(first_file == 0x0020);
    STATIC_CHECK(e820_table == "etc/e820");
    STATIC_CHECK(table_loader == "etc/table-loader");
    STATIC_CHECK(acpi_rsdp == "etc/acpi/rsdp");
    STATIC_CHECK(boot_kernel == "etc/boot/kernel");
    STATIC_CHECK(named_kernel == "opt/org.tdshim/kernel");
    STATIC_CHECK(named_initrd == "opt/org.tdshim/initrd");
    STATIC_CHECK(named_command_line == "opt/org.tdshim/cmdline");
}

TEST_CASE("the DMA control block is big-endian and its bits are QEMU's", "[fw_cfg]") {
    STATIC_CHECK(dma_error == 1U << 0);
    STATIC_CHECK(dma_read == 1U << 1);
    STATIC_CHECK(dma_skip == 1U << 2);
    STATIC_CHECK(dma_select == 1U << 3);
    STATIC_CHECK(dma_write == 1U << 4);
    const DmaControl control{
        .control = 0x0019000A, .length = 0x01020304, .address = 0x1122334455667788};
    CHECK(copy_of(bytes_of(control)) ==
          Blob().dump("00 19 00 0A 01 02 03 04 11 22 33 44 55 66 77 88").vector());
}

TEST_CASE("a directory of files is read big-endian", "[fw_cfg]") {
    Blob entries = Blob().dump("00 00 01 40 00 20 00 00").text("etc/e820").fill(48, 0);
    entries.bytes(Blob().dump("12 34 56 78 3F FF 00 00").text("opt/a").fill(51, 0).view());
    const Directory directory = parsed(entries);
    CHECK(directory.size() == 2);
    check_file(directory.find("etc/e820"), 0x20, 0x140);
    check_file(directory.find("opt/a"), 0x3FFF, 0x12345678);
}

TEST_CASE("a file is found only by its whole name", "[fw_cfg]") {
    const Blob entries =
        entry("etc/acpi/rsdp", 0x20, 20).bytes(entry("etc/acpi/rsdp2", 0x21, 36).view());
    const Directory directory = parsed(entries);
    check_file(directory.find("etc/acpi/rsdp"), 0x20, 20);
    check_file(directory.find("etc/acpi/rsdp2"), 0x21, 36);
    for (const std::string_view name :
         {"etc/acpi/rsd", "etc/acpi/rsdp22", "etc", "", "ETC/ACPI/RSDP"})
        CHECK_FALSE(directory.find(name).has_value());
    CHECK_FALSE(directory.find(std::string_view("etc/acpi/rsdp\0", 14)).has_value());
}

TEST_CASE("an empty directory has no files", "[fw_cfg]") {
    const Directory directory = parsed(Blob());
    CHECK(directory.size() == 0);
    CHECK_FALSE(directory.find("etc/e820").has_value());
    CHECK(Directory().size() == 0);
    CHECK_FALSE(Directory().find("etc/e820").has_value());
}

TEST_CASE("what stands behind a name's NUL does not count", "[fw_cfg]") {
    Blob entries = entry("abc", 0x20, 1);
    entries.patch(8 + 4, 1, 'x');
    const Directory directory = parsed(entries);
    check_file(directory.find("abc"), 0x20, 1);
    require_refused(Directory::parse(Blob(entries).bytes(entry("abc", 0x21, 1).view()).view()),
                    Fault::fw_cfg_duplicate_name, entry_size, 0, 0);
}

TEST_CASE("a name may have 55 characters", "[fw_cfg]") {
    const std::string name(longest_name, 'n');
    check_file(parsed(entry(name, 0x20, 7)).find(name), 0x20, 7);
}

TEST_CASE("a name that is empty or has no end is refused", "[fw_cfg]") {
    const Blob unterminated = entry(std::string(longest_name + 1, 'n'), 0x20, 7);
    require_refused(Directory::parse(unterminated.view()), Fault::fw_cfg_name, 0, 0, 0);
    const Blob empty = files(3).bytes(entry("", 0x30, 7).view());
    require_refused(Directory::parse(empty.view()), Fault::fw_cfg_name, 3 * entry_size, 0, 0);
}

TEST_CASE("a file of size zero is a file", "[fw_cfg]") {
    check_file(parsed(entry("opt/empty", 0x20, 0)).find("opt/empty"), 0x20, 0);
}

TEST_CASE("a selector below the file range is refused", "[fw_cfg]") {
    check_file(parsed(entry("a", 0x20, 7)).find("a"), 0x20, 7);
    require_refused(Directory::parse(entry("a", 0x1F, 7).view()), Fault::fw_cfg_selector, 0, 0x20,
                    0x1F);
    require_refused(Directory::parse(files(2).bytes(entry("a", 0, 7).view()).view()),
                    Fault::fw_cfg_selector, 2 * entry_size, 0x20, 0);
}

TEST_CASE("a name that stands twice is refused at its second place", "[fw_cfg]") {
    const Blob entries = files(4).bytes(entry("file2", 0x40, 9).view());
    require_refused(Directory::parse(entries.view()), Fault::fw_cfg_duplicate_name, 4 * entry_size,
                    0, 2 * entry_size);
}

TEST_CASE("a directory that ends inside an entry is refused", "[fw_cfg]") {
    const Blob entries = files(2);
    require_refused(Directory::parse(entries.view().first(127)), Fault::truncated, 127, 64, 63);
    require_refused(Directory::parse(entries.view().first(65)), Fault::truncated, 65, 64, 1);
    require_refused(Directory::parse(entries.view().first(1)), Fault::truncated, 1, 64, 1);
}

TEST_CASE("as many files as the bound says are read and one more is refused", "[fw_cfg]") {
    const Blob all = files(max_files);
    const Directory directory = parsed(all);
    CHECK(directory.size() == max_files);
    check_file(directory.find("file255"), 0x20 + 255, 100 + 255);
    require_refused(Directory::parse(files(max_files + 1).view()), Fault::fw_cfg_count, 0, 256,
                    257);
}

TEST_CASE("the announced number of files is big-endian and bounded", "[fw_cfg]") {
    CHECK(Directory::count(announced("00 00 00 00")) == 0U);
    CHECK(Directory::count(announced("00 00 00 20")) == 32U);
    CHECK(Directory::count(announced("00 00 01 00")) == 256U);
    require_refused(Directory::count(announced("00 00 01 01")), Fault::fw_cfg_count, 0, 256, 257);
    require_refused(Directory::count(announced("20 00 00 00")), Fault::fw_cfg_count, 0, 256,
                    0x20000000);
    require_refused(Directory::count(announced("FF FF FF FF")), Fault::fw_cfg_count, 0, 256,
                    0xFFFFFFFF);
}

}} // namespace tdshim::fw_cfg
