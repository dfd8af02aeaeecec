// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/linux_payload.hpp"

#include <algorithm>
#include <optional>

#include "shim/base/clear.hpp"
#include "shim/base/line.hpp"
#include "shim/boot/linux_inputs.hpp"
#include "shim/boot/memory_map.hpp"
#include "shim/boot/report.hpp"
#include "shim/boot/secure_boot.hpp"
#include "shim/boot/td_memory.hpp"
#include "shim/formats/bundle/events.hpp"
#include "shim/formats/efi/handover.hpp"
#include "shim/formats/linux/vmlinux.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

using payload::Kind;

constexpr auto below_4g = GpaRange::of<1 * MiB, 4 * GiB - 1 * MiB>();

Result<void> record_kernel(Context& context, const PayloadFile& file,
                           const plan::PayloadFiles& files, bool is_recorded) {
    const Bytes measured_bytes = files.is_container ? files.program : file.measured;
    const measure::Measurement measured =
        measure::kernel(file.place, measure::digest_of(measured_bytes));
    if (is_recorded)
        TRY(context.recorder.record(measured));
    report("kernel", context.input, measured);
    if (!files.os_release.empty())
        TRY(context.recorder.record(
            measure::os_release(file.place, measure::digest_of(files.os_release))));
    if (!files.manifest.empty())
        TRY(context.recorder.record(measure::bundle_manifest(files.manifest)));
    return files.is_container ? admit_kernel(context, measured.digest) : Result<void>{};
}

/// What the maker of a bundle wants to see in the registers of the operating system.
Result<void> record_events(Context& context, const PayloadFile& file, Bytes text) {
    const auto events = TRY(bundle::EventsFile::parse(text, file.signer.has_value()));
    bundle::EventsReader reader(events, file.signer ? &*file.signer : nullptr);
    bundle::Event event;
    while (TRY(reader.next(event)))
        TRY(context.recorder.record(
            measure::bundle_event(event.rtmr, event.type, event.data.view())));
    if (events.size() != 0)
        platform::print((Line() << "tdshim: events of the bundle: " << events.size()).text());
    return {};
}

/// Why a kernel that runs in one place alone does not get it; over the shim's memory it says where
/// that begins, where it ends, and where the kernel would.
Error misfit(const GpaRange& place, const Error& error) {
    if (error.fault == Fault::memory_exhausted && place.overlaps(layout::shim_memory))
        return {Fault::kernel_over_shim, layout::shim_memory.start().value,
                layout::shim_memory.end().value, place.start().value};
    return memory::said_as<Fault::kernel_does_not_fit>(error);
}

/// Memory is given out by pages, of which a kernel that begins with one need not fill its last.
std::uint64_t end_of_pages(std::uint64_t start, std::uint64_t end) {
    return is_aligned(start, page_size) ? align_up(end, page_size).value_or(end) : end;
}

/// Memory for the running kernel: where it prefers to be, else the first place above that.
Result<GpaRange> place_kernel(Context& context, const linux_boot::Kernel& kernel) {
    const std::uint64_t lowest = std::max(kernel.preferred.value, MiB);
    const std::uint64_t end =
        kernel.relocatable ? 4 * GiB : end_of_pages(lowest, lowest + kernel.init_size);
    const auto within = GpaRange::between({lowest}, {end});
    return allocate(context,
                    {.size = kernel.init_size, .alignment = kernel.alignment, .within = within})
        .transform_error([&](const Error& error) {
            return kernel.relocatable ? memory::said_as<Fault::kernel_does_not_fit>(error)
                                      : misfit(within, error);
        });
}

/// Moves the protected-mode part of a bzImage to where it runs.
Result<void> load_bzimage(Context& context, Bytes file, LinuxPayload& payload) {
    payload.kernel = TRY(linux_boot::parse_kernel(file));
    payload.kernel_memory = TRY(place_kernel(context, payload.kernel));
    payload.entry = {payload.kernel_memory.start().value + linux_boot::entry_64bit_offset};
    const MutableBytes target = TRY(platform::memory(payload.kernel_memory));
    std::ranges::copy(file.subspan(payload.kernel.setup_size), target.begin());
    return {};
}

