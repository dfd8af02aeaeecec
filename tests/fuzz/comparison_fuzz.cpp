// SPDX-License-Identifier: Apache-2.0
//
// Any log compared with any policy: the input is a log, compared with the policy of a fixed boot
// and with one made of its own events, with which it agrees. What no digest of it covers lies
// inside of the event that has it.
#include <cstdlib>

#include "tools/measurements/comparison.hpp"
#include "tools/measurements/event_form.hpp"
#include "tools/measurements/summary.hpp"

namespace {

void check_coverage(const tdshim::tools::DecodedLog& log) {
    using namespace tdshim;
    const tools::LogCoverage coverage = tools::coverage_of(log);
    if (coverage.events.size() != log.events.size())
        std::abort();
    for (std::size_t i = 0; i < log.events.size(); ++i) {
        const event_log::Event& event = log.events[i];
        const std::size_t end = event.offset + sizeof(event_log::EventHeader) + event.data.size();
        for (const tools::LogPart& part : tools::parts_not_covered(event, coverage.events[i]))
            if (part.offset < event.offset || part.size > end - part.offset)
                std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tdshim;
    const auto log = tools::decode_log(std::as_bytes(std::span(data, size)));
    if (!log)
        return 0;
    check_coverage(*log);
    tools::BootInputs inputs;
    inputs.kernel = tools::InputFile{{}, "kernel"};
    tools::Policy fixed;
    for (const tools::PredictedEvent& event : tools::predict(inputs).events)
        fixed.events.push_back(tools::policy_event_of(event));
    fixed.rtmr[1] = crypto::Digest{};
    if (tools::compare_log(*log, fixed).empty()) // nobody finds the digest of 48 zero bytes
        std::abort();

    tools::Policy own;
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        own.rtmr[rtmr] = log->registers.value(rtmr);
    for (const event_log::Event& event : log->events)
        if (event.mr_index != 0 && event.type != event_log::EventType::no_action)
            own.events.push_back({.rtmr = event.mr_index - 1,
                                  .type = static_cast<std::uint32_t>(event.type),
                                  .description = tools::summarise(event).description,
                                  .digest = event.digest,
                                  .size = tools::measured_size(event),
                                  .origin = ""});
    if (!tools::compare_log(*log, own).empty())
        std::abort();
    return 0;
}
