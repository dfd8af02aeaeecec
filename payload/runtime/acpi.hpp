// SPDX-License-Identifier: Apache-2.0
//
// What a payload takes from the ACPI tables: its processors, how a TD's others are woken, and how
// the machine is switched off [ACPI 6.5, 4.8.3, 5.2.9, 5.2.12, 7.4.2].
#pragma once

#include <cstdint>
#include <optional>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/static_vector.hpp"

namespace tdshim::runtime {

inline constexpr std::size_t max_processors = 256;

struct Processors {
    StaticVector<std::uint32_t, max_processors> apic_ids; ///< of those that are enabled
    std::optional<Gpa> mailbox;                           ///< multiprocessor wakeup
};

/// Errors: truncated, acpi_length, too_many_entries; `at` is an offset in `madt`.
[[nodiscard]] Result<Processors> read_madt(Bytes madt);

/// A write of 16 bits to a port that switches the machine off.
struct SoftOff {
    std::uint16_t port = 0;
    std::uint16_t value = 0;
    bool operator==(const SoftOff&) const = default;
};

/// Nothing where the FADT names no such port, or the DSDT no state S5 in its plain form.
[[nodiscard]] std::optional<SoftOff> find_soft_off(Bytes fadt, Bytes dsdt);

/// Where configuration space of the first PCI segment stands. Errors: truncated.
[[nodiscard]] Result<Gpa> read_mcfg(Bytes mcfg);

} // namespace tdshim::runtime
