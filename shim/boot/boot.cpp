// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/boot.hpp"

#include "shim/base/line.hpp"
#include "shim/boot/acpi_tables.hpp"
#include "shim/boot/aml.hpp"
#include "shim/boot/context.hpp"
#include "shim/boot/executable_payload.hpp"
#include "shim/boot/linux_payload.hpp"
#include "shim/boot/memory_map.hpp"
#include "shim/boot/report.hpp"
#include "shim/boot/secure_boot.hpp"
#include "shim/boot/smbios.hpp"
#include "shim/boot/td_memory.hpp"
#include "shim/formats/tdvf/footer.hpp"
#include "shim/measure/register_bank.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

/// There is one boot; what it knows would take a good part of the stack.
constinit std::optional<Context> the_context;

void print(const Line& line) {
    platform::print(line.text());
}

void note(const Line& line) {
    platform::note(line.text());
}

void print_registers(const Context& context) {
    // Those of the operating system are zero, unless a bundle has events for them.
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (const auto value = platform::rtmr(rtmr);
            value && (rtmr < 2 || *value != crypto::Digest{}))
            print(Line() << "tdshim: RTMR[" << std::uint64_t{rtmr} << "] " << Shown{*value});
    note(Line() << "tdshim: event log: " << Hex{layout::event_log.start().value} << ", "
                << std::uint64_t{context.recorder.log_size()} << " of " << layout::event_log.size()
                << " bytes used");
}

void print_memory(const memory::MemoryMap& memory) {
    note(Line() << "tdshim: memory: " << memory.usable() / MiB << " MiB usable");
}

void print_acceptance(const Context& context) {
    std::uint64_t left = 0;
    for (const GpaRange& range : context.unaccepted)
        left += range.size();
    print(Line() << "tdshim: accepted: " << context.accepted.small_pages << " pages of 4 KiB, "
                 << context.accepted.large_pages << " of 2 MiB, "
                 << context.accepted.size_mismatches << " size mismatches; " << left / KiB
                 << " KiB left to Linux");
}

void print_counts(const Context& context) {
    note(Line() << "tdshim: counts: " << context.items.bytes_read() << " bytes read, "
                << context.recorder.bytes_hashed() << " bytes hashed, " << platform::ticks()
                << " ticks since reset");
}

Result<void> open_items(Context& context) {
    context.input = "fw_cfg directory";
    return context.items.open();
}

// Apart from the caller's frame, which stays while the payload is loaded.
[[gnu::noinline]] Result<void> read_image_info(Context& context) {
    constexpr auto tail = GpaRange::of<layout::image_end - page_size, page_size>();
    context.input = "firmware image";
    const Bytes bytes = TRY(platform::image(tail));
    context.image_info = TRY(tdvf::find_image_info(bytes));
    if (!context.image_info)
        return {};
    const Bytes image = TRY(platform::image(GpaRange::between(
        {layout::image_end - context.image_info->image_size}, {layout::image_end})));
    context.metadata = TRY(tdvf::parse_metadata(image));
    return {};
}

/// A portable image measures which policy it has in place of what depends on the machine's shape.
Result<void> record_policy(Context& context) {
    if (!context.has_option(tdvf::option_portable))
        return {};
    const std::string_view policy = context.has_option(tdvf::option_static_acpi)
                                        ? measure::policy_static_acpi
                                        : measure::policy_measured_acpi;
    platform::print((Line() << "tdshim: policy: " << policy).text());
    return context.recorder.record(
        measure::configuration(measure::policy_descriptor, bytes_of(policy)));
}

Result<void> read_configuration_volume(Context& context) {
    const tdvf::Section* const section = context.section(tdvf::SectionType::cfv);
    if (section == nullptr)
        return {};
    context.input = "configuration volume";
    const Bytes volume = TRY(platform::image(section->memory));
    return read_enrolment(context, volume);
}

/// What precedes the payload's first instruction, whatever it is.
Result<void> finish(Context& context, const PayloadFile& file) {
    if (platform::is_td())
        TRY(clear_filled_memory(context, file.kind == payload::Kind::raw_vmlinux));
    TRY(platform::close_devices());
    TRY(context.recorder.close());
    print_registers(context);
    if (platform::is_td())
        print_acceptance(context);
    print_counts(context);
    return {};
}

Result<void> boot_linux(Context& context, const PayloadFile& file, const AcpiRoot& acpi) {
    const LinuxPayload payload = TRY(load_linux(context, file));
    const LinuxHandover handover = TRY(write_handover(context, payload, acpi.rsdp));
    TRY(finish(context, file));
    print(Line() << "tdshim: starting Linux at " << Hex{payload.entry.value});
    TRY(hand_on_console(handover));
    return platform::start_linux(payload.kernel_memory, payload.entry, handover.boot_params);
}

Result<void> boot_executable(Context& context, const PayloadFile& file, const AcpiRoot& acpi) {
    const ExecutablePayload payload = TRY(load_executable(context, file, acpi));
    TRY(finish(context, file));
    print(Line() << "tdshim: starting " << payload::name_of(file.kind) << " at "
                 << Hex{payload.memory.start().value + payload.program.entry});
    TRY(start_executable(context, payload));
    print(Line() << "tdshim: the payload returned");
    return {};
}

/// The boot as the list of its steps; returns only to be refused, or when an executable did.
Result<void> run(Context& context) {
    TRY(read_image_info(context));
    if (context.has_option(tdvf::option_quiet))
        platform::be_quiet();
    print(Line() << "tdshim " << TDSHIM_VERSION << ": " << platform::kind());
    TRY(record_policy(context));
    TRY(record_aml_policy(context));
    TRY(platform::prepare_devices());
    if (platform::is_td()) {
        TRY(read_td_hob(context));
        if (context.uses_fw_cfg())
            TRY(open_items(context));
        TRY(accept_td_memory(context));
    } else {
        TRY(open_items(context));
        TRY(read_memory_map(context));
    }
    print_memory(context.memory);
    TRY(read_configuration_volume(context));
    const AcpiRoot acpi = TRY(load_acpi_tables(context));
    TRY(load_smbios_tables(context));
    PayloadFile file = TRY(fetch_payload(context));
    TRY(admit_payload(context, file));
    const bool is_executable = file.kind == payload::Kind::elf || file.kind == payload::Kind::pe;
    return is_executable ? boot_executable(context, file, acpi) : boot_linux(context, file, acpi);
}

[[noreturn]] void refuse_boot(Context& context, const Error& error) {
    Line reason;
    reason << context.input << ": " << error;
    context.recorder.refuse(reason.text());
    platform::print_end((Line() << "tdshim: boot refused: " << reason.text()).text());
    print_registers(context);
    platform::halt(reason.text());
}

} // namespace

void boot() {
    const auto log_area = platform::memory(layout::event_log);
    if (!log_area) {
        const Line reason = Line() << "event log: " << log_area.error();
        platform::print_end((Line() << "tdshim: boot refused: " << reason.text()).text());
        platform::halt(reason.text());
    }
    Context& context = the_context.emplace(Recorder(*log_area));
    const Result<void> outcome = run(context);
    if (!outcome)
        refuse_boot(context, outcome.error());
    platform::halt("the payload returned");
}

} // namespace tdshim::boot
