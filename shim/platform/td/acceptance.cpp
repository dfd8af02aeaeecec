// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/td/acceptance.hpp"

#include <atomic>

#include "shim/platform/td/processors.hpp"
#include "shim/platform/td/tdcall.hpp"

namespace tdshim::td {
namespace {

/// What the processors share; written by the first one before it calls the others.
struct Job {
    const memory::AcceptancePlan* plan = nullptr;
    std::size_t units = 0;
    std::atomic<std::size_t> next_unit;
    std::atomic<std::uint64_t> small_pages;
    std::atomic<std::uint64_t> large_pages;
    std::atomic<std::uint64_t> size_mismatches;
    std::atomic<bool> has_failed;
    Error error; ///< of the processor that set has_failed
};
constinit Job job{};

void work() {
    memory::AcceptanceCounts counts;
    while (!job.has_failed) {
        const std::size_t index = job.next_unit.fetch_add(1);
        if (index >= job.units)
            break;
        const auto accepted = memory::accept(job.plan->unit(index), counts, accept_page);
        if (!accepted && !job.has_failed.exchange(true))
            job.error = accepted.error();
    }
    job.small_pages += counts.small_pages;
    job.large_pages += counts.large_pages;
    job.size_mismatches += counts.size_mismatches;
}

} // namespace

Result<memory::AcceptanceCounts> accept_memory(const memory::AcceptancePlan& plan) {
    job.plan = &plan;
    job.units = plan.units();
    job.next_unit = 0;
    job.small_pages = job.large_pages = job.size_mismatches = 0;
    job.has_failed = false;
    if (job.units > 1)
        run_on_all_processors(work);
    else
        work();
    if (job.has_failed)
        return std::unexpected(job.error);
    return memory::AcceptanceCounts{.small_pages = job.small_pages,
                                    .large_pages = job.large_pages,
                                    .size_mismatches = job.size_mismatches};
}

} // namespace tdshim::td
