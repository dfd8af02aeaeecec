// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/linux/setup_header: what is read of a bzImage, and each header that is refused, at
// the offset of the field that is to blame [Linux Documentation/arch/x86/boot.rst].

#include <catch2/catch_test_macros.hpp>
#include <cstdint>

#include "shim/formats/linux/setup_header.hpp"
#include "tests/unit/kernel_blob.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::linux_boot { namespace {

using namespace tdshim::test;

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;
constexpr std::uint64_t top = ~std::uint64_t{0};

Kernel parsed(const Blob& file) {
    const auto kernel = parse_kernel(file.view());
    REQUIRE(kernel.has_value());
    return *kernel;
}

Blob with(std::size_t offset, std::size_t size, std::uint64_t value) {
    return kernel_blob().patch(offset, size, value);
}

/// A kernel whose field has this value is refused for that field.
void check_refused(std::size_t offset, std::size_t size, std::uint64_t value, Fault fault,
                   std::uint64_t expected) {
    CAPTURE(offset, value);
    require_refused(parse_kernel(with(offset, size, value).view()), fault, offset, expected, value);
}

void check_accepted(std::size_t offset, std::size_t size, std::uint64_t value) {
    CAPTURE(offset, value);
    CHECK(parse_kernel(with(offset, size, value).view()).has_value());
}

TEST_CASE("a kernel such as Debian's is read", "[setup_header]") {
    const Kernel kernel = parsed(kernel_blob());
    CHECK(kernel.setup_size == setup_size);
    CHECK(kernel.code_size == code_size);
    CHECK(kernel.init_size == 0x3378000);
    CHECK(kernel.alignment == 0x200000);
    CHECK(kernel.preferred == Gpa{0x1000000});
    CHECK(kernel.relocatable);
    CHECK(kernel.command_line_limit == 2047);
    CHECK(kernel.initrd_limit == Gpa{top});
}

TEST_CASE("the header is a copy of the file from offset 0x1F1 on", "[setup_header]") {
    Blob file = kernel_blob();
    for (const std::size_t reserved : {0x1F2UZ, 0x1FAUZ, 0x20CUZ, 0x23CUZ, 0x268UZ, 0x26BUZ})
        file.patch(reserved, 1, 0x80 + reserved % 0x40);
    CHECK(copy_of(bytes_of(parsed(file).header)) == copy_of(file.view().subspan(0x1F1, 0x7B)));
}

TEST_CASE("kernels from 6.5 on accept memory, and those that name no version", "[setup_header]") {
    struct Named {
        std::string_view version;
        bool accepts;
    };
    for (const Named& named : {Named{"6.5.0-1-amd64 (somebody)", true},
                               {"6.12.48+deb13", true},
                               {"7.0", true},
                               {"10.1.2", true},
                               {"6.4.16", false},
                               {"6.1.0-41", false},
                               {"5.19", false},
                               {"6.", true},
                               {"6", true},
                               {"v6.1", true},
                               {"", true},
                               {".5", true},
                               {"00000006.1", true},
                               {"6.00001", true}}) {
        CAPTURE(named.version);
        constexpr std::size_t at = 0x400;
        Blob file = with(0x20E, 2, at - 0x200);
        file.patch(at, Blob().text(named.version));
        CHECK(parsed(file).accepts_memory == named.accepts);
    }
    // Named outside of the setup part, or up to its end.
    CHECK(parsed(with(0x20E, 2, setup_size - 0x200)).accepts_memory);
    CHECK(parsed(with(0x20E, 2, 0xFFFF)).accepts_memory);
    CHECK_FALSE(
        parsed(with(0x20E, 2, setup_size - 0x200 - 3).patch(setup_size - 3, Blob().text("6.1")))
            .accepts_memory);
}

TEST_CASE("setup_sects of zero means four", "[setup_header]") {
    Blob file = with(field::setup_sects, 1, 0);
    file.fill(512, 0xC0); // the setup part grew by a sector
    const Kernel kernel = parsed(file);
    CHECK(kernel.setup_size == 5 * 512);
    CHECK(kernel.code_size == code_size);
}

TEST_CASE("the setup part has one sector more than setup_sects says", "[setup_header]") {
    Blob file = with(field::setup_sects, 1, 1);
    const Kernel small = parsed(file);
    CHECK(small.setup_size == 2 * 512);
    CHECK(small.code_size == file.size() - 2 * 512);
    file = with(field::setup_sects, 1, 255);
    file.resize(256 * 512 + code_size);
    CHECK(parsed(file).setup_size == 256 * 512);
    CHECK(parsed(file).code_size == code_size);
}

