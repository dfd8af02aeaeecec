// SPDX-License-Identifier: Apache-2.0
//
// Boots with AML of the VMM's, by fw_cfg and in a TD HOB, of images with each policy for it, and
// what they came to.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "shim/formats/tdvf/aml_policy.hpp"
#include "tests/native/launch.hpp"

namespace tdshim::native {

/// A table of this kind that is told from others, with a good checksum.
[[nodiscard]] Blob aml(std::array<char, 4> signature, std::size_t size, unsigned char content);
/// What the VMM brings.
[[nodiscard]] const Blob& vmm_dsdt();
[[nodiscard]] const Blob& vmm_ssdt();
/// The shim's.
[[nodiscard]] Blob own_dsdt();

/// A configuration volume whose policy lists these tables.
[[nodiscard]] Blob volume_of(std::initializer_list<Blob> tables);

/// etc/acpi/tables as parts at offsets, with the commands that link and sum them.
struct Files {
    Blob dsdt = vmm_dsdt();
    Blob ssdt = vmm_ssdt();
    Blob fadt = table({'F', 'A', 'C', 'P'}, sizeof(acpi::Fadt));
    bool leads_to_dsdt = true; ///< else the FADT stands as it is
    bool lists_two_fadts = false;
    std::uint32_t ssdt_at = 1024; ///< in the file, as are the others
    static constexpr std::uint32_t dsdt_at = 0;
    static constexpr std::uint32_t fadt_at = 2048;
    static constexpr std::uint32_t madt_at = 3072;
    static constexpr std::uint32_t rsdt_at = 3500;

    [[nodiscard]] Blob content() const;
    [[nodiscard]] Blob script() const;

  private:
    [[nodiscard]] std::vector<std::uint32_t> listed() const;
    [[nodiscard]] std::uint32_t rsdt_size() const;
};

/// A boot with tables by fw_cfg.
struct FileBoot {
    tdvf::AmlPolicy policy = tdvf::AmlPolicy::measured;
    Files files{};
    Blob volume{}; ///< of the image; empty: blank
    bool is_td = false;
};

void prepare(Machine& machine, const FileBoot& boot);

/// Boots, which has to go well.
Outcome booted(Machine& machine);

/// Why a boot was refused, which it has to be, and with a log that says so.
[[nodiscard]] std::string refusal_of(const FileBoot& boot);
[[nodiscard]] std::string refusal_of(const Launch& launch);

/// What Linux finds when it started; its pointers agree with each other.
struct Handed {
    Handed(Machine& machine, const Outcome& outcome);
    /// Empty where there is none.
    [[nodiscard]] Bytes named(std::string_view signature) const;
    std::vector<Bytes> tables;
    acpi::Fadt fadt{};
    Bytes dsdt;
    Bytes facs;
};

} // namespace tdshim::native
