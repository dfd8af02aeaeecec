// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/aml.hpp"

#include <algorithm>
#include <array>

#include "shim/base/line.hpp"
#include "shim/boot/report.hpp"
#include "shim/formats/acpi/static_tables.hpp"
#include "shim/formats/acpi/wire.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

/// A refusal's input, which outlives the table.
constexpr std::array<std::string_view, 4> names{"DSDT of the VMM", "SSDT of the VMM",
                                                "PSDT of the VMM", "OSDT of the VMM"};

std::string_view name_of_aml(Bytes table) {
    const auto is_it = [&](std::string_view name) {
        return acpi::has_signature(table, name.substr(0, 4));
    };
    return *std::ranges::find_if(names, is_it); // is_aml() knows these four
}

bool is_enrolled(const Context& context, const crypto::Digest& digest) {
    return context.enrolment.aml_tables.contains(digest);
}

Result<bool> admit_enrolled(Context& context, Bytes table) {
    const crypto::Digest digest = crypto::sha384(table);
    platform::print((Line() << "tdshim: aml: " << name_of_aml(table) << ", "
                            << std::uint64_t{table.size()} << " bytes, sha384 " << Shown{digest})
                        .text());
    if (is_enrolled(context, digest))
        return true;
    context.input = name_of_aml(table);
    return refuse(Fault::aml_not_enrolled);
}

Result<Gpa> place_own_dsdt(Context& context, Tables& tables) {
    const Placed own = TRY(place_acpi(context, acpi::own_dsdt_size()));
    acpi::write_dsdt(own.bytes);
    TRY(tables.keep(own.bytes));
    return own.range.start();
}

} // namespace

tdvf::AmlPolicy aml_policy(const Context& context) {
    return context.image_info ? tdvf::aml_policy_of(context.image_info->options)
                              : tdvf::AmlPolicy::measured;
}

Result<void> record_aml_policy(Context& context) {
    const tdvf::AmlPolicy policy = aml_policy(context);
    if (policy == tdvf::AmlPolicy::measured)
        return {};
    platform::print((Line() << "tdshim: policy: " << measure::text_of(policy)).text());
    return context.recorder.record(measure::aml_policy(policy));
}

Result<bool> admit(Context& context, Bytes table) {
    if (!acpi::is_aml(table))
        return true;
    switch (aml_policy(context)) {
    case tdvf::AmlPolicy::measured: return true;
    case tdvf::AmlPolicy::refuse:
        context.input = name_of_aml(table);
        return refuse(Fault::aml_refused);
    case tdvf::AmlPolicy::drop:
        platform::print((Line() << "tdshim: aml: " << name_of_aml(table) << ", "
                                << std::uint64_t{table.size()} << " bytes, dropped")
                            .text());
        return false;
    case tdvf::AmlPolicy::enrolled: return admit_enrolled(context, table);
    }
    return false;
}

Result<void> link_fadt(Context& context, Tables& tables, MutableBytes fadt, Gpa dsdt) {
    if (dsdt.value == 0)
        dsdt = TRY(place_own_dsdt(context, tables));
    // Not a table of the XSDT, and never in a HOB; AML with a global lock cannot do without. The
    // kernel writes into it: the VMM must not choose where it lies.
    const Placed facs = TRY(place_acpi(context, sizeof(acpi::Facs)));
    acpi::write_facs(facs.bytes);
    return acpi::link_fadt(fadt, dsdt, facs.range.start());
}

} // namespace tdshim::boot
