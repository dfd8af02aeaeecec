// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/soundness/launch.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

#include "linker/profile.hpp"
#include "shim/formats/cfv/builder.hpp"
#include "shim/formats/tdvf/aml_policy.hpp"
#include "tests/fuzz/soundness/containers.hpp"
#include "tests/fuzz/soundness/memory.hpp"
#include "tests/fuzz/soundness/pool.hpp"
#include "tests/fuzz/soundness/tables.hpp"
#include "tests/native/image.hpp"
#include "tests/native/inputs.hpp"

namespace tdshim::soundness {
namespace {

enum class Tail { none, behind_hob, behind_parameter };

bool has_sections(const Choices& choices) {
    return choices.has(Choice::profile);
}

bool is_td(const Choices& choices) {
    return choices.of(Choice::machine_kind, 4) != 3;
}

std::uint32_t options_of(const Choices& choices) {
    const auto policy = static_cast<tdvf::AmlPolicy>(choices.of(Choice::aml_policy, 4));
    std::uint32_t options = option_of(policy);
    if (choices.has(Choice::portable))
        options |= tdvf::option_portable;
    if (choices.has(Choice::static_acpi))
        options |= tdvf::option_static_acpi;
    if (has_sections(choices) && choices.of(Choice::region_digests, 4) == 1)
        options |= tdvf::option_region_digests;
    return options;
}

/// Nothing; the key under policy signed; the key under policy measured, with td-shim's anchor
/// beside the policy, as shim-enroll writes them, or without. AML is enrolled in all.
Blob volume_of(const Choices& choices) {
    Blob volume(layout::cfv_size);
    const std::size_t chosen = choices.of(Choice::enrolment, 4);
    if (chosen == 0)
        return volume;
    const std::array keys{cfv::KeyEntry{
        .key = signing_key(), .minimum_svn = 0, .kinds = cfv::all_payloads, .algorithm = 2}};
    const std::array<crypto::Digest, 1> aml{crypto::sha384(dsdt(0))};
    const auto anchor = chosen == 3 ? std::nullopt : std::optional(signing_key());
    if (!cfv::write(volume, anchor,
                    cfv::PolicyContents{.policy = chosen == 1 ? cfv::Policy::signed_only
                                                              : cfv::Policy::measured,
                                        .keys = keys,
                                        .aml_tables = aml}))
        std::abort();
    return volume;
}

Blob image_of(const Choices& choices, std::uint32_t options) {
    linker::Plan plan;
    plan.profile = has_sections(choices) ? linker::Profile::tdvf_payload : linker::Profile::qemu;
    plan.extends_payload = false;
    plan.payload_memory = payload_section;
    return native::image_without_code(plan, options, volume_of(choices));
}

void add_kernel_item(Launch& launch, bool is_legacy) {
    constexpr std::size_t setup_size = 5 * 512; // of the pool's kernels
    const Blob& kernel = launch.payload;
    if (!is_legacy || kernel.size() <= setup_size) {
        launch.files.emplace_back(fw_cfg::named_kernel, kernel);
        return;
    }
    const auto middle = kernel.begin() + setup_size;
    launch.items[fw_cfg::setup_data] = Blob(kernel.begin(), middle);
    launch.items[fw_cfg::kernel_data] = Blob(middle, kernel.end());
    launch.items[fw_cfg::setup_size] = native::wire_blob(le32{setup_size});
    launch.items[fw_cfg::kernel_size] =
        native::wire_blob(le32{static_cast<std::uint32_t>(kernel.size() - setup_size)});
}

struct Item {
    std::string_view name;
    fw_cfg::Selector size;
    fw_cfg::Selector data;
};

void add_item(Launch& launch, const Item& item, const std::optional<Blob>& content,
              bool is_legacy) {
    if (!content)
        return;
    if (!is_legacy) {
        launch.files.emplace_back(item.name, *content);
        return;
    }
    launch.items[item.size] = native::wire_blob(le32{static_cast<std::uint32_t>(content->size())});
    launch.items[item.data] = *content;
}

/// SMBIOS tables that differ in a serial number, wanted or not, and once without their end.
void add_smbios(Launch& launch, std::size_t choice) {
    using namespace std::string_view_literals;
    constexpr auto head = "\x01\x05\x00\x01\x01serial "sv;
    constexpr auto end_of_table = "\x7F\x04\xFF\xFE\0\0"sv;
    if (choice == 0)
        return;
    std::string tables(head);
    tables.append((choice & 1) != 0 ? "1\0\0"sv : "2\0\0"sv);
    if (choice != 7)
        tables.append(end_of_table);
    launch.files.emplace_back(fw_cfg::smbios_tables, native::text_blob(tables));
    if ((choice & 4) != 0)
        launch.files.emplace_back(fw_cfg::smbios_policy, native::text_blob(fw_cfg::smbios_pass));
}

void add_items(Launch& launch, const Choices& choices) {
    const std::size_t legacy = choices.of(Choice::legacy_keys, 8);
    add_kernel_item(launch, (legacy & 1) != 0);
    add_item(launch, {fw_cfg::named_initrd, fw_cfg::initrd_size, fw_cfg::initrd_data},
             any_input(choices, Choice::initrd), (legacy & 2) != 0);
    add_item(launch,
             {fw_cfg::named_command_line, fw_cfg::command_line_size, fw_cfg::command_line_data},
             any_input(choices, Choice::command_line), (legacy & 4) != 0);
    constexpr std::array<std::string_view, 4> wishes{"", "all", "", "ALL"};
    if (const std::string_view wish = choices.of(Choice::accept, wishes); !wish.empty())
        launch.files.emplace_back(fw_cfg::accept_policy, native::text_blob(wish));
    add_smbios(launch, choices.of(Choice::smbios, 8));
    launch.items[fw_cfg::processors] =
        native::wire_blob(le16{static_cast<std::uint16_t>(launch.processors)});
}

void add_acpi(Launch& launch, const Plan& plan) {
    const AcpiFiles files = acpi_files(plan, tables_of(plan));
    launch.files.emplace_back("etc/acpi/tables", files.tables);
    launch.files.emplace_back(fw_cfg::acpi_rsdp, files.rsdp);
    launch.files.emplace_back(fw_cfg::table_loader, files.script);
}

void add_placed(Launch& launch, const Choices& choices) {
    launch.initrd = any_input(choices, Choice::initrd).value_or(Blob{});
    launch.parameter = any_input(choices, Choice::command_line).value_or(Blob{});
    if (choices.of(Choice::hob_tail, 6) / 2 == static_cast<std::size_t>(Tail::behind_parameter))
        launch.behind_parameter = dsdt(static_cast<unsigned char>(choices.of(Choice::hob_tail, 2)));
}

void add_hob(Launch& launch, const Plan& plan) {
    launch.hob = td_hob(plan, launch);
    if (plan.choices.of(Choice::hob_tail, 6) / 2 != static_cast<std::size_t>(Tail::behind_hob))
        return;
    launch.hob.resize(behind_hob.value - layout::td_hob.start().value);
    launch.hob.append_range(dsdt(static_cast<unsigned char>(plan.choices.of(Choice::hob_tail, 2))));
}

} // namespace

const Blob* Launch::file(std::string_view name) const {
    const auto found = std::ranges::find(files, name, &std::pair<std::string, Blob>::first);
    return found == files.end() ? nullptr : &found->second;
}

Gpa Launch::initrd_place() const {
    return {payload_section.start().value + *align_up(payload.size(), page_size)};
}

Blob Launch::payload_memory() const {
    Blob memory = payload;
    memory.resize(initrd_place().value - payload_section.start().value);
    memory.append_range(initrd);
    memory.resize(payload_section.size());
    return memory;
}

Launch launch_of(const Plan& plan) {
    const Choices& choices = plan.choices;
    Launch launch;
    launch.options = options_of(choices);
    launch.image = image_of(choices, launch.options);
    launch.is_td = is_td(choices);
    launch.is_placed = launch.is_td && has_sections(choices);
    launch.processors = static_cast<std::uint32_t>(1 + choices.of(Choice::processors, 4));
    launch.payload = payload_file(plan);
    if (launch.is_placed) {
        add_placed(launch, choices);
    } else {
        add_items(launch, choices);
        add_acpi(launch, plan);
    }
    if (launch.is_td)
        add_hob(launch, plan);
    else
        launch.files.emplace_back(fw_cfg::e820_table, memory_map(choices));
    return launch;
}

void start(native::Machine& machine, const Launch& launch) {
    machine.set_image_tail(launch.image);
    for (const auto& [name, content] : launch.files)
        machine.add_file(name, content);
    for (const auto& [selector, content] : launch.items)
        machine.set_item(selector, content);
    if (launch.is_td)
        machine.make_td(launch.hob);
    machine.set_processors(launch.processors);
    if (!launch.is_placed)
        return;
    machine.place(payload_section, launch.payload_memory());
    machine.place(layout::payload_param, launch.parameter);
    std::ranges::copy(launch.behind_parameter,
                      machine.memory(behind_parameter, launch.behind_parameter.size()).begin());
}

} // namespace tdshim::soundness
