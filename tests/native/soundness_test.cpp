// SPDX-License-Identifier: Apache-2.0
//
// Ways in which a VMM once reached a boot that looked like another one: each ends in other
// registers or in a refusal. tests/fuzz/soundness looks for more of them.
#include <catch2/catch_test_macros.hpp>

#include "linker/profile.hpp"
#include "shim/boot/memory_map.hpp"
#include "shim/formats/acpi/wire.hpp"
#include "tests/native/aml_boot.hpp"
#include "tests/native/inputs.hpp"
#include "tests/native/linux_params.hpp"
#include "tests/native/logged.hpp"
#include "tests/native/signed_boot.hpp"
#include "tests/unit/uki_blob.hpp"

using namespace tdshim;
using namespace tdshim::native;
using tdvf::AmlPolicy;

namespace {

constexpr std::string_view initrd = "not a cpio archive, and nobody looks";
constexpr std::string_view line = "console=ttyS0";

std::string text_of(const Blob& blob) {
    return {reinterpret_cast<const char*>(blob.data()), blob.size()};
}

Blob uki(const std::vector<test::UkiSection>& sections) {
    const auto blob = test::pe_with(sections);
    return {blob.view().begin(), blob.view().end()};
}

Launch launch_of(linker::Profile profile, std::uint32_t options) {
    Launch launch;
    launch.profile = profile;
    launch.options = options;
    return launch;
}

/// RTMR[0] and RTMR[1] of a boot, which has to start Linux.
std::pair<crypto::Digest, crypto::Digest> registers_of(Machine& machine) {
    const Outcome outcome = machine.boot();
    INFO(outcome.refusal());
    REQUIRE(outcome.linux);
    CHECK(log_leads_to_registers(machine));
    return {machine.registers().value(0), machine.registers().value(1)};
}

std::pair<crypto::Digest, crypto::Digest> registers_of_payload(const Blob& payload) {
    Machine machine;
    add_good_inputs(machine);
    machine.file("opt/org.tdshim/kernel") = payload;
    machine.remove_file("opt/org.tdshim/initrd");
    machine.remove_file("opt/org.tdshim/cmdline");
    return registers_of(machine);
}

std::string refusal_of(Machine& machine) {
    const Outcome outcome = machine.boot();
    CHECK_FALSE(outcome.linux);
    CHECK_FALSE(outcome.executable);
    CHECK(log_leads_to_registers(machine));
    return outcome.refusal();
}

/// The first memory that is given out would be where the HOB is: the list has none from 1 to 8 MiB.
Blob hob_over_tables(const std::vector<Blob>& tables) {
    using enum hob::ResourceType;
    Blob list = td_hob(
        {{memory_unaccepted, 0, 640 * KiB},
         {system_memory, 8 * MiB, layout::shim_code.size()},
         {system_memory, 10 * MiB, layout::mailbox.end().value - 10 * MiB},
         {memory_unaccepted, layout::mailbox.end().value, 12 * MiB - layout::mailbox.end().value},
         {memory_unaccepted, 16 * MiB, 512 * MiB}});
    Blob more;
    for (const Blob& table : tables) {
        const std::size_t size = sizeof(hob::GuidHeader) + table.size();
        more.append_range(bytes_of(
            hob::GuidHeader{.header = {4, static_cast<std::uint16_t>(*align_up(size, 8)), 0},
                            .name = hob::acpi_table_guid}));
        more.append_range(table);
        more.resize(*align_up(more.size(), 8));
    }
    list.insert(list.end() - sizeof(hob::HobHeader), more.begin(), more.end());
    overwrite(list, offsetof(hob::Handoff, end_of_hob_list),
              le64{layout::td_hob.start().value + list.size()});
    return list;
}

void start_with_hob(Machine& machine, const Launch& launch, const std::vector<Blob>& tables) {
    start(machine, launch);
    machine.make_td(hob_over_tables(tables));
}

} // namespace

