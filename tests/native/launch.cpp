// SPDX-License-Identifier: Apache-2.0
#include "tests/native/launch.hpp"

#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/tdvf/metadata.hpp"
#include "tests/native/image.hpp"

namespace tdshim::native {
namespace {

linker::Plan plan_of(const Launch& launch) {
    linker::Plan plan;
    plan.profile = launch.profile;
    plan.extends_payload = false;
    plan.payload_memory = payload_section;
    plan.permanent_memory = 32 * MiB;
    plan.payload_size = launch.profile == linker::Profile::service_td ? launch.payload.size() : 0;
    return plan;
}

} // namespace

Blob table(std::array<char, 4> signature, std::size_t size) {
    Blob bytes(size);
    std::ranges::copy(bytes_of(acpi::own_header(signature, size)), bytes.begin());
    acpi::set_checksum(bytes);
    return bytes;
}

Blob image_of(const Launch& launch) {
    return image_without_code(plan_of(launch), launch.options, launch.volume);
}

void start(Machine& machine, Launch launch) {
    const Blob image = image_of(launch);
    const auto metadata = tdvf::parse_metadata(image);
    REQUIRE(metadata);
    machine.set_image_tail(image);
    if (!launch.initrd.empty() && !launch.extras.initrd)
        launch.extras.initrd = hob::InitrdInfo{launch.initrd_address(), launch.initrd.size()};
    const auto ram = vmm::ram_of(vmm::Kind::cloud_hypervisor, launch.memory);
    const auto list =
        vmm::td_hob(vmm::Kind::cloud_hypervisor, ram, *metadata, layout::td_hob, launch.extras);
    REQUIRE(list);
    machine.make_td(*list);
    machine.place(payload_section, launch.payload);
    machine.place(layout::payload_param, launch.parameter);
    if (!launch.initrd.empty())
        std::ranges::copy(bytes_of(std::string_view(launch.initrd)),
                          machine.memory({launch.initrd_address()}, launch.initrd.size()).begin());
}

std::vector<Bytes> listed_tables(Machine& machine, std::uint64_t rsdp_address) {
    const auto rsdp = read_at<acpi::Rsdp>(machine.memory({rsdp_address}, sizeof(acpi::Rsdp)), 0);
    const auto header = read_at<acpi::TableHeader>(machine.memory({rsdp->xsdt}, 4096), 0);
    Reader entries(machine.memory({rsdp->xsdt}, header->length));
    REQUIRE(entries.take_bytes(sizeof(acpi::TableHeader)));
    std::vector<Bytes> tables;
    while (entries.left() > 0) {
        const std::uint64_t address = *entries.take<le64>();
        const auto listed = read_at<acpi::TableHeader>(machine.memory({address}, 4096), 0);
        tables.push_back(machine.memory({address}, listed->length));
    }
    return tables;
}

} // namespace tdshim::native
