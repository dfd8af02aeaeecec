// SPDX-License-Identifier: Apache-2.0
#include "payload/runtime/measurement.hpp"

#include "payload/runtime/event_log.hpp"
#include "payload/runtime/runtime.hpp"
#include "shim/formats/acpi/wire.hpp"
#include "shim/platform/td/tdcall.hpp"
#include "shim/platform/x86/address_space.hpp"

namespace tdshim::runtime {
namespace {

constexpr std::uint32_t first_rtmr = 2; // the firmware's and the payload's own are below
constexpr std::uint32_t last_rtmr = 3;

/// The area of the log, which the E820 table calls NVS, so that it is mapped. The table is the
/// firmware's: an ACPI table of the VMM's with this signature ends the boot.
Result<MutableBytes> find_log(const HobList& machine) {
    const auto table = machine.find_table("CCEL");
    if (!table)
        return refuse(Fault::log_header);
    const auto ccel = TRY(read_at<acpi::Ccel>(*table, 0));
    return MutableBytes(x86::pointer_to({std::uint64_t{ccel.log_address}}), ccel.log_length);
}

} // namespace

Result<void> measure(const HobList& machine, std::uint32_t rtmr, Bytes data) {
    if (rtmr < first_rtmr || rtmr > last_rtmr)
        return refuse(Fault::events_register);
    if (!is_td())
        return refuse(Fault::tdcall_failed);
    const MutableBytes log = TRY(find_log(machine));
    const std::size_t at = TRY(find_room(log, data.size()));
    const crypto::Digest digest = digest_of_event(data);
    TRY(td::extend_rtmr(rtmr, digest));
    return write_event(log.subspan(at), rtmr, digest, data);
}

} // namespace tdshim::runtime