TEST_CASE("what an unified kernel image holds cannot pass for what came beside a kernel",
          "[native][soundness]") {
    const std::string kernel = text_of(kernel_image());
    Machine files;
    add_good_inputs(files);
    const auto expected = registers_of(files);
    // The same files in one give the same registers ...
    CHECK(registers_of_payload(uki({{".linux", kernel},
                                    {".initrd", std::string(initrd)},
                                    {".cmdline", std::string(line)}})) == expected);
    // ... and an initrd that is called a description does not.
    CHECK(registers_of_payload(uki({{".linux", kernel},
                                    {".osrel", std::string(initrd)},
                                    {".cmdline", std::string(line)}}))
              .second != expected.second);
}

TEST_CASE("no place that the image or the layout names is ever given out", "[native][soundness]") {
    using linker::Profile;
    for (const Profile profile : {Profile::qemu, Profile::tdvf_payload, Profile::service_td}) {
        const Blob image = image_of(launch_of(profile, 0));
        std::vector<std::byte> log(layout::event_log.size());
        boot::Context context{boot::Recorder(log)};
        context.metadata = tdvf::parse_metadata(image).value();
        e820::Table table;
        REQUIRE(table.push({GpaRange::of<0, 2 * GiB>(), e820::Type::memory}));
        context.memory = memory::MemoryMap(table);
        REQUIRE(boot::set_aside(context));
        std::vector<GpaRange> kept{layout::shim_code, layout::shim_data, layout::td_hob,
                                   layout::event_log, layout::mailbox,   layout::shared_window};
        for (const tdvf::Section& section : context.metadata->sections)
            if (section.type != tdvf::SectionType::perm_mem && !section.memory.empty())
                kept.push_back(section.memory);
        for (const GpaRange& range : kept)
            for (const auto order :
                 {memory::Request::Order::lowest_first, memory::Request::Order::highest_first})
                CHECK_FALSE(
                    context.memory.allocate({.size = page_size, .within = range, .order = order})
                        .has_value());
    }
}

TEST_CASE("tables are judged by what the payload gets, wherever their source stood",
          "[native][soundness]") {
    Blob data = table({'X', 'D', 'A', 'T'}, 0x100);
    const Blob refused = aml({'D', 'S', 'D', 'T'}, 0x200, 0xA3);
    Machine machine;
    start_with_hob(machine, launch_of(linker::Profile::tdvf_payload, option_of(AmlPolicy::refuse)),
                   {table({'F', 'A', 'C', 'P'}, 0x200), refused, data});
    CHECK(refusal_of(machine) == "DSDT of the VMM: AML of the VMM's, which the image refuses");

    // Where a portable image puts tables must not be the VMM's choice.
    Machine portable;
    start_with_hob(portable, launch_of(linker::Profile::tdvf_payload, tdvf::option_portable),
                   {data, refused});
    CHECK(refusal_of(portable).ends_with(
        "memory map has no usable memory where the shim needs it (at 0x100000: expected 0x700000, "
        "found 0x0)"));
}

TEST_CASE("the entry of a raw vmlinux is in RTMR[1] of every image", "[native][soundness]") {
    const auto registers = [](std::uint64_t offset) {
        Launch launch = launch_of(linker::Profile::tdvf_payload,
                                  tdvf::option_portable | tdvf::option_static_acpi);
        launch.payload = Blob(0x10000, std::byte{0x90});
        launch.initrd.clear();
        launch.extras.acpi_tables.clear();
        launch.extras.payload = hob::PayloadInfo{std::uint32_t{hob::image_type_raw_vmlinux}, 0U,
                                                 payload_section.start().value + offset};
        Machine machine;
        start(machine, launch);
        return registers_of(machine);
    };
    CHECK(registers(0).second == registers(0).second);
    CHECK(registers(0).second != registers(0x4321).second);
}

