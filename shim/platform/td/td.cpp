// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/td/td.hpp"

#include "shim/memory/acceptance.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/td/tdvmcall.hpp"
#include "shim/platform/x86/address_space.hpp"

namespace tdshim::td {
namespace {

[[gnu::section(".kept")]] constinit bool is_active = false;
constinit bool window_is_shared = false;
[[gnu::section(".kept")]] constinit Info found{};

MutableBytes window() {
    return MutableBytes(x86::pointer_to(layout::shared_window.start()),
                        layout::shared_window.size());
}

/// Accepts the page at `page`, which this TD shared before or never had.
Result<void> accept(Gpa page) {
    const tdx::Status status = memory::accept_patiently(page, tdx::PageLevel::size_4k, accept_page);
    if (status.status_class() == tdx::StatusClass::success)
        return {};
    if (status.status_class() == tdx::StatusClass::page_already_accepted)
        return refuse(Fault::page_already_accepted, page.value);
    return refuse(Fault::page_not_accepted, page.value, 0, status.value);
}

} // namespace

void detect() {
    is_active = module_answers_cpuid();
}

bool active() {
    return is_active;
}

Result<void> enter() {
    window_is_shared = false;
    found = TRY(read_info());
    return {};
}

const Info& info() {
    return found;
}

Result<MutableBytes> open_shared_window() {
    if (!window_is_shared) {
        TRY(map_gpa(layout::shared_window, Visibility::is_shared, found.shared_bit()));
        TRY(x86::map(layout::shared_window, memory::Access::shared_read_write));
        window_is_shared = true;
    }
    return window();
}

Result<void> close_shared_window() {
    if (window_is_shared) {
        TRY(x86::map(layout::shared_window, memory::Access::read_write));
        TRY(map_gpa(layout::shared_window, Visibility::is_private, found.shared_bit()));
        window_is_shared = false;
    }
    const std::uint64_t end = layout::shared_window.end().value;
    for (std::uint64_t page = layout::shared_window.start().value; page < end; page += page_size)
        TRY(accept({page}));
    return {};
}

} // namespace tdshim::td
