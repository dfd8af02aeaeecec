// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/soundness/view.hpp"

#include <algorithm>
#include <format>

#include "shim/formats/hob/hob.hpp"
#include "tests/fuzz/soundness/acpi_view.hpp"
#include "tests/native/inputs.hpp"
#include "tests/native/linux_params.hpp"

namespace tdshim::soundness {
namespace {

using linux_boot::BootParams;

Blob copy_of(Bytes bytes) {
    return Blob(bytes.begin(), bytes.end());
}

std::uint64_t joined(std::uint32_t low, std::uint32_t high) {
    return std::uint64_t{high} << 32 | low;
}

/// Where the kernel runs its first instruction: from the start of a kernel that says that it runs
/// anywhere, else in memory.
std::uint64_t entry_of(const native::LinuxStart& start, const BootParams& params) {
    const bool is_relocatable = params.header.relocatable_kernel != 0;
    return start.entry.value - (is_relocatable ? start.kernel_memory.start().value : 0);
}

/// The bytes that came from a file. Behind those of a bzImage there is the memory that it asks for,
/// which it clears.
Blob kernel_of(native::Machine& machine, const native::LinuxStart& start,
               const BootParams& params) {
    const std::uint64_t of_file = std::uint64_t{params.header.syssize} * 16;
    const std::uint64_t size =
        of_file == 0 ? start.kernel_memory.size() : std::min(of_file, start.kernel_memory.size());
    return copy_of(machine.memory(start.kernel_memory.start(), size));
}

Blob command_line_of(native::Machine& machine, const BootParams& params) {
    const std::uint64_t at = joined(params.header.cmd_line_ptr, params.ext_cmd_line_ptr);
    const Bytes memory = machine.memory({at}, page_size);
    return Blob(memory.begin(), std::ranges::find(memory, std::byte{0}));
}

/// Without the memory map and what EFI's tables say of it, and without addresses.
Blob constant_part(BootParams params) {
    params.acpi_rsdp_addr = 0;
    params.ext_ramdisk_image = 0;
    params.ext_cmd_line_ptr = 0;
    params.efi_info = {};
    params.e820_entries = 0;
    params.e820_table = {};
    params.header.ramdisk_image = 0;
    params.header.cmd_line_ptr = 0;
    params.header.code32_start = 0;
    return native::wire_blob(params);
}

void see_linux(native::Machine& machine, const Launch& launch, const native::Outcome& outcome,
               View& view) {
    const native::LinuxStart& start = *outcome.linux;
    const BootParams params = native::params_of(machine, outcome);
    view.push_back({"entry of Linux", native::wire_blob(le64{entry_of(start, params)})});
    view.push_back({"kernel", kernel_of(machine, start, params)});
    const std::uint64_t size = joined(params.header.ramdisk_size, params.ext_ramdisk_size);
    const Gpa initrd{joined(params.header.ramdisk_image, params.ext_ramdisk_image)};
    view.push_back({"initrd", copy_of(machine.memory(initrd, size))});
    view.push_back({"command line", command_line_of(machine, params)});
    view.push_back({"boot_params", constant_part(params)});
    view.push_back({"SMBIOS tables", copy_of(native::smbios_tables(machine, params))});
    see_linux_tables(machine, {params.acpi_rsdp_addr}, launch, view);
}

/// A small program is in one page.
void see_executable(native::Machine& machine, const Launch& launch, const native::Outcome& outcome,
                    View& view) {
    const native::ExecutableStart& start = *outcome.executable;
    view.push_back({"entry of an executable", native::wire_blob(le64{start.entry.value})});
    view.push_back({"base of an executable", native::wire_blob(le64{start.base.value})});
    view.push_back({"program", copy_of(machine.memory(start.base, page_size))});
    constexpr std::size_t area_size = 512 * KiB;
    hob::Walk walk(machine.memory(start.hob, area_size));
    for (auto hob = walk.next(); hob && hob->type != hob::HobType::end_of_list; hob = walk.next()) {
        const auto header = read_at<hob::GuidHeader>(hob->hob, 0);
        if (hob->type == hob::HobType::guid_extension && header &&
            header->name == hob::acpi_table_guid)
            see_table(hob->hob.subspan(sizeof(hob::GuidHeader)), launch, view);
    }
}

} // namespace

View view_of(native::Machine& machine, const Launch& launch, const native::Outcome& outcome) {
    View view;
    if (outcome.linux)
        see_linux(machine, launch, outcome, view);
    else
        see_executable(machine, launch, outcome, view);
    return view;
}

std::string difference(const View& one, const View& other) {
    for (std::size_t i = 0; i < std::max(one.size(), other.size()); ++i) {
        if (i >= one.size() || i >= other.size())
            return std::format("only one boot has {}", (i < one.size() ? one : other)[i].what);
        if (one[i].what != other[i].what)
            return std::format("{} in place of {}", other[i].what, one[i].what);
        if (one[i].content != other[i].content)
            return std::format("{}: {} and {} bytes, from byte {} on", one[i].what,
                               one[i].content.size(), other[i].content.size(),
                               std::ranges::mismatch(one[i].content, other[i].content).in1 -
                                   one[i].content.begin());
    }
    return {};
}

crypto::Digest digest_of(const View& view) {
    Blob all;
    for (const Seen& seen : view) {
        all.append_range(bytes_of(std::string_view(seen.what)));
        all.append_range(bytes_of(le64{seen.content.size()}));
        all.append_range(seen.content);
    }
    return crypto::sha384(all);
}

} // namespace tdshim::soundness
