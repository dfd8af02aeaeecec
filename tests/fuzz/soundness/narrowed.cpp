// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/soundness/narrowed.hpp"

#include <cstdlib>
#include <string_view>

#include "tests/fuzz/soundness/containers.hpp"

namespace tdshim::soundness {
namespace {

std::string_view wanted() {
    static const char* const text = std::getenv("TDSHIM_SOUNDNESS_ONLY");
    return text == nullptr ? std::string_view{} : text;
}

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
}

} // namespace

void narrow(Plan& plan) {
    Choices& choices = plan.choices;
    const std::string_view only = wanted();
    if (only.empty())
        return;
    plan.patches.clear();
    if (only == "uki" || only == "sealed") {
        plain_machine(choices);
        make_plain(choices, Choice::profile, Choice::enrolment);
    }
    if (only == "uki")
        choices.set(Choice::is_signed, 0);
    if (only == "sealed") {
        choices.set(Choice::is_signed, 1);
        choices.set(Choice::enrolment, 1);
        choose(choices, choices.has(Choice::container) ? Container::bundle : Container::uki);
    }
    if (only == "hob") {
        plain_payload(choices);
        choices.set(Choice::profile, 1);
        choices.set(Choice::hob_tail, 0);
        choices.set(Choice::fadt_pointer, 0);
    }
    if (only == "raw") {
        plain_machine(choices);
        choices.set(Choice::profile, 1);
        choose(choices, Container::raw_vmlinux);
    }
}

} // namespace tdshim::soundness
