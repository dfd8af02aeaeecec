// SPDX-License-Identifier: Apache-2.0
//
// What the VMM may do to a running TD's memory, and what the TD's accesses find there.
#include "tools/tdx-model/td.hpp"

namespace tdshim::tdx_model {

void Td::withdraw(Gpa page) {
    const std::lock_guard lock(mutex_);
    pages_.set(GpaRange::between(page, {page.value + page_size}), PageState::withdrawn);
}

void Td::readd(Gpa page) {
    const std::lock_guard lock(mutex_);
    const PageState state = pages_.state(page);
    if (state != PageState::accepted && state != PageState::pending)
        return;
    if (state == PageState::accepted)
        lost_.insert(page.value);
    pages_.set(GpaRange::between(page, {page.value + page_size}), PageState::pending);
    ++counts_.readded_pages;
}

std::optional<Gpa> Td::find_pending(const GpaRange& range) const {
    const std::lock_guard lock(mutex_);
    for (std::uint64_t at = range.start().value; at < range.end().value; at += page_size)
        if (pages_.state({at}) == PageState::pending)
            return Gpa{at};
    return std::nullopt;
}

std::optional<Finding> Td::check_access(Gpa address, std::uint64_t size, bool is_shared) const {
    const std::lock_guard lock(mutex_);
    return judge(address, size, is_shared);
}

std::optional<Finding> Td::judge(Gpa address, std::uint64_t size, bool is_shared) const {
    for (const std::uint64_t at : {address.value, address.value + size - 1}) {
        const PageState state = pages_.state({align_down(at, page_size)});
        if (state != PageState::accepted && state != PageState::shared)
            return Finding{std::string("access to memory that is ") + name_of(state), at};
        if (is_shared != (state == PageState::shared))
            return Finding{is_shared ? "access to private memory as shared"
                                     : "access to shared memory as private",
                           at};
    }
    return std::nullopt;
}

} // namespace tdshim::tdx_model
