// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/schedule.hpp"

#include <algorithm>

namespace tdshim::td_emu {

void Schedule::begin() {
    for (const PageFault& page : pages_)
        if (page.moment.call == 0)
            td_.readd({page.address});
}

void Schedule::count(Vcpu& vcpu, unsigned number) {
    ++vcpu.calls;
    ++calls_;
    for (const PageFault& page : pages_)
        if (page.moment.vcpu ? page.moment.vcpu == number && page.moment.call == vcpu.calls
                             : page.moment.call == calls_)
            td_.readd({page.address});
}

bool Schedule::is_over(const StopFault& stop) const {
    if (!stop.until)
        return false;
    if (!stop.until->vcpu)
        return calls_ >= stop.until->call;
    return *stop.until->vcpu < vcpus_.size() && vcpus_[*stop.until->vcpu].calls >= stop.until->call;
}

bool Schedule::holds_call(unsigned vcpu) {
    if (pages_.empty() && stops_.empty())
        return false;
    const std::lock_guard lock(mutex_);
    Vcpu& state = vcpus_[vcpu];
    if (!state.is_held)
        count(state, vcpu);
    state.is_held = std::ranges::any_of(stops_, [&](const StopFault& stop) {
        return stop.vcpu == vcpu && !stop.address && stop.call == state.calls && !is_over(stop);
    });
    return state.is_held;
}

bool Schedule::holds_at(unsigned vcpu, std::uint64_t address) {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(stops_, [&](const StopFault& stop) {
        return stop.vcpu == vcpu && stop.address == address && stop.call <= vcpus_[vcpu].calls &&
               !is_over(stop);
    });
}

bool Schedule::watches(std::uint64_t address) const {
    return std::ranges::contains(stops_, address, &StopFault::address);
}

} // namespace tdshim::td_emu
