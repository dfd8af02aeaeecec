// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/efi/runtime.hpp"

#include <algorithm>

namespace tdshim::efi {
namespace {

// x86-64, wherever it stands; RAX has the status [UEFI 2.10, 2.3.4, Appendix D].
constexpr std::array<std::uint8_t, 15> unsupported{
    0xF3, 0x0F, 0x1E, 0xFA,                                     // endbr64
    0x48, 0xB8, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, // mov rax, EFI_UNSUPPORTED
    0xC3,                                                       // ret
};
constexpr std::array<std::uint8_t, 7> success{
    0xF3, 0x0F, 0x1E, 0xFA, // endbr64
    0x31, 0xC0,             // xor eax, eax
    0xC3,                   // ret
};
constexpr std::size_t success_at = 16;
static_assert(sizeof(unsupported) <= success_at);

constexpr MemoryDescriptor descriptor(MemoryType type, Gpa page, std::uint64_t protection) {
    return {.type = static_cast<std::uint32_t>(type),
            .padding = 0,
            .start = page.value,
            .virtual_start = 0,
            .pages = 1,
            .attributes = attribute_runtime | protection};
}

} // namespace

std::array<MemoryDescriptor, 2> runtime_descriptors(Gpa place, bool with_protection) {
    return {descriptor(MemoryType::runtime_code, place,
                       with_protection ? attribute_read_only : attribute_write_back),
            descriptor(MemoryType::runtime_data, runtime_services(place),
                       with_protection ? attribute_execute_protect : attribute_write_back)};
}

void write_runtime(MutableBytes area, Gpa place) {
    std::ranges::copy(bytes_of(unsupported), area.begin());
    std::ranges::copy(bytes_of(success), area.subspan(success_at).begin());
    RuntimeServices services{.signature = runtime_services_signature,
                             .revision = revision_2_100,
                             .header_size = sizeof(RuntimeServices),
                             .crc32 = 0,
                             .reserved = 0,
                             .functions = {}};
    services.functions.fill(place.value);
    services.functions[set_virtual_address_map] = place.value + success_at;
    std::ranges::copy(bytes_of(services), area.subspan(page_size).begin());
}

} // namespace tdshim::efi
