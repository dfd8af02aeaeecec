// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/secure_boot.hpp"

#include <memory>

#include "tools/signing/firmware_volume.hpp"

namespace tdshim::tools {
namespace {

void add_policy_file(Bytes file, const Image& image, const char* name, BootInputs& inputs) {
    if (!file.empty())
        inputs.policy_files.push_back({{file.begin(), file.end()}, name + image.file});
}

} // namespace

Outcome<cfv::Enrolment> add_enrolment(const Image& image, BootInputs& inputs) {
    const auto place = find_volume(image.metadata);
    if (!place)
        return cfv::Enrolment{};
    const Bytes volume = Bytes(image.bytes).subspan(place->offset, place->size);
    const auto enrolment = TRY(of_file(image.file, cfv::parse(volume)));
    add_policy_file(enrolment.anchor_file, image, "trust anchor enrolled in ", inputs);
    add_policy_file(enrolment.policy_file, image, "policy enrolled in ", inputs);
    return enrolment;
}

Outcome<verify::Payload> admit(const cfv::Enrolment& enrolment, Bytes file, payload::Kind kind,
                               const std::string& name, BootInputs& inputs) {
    const auto memory = std::make_unique<crypto::SignatureMemory>();
    const auto payload = TRY(of_file(
        name, verify::check_payload(enrolment, file, verify::kind_of(kind), memory->bytes)));
    if (payload.authority)
        inputs.authority = Authority{
            .anchor = {{payload.authority->anchor.begin(), payload.authority->anchor.end()},
                       "key that signed " + name},
            .svn = payload.authority->svn};
    return payload;
}

} // namespace tdshim::tools
