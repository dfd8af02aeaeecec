// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/smbios.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "shim/base/line.hpp"
#include "shim/boot/acpi_place.hpp"
#include "shim/formats/smbios/tables.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

/// Whether the launch asks for the tables. Not measured: that they are is to be seen by their
/// event.
Result<bool> are_wanted(Context& context) {
    context.input = fw_cfg::smbios_policy;
    const auto wish = context.items.find(fw_cfg::smbios_policy);
    if (!wish)
        return false;
    std::array<std::byte, fw_cfg::smbios_pass.size()> text{};
    if (wish->size != text.size())
        return refuse(Fault::smbios_policy);
    TRY(context.items.read(wish->selector, text));
    if (!std::ranges::equal(text, bytes_of(fw_cfg::smbios_pass)))
        return refuse(Fault::smbios_policy);
    return true;
}

} // namespace

Result<void> load_smbios_tables(Context& context) {
    if (!context.uses_fw_cfg() || !TRY(are_wanted(context)))
        return {};
    const Placed placed = TRY(load_file(context, fw_cfg::smbios_tables));
    TRY(smbios::check_size(placed.bytes.size()));
    const std::uint64_t count = TRY(smbios::check_tables(placed.bytes));
    platform::print((Line() << "tdshim: smbios: " << count << " structures, "
                            << std::uint64_t{placed.bytes.size()} << " bytes")
                        .text());
    context.smbios =
        GpaRange::between(placed.range.start(), {placed.range.start().value + placed.bytes.size()});
    return {};
}

} // namespace tdshim::boot
