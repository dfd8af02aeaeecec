// SPDX-License-Identifier: Apache-2.0
#include "tools/common/look.hpp"

#include <algorithm>
#include <array>

#include "shim/formats/tdvf/metadata.hpp"

namespace tdshim::tools {
namespace {

using namespace std::string_view_literals;

struct Look {
    std::size_t at;
    std::string_view magic;
    std::string_view name;
};

constexpr auto archive = "an initrd or another archive"sv;
constexpr std::array looks{
    Look{.at = 0x202, .magic = "HdrS"sv, .name = "a Linux kernel"sv}, // [Linux, x86/boot, 1.2]
    Look{.at = 0,
         .magic = "\x7f"
                  "ELF"sv,
         .name = "an ELF file"sv},
    Look{.at = 0, .magic = "MZ"sv, .name = "a PE file"sv},
    Look{.at = 0, .magic = "IGVM"sv, .name = "an IGVM file"sv},
    // Type, subtype and what is reserved [Intel TDX Module 1.5 ABI, REPORTTYPE].
    Look{.at = 0, .magic = "\x81\0"sv, .name = "a TDREPORT"sv},
    Look{.at = 0, .magic = "-----BEGIN "sv, .name = look_of_pem},
    // Linux's initramfs and what it may be packed by [Linux, lib/decompress.c].
    Look{.at = 0, .magic = "070701"sv, .name = archive},
    Look{.at = 0, .magic = "070702"sv, .name = archive},
    Look{.at = 0, .magic = "\x1f\x8b"sv, .name = archive},
    Look{.at = 0,
         .magic = "\xfd"
                  "7zXZ"sv,
         .name = archive},
    Look{.at = 0, .magic = "\x28\xb5\x2f\xfd"sv, .name = archive},
    Look{.at = 0, .magic = "\x02\x21\x4c\x18"sv, .name = archive},
    Look{.at = 0, .magic = "\x04\x22\x4d\x18"sv, .name = archive},
    Look{.at = 0, .magic = "BZh"sv, .name = archive},
    Look{.at = 0, .magic = "\x5d\x00\x00"sv, .name = archive},
};

/// A Linux bundle is a cpio archive as an initrd is: the first member tells.
bool is_of_another_archive(Fault fault) {
    return fault == Fault::bundle_name || fault == Fault::bundle_field ||
           fault == Fault::bundle_magic;
}

bool is_of_wrong_kind(Fault fault) {
    return fault == Fault::footer_missing || fault == Fault::payload_kind ||
           fault == Fault::quote_version || is_of_another_archive(fault);
}

} // namespace

std::string_view look_of(Bytes bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto* const look = std::ranges::find_if(looks, [&](const Look& candidate) {
        return text.substr(std::min(candidate.at, text.size())).starts_with(candidate.magic);
    });
    if (look != looks.end())
        return look->name;
    return tdvf::parse_metadata(bytes) ? "a firmware image"sv : ""sv;
}

Failure failure(std::string_view file, Bytes bytes, const Error& error) {
    Failure result = failure(file, error);
    const std::string_view look = is_of_wrong_kind(error.fault) ? look_of(bytes) : "";
    if (!look.empty())
        result.text.append("; it looks like ").append(look);
    return result;
}

} // namespace tdshim::tools