/// Puts the segments of a vmlinux at their physical addresses, the only ones it runs at.
Result<void> load_vmlinux(Context& context, Bytes file, LinuxPayload& payload) {
    const linux_boot::Vmlinux vmlinux = TRY(linux_boot::parse_vmlinux(file));
    payload.kernel = vmlinux.kernel;
    payload.entry = vmlinux.entry;
    const std::uint64_t start = align_down(vmlinux.memory.start().value, page_size);
    const std::uint64_t size = vmlinux.memory.end().value - start;
    const auto place = GpaRange::between({start}, {*align_up(start + size, page_size)});
    payload.kernel_memory = TRY(
        allocate(context, {.size = size, .within = place}).transform_error([&](const Error& error) {
            return misfit(place, error);
        }));
    const MutableBytes target = TRY(platform::memory(payload.kernel_memory));
    clear(target);
    for (const elf::Segment& segment : vmlinux.segments)
        std::ranges::copy(segment.data, target.subspan(segment.physical.value - start).begin());
    return {};
}

/// The VMM loaded it already; its section stays in use.
Result<void> adopt_raw_vmlinux(const PayloadFile& file, LinuxPayload& payload) {
    const GpaRange memory = TRY(GpaRange::make(file.place, file.bytes.size()));
    const linux_boot::Vmlinux vmlinux =
        TRY(linux_boot::raw_vmlinux(memory, file.raw_entry.value_or(Gpa{})));
    payload.kernel = vmlinux.kernel;
    payload.kernel_memory = vmlinux.memory;
    payload.entry = vmlinux.entry;
    return {};
}

Result<void> load_kernel(Context& context, const PayloadFile& file, const plan::PayloadFiles& files,
                         LinuxPayload& payload) {
    switch (files.kind) {
    case Kind::bzimage: return load_bzimage(context, files.program, payload);
    case Kind::vmlinux: return load_vmlinux(context, files.program, payload);
    case Kind::raw_vmlinux: return adopt_raw_vmlinux(file, payload);
    case Kind::elf:
    case Kind::pe:
    case Kind::uki:
    case Kind::bundle: break;
    }
    return refuse(Fault::payload_kind);
}

/// A kernel that accepts no memory would touch what nobody accepted, which ends the TD. What it
/// names as its version is measured with it.
Result<void> accept_for(Context& context, const linux_boot::Kernel& kernel) {
    if (kernel.accepts_memory || context.unaccepted.empty())
        return {};
    platform::print("tdshim: this kernel accepts no memory itself, as Linux does from 6.5 on");
    return accept_what_is_left(context);
}

/// The VMM's initrd, found and not read yet; the payload may want none beside it.
Result<SuppliedInitrd> find_initrd_beside(Context& context, const plan::PayloadFiles& files) {
    const SuppliedInitrd initrd = TRY(find_initrd(context));
    TRY(plan::check_beside(files.initrd, initrd.size() != 0));
    return initrd;
}

} // namespace

Result<LinuxPayload> load_linux(Context& context, const PayloadFile& file) {
    const std::string_view source = context.input;
    const auto files = plan::files_of(file.payload());
    if (!files)
        return refuse_file(context, file, files.error());
    const auto initrd = find_initrd_beside(context, *files);
    if (!initrd)
        return refuse_file(context, file, initrd.error());
    context.input = source;
    const auto contents = plan::contents_of(file.payload(), *files, initrd->size() != 0);
    TRY(open_payload_register(context, file, contents));
    TRY(record_kernel(context, file, *files, file.is_recorded || !contents.is_of_td_shim()));
    LinuxPayload payload;
    TRY(load_kernel(context, file, *files, payload));
    TRY(accept_for(context, payload.kernel));
    if (!files->is_container)
        TRY(discard_file(context, file)); // before the initrd needs the place
    const OwnFiles own{*files, payload::name_of(file.kind), file.signer.has_value()};
    payload.initrd = TRY(load_initrd(context, payload.kernel, own, *initrd));
    payload.command_line = TRY(load_command_line(context, payload.kernel, own));
    context.input = source;
    TRY(record_events(context, file, files->events));
    if (files->is_container)
        TRY(discard_file(context, file));
    return payload;
}