TEST_CASE("an initrd and a command line bring no tables around an AML policy",
          "[native][soundness]") {
    const auto refused = [](std::string_view beside, std::string_view content, AmlPolicy policy) {
        FileBoot boot{.policy = policy};
        boot.files.leads_to_dsdt = false;
        boot.files.ssdt.clear();
        Machine machine;
        prepare(machine, boot);
        machine.file(std::string("opt/org.tdshim/") + std::string(beside)) = text_blob(content);
        const Outcome outcome = machine.boot();
        CHECK(outcome.linux.has_value() == outcome.refusal().empty());
        return outcome.refusal();
    };
    const std::string header = "070701" + std::string(104, '0');
    const std::string archive = std::string(4, '\0') + header + "kernel/firmware/acpi/x.aml";
    for (const AmlPolicy policy : {AmlPolicy::refuse, AmlPolicy::drop, AmlPolicy::enrolled}) {
        CHECK(refused("initrd", archive, policy)
                  .starts_with("opt/org.tdshim/initrd: initrd brings ACPI tables"));
        for (const auto* name : {"acpi_rsdp=0x1000", "a \"acpi-rsdp=1\""})
            CHECK(refused("cmdline", name, policy)
                      .starts_with("opt/org.tdshim/cmdline: command line names ACPI tables"));
        CHECK(refused("initrd", "kernel/firmware/acpi/x.aml", policy).empty());
        CHECK(refused("cmdline", "acpi=strict", policy).empty());
    }
    CHECK(refused("initrd", archive, AmlPolicy::measured).empty());
}

TEST_CASE("no command line has Linux take its initrd from memory", "[native][soundness]") {
    for (const auto* text : {"initrdmem=0xd000000,0x140", "a initrd=0x100040,0x140 b",
                             "\"initrd=1,2\"", "initrd=\"1,2\"", "initrd=,5"}) {
        Machine machine;
        add_good_inputs(machine);
        machine.file("opt/org.tdshim/cmdline") = text_blob(text);
        CHECK(refusal_of(machine).starts_with(
            "opt/org.tdshim/cmdline: command line has Linux take an initrd from memory"));
    }
    for (const auto* text : {"initrd=\\initrd.img", "initrd=/boot/initrd.img", "noinitrd"}) {
        Machine machine;
        add_good_inputs(machine);
        machine.file("opt/org.tdshim/cmdline") = text_blob(text);
        CHECK(machine.boot().linux);
    }
}

TEST_CASE("what the VMM filled is zero when the payload starts", "[native][soundness]") {
    Launch launch;
    Machine machine;
    start(machine, launch);
    const auto fill = [&](const GpaRange& range) {
        machine.place(range, {});
        std::ranges::fill(
            machine.memory(range.end().value > 0 ? Gpa{range.end().value - 512} : range.start(),
                           512),
            std::byte{0xA5});
    };
    for (const GpaRange& range : {layout::td_hob, layout::payload_param, payload_section})
        fill(range);
    REQUIRE(machine.boot().linux);
    for (const GpaRange& range : {layout::td_hob, layout::payload_param, payload_section}) {
        const MutableBytes memory = machine.memory(range.start(), range.size());
        CHECK(std::ranges::all_of(memory, [](std::byte byte) { return byte == std::byte{0}; }));
    }
}

TEST_CASE("a file that nobody reads changes nothing of what is accepted", "[native][soundness]") {
    const auto unaccepted = [](std::uint32_t unread) {
        Machine machine;
        add_good_inputs(machine);
        machine.remove_file("etc/e820");
        machine.make_td(good_td_hob());
        machine.set_item(fw_cfg::initrd_size, wire_blob(le32{unread}));
        machine.set_item(fw_cfg::kernel_size, wire_blob(le32{unread}));
        machine.add_file("etc/boot/kernel", Blob(unread));
        REQUIRE(machine.boot().linux);
        return machine.accepted_pages().size();
    };
    CHECK(unaccepted(1) == unaccepted(64U << 20));
}

TEST_CASE("a revoked kernel does not start inside of another file", "[native][soundness]") {
    const Blob kernel = kernel_image();
    SignedBoot boot(signed_payload::Algorithm::ecdsa_p384_sha384);
    boot.policy = cfv::Policy::measured;
    boot.revoked_payloads = {crypto::sha384(kernel)};
    Machine machine;
    boot.prepare(machine, false);
    machine.file("opt/org.tdshim/kernel") = uki({{".linux", text_of(kernel)}});
    CHECK(refusal_of(machine).ends_with("payload is revoked"));
}
