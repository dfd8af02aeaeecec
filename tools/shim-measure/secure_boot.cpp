// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/secure_boot.hpp"

#include "shim/formats/acpi/tables.hpp"
#include "shim/formats/tdvf/aml_policy.hpp"
#include "tools/signing/firmware_volume.hpp"

namespace tdshim::tools {
namespace {

void add_policy_file(Bytes file, const Image& image, const char* name, BootInputs& inputs) {
    if (!file.empty())
        inputs.policy_files.push_back({{file.begin(), file.end()}, name + image.file});
}

Outcome<cfv::Enrolment> enrolment_of(const Image& image) {
    const auto place = find_volume(image.metadata);
    // What firmware of another make has in its volume is that one's business.
    if (!place || !image.info)
        return cfv::Enrolment{};
    const Bytes volume = Bytes(image.bytes).subspan(place->offset, place->size);
    return of_file(image.file, cfv::parse(volume));
}

} // namespace

Outcome<cfv::Enrolment> add_enrolment(const Image& image, BootInputs& inputs) {
    const cfv::Enrolment enrolment = TRY(enrolment_of(image));
    add_policy_file(enrolment.anchor_file, image, "trust anchor enrolled in ", inputs);
    add_policy_file(enrolment.policy_file, image, "policy enrolled in ", inputs);
    return enrolment;
}

Outcome<> check_aml(const Image& image, const std::vector<vmm::ConfigFile>& tables) {
    const auto policy = tdvf::aml_policy_of(image.info ? std::uint32_t{image.info->options} : 0);
    const cfv::Enrolment enrolment = TRY(enrolment_of(image));
    for (const vmm::ConfigFile& table : tables) {
        if (!acpi::is_aml(table.content))
            continue;
        if (policy == tdvf::AmlPolicy::refuse)
            return std::unexpected(failure(table.name, Error{.fault = Fault::aml_refused}));
        if (policy == tdvf::AmlPolicy::enrolled &&
            !enrolment.aml_tables.contains(crypto::sha384(table.content)))
            return std::unexpected(failure(table.name, Error{.fault = Fault::aml_not_enrolled}));
    }
    return {};
}

} // namespace tdshim::tools
