// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/soundness/narrowed.hpp"

#include <cstdint>

#include "tests/fuzz/soundness/containers.hpp"

namespace tdshim::soundness {
namespace {

enum class Focus : std::uint8_t { payloads = 4, sealed, raw, hob, crowded };
constexpr std::size_t focus_count = 9; // nearly half of them: everything
constexpr std::uint8_t holes_around_the_shim = 6;

void make_plain(Choices& choices, Choice first, Choice last) {
    for (Choice choice = first; choice <= last; choice = after(choice, 1))
        choices.set(choice, 0);
}

void choose(Choices& choices, Container container) {
    choices.set(Choice::container, static_cast<std::uint8_t>(container));
}

/// What is in the payload and beside it.
void plain_payload(Choices& choices) {
    make_plain(choices, Choice::container, Choice::legacy_keys);
}

void plain_machine(Choices& choices) {
    make_plain(choices, Choice::machine_kind, Choice::hob_tail);
    make_plain(choices, Choice::table_kind_0, Choice::fadt_pointer);
    choices.set(Choice::table_slack, 0);
}

} // namespace

void narrow(Plan& plan) {
    Choices& choices = plan.choices;
    const std::size_t focus = choices.of(Choice::focus, focus_count);
    choices.set(Choice::focus, 0);
    if (focus < static_cast<std::size_t>(Focus::payloads))
        return;
    plan.patches.clear();
    switch (static_cast<Focus>(focus)) {
    case Focus::payloads:
        plain_machine(choices);
        make_plain(choices, Choice::profile, Choice::enrolment);
        choices.set(Choice::is_signed, 0);
        break;
    case Focus::sealed:
        plain_machine(choices);
        make_plain(choices, Choice::profile, Choice::enrolment);
        choices.set(Choice::is_signed, 1);
        choices.set(Choice::enrolment, 1);
        choose(choices, choices.has(Choice::container) ? Container::bundle : Container::uki);
        break;
    case Focus::raw:
        plain_machine(choices);
        choices.set(Choice::profile, 1);
        choose(choices, Container::raw_vmlinux);
        break;
    case Focus::crowded:
    case Focus::hob:
        if (static_cast<Focus>(focus) == Focus::crowded)
            choices.set(Choice::memory_holes, holes_around_the_shim);
        // AML stands where the pointer leads (tables.cpp): of two choices alone neither shows.
        choices.set(Choice::hob_tail,
                    static_cast<std::uint8_t>(2 * choices.of(Choice::fadt_pointer, 5)));
        plain_payload(choices);
        choices.set(Choice::profile, 1);
        for (const Choice plain :
             {Choice::static_acpi, Choice::region_digests, Choice::enrolment, Choice::accept})
            choices.set(plain, 0);
        break;
    }
}

} // namespace tdshim::soundness
