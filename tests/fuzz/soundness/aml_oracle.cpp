// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/soundness/aml_oracle.hpp"

#include <algorithm>
#include <array>

#include "shim/formats/acpi/static_tables.hpp"
#include "shim/formats/tdvf/aml_policy.hpp"

namespace tdshim::soundness {
namespace {

/// What Linux executes [drivers/acpi/acpica/tbxfload.c, acpi_tb_load_namespace].
bool is_aml(const Seen& seen) {
    constexpr std::array<std::string_view, 4> code{"table DSDT", "table SSDT", "table PSDT",
                                                   "table OSDT"};
    return std::ranges::contains(code, seen.what);
}

const Blob& own_dsdt() {
    static const Blob table = [] {
        Blob bytes(acpi::own_dsdt_size());
        acpi::write_dsdt(bytes);
        return bytes;
    }();
    return table;
}

/// As it stood in memory: a view leaves the checksum out.
Blob table_of(const Seen& seen) {
    Blob table = seen.content;
    acpi::set_checksum(table);
    return table;
}

/// A volume that admits a table holds its digest, and nothing else in an image does.
bool holds(const Blob& image, const crypto::Digest& digest) {
    return !std::ranges::search(image, digest).empty();
}

} // namespace

std::string against_aml_policy(const Launch& launch, const View& view) {
    const tdvf::AmlPolicy policy = tdvf::aml_policy_of(launch.options);
    if (policy == tdvf::AmlPolicy::measured)
        return {};
    for (const Seen& seen : view) {
        if (!is_aml(seen))
            continue;
        const Blob table = table_of(seen);
        const bool is_enrolled =
            policy == tdvf::AmlPolicy::enrolled && holds(launch.image, crypto::sha384(table));
        if (table != own_dsdt() && !is_enrolled)
            return std::string("AML of the VMM's under the policy ") +
                   std::string(name_of(policy)) + ": " + seen.what;
    }
    return {};
}

} // namespace tdshim::soundness