TEST_CASE("a file cut before the header's end is refused", "[setup_header]") {
    const Blob file = kernel_blob();
    require_refused(parse_kernel({}), Fault::truncated, 0x1F1, 0x7B, 0);
    require_refused(parse_kernel(file.view().first(0x1F0)), Fault::truncated, 0x1F1, 0x7B, 0);
    require_refused(parse_kernel(file.view().first(0x1F1)), Fault::truncated, 0x1F1, 0x7B, 0);
    require_refused(parse_kernel(file.view().first(0x26B)), Fault::truncated, 0x1F1, 0x7B, 0x7A);
    CHECK(parse_kernel(file.view().first(0x26C)).error().fault == Fault::kernel_setup_size);
}

TEST_CASE("a file without the boot flag is refused", "[setup_header]") {
    check_refused(field::boot_flag, 2, 0, Fault::kernel_boot_flag, 0xAA55);
    check_refused(field::boot_flag, 2, 0x55AA, Fault::kernel_boot_flag, 0xAA55);
}

TEST_CASE("a file without HdrS is refused", "[setup_header]") {
    check_refused(field::header, 4, 0, Fault::kernel_magic, 0x53726448);
    check_refused(field::header, 4, 0x48647253, Fault::kernel_magic, 0x53726448);
}

TEST_CASE("a boot protocol older than 2.12 is refused", "[setup_header]") {
    for (const unsigned version : {0x0000U, 0x0200U, 0x0209U, 0x020BU, 0x01FFU})
        check_refused(field::version, 2, version, Fault::kernel_protocol, 0x020C);
    for (const unsigned version : {0x020CU, 0x020DU, 0x020FU, 0x0210U, 0x0300U})
        check_accepted(field::version, 2, version);
}

TEST_CASE("a header that ends before the fields of its protocol is refused", "[setup_header]") {
    for (const unsigned distance : {0x00U, 0x10U, 0x65U, 0x80U, 0xFFU})
        check_refused(field::jump_offset, 1, distance, Fault::kernel_header_size, 0x66);
    for (const unsigned distance : {0x66U, 0x6AU, 0x7FU})
        check_accepted(field::jump_offset, 1, distance);
}

TEST_CASE("a kernel that is not loaded high is refused", "[setup_header]") {
    check_refused(field::loadflags, 1, 0x00, Fault::kernel_not_high, 1);
    check_refused(field::loadflags, 1, 0xFE, Fault::kernel_not_high, 1);
    check_accepted(field::loadflags, 1, 0x81);
}

TEST_CASE("a kernel without the 64-bit entry is refused", "[setup_header]") {
    check_refused(field::xloadflags, 2, 0x0000, Fault::kernel_no_64bit_entry, 1);
    check_refused(field::xloadflags, 2, 0xFFFE, Fault::kernel_no_64bit_entry, 1);
    check_accepted(field::xloadflags, 2, 0x0001);
}

TEST_CASE("a kernel whose code does not reach the 64-bit entry is refused", "[setup_header]") {
    Blob file = with(field::syssize, 4, 0);
    file.resize(setup_size + 0x201);
    CHECK(parsed(file).code_size == 0x201);
    for (const std::size_t size :
         {setup_size + 0x200, setup_size + 1, setup_size, setup_size - 1}) {
        file.resize(size);
        require_refused(parse_kernel(file.view()), Fault::kernel_setup_size, field::setup_sects,
                        setup_size + 0x201, size);
    }
}

TEST_CASE("setup_sects beyond the file is refused", "[setup_header]") {
    const Blob file = with(field::setup_sects, 1, 255);
    require_refused(parse_kernel(file.view()), Fault::kernel_setup_size, field::setup_sects,
                    256 * 512 + 0x201, file.size());
}

TEST_CASE("code shorter than syssize says is refused", "[setup_header]") {
    const std::size_t size = setup_size + code_size;
    for (const std::uint32_t paragraphs : {0x101U, 0x10000000U, 0x80000000U, 0xFFFFFFFFU})
        require_refused(parse_kernel(with(field::syssize, 4, paragraphs).view()),
                        Fault::kernel_setup_size, field::syssize,
                        setup_size + std::uint64_t{paragraphs} * 16, size);
    Blob cut = kernel_blob();
    cut.resize(size - 16);
    require_refused(parse_kernel(cut.view()), Fault::kernel_setup_size, field::syssize, size,
                    size - 16);
    cut.resize(size - 15); // the last paragraph need not be whole
    CHECK(parsed(cut).code_size == code_size - 15);
}

