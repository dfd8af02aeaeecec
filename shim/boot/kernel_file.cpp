// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/kernel_file.hpp"

#include <optional>

#include "shim/memory/layout.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

/// The payload that shim-ld embedded; it is read where it stands, for in a TD the image is private
/// memory that was measured before launch.
Result<std::optional<KernelFile>> embedded_kernel(Context& context) {
    context.input = "kernel in the firmware image";
    const auto& info = context.image_info;
    if (!info || info->payload_size == 0)
        return std::nullopt;
    const GpaRange place =
        TRY(GpaRange::make({layout::image_end - info->payload_from_end}, info->payload_size));
    return KernelFile{place, TRY(platform::image(place))};
}

/// Room for a kernel file until its code has been moved to where it runs.
Result<GpaRange> staging(Context& context, std::uint64_t size) {
    return context.memory
        .allocate({.size = size,
                   .within = GpaRange::between({layout::shim_data.end()}, {4 * GiB}),
                   .order = memory::Request::Order::highest_first})
        .transform_error([](const Error& error) {
            return Error{Fault::kernel_does_not_fit, error.at, error.expected, error.found};
        });
}

Result<KernelFile> read_file(Context& context, const fw_cfg::File& file) {
    if (file.size == 0) // nothing to copy; the parser says what is wrong
        return KernelFile{};
    const GpaRange place = TRY(staging(context, file.size));
    const MutableBytes memory = TRY(platform::memory(place));
    const MutableBytes bytes = memory.first(file.size);
    TRY(context.items.read(file.selector, bytes));
    return KernelFile{place, bytes};
}

/// The legacy keys hold the file in two parts, which together are measured as they came.
Result<KernelFile> read_legacy_keys(Context& context) {
    context.input = "fw_cfg legacy kernel";
    const std::uint64_t setup = TRY(context.items.number(fw_cfg::setup_size));
    const std::uint64_t code = TRY(context.items.number(fw_cfg::kernel_size));
    if (setup == 0 || code == 0)
        return refuse(Fault::kernel_missing);
    const GpaRange place = TRY(staging(context, setup + code));
    const MutableBytes memory = TRY(platform::memory(place));
    const MutableBytes bytes = memory.first(setup + code);
    TRY(context.items.read(fw_cfg::setup_data, bytes.first(setup)));
    TRY(context.items.read(fw_cfg::kernel_data, bytes.subspan(setup)));
    return KernelFile{place, bytes};
}

} // namespace

Result<KernelFile> fetch_kernel(Context& context) {
    if (const auto embedded = TRY(embedded_kernel(context)))
        return *embedded;
    for (const std::string_view name : {fw_cfg::named_kernel, fw_cfg::boot_kernel}) {
        context.input = name;
        if (const auto file = context.items.find(name))
            return read_file(context, *file);
    }
    return read_legacy_keys(context);
}

} // namespace tdshim::boot
