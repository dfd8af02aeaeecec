// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/payload/uki.hpp"

#include <algorithm>
#include <string_view>

namespace tdshim::payload {
namespace {

constexpr std::string_view kernel_section = ".linux";

/// The file that section `name` holds, empty when there is no such section.
Result<Bytes> part(const pe::File& file, std::string_view name) {
    const pe::Section* const section = file.find(name);
    if (section == nullptr)
        return Bytes{};
    for (const pe::Section& other : file.sections)
        if (&other != section && other.name() == name)
            return refuse(Fault::uki_section_twice, other.header_offset);
    if (section->memory_size > section->raw.size())
        return refuse(Fault::uki_section_size,
                      section->header_offset + offsetof(pe::SectionHeader, memory_size),
                      section->raw.size(), section->memory_size);
    speculation_barrier();
    return section->data();
}

/// Sections of a second profile would stand in place of those that come before it.
Result<void> check_profiles(const pe::File& file) {
    bool is_seen = false;
    for (const pe::Section& section : file.sections) {
        if (section.name() != ".profile")
            continue;
        if (is_seen)
            return refuse(Fault::uki_profiles, section.header_offset);
        is_seen = true;
    }
    return {};
}

/// A stub would put it in front of the initrd.
Result<void> check_microcode(const pe::File& file) {
    const pe::Section* const section = file.find(".ucode");
    return section == nullptr ? Result<void>{}
                              : refuse(Fault::uki_microcode, section->header_offset);
}

/// Tools end a text with a line end, a NUL or both; a kernel wants neither.
Bytes trimmed(Bytes text) {
    const auto is_end = [](std::byte byte) {
        return byte == std::byte{0} || byte == std::byte{'\n'};
    };
    while (!text.empty() && is_end(text.back()))
        text = text.first(text.size() - 1);
    return text;
}

} // namespace

bool is_uki(const pe::File& file) {
    return file.find(kernel_section) != nullptr;
}

Result<UnifiedKernelImage> parse_uki(Bytes file) {
    const pe::File parsed = TRY(pe::parse(file));
    TRY(check_profiles(parsed));
    TRY(check_microcode(parsed));
    UnifiedKernelImage image;
    image.kernel = TRY(part(parsed, kernel_section));
    image.initrd = TRY(part(parsed, ".initrd"));
    const Bytes command_line = TRY(part(parsed, ".cmdline"));
    image.command_line = trimmed(command_line);
    image.os_release = TRY(part(parsed, ".osrel"));
    return image;
}

} // namespace tdshim::payload
