// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/linux_payload.hpp"

#include <algorithm>
#include <optional>

#include "shim/base/line.hpp"
#include "shim/boot/kernel_file.hpp"
#include "shim/formats/efi/handover.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

using memory::Request;

constexpr std::uint64_t all_memory = std::uint64_t{1} << 47;
constexpr auto below_4g = GpaRange::of<1 * MiB, 4 * GiB - 1 * MiB>();

void report(std::string_view what, std::string_view source, const measure::Measurement& measured) {
    platform::print((Line() << "tdshim: " << what << ": " << source << ", " << measured.hashed
                            << " bytes, sha384 " << Bytes(measured.digest))
                        .text());
}

/// A fault of the memory map, said in words of the input that does not fit.
auto as(Fault fault) {
    return
        [fault](const Error& error) { return Error{fault, error.at, error.expected, error.found}; };
}

/// Memory for the running kernel: where it prefers to be, else the first place above that.
Result<GpaRange> place_kernel(Context& context, const linux_boot::Kernel& kernel) {
    const std::uint64_t lowest = std::max(kernel.preferred.value, MiB);
    const std::uint64_t end = kernel.relocatable ? 4 * GiB : lowest + kernel.init_size;
    return context.memory
        .allocate({.size = kernel.init_size,
                   .alignment = kernel.alignment,
                   .within = GpaRange::between({lowest}, {end})})
        .transform_error(as(Fault::kernel_does_not_fit));
}

/// Moves the protected-mode part of the kernel file to where it runs.
Result<void> load_kernel(Context& context, LinuxPayload& payload) {
    const KernelFile file = TRY(fetch_kernel(context));
    const measure::Measurement measured =
        measure::kernel(file.place.start(), measure::digest_of(file.bytes));
    TRY(context.recorder.record(measured));
    report("kernel", context.input, measured);

    payload.kernel = TRY(linux_boot::parse_kernel(file.bytes));
    payload.kernel_memory = TRY(place_kernel(context, payload.kernel));
    const MutableBytes target = TRY(platform::memory(payload.kernel_memory));
    std::ranges::copy(file.bytes.subspan(payload.kernel.setup_size), target.begin());
    context.memory.release(file.place);
    return {};
}

/// An input that is a file of its own: a named item, else the item of a legacy key.
struct Source {
    std::string_view name;
    fw_cfg::Selector selector = 0;
    std::uint32_t size = 0;
};

Result<std::optional<Source>> find_source(Context& context, std::string_view name,
                                          std::string_view legacy_name,
                                          fw_cfg::Selector legacy_size,
                                          fw_cfg::Selector legacy_data) {
    context.input = name;
    if (const auto file = context.items.find(name))
        return Source{name, file->selector, file->size};
    context.input = legacy_name;
    const std::uint32_t size = TRY(context.items.number(legacy_size));
    if (size != 0)
        return Source{legacy_name, legacy_data, size};
    return std::nullopt;
}

Result<void> load_initrd(Context& context, LinuxPayload& payload) {
    const auto source = TRY(find_source(context, fw_cfg::named_initrd, "fw_cfg legacy initrd",
                                        fw_cfg::initrd_size, fw_cfg::initrd_data));
    if (!source || source->size == 0)
        return {};
    const std::uint64_t end = std::min(payload.kernel.initrd_limit.value, all_memory - 1) + 1;
    const GpaRange place = TRY(context.memory
                                   .allocate({.size = source->size,
                                              .within = GpaRange::between({MiB}, {end}),
                                              .order = Request::Order::highest_first})
                                   .transform_error(as(Fault::initrd_does_not_fit)));
    const MutableBytes memory = TRY(platform::memory(place));
    const MutableBytes bytes = memory.first(source->size);
    TRY(context.items.read(source->selector, bytes));
    const measure::Measurement measured = measure::initrd(place.start(), measure::digest_of(bytes));
    TRY(context.recorder.record(measured));
    report("initrd", context.input, measured);
    payload.initrd = TRY(GpaRange::make(place.start(), source->size));
    return {};
}

