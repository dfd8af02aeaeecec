// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/payload/kind.hpp"

#include <algorithm>

#include "shim/formats/bundle/bundle.hpp"
#include "shim/formats/elf/elf.hpp"
#include "shim/formats/linux/setup_header.hpp"
#include "shim/formats/linux/vmlinux.hpp"
#include "shim/formats/payload/uki.hpp"
#include "shim/formats/pe/pe.hpp"

namespace tdshim::payload {
namespace {

/// A kernel that is a PE file too, as those with an EFI stub are, may carry signatures behind it.
Result<std::uint64_t> bzimage_size(Bytes memory) {
    const std::uint64_t size = TRY(linux_boot::file_size(memory));
    if (!pe::has_magic(memory))
        return size;
    const pe::File parsed = TRY(pe::parse(memory));
    return std::max(size, TRY(pe::file_size(parsed, memory)));
}

} // namespace

std::string_view name_of(Kind kind) {
    switch (kind) {
    case Kind::elf: return "ELF executable";
    case Kind::pe: return "PE executable";
    case Kind::bzimage: return "bzImage";
    case Kind::vmlinux: return "vmlinux";
    case Kind::uki: return "unified kernel image";
    case Kind::bundle: return "Linux bundle";
    case Kind::raw_vmlinux: return "raw vmlinux";
    }
    return {};
}

Result<Kind> kind_of(Bytes file) {
    if (bundle::has_magic(file))
        return Kind::bundle;
    if (elf::has_magic(file)) {
        const elf::File parsed = TRY(elf::parse(file));
        return linux_boot::is_vmlinux(parsed) ? Kind::vmlinux : Kind::elf;
    }
    // Before PE: a kernel with an EFI stub is both.
    if (linux_boot::looks_like_kernel(file))
        return Kind::bzimage;
    if (pe::has_magic(file)) {
        const pe::File parsed = TRY(pe::parse(file));
        if (is_uki(parsed))
            return Kind::uki;
        // Boot loaders have it, for UEFI's loader of theirs to look at, and nothing else [SBAT.md
        // of rhboot/shim].
        if (const pe::Section* const section = parsed.find(".sbat"))
            return refuse(Fault::efi_application, section->header_offset);
        return Kind::pe;
    }
    return refuse(Fault::payload_kind);
}

Result<std::uint64_t> file_size(Kind kind, Bytes memory) {
    switch (kind) {
    case Kind::elf:
    case Kind::vmlinux: return elf::file_size(memory);
    case Kind::bzimage: return bzimage_size(memory);
    case Kind::pe:
    case Kind::uki: {
        const pe::File parsed = TRY(pe::parse(memory));
        return pe::file_size(parsed, memory);
    }
    case Kind::bundle: return bundle::file_size(memory);
    case Kind::raw_vmlinux: return memory.size();
    }
    return refuse(Fault::payload_kind);
}

} // namespace tdshim::payload
