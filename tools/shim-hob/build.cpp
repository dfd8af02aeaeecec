// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-hob/commands.hpp"

#include <cstddef>
#include <format>
#include <iostream>
#include <utility>

#include "shim/formats/acpi/wire.hpp"
#include "tools/common/files.hpp"
#include "tools/common/look.hpp"
#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

constexpr std::size_t max_table_size = 65535 - sizeof(hob::GuidHeader) - 7; // a length has 16 bits

struct Pair {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
};

/// "A:B"
Outcome<Pair> pair_of(const std::string& option, const std::string& text) {
    const std::size_t colon = text.find(':');
    if (colon != std::string::npos) {
        const auto first = number_of(std::string_view(text).substr(0, colon));
        const auto second = number_of(std::string_view(text).substr(colon + 1));
        if (first && second)
            return Pair{*first, *second};
    }
    return std::unexpected(
        failure(option, std::format("expected two numbers, decimal or hexadecimal with 0x, with a "
                                    "colon between, found \"{}\"",
                                    printable(text))));
}

/// One table, whole; what is in it is the VMM's affair. Errors: truncated, acpi_length.
Result<void> check_table(Bytes file) {
    const auto header = TRY(read_at<acpi::TableHeader>(file, 0));
    if (header.length != file.size())
        return refuse(Fault::acpi_length, offsetof(acpi::TableHeader, length), file.size(),
                      header.length);
    return {};
}

Outcome<vmm::HobExtras> extras_of(const BuildOptions& options) {
    vmm::HobExtras extras;
    for (const std::string& text : options.mmio) {
        const Pair pair = TRY(pair_of("--mmio", text));
        extras.mmio.push_back(TRY(of_file("--mmio", GpaRange::make({pair.first}, pair.second))));
    }
    for (const std::string& file : options.acpi_files) {
        auto table = TRY(read_file(file));
        TRY(of_file(file, check_table(table)));
        if (table.size() > max_table_size)
            return std::unexpected(failure(file, "is larger than a HOB can be"));
        extras.acpi_tables.push_back(std::move(table));
    }
    if (!options.payload.empty()) {
        const Pair pair = TRY(pair_of("--payload-info", options.payload));
        if (!std::in_range<std::uint32_t>(pair.first))
            return std::unexpected(
                failure("--payload-info",
                        std::format("expected a type of 32 bits, found {}", hex(pair.first))));
        extras.payload = hob::PayloadInfo{.image_type = static_cast<std::uint32_t>(pair.first),
                                          .reserved = 0,
                                          .entry = pair.second};
        if (options.vmm == vmm::Kind::cloud_hypervisor)
            extras.payload_form = vmm::PayloadInfoForm::packed;
    }
    return extras;
}

} // namespace

Outcome<ExitCode> build(const BuildOptions& options) {
    const auto image = TRY(read_file(options.image));
    const auto metadata = TRY(of_file(options.image, image, tdvf::parse_metadata(image)));
    const vmm::HobExtras extras = TRY(extras_of(options));
    const tdvf::Section* const section = metadata.find(tdvf::SectionType::td_hob);
    if (section == nullptr)
        return std::unexpected(failure(options.image, "has no TD_HOB section"));
    const GpaRange place = section->memory;
    const auto list = TRY(of_file(options.image + " (its TD_HOB section)",
                                  vmm::td_hob(options.vmm, vmm::ram_of(options.vmm, options.memory),
                                              metadata, place, extras)));
    TRY(write_file(options.output, list));
    std::cout << std::format("{}: {} bytes, for address {:#x}\n", options.output, list.size(),
                             place.start().value);
    return ExitCode::good;
}

} // namespace tdshim::tools
