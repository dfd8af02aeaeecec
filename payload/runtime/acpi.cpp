// SPDX-License-Identifier: Apache-2.0
#include "payload/runtime/acpi.hpp"

#include <algorithm>

#include "shim/formats/acpi/wire.hpp"

namespace tdshim::runtime {
namespace {

constexpr std::uint32_t processor_enabled = 1;

Result<void> push(Processors& found, std::uint32_t apic_id, std::uint32_t flags, std::size_t at) {
    if ((flags & processor_enabled) == 0)
        return {};
    if (!found.apic_ids.push(apic_id))
        return refuse(Fault::too_many_entries, at, max_processors, max_processors + 1);
    return {};
}

/// `structure` with its two bytes of header.
Result<void> add(Processors& found, std::uint8_t type, Bytes structure, std::size_t at) {
    switch (type) {
    case acpi::madt_local_apic_type: {
        const auto apic = TRY(read_at<acpi::MadtLocalApic>(structure, 0));
        return push(found, apic.apic_id, apic.flags, at);
    }
    case acpi::madt_local_x2apic_type: {
        const auto apic = TRY(read_at<acpi::MadtLocalX2Apic>(structure, 0));
        return push(found, apic.apic_id, apic.flags, at);
    }
    case acpi::madt_wakeup_type:
        found.mailbox = Gpa{TRY(read_at<acpi::MadtWakeup>(structure, 0)).mailbox};
        return {};
    default: return {};
    }
}

constexpr std::uint8_t package_op = 0x12;
constexpr std::uint8_t byte_prefix = 0x0A;

/// The first element, a number of one byte, of the package behind the name \_S5
/// [ACPI 6.5, 20.2.5.4].
std::optional<std::uint8_t> first_of_s5(Bytes dsdt) {
    const Bytes name = bytes_of(std::string_view("_S5_"));
    const auto found = std::ranges::search(dsdt, name);
    if (found.empty())
        return std::nullopt;
    Reader aml(dsdt.subspan(static_cast<std::size_t>(found.end() - dsdt.begin())));
    const auto take = [&aml] {
        const auto byte = aml.take<std::uint8_t>();
        return byte ? *byte : std::uint8_t{0xFF};
    };
    if (take() != package_op)
        return std::nullopt;
    const unsigned more_length_bytes = take() >> 6;
    if (!aml.take_bytes(more_length_bytes) || take() == 0) // the number of elements
        return std::nullopt;
    const std::uint8_t element = take();
    if (element == byte_prefix)
        return take();
    return element <= 1 ? std::optional(element) : std::nullopt; // ZeroOp, OneOp
}

} // namespace

Result<Processors> read_madt(Bytes madt) {
    Processors found;
    Reader structures(madt);
    TRY(structures.take<acpi::MadtHeader>());
    while (structures.left() > 0) {
        const std::size_t at = structures.offset();
        const auto structure = TRY(structures.take<acpi::MadtStructure>());
        if (structure.length < sizeof(structure))
            return refuse(Fault::acpi_length, at, sizeof(structure), structure.length);
        TRY(structures.take_bytes(structure.length - sizeof(structure)));
        TRY(add(found, structure.type, madt.subspan(at, structure.length), at));
    }
    return found;
}

std::optional<SoftOff> find_soft_off(Bytes fadt, Bytes dsdt) {
    constexpr std::uint16_t sleep_enable = 1 << 13;
    constexpr unsigned sleep_type_shift = 10;
    constexpr std::uint8_t last_sleep_type = 7;
    const auto fixed = read_at<acpi::Fadt>(fadt, 0);
    const auto sleep_type = first_of_s5(dsdt);
    if (!fixed || !sleep_type || *sleep_type > last_sleep_type || fixed->pm1a_control == 0 ||
        fixed->pm1a_control > 0xFFFF)
        return std::nullopt;
    return SoftOff{static_cast<std::uint16_t>(fixed->pm1a_control),
                   static_cast<std::uint16_t>(*sleep_type << sleep_type_shift | sleep_enable)};
}

Result<Gpa> read_mcfg(Bytes mcfg) {
    return Gpa{TRY(read_at<acpi::Mcfg>(mcfg, 0)).base};
}

} // namespace tdshim::runtime