namespace {

/// What of EFI is handed to Linux.
struct EfiTables {
    efi::Handover handover;
    GpaRange runtime; ///< the pages that stay the firmware's
};

// Apart from its caller's frame: a map is 5 KiB.
[[gnu::noinline]] Result<efi::Handover> fill_efi_tables(const Context& context, MutableBytes area,
                                                        Gpa place) {
    const memory::MemoryMap accepted = TRY(accepted_memory(context));
    return efi::write_handover(area, place,
                               {.memory = accepted.table(),
                                .unaccepted = context.unaccepted.view(),
                                .smbios = context.smbios});
}

/// The tables by which Linux finds the memory that it is to accept, and SMBIOS; nothing where there
/// is neither.
Result<std::optional<EfiTables>> write_efi_tables(Context& context) {
    if (context.unaccepted.empty() && !context.smbios)
        return std::nullopt;
    const GpaRange place = TRY(allocate(
        context, {.size = efi::handover_size(context.unaccepted.view()), .within = below_4g}));
    const MutableBytes area = TRY(platform::memory(place));
    clear(area);
    const GpaRange runtime = TRY(GpaRange::make(place.start(), efi::runtime_size));
    TRY(context.memory.remove(runtime));
    // Memory of this kind Linux neither uses nor forgets.
    TRY(context.memory.retype(GpaRange::between(runtime.end(), place.end()), e820::Type::acpi));
    const efi::Handover handover = TRY(fill_efi_tables(context, area, place.start()));
    return EfiTables{.handover = handover, .runtime = runtime};
}

/// The final map: to Linux by e820, memory is memory whether it is accepted or not, and of EFI's
/// runtime it is to keep away.
Result<e820::Table> final_map(const Context& context, const std::optional<EfiTables>& efi) {
    memory::MemoryMap map = context.memory;
    if (efi) {
        TRY(map.add(efi->runtime));
        TRY(map.retype(efi->runtime, e820::Type::reserved));
    }
    return map.table();
}

} // namespace

Result<LinuxHandover> write_handover(Context& context, const LinuxPayload& payload, Gpa rsdp) {
    context.input = "boot_params";
    const GpaRange place =
        TRY(allocate(context, {.size = sizeof(linux_boot::BootParams), .within = below_4g}));
    const MutableBytes memory = TRY(platform::memory(place));
    const auto efi = TRY(write_efi_tables(context));
    const linux_boot::BootParams params =
        linux_boot::make_boot_params(payload.kernel,
                                     {.load_address = payload.kernel_memory.start(),
                                      .initrd = payload.initrd,
                                      .command_line = payload.command_line,
                                      .rsdp = rsdp,
                                      .efi = efi ? std::optional(efi->handover) : std::nullopt},
                                     TRY(final_map(context, efi)));
    std::ranges::copy(bytes_of(params), memory.begin());
    return LinuxHandover{.boot_params = place.start(),
                         .console = efi ? std::optional(efi->handover.debug_log) : std::nullopt};
}

Result<void> hand_on_console(const LinuxHandover& handover) {
    if (!handover.console)
        return {};
    const MutableBytes area = TRY(platform::memory(*handover.console));
    const platform::Printed printed = platform::printed();
    efi::write_debug_log(area, "tdshim " TDSHIM_VERSION, printed.text, printed.lost);
    return {};
}

} // namespace tdshim::boot
