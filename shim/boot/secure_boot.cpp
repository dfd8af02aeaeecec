// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/secure_boot.hpp"

#include "shim/base/line.hpp"
#include "shim/boot/report.hpp"
#include "shim/platform/platform.hpp"
#include "shim/verify/payload.hpp"

namespace tdshim::boot {
namespace {

constinit crypto::SignatureMemory signature_memory;

Result<void> record_policy_file(Context& context, Bytes file) {
    return file.empty() ? Result<void>{}
                        : context.recorder.record(measure::secure_policy(file, context.digests()));
}

Result<void> record_authority(Context& context, const verify::Authority& authority) {
    TRY(context.recorder.record(measure::secure_authority(authority.anchor, context.digests())));
    platform::print(
        (Line() << "tdshim: signed by: " << Shown{authority.key} << ", SVN " << authority.svn)
            .text());
    return {};
}

} // namespace

Result<void> read_enrolment(Context& context, Bytes volume) {
    context.enrolment = TRY(cfv::parse(volume));
    const cfv::Enrolment& enrolment = context.enrolment;
    TRY(record_policy_file(context, enrolment.anchor_file));
    TRY(record_policy_file(context, enrolment.policy_file));
    if (!enrolment.anchor_file.empty() || !enrolment.policy_file.empty())
        platform::print(
            (Line() << "tdshim: enrolled policy: " << cfv::name_of(enrolment.policy)).text());
    return {};
}

Result<void> admit_payload(Context& context, PayloadFile& file) {
    const auto decision = verify::check_payload(context.enrolment, file.bytes,
                                                verify::kind_of(file.kind), signature_memory.bytes);
    if (!decision)
        return refuse_file(context, file, decision.error());
    const verify::Payload& admitted = *decision;
    if (admitted.authority) {
        TRY(record_authority(context, *admitted.authority));
        file.signer = admitted.authority->key;
        file.svn = admitted.authority->svn;
    }
    file.place.value += static_cast<std::uint64_t>(admitted.contents.data() - file.bytes.data());
    // In td-shim's way all of the VMM's section is measured, whatever it holds.
    if (!context.has_option(tdvf::option_region_digests) || context.uses_fw_cfg())
        file.measured = admitted.contents;
    file.bytes = admitted.contents;
    return {};
}

Result<void> admit_kernel(const Context& context, const crypto::Digest& digest) {
    return verify::check_part(context.enrolment, digest);
}

} // namespace tdshim::boot
