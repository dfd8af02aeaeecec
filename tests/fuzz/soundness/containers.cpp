// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/soundness/containers.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string_view>

#include "shim/formats/bundle/builder.hpp"
#include "shim/formats/pe/wire.hpp"
#include "tests/fuzz/signer.hpp"
#include "tests/fuzz/soundness/pool.hpp"
#include "tests/native/inputs.hpp"

namespace tdshim::soundness {
namespace {

using native::overwrite;

struct NamedSection {
    std::string_view name;
    const Blob* content;
};

/// The sections that are chosen, in their order; the first slot has the kernel, unless a patch or
/// another choice says otherwise.
std::vector<NamedSection> sections_of(const Choices& choices) {
    constexpr std::array<std::string_view, 6> names{"",         ".osrel", ".initrd",
                                                    ".cmdline", ".linux", ".uname"};
    std::vector<NamedSection> sections;
    for (std::size_t i = 0; i < section_count; ++i) {
        const std::string_view name = choices.of(after(Choice::section_name_0, 2 * i), names);
        if (!name.empty())
            sections.push_back({name, &any_blob(choices, after(Choice::section_blob_0, 2 * i))});
    }
    const bool has_kernel = std::ranges::contains(sections, ".linux", &NamedSection::name);
    if (!has_kernel)
        sections.insert(sections.begin(), {".linux", &any_kernel(choices)});
    return sections;
}

Blob unified_kernel_image(const std::vector<NamedSection>& sections) {
    constexpr std::size_t coff_at = 0x40 + sizeof(le32);
    constexpr std::size_t optional_at = coff_at + sizeof(pe::CoffHeader);
    constexpr std::size_t table_at =
        optional_at + sizeof(pe::OptionalHeader) + 16 * sizeof(pe::DataDirectory);
    const std::size_t headers_size = table_at + sections.size() * sizeof(pe::SectionHeader);
    Blob file(headers_size);
    overwrite(file, 0, le16{pe::dos_magic});
    overwrite(file, pe::signature_pointer, le32{0x40U});
    overwrite(file, 0x40, le32{pe::signature});
    pe::CoffHeader coff{};
    coff.machine = pe::machine_x86_64;
    coff.section_count = static_cast<std::uint16_t>(sections.size());
    coff.optional_header_size = table_at - optional_at;
    overwrite(file, coff_at, coff);
    pe::OptionalHeader optional{};
    optional.magic = pe::optional_magic_64;
    optional.headers_size = static_cast<std::uint32_t>(headers_size);
    optional.directory_count = 16;
    overwrite(file, optional_at, optional);
    for (std::size_t i = 0; i < sections.size(); ++i) {
        const auto size = static_cast<std::uint32_t>(sections[i].content->size());
        pe::SectionHeader header{};
        std::ranges::copy(sections[i].name, header.name.begin());
        header.memory_size = size;
        header.address = static_cast<std::uint32_t>((i + 1) * page_size);
        header.raw_size = size;
        header.raw_offset = static_cast<std::uint32_t>(file.size());
        overwrite(file, table_at + i * sizeof(header), header);
        file.append_range(*sections[i].content);
    }
    return file;
}

Blob bundle_file(const Choices& choices) {
    constexpr std::array<std::string_view, 3> events{"", "RTMR2:string:a\n",
                                                     "RTMR3:binary:00ff\nRTMR2:string:b\n"};
    const auto initrd = any_input(choices, Choice::bundle_initrd).value_or(Blob{});
    const auto line = any_input(choices, Choice::bundle_line).value_or(Blob{});
    const std::size_t manifest = choices.of(Choice::bundle_manifest, 8);
    const bundle::Contents contents{.manifest = {.appends_command_line = (manifest & 1) != 0,
                                                 .appends_initrd = (manifest & 2) != 0,
                                                 .title = (manifest & 4) != 0 ? "title" : ""},
                                    .kernel = any_kernel(choices),
                                    .initrd = initrd,
                                    .command_line = line,
                                    .events = bytes_of(choices.of(Choice::bundle_events, events))};
    const auto size = bundle::size_of(contents);
    Blob file(size.value_or(0));
    if (!size || !bundle::write(file, contents))
        std::abort();
    return file;
}

Blob contents_of(const Choices& choices) {
    switch (container_of(choices)) {
    case Container::bzimage: return any_kernel(choices);
    case Container::uki: return unified_kernel_image(sections_of(choices));
    case Container::bundle: return bundle_file(choices);
    case Container::raw_vmlinux:
        return Blob(0x300, std::byte(static_cast<unsigned char>(choices.of(Choice::kernel, 2))));
    case Container::executable:
        return elf_executable(static_cast<unsigned char>(choices.of(Choice::kernel, 2)));
    case Container::vmlinux:
        return vmlinux(static_cast<unsigned char>(choices.of(Choice::kernel, 2)));
    }
    return {};
}

const fuzz::Signer& signer() {
    static const fuzz::Signer the_signer(signed_payload::Algorithm::ecdsa_p384_sha384);
    return the_signer;
}

/// A signature takes as long as some boots, and a check of it many.
const Blob& signed_file(const Blob& contents) {
    static std::map<Blob, Blob> known;
    const auto found = known.find(contents);
    return found != known.end()
               ? found->second
               : known.emplace(contents, signer().signed_file(contents)).first->second;
}

} // namespace

Container container_of(const Choices& choices) {
    return static_cast<Container>(choices.of(Choice::container, 6));
}

Blob payload_file(const Plan& plan) {
    Blob contents = contents_of(plan.choices);
    apply(plan.patches, Patched::payload, contents);
    return plan.choices.of(Choice::is_signed, 4) == 1 && !contents.empty() ? signed_file(contents)
                                                                           : contents;
}

const crypto::Digest& signing_key() {
    return signer().key();
}

} // namespace tdshim::soundness
