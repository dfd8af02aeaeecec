// SPDX-License-Identifier: Apache-2.0
//
// The inputs of shim-measure, made of a launch in memory in place of files and options. What
// decides about payloads and AML is shim-measure's own code. That a boot which is
// refused is not predicted is not asked yet: shim-measure looks at less than the firmware.
#include "tests/fuzz/soundness/prediction_oracle.hpp"

#include <algorithm>
#include <format>

#include "shim/formats/acpi/loader.hpp"
#include "shim/formats/acpi/tables.hpp"
#include "shim/formats/hob/hob.hpp"
#include "shim/formats/smbios/tables.hpp"
#include "shim/formats/tdvf/footer.hpp"
#include "shim/memory/layout.hpp"
#include "tests/fuzz/soundness/pool.hpp"
#include "tools/measurements/comparison.hpp"
#include "tools/measurements/payload_decision.hpp"
#include "tools/shim-measure/acpi_tables.hpp"
#include "tools/shim-measure/secure_boot.hpp"

namespace tdshim::soundness {
namespace {

using tools::BootInputs;
using tools::Image;
using tools::InputBytes;
using tools::of_file;
using tools::Outcome;
using tools::SuppliedPayload;

constexpr const char* name = "the launch";

InputBytes input(Bytes bytes) {
    return {{bytes.begin(), bytes.end()}, name};
}

/// The content of a named item, else of a legacy key.
Blob item(const Launch& launch, std::string_view named, fw_cfg::Selector legacy) {
    if (const Blob* const file = launch.file(named))
        return *file;
    const auto found = launch.items.find(legacy);
    return found == launch.items.end() ? Blob{} : found->second;
}

Outcome<hob::TdHob> parsed_hob(const Launch& launch) {
    return of_file(name, hob::parse(launch.hob, layout::td_hob.start(), {~std::uint64_t{0}}));
}

/// An initrd in the Payload section is what the HOB, which may be patched, says that it is.
Outcome<Blob> initrd_of(const Launch& launch) {
    if (!launch.is_placed)
        return item(launch, fw_cfg::named_initrd, fw_cfg::initrd_data);
    const auto range = TRY(parsed_hob(launch)).initrd;
    if (!range || range->empty())
        return Blob{};
    if (!payload_section.contains(*range))
        return std::unexpected(tools::failure(name, "has its initrd elsewhere"));
    const Blob memory = launch.payload_memory();
    const auto from = memory.begin() + static_cast<std::ptrdiff_t>(range->start().value -
                                                                   payload_section.start().value);
    return Blob(from, from + static_cast<std::ptrdiff_t>(range->size()));
}

/// All of the PayloadParam section, as start() lays it.
Blob parameter_region(const Launch& launch) {
    constexpr std::size_t size = layout::payload_param.size();
    Blob section = launch.parameter;
    section.resize(size);
    std::ranges::copy(launch.behind_parameter, section.begin() + size / 2);
    return section;
}

Outcome<> add_payload(const Launch& launch, const Image& image, BootInputs& inputs) {
    SuppliedPayload supplied;
    supplied.file = launch.payload;
    supplied.origin = supplied.name = name;
    supplied.is_item = !launch.is_placed;
    supplied.initrd_bytes = TRY(initrd_of(launch));
    if (!supplied.initrd_bytes.empty())
        supplied.initrd = tools::InputFile{measure::digest_of(supplied.initrd_bytes), name};
    supplied.command_line = input(
        launch.is_placed ? launch.parameter
                         : item(launch, fw_cfg::named_command_line, fw_cfg::command_line_data));
    if (launch.is_placed) {
        supplied.announced = TRY(parsed_hob(launch)).payload;
        supplied.raw_place = payload_section;
        supplied.payload_region = launch.payload_memory();
        supplied.parameter_region = parameter_region(launch);
    }
    const cfv::Enrolment enrolment = TRY(tools::add_enrolment(image, inputs));
    return tools::decide_payload(enrolment, supplied, inputs);
}

/// etc/table-loader and the files that it loads, in its order.
Outcome<> add_acpi_files(const Launch& launch, const Image& image, BootInputs& inputs) {
    const Blob& bytes = *launch.file(fw_cfg::table_loader);
    inputs.acpi.push_back({std::string(fw_cfg::table_loader), bytes});
    const acpi::Script script = TRY(of_file(name, acpi::Script::open(bytes)));
    for (std::size_t i = 0; i < script.size(); ++i) {
        const acpi::Command command = TRY(of_file(name, script.command(i)));
        if (command.kind != acpi::CommandKind::allocate)
            continue;
        const Blob* const file = launch.file(command.file);
        if (file == nullptr)
            return std::unexpected(tools::failure(command.file, "is not there"));
        inputs.acpi.push_back({std::string(command.file), *file});
    }
    const auto tables = TRY(tools::tables_of_files(
        inputs.acpi, {.is_td = launch.is_td, .image_options = launch.options, .origin = name}));
    TRY(tools::check_aml(image, tables));
    return of_file(name, tools::check_tables(tables, launch.is_td));
}

Outcome<> add_hob_tables(const Launch& launch, const Image& image, BootInputs& inputs) {
    auto tables = TRY(tools::tables_of_hob(*inputs.td_hob, image));
    TRY(tools::check_aml(image, tables));
    TRY(of_file(name, tools::check_tables(tables, true)));
    if ((launch.options & tdvf::option_portable) != 0)
        inputs.acpi = std::move(tables);
    return {};
}

Outcome<> add_configuration(const Launch& launch, const Image& image, BootInputs& inputs) {
    if (launch.is_td)
        inputs.td_hob =
            input(Bytes(launch.hob).first(TRY(of_file(name, hob::list_size(launch.hob)))));
    else
        inputs.memory_map = input(*launch.file(fw_cfg::e820_table));
    inputs.uses_fw_cfg = launch.is_td && !launch.is_placed;
    inputs.accepts_all_memory = launch.is_td && launch.file(fw_cfg::accept_policy) != nullptr;
    if (!launch.is_placed && launch.file(fw_cfg::smbios_policy) != nullptr) {
        const Blob& tables = *launch.file(fw_cfg::smbios_tables);
        TRY(of_file(name, smbios::check_tables(tables)));
        inputs.smbios = input(tables);
    }
    if ((launch.options & tdvf::option_static_acpi) != 0)
        return {};
    return launch.is_placed ? add_hob_tables(launch, image, inputs)
                            : add_acpi_files(launch, image, inputs);
}

Outcome<BootInputs> inputs_of(const Launch& launch) {
    Image image{.file = name, .bytes = launch.image, .metadata = {}, .info = {}, .igvm = {}};
    image.metadata = TRY(of_file(name, tdvf::parse_metadata(image.bytes)));
    image.info = TRY(of_file(name, tdvf::find_image_info(image.bytes)));
    BootInputs inputs;
    inputs.image_options = launch.options;
    TRY(add_payload(launch, image, inputs));
    TRY(add_configuration(launch, image, inputs));
    return inputs;
}

/// As `shim-log check --policy --report` does.
std::string against_log(const tools::Prediction& prediction, const measure::RegisterBank& registers,
                        Bytes log) {
    const auto decoded = tools::decode_log(log);
    if (!decoded || decoded->error)
        return "shim-log cannot read the boot's own log";
    tools::Policy policy;
    tools::TdRegisters td{.info = {}, .source = "TDREPORT"};
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr) {
        td.info.rtmr[rtmr] = registers.value(rtmr);
        policy.rtmr[rtmr] = prediction.registers.value(rtmr);
    }
    for (const tools::PredictedEvent& event : prediction.events)
        policy.events.push_back(tools::policy_event_of(event));
    const auto findings = tools::differences(*decoded, tools::coverage_of(*decoded), td, policy);
    return findings.empty() ? ""
                            : "shim-log calls an honest boot's log wrong: " + findings.front().text;
}

} // namespace

std::string against_prediction(const Launch& launch, const measure::RegisterBank& registers,
                               Bytes log) {
    const auto inputs = inputs_of(launch);
    if (!inputs)
        return "a payload started where shim-measure says: " + inputs.error().text;
    const tools::Prediction prediction = tools::predict(*inputs);
    if (const auto room = tools::check_log_room(prediction); !room)
        return "a payload started where shim-measure says: " + room.error().text;
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (prediction.registers.value(rtmr) != registers.value(rtmr))
            return std::format("RTMR[{}] is not what shim-measure says", rtmr);
    return against_log(prediction, registers, log);
}

} // namespace tdshim::soundness
