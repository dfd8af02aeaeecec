// SPDX-License-Identifier: Apache-2.0
//
// What the fuzzer chooses: a launch as a row of bytes, one for each choice of the VMM's or of the
// image's owner, and patches to what comes of them. A byte stands for the same choice whatever the
// others are, so that a mutation of one changes one thing. An input holds two launches: the choices
// of the first, those in which the second differs, and patches to both or to the second alone.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tests/native/machine.hpp"

namespace tdshim::soundness {

using native::Blob;

enum class Choice : std::uint8_t {
    focus, // what is varied at all (narrowed.hpp)
    // The image, which MRTD tells.
    profile,
    portable,
    static_acpi,
    region_digests,
    aml_policy,
    enrolment,
    // The machine.
    machine_kind,
    memory_holes,
    memory_order,
    memory_size,
    processors,
    accept,
    hob_tail, // content of the HOB's section behind the list
    // The payload.
    container,
    kernel,
    is_signed,
    section_name_0,
    section_blob_0,
    section_name_1,
    section_blob_1,
    section_name_2,
    section_blob_2,
    section_name_3,
    section_blob_3,
    bundle_manifest,
    bundle_initrd,
    bundle_line,
    bundle_events,
    announced_type,
    announced_entry,
    // What the VMM puts beside it.
    initrd,
    command_line,
    legacy_keys,
    // Its ACPI tables, by fw_cfg or in the HOB.
    table_kind_0,
    table_variant_0,
    table_kind_1,
    table_variant_1,
    table_kind_2,
    table_variant_2,
    table_kind_3,
    table_variant_3,
    fadt_pointer,
    smbios,
    table_slack, // bytes behind tables in their HOBs
};
inline constexpr std::size_t choice_count = static_cast<std::size_t>(Choice::table_slack) + 1;
inline constexpr std::size_t section_count = 4;
inline constexpr std::size_t table_count = 4;

/// The choice `step` places behind `first`.
[[nodiscard]] constexpr Choice after(Choice first, std::size_t step) {
    return static_cast<Choice>(static_cast<std::size_t>(first) + step);
}

class Choices {
  public:
    /// One of `count` alternatives; 0 is the plainest.
    [[nodiscard]] std::size_t of(Choice choice, std::size_t count) const {
        return values_[static_cast<std::size_t>(choice)] % count;
    }
    template <class T, std::size_t Count>
    [[nodiscard]] const T& of(Choice choice, const std::array<T, Count>& alternatives) const {
        return alternatives[of(choice, Count)];
    }
    [[nodiscard]] bool has(Choice choice) const { return of(choice, 2) == 1; }
    void set(Choice choice, std::uint8_t value) {
        values_[static_cast<std::size_t>(choice)] = value;
    }
    [[nodiscard]] const std::array<std::uint8_t, choice_count>& values() const { return values_; }

  private:
    std::array<std::uint8_t, choice_count> values_{};
};

/// What patches go to. Of the tables the checksum is made afterwards.
enum class Patched : std::uint8_t {
    payload,
    hob,
    loader_script,
    table_0,
    table_1,
    table_2,
    table_3,
    acpi_file,
};
inline constexpr std::size_t patched_count = 8;

struct Patch {
    Patched target{};
    std::size_t offset = 0;
    Blob bytes;
};

struct Plan {
    Choices choices;
    std::vector<Patch> patches;
};

/// Puts over `blob` what goes to `target`, as far as it reaches.
void apply(const std::vector<Patch>& patches, Patched target, Blob& blob);

struct Pair {
    Plan first;
    Plan second;
};

/// Every input is a pair; what is missing at its end is zero.
[[nodiscard]] Pair pair_of(Bytes input);

/// The input for two launches without patches.
[[nodiscard]] Blob input_of(const Choices& first, const Choices& second);

/// Changes `input`, which has room for `limit` bytes, by a few choices of either launch or by
/// patches. Returns its new size.
[[nodiscard]] std::size_t mutate(std::uint8_t* input, std::size_t size, std::size_t limit,
                                 unsigned seed);

} // namespace tdshim::soundness