TEST_CASE("a signature behind the code of a kernel is part of the file", "[setup_header]") {
    const Blob file = kernel_blob().fill(1472, 0x5A); // as on Debian's signed kernels
    const Kernel kernel = parsed(file);
    CHECK(kernel.setup_size + kernel.code_size == file.size());
}

TEST_CASE("an alignment is a power of two from 4 KiB to 1 GiB", "[setup_header]") {
    for (const std::uint64_t alignment : {0x0ULL, 0x1ULL, 0x800ULL, 0x3000ULL, 0x300000ULL,
                                          0x40000001ULL, 0x80000000ULL, 0xFFFFFFFFULL})
        check_refused(field::kernel_alignment, 4, alignment, Fault::kernel_alignment, 0x200000);
    for (std::uint64_t alignment = 0x1000; alignment <= gibibyte; alignment *= 2)
        CHECK(parsed(with(field::kernel_alignment, 4, alignment)).alignment == alignment);
}

TEST_CASE("an init_size below the code or above 2 GiB is refused", "[setup_header]") {
    for (const std::uint64_t size : {0x0ULL, 0xFFFULL, 0x80000001ULL, 0xFFFFFFFFULL})
        check_refused(field::init_size, 4, size, Fault::kernel_init_size, code_size);
    for (const std::uint64_t size : {std::uint64_t{code_size}, 2 * gibibyte})
        CHECK(parsed(with(field::init_size, 4, size)).init_size == size);
}

TEST_CASE("a preferred address from which the kernel would wrap around is refused",
          "[setup_header]") {
    constexpr std::uint64_t init_size = 0x3378000;
    constexpr std::uint64_t alignment = 0x200000;
    constexpr std::uint64_t bound = top - init_size;
    constexpr std::uint64_t last = (top - init_size) / alignment * alignment;
    CHECK(parsed(with(field::pref_address, 8, last)).preferred == Gpa{last});
    for (const std::uint64_t address : {last + 1, last + alignment, top - alignment + 1, top})
        check_refused(field::pref_address, 8, address, Fault::kernel_address_wraps, bound);
    CHECK(parsed(with(field::pref_address, 8, 0)).preferred == Gpa{0});
}

TEST_CASE("a kernel that cannot be relocated is told apart", "[setup_header]") {
    CHECK_FALSE(parsed(with(field::relocatable_kernel, 1, 0)).relocatable);
    CHECK(parsed(with(field::relocatable_kernel, 1, 0xFF)).relocatable);
}

TEST_CASE("initrd_addr_max counts when nothing may lie above 4 GiB", "[setup_header]") {
    Blob file = with(field::xloadflags, 2, 0x0001);
    CHECK(parsed(file).initrd_limit == Gpa{0x7FFFFFFF});
    file.patch(field::initrd_addr_max, 4, 0x37FFFFFF);
    CHECK(parsed(file).initrd_limit == Gpa{0x37FFFFFF});
    file.patch(field::xloadflags, 2, 0x0003);
    CHECK(parsed(file).initrd_limit == Gpa{top});
}

TEST_CASE("cmdline_size is taken whole", "[setup_header]") {
    CHECK(parsed(with(field::cmdline_size, 4, 0)).command_line_limit == 0);
    CHECK(parsed(with(field::cmdline_size, 4, 0xFFFFFFFF)).command_line_limit == 0xFFFFFFFF);
}

TEST_CASE("of several faults that of the kind is told first", "[setup_header]") {
    Blob file = kernel_blob();
    file.patch(field::init_size, 4, 0).patch(field::syssize, 4, 0xFFFFFFFF);
    CHECK(parse_kernel(file.view()).error().fault == Fault::kernel_setup_size);
    file.patch(field::version, 2, 0x0200);
    CHECK(parse_kernel(file.view()).error().fault == Fault::kernel_protocol);
    file.patch(field::header, 4, 0);
    CHECK(parse_kernel(file.view()).error().fault == Fault::kernel_magic);
    file.patch(field::boot_flag, 2, 0);
    CHECK(parse_kernel(file.view()).error().fault == Fault::kernel_boot_flag);
}

}} // namespace tdshim::linux_boot