/// The text that the kernel is to see: what the legacy key adds to it is one NUL at the end.
Bytes without_final_nul(Bytes text) {
    return !text.empty() && text.back() == std::byte{0} ? text.first(text.size() - 1) : text;
}

Result<void> load_command_line(Context& context, LinuxPayload& payload) {
    const auto source =
        TRY(find_source(context, fw_cfg::named_command_line, "fw_cfg legacy command line",
                        fw_cfg::command_line_size, fw_cfg::command_line_data));
    const std::uint64_t size = source ? source->size : 0;
    const std::uint64_t limit = payload.kernel.command_line_limit;
    if (size > limit + 1)
        return refuse(Fault::command_line_too_long, 0, limit, size);
    const GpaRange place = TRY(context.memory.allocate({.size = size + 1, .within = below_4g}));
    const MutableBytes memory = TRY(platform::memory(place));
    const MutableBytes bytes = memory.first(size);
    if (source)
        TRY(context.items.read(source->selector, bytes));
    const Bytes text = without_final_nul(bytes);
    const measure::Measurement measured = measure::command_line(text);
    TRY(context.recorder.record(measured));
    report("command line", source ? context.input : "none", measured);
    if (text.size() > limit)
        return refuse(Fault::command_line_too_long, 0, limit, text.size());
    if (const auto nul = std::ranges::find(text, std::byte{0}); nul != text.end())
        return refuse(Fault::command_line_nul, static_cast<std::uint64_t>(nul - text.begin()));
    memory[text.size()] = std::byte{0};
    payload.command_line = place.start();
    return {};
}

} // namespace

Result<LinuxPayload> load_linux(Context& context) {
    LinuxPayload payload;
    TRY(load_kernel(context, payload));
    TRY(load_initrd(context, payload));
    TRY(load_command_line(context, payload));
    return payload;
}

namespace {

/// The tables by which Linux finds the memory that it is to accept; nothing where there is none.
Result<std::optional<efi::Handover>> write_efi_handover(Context& context) {
    const auto unaccepted = context.unaccepted.view();
    if (unaccepted.empty())
        return std::nullopt;
    const GpaRange place =
        TRY(context.memory.allocate({.size = efi::handover_size(unaccepted), .within = below_4g}));
    // Memory of this kind Linux neither uses nor forgets.
    TRY(context.memory.retype(place, e820::Type::acpi));
    const MutableBytes area = TRY(platform::memory(place));
    std::ranges::fill(area, std::byte{0});
    return efi::write_handover(area, place.start(), context.memory.table(), unaccepted);
}

/// The final map: to Linux, memory is memory whether it is accepted or not.
Result<e820::Table> final_map(const Context& context) {
    memory::MemoryMap map = context.memory;
    for (const GpaRange& range : context.unaccepted)
        TRY(map.add(range));
    return map.table();
}

} // namespace

Result<Gpa> write_boot_params(Context& context, const LinuxPayload& payload, Gpa rsdp) {
    context.input = "boot_params";
    const GpaRange place =
        TRY(context.memory.allocate({.size = sizeof(linux_boot::BootParams), .within = below_4g}));
    const MutableBytes memory = TRY(platform::memory(place));
    const auto efi_handover = TRY(write_efi_handover(context));
    const linux_boot::BootParams params =
        linux_boot::make_boot_params(payload.kernel,
                                     {.load_address = payload.kernel_memory.start(),
                                      .initrd = payload.initrd,
                                      .command_line = payload.command_line,
                                      .rsdp = rsdp,
                                      .efi = efi_handover},
                                     TRY(final_map(context)));
    std::ranges::copy(bytes_of(params), memory.begin());
    return place.start();
}

} // namespace tdshim::boot
