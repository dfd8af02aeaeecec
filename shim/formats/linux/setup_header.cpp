// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/linux/setup_header.hpp"

#include <bit>
#include <optional>

namespace tdshim::linux_boot {
namespace {

// Up to and with handover_offset, of protocol 2.11; the byte is a signed jump distance.
constexpr std::uint8_t min_jump_offset = 0x268 - 0x202;
constexpr std::uint8_t max_jump_offset = 0x7F;
constexpr std::uint8_t loadflag_high = 1 << 0;
constexpr std::uint64_t sector = 512;
// No kernel comes near this; a larger value would only serve to make sums large.
constexpr std::uint64_t max_init_size = 2 * GiB;

/// Everything that says whether this is a kernel that the shim can start at all.
Result<void> check_kind(const SetupHeader& header) {
    if (header.boot_flag != boot_flag_value)
        return refuse(Fault::kernel_boot_flag, 0x1FE, boot_flag_value, header.boot_flag);
    if (header.header != header_magic)
        return refuse(Fault::kernel_magic, 0x202, header_magic, header.header);
    if (header.version < oldest_version)
        return refuse(Fault::kernel_protocol, 0x206, oldest_version, header.version);
    if (header.jump_offset < min_jump_offset || header.jump_offset > max_jump_offset)
        return refuse(Fault::kernel_header_size, 0x201, min_jump_offset, header.jump_offset);
    if ((header.loadflags & loadflag_high) == 0)
        return refuse(Fault::kernel_not_high, 0x211, loadflag_high, header.loadflags);
    if ((header.xloadflags & xload_64bit_entry) == 0)
        return refuse(Fault::kernel_no_64bit_entry, 0x236, xload_64bit_entry, header.xloadflags);
    return {};
}

std::uint64_t setup_size_of(const SetupHeader& header) {
    const std::uint64_t sectors = header.setup_sects == 0 ? 4 : header.setup_sects;
    return (sectors + 1) * sector;
}

struct Version {
    unsigned major = 0, minor = 0;
    auto operator<=>(const Version&) const = default;
};

/// The first that accepts memory.
constexpr Version accepting{6, 5};

/// A decimal number of at most four digits at the start of `text`, and what is behind it.
struct Number {
    unsigned value = 0;
    Bytes rest;
};
std::optional<Number> number_at(Bytes text) {
    constexpr std::size_t max_digits = 4;
    Number number{.rest = text};
    while (!number.rest.empty()) {
        const auto character = static_cast<char>(number.rest.front());
        if (character < '0' || character > '9')
            break;
        number.value = number.value * 10 + static_cast<unsigned>(character - '0');
        number.rest = number.rest.subspan(1);
        if (text.size() - number.rest.size() > max_digits)
            return std::nullopt;
    }
    return number.rest.size() == text.size() ? std::nullopt : std::optional(number);
}

/// "6.1.0-41-amd64 (...)", in the setup part; nothing where no version stands there.
std::optional<Version> version_of(const SetupHeader& header, Bytes setup) {
    constexpr std::size_t base = 0x200;
    const std::size_t at = base + header.kernel_version;
    if (header.kernel_version == 0 || at >= setup.size())
        return std::nullopt;
    const auto major = number_at(setup.subspan(at));
    if (!major || major->rest.empty() || major->rest.front() != std::byte{'.'})
        return std::nullopt;
    const auto minor = number_at(major->rest.subspan(1));
    return minor ? std::optional(Version{major->value, minor->value}) : std::nullopt;
}

Result<void> check_sizes(const Kernel& kernel) {
    if (!std::has_single_bit(kernel.alignment) || kernel.alignment < page_size ||
        kernel.alignment > GiB)
        return refuse(Fault::kernel_alignment, 0x230, large_page_size, kernel.alignment);
    if (kernel.init_size < kernel.code_size || kernel.init_size > max_init_size)
        return refuse(Fault::kernel_init_size, 0x260, kernel.code_size, kernel.init_size);
    const auto aligned = align_up(kernel.preferred.value, kernel.alignment);
    if (!aligned || !checked_add(*aligned, kernel.init_size))
        return refuse(Fault::kernel_address_wraps, 0x258, ~std::uint64_t{0} - kernel.init_size,
                      kernel.preferred.value);
    return {};
}

} // namespace

bool looks_like_kernel(Bytes file) {
    const auto boot_flag = read_at<le16>(file, header_offset + offsetof(SetupHeader, boot_flag));
    const auto magic = read_at<le32>(file, header_offset + offsetof(SetupHeader, header));
    return (boot_flag && *boot_flag == boot_flag_value) || (magic && *magic == header_magic);
}

Result<std::uint64_t> file_size(Bytes memory) {
    const auto header = TRY(read_at<SetupHeader>(memory, header_offset));
    const std::uint64_t size = setup_size_of(header) + std::uint64_t{header.syssize} * 16;
    if (size > memory.size())
        return refuse(Fault::truncated, 0x1F4, size, memory.size());
    return size;
}

Result<Kernel> parse_kernel(Bytes file) {
    Kernel kernel;
    kernel.header = TRY(read_at<SetupHeader>(file, header_offset));
    const SetupHeader& header = kernel.header;
    TRY(check_kind(header));

    kernel.setup_size = setup_size_of(header);
    // The 64-bit entry lies in the second sector of the protected-mode part.
    if (kernel.setup_size + entry_64bit_offset >= file.size())
        return refuse(Fault::kernel_setup_size, 0x1F1, kernel.setup_size + entry_64bit_offset + 1,
                      file.size());
    kernel.code_size = file.size() - kernel.setup_size;
    if (std::uint64_t{header.syssize} * 16 > align_up(kernel.code_size, 16).value_or(0))
        return refuse(Fault::kernel_setup_size, 0x1F4,
                      kernel.setup_size + std::uint64_t{header.syssize} * 16, file.size());

    kernel.init_size = header.init_size;
    kernel.alignment = header.kernel_alignment;
    kernel.preferred = {header.pref_address};
    kernel.relocatable = header.relocatable_kernel != 0;
    kernel.command_line_limit = header.cmdline_size;
    kernel.initrd_limit = {(header.xloadflags & xload_above_4g) != 0
                               ? ~std::uint64_t{0}
                               : std::uint64_t{header.initrd_addr_max}};
    kernel.accepts_memory =
        version_of(header, file.first(kernel.setup_size)).value_or(accepting) >= accepting;
    TRY(check_sizes(kernel));
    speculation_barrier(); // the callers index the file by these sizes
    return kernel;
}

} // namespace tdshim::linux_boot
