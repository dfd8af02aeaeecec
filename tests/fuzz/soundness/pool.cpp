// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/soundness/pool.hpp"

#include "tests/native/inputs.hpp"

namespace tdshim::soundness {
namespace {

using native::text_blob;

Blob bzimage(unsigned char last) {
    constexpr std::uint32_t code_size = 1024;
    Blob kernel = native::kernel_image(code_size);
    // What is left of the memory map is walked page by page in each boot.
    constexpr std::size_t init_size_at =
        linux_boot::header_offset + offsetof(linux_boot::SetupHeader, init_size);
    native::set_header(kernel, init_size_at, le32{64 * KiB});
    kernel.back() = std::byte{last};
    return kernel;
}

Blob elf(std::uint64_t address, std::uint64_t physical, unsigned char last) {
    Blob file = native::elf_image(address, physical);
    file.back() = std::byte{last};
    return file;
}

/// Kernels, then what else a boot may consist of.
const std::array<Blob, 12>& blobs() {
    static const std::array<Blob, 12> all{
        bzimage(1),
        text_blob("an initrd"),
        text_blob("console=ttyS0"),
        bzimage(2),
        text_blob("another initrd"),
        text_blob("console=hvc0"),
        text_blob("x"),
        text_blob(std::string_view("\0", 1)),
        text_blob(std::string_view("console=ttyS0\0", 14)),
        text_blob("tdshim-bundle 1\ncommand-line refuse\ninitrd refuse\n"),
        text_blob("NAME=system\n"),
        Blob{},
    };
    return all;
}

} // namespace

const Blob& any_blob(const Choices& choices, Choice which) {
    return choices.of(which, blobs());
}

std::optional<Blob> any_input(const Choices& choices, Choice which) {
    const std::size_t index = choices.of(which, blobs().size() + 1);
    return index == 0 ? std::nullopt : std::optional(blobs()[index - 1]);
}

const Blob& any_kernel(const Choices& choices) {
    // Every other value is a kernel: what begins a boot wrongly ends it.
    static const std::array<std::size_t, 4> indices{0, 3, 0, 1};
    return blobs()[choices.of(Choice::kernel, indices)];
}

Blob elf_executable(unsigned char last) {
    constexpr std::uint64_t base = 24 * MiB;
    return elf(base, base, last);
}

Blob vmlinux(unsigned char last) {
    constexpr std::uint64_t base = 16 * MiB;
    return elf(0xFFFF'FFFF'8000'0000 + base, base, last);
}

} // namespace tdshim::soundness
