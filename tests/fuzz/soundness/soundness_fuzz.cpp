// SPDX-License-Identifier: Apache-2.0
//
// Whether the registers say what ran. From each input two launches, both booted, and one rule that
// knows nothing of what the firmware is meant to do: boots whose payloads would see different
// things differ in MRTD, in RTMR[0] or in RTMR[1]. Beside it two rules of single boots: what boots
// was predicted, with a log that agrees, and no AML is reached that the image does not admit.
//
// The launches without patches of all inputs are remembered and held against each other, for the
// more there are, the sooner two meet. A pair that was found so is written beside libFuzzer's own
// files as "pair": an input that shows it by itself.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

#include "shim/memory/layout.hpp"
#include "tests/fuzz/soundness/aml_oracle.hpp"
#include "tests/fuzz/soundness/narrowed.hpp"
#include "tests/fuzz/soundness/prediction_oracle.hpp"
#include "tests/fuzz/soundness/view.hpp"
#include "tests/native/logged.hpp"

namespace {

using namespace tdshim;
using namespace tdshim::soundness;

/// libFuzzer's -artifact_prefix.
std::string& pair_file() {
    static std::string name = "pair";
    return name;
}

struct Boot {
    Launch launch;
    native::Outcome outcome;
    measure::RegisterBank registers;
    View view; ///< empty: no payload started
    Blob log;  ///< the event log's whole area
    /// Where the VMM's ACPI files stand: what a loader's script of the fuzzer's own may have put
    /// into any table.
    Blob places;
};

Blob places_of(native::Machine& machine) {
    Blob places;
    for (const event_log::Event& event :
         native::events_of(machine).value_or(std::vector<event_log::Event>{}))
        if (event.mr_index == 1 && event.type == event_log::EventType::platform_firmware_blob2)
            places.append_range(event.data);
    return places;
}

Boot boot_of(const Plan& plan) {
    native::Machine machine;
    Boot boot{.launch = launch_of(plan),
              .outcome = {},
              .registers = {},
              .view = {},
              .log = {},
              .places = {}};
    start(machine, boot.launch);
    boot.outcome = machine.boot();
    boot.registers = machine.registers();
    if (!boot.outcome.linux && !boot.outcome.executable)
        return boot;
    boot.view = view_of(machine, boot.launch, boot.outcome);
    boot.log.assign_range(machine.memory(layout::event_log.start(), layout::event_log.size()));
    boot.places = places_of(machine);
    return boot;
}

void print(const char* which, const Plan& plan, const Boot& boot) {
    std::fprintf(stderr, "%s: choices", which);
    for (const std::uint8_t value : plan.choices.values())
        std::fprintf(stderr, " %u", value);
    std::fprintf(stderr, "; %zu patches\n", plan.patches.size());
    for (const std::string& line : boot.outcome.console)
        std::fprintf(stderr, "  %s\n", line.c_str());
}

[[noreturn]] void report(const std::string& finding) {
    std::fprintf(stderr, "FINDING: %s\n", finding.c_str());
    std::abort();
}

/// What a verifier sees. Of a plain VM it sees nothing, and such a boot is no TD's.
crypto::Digest identity_of(const Boot& boot) {
    Blob all(1, std::byte{boot.launch.is_td});
    all.append_range(boot.launch.image);
    all.append_range(boot.registers.value(0));
    all.append_range(boot.registers.value(1));
    return crypto::sha384(all);
}

bool links_by_patched_script(const Plan& plan) {
    return std::ranges::any_of(plan.patches, [](const Patch& patch) {
        return patch.target == Patched::loader_script || patch.target == Patched::acpi_file;
    });
}

void check_pair(const Pair& pair, const Boot& first, const Boot& second) {
    if (first.view.empty() || second.view.empty() || first.view == second.view ||
        identity_of(first) != identity_of(second))
        return;
    // Addresses that differ with the memory map stand then where nobody can tell them from content.
    if (first.places != second.places && links_by_patched_script(pair.second))
        return;
    print("first", pair.first, first);
    print("second", pair.second, second);
    report("equal registers, but " + difference(first.view, second.view));
}

void check_boot(const Plan& plan, const Boot& boot) {
    if (boot.view.empty())
        return;
    for (const std::string& finding : {against_prediction(boot.launch, boot.registers, boot.log),
                                       against_aml_policy(boot.launch, boot.view)}) {
        if (finding.empty())
            continue;
        print("boot", plan, boot);
        report(finding);
    }
}

struct Known {
    crypto::Digest view{};
    Choices choices;
};

/// Holds a boot without patches against all before it.
void remember(const Plan& plan, const Boot& boot) {
    constexpr std::size_t max_known = 2'000'000; // some 500 MiB
    static std::map<crypto::Digest, Known> known;
    if (boot.view.empty() || !plan.patches.empty() || known.size() == max_known)
        return;
    const crypto::Digest view = digest_of(boot.view);
    const auto [found, is_new] = known.try_emplace(identity_of(boot), view, plan.choices);
    if (is_new || found->second.view == view)
        return;
    const Blob input = input_of(found->second.choices, plan.choices);
    std::ofstream(pair_file(), std::ios::binary)
        .write(reinterpret_cast<const char*>(input.data()),
               static_cast<std::streamsize>(input.size()));
    std::fprintf(stderr, "two launches met; both are in %s\n", pair_file().c_str());
    const Pair pair{{found->second.choices, {}}, plan};
    check_pair(pair, boot_of(pair.first), boot);
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
    constexpr std::string_view option = "-artifact_prefix=";
    for (const char* const argument : std::span(*arguments, static_cast<std::size_t>(*count)))
        if (const std::string_view text = argument; text.starts_with(option))
            pair_file() = std::string(text.substr(option.size())) + "pair";
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t limit, unsigned seed) {
    return mutate(data, size, limit, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Pair pair = pair_of(std::as_bytes(std::span(data, size)));
    narrow(pair.first);
    narrow(pair.second);
    const Boot first = boot_of(pair.first);
    const Boot second = boot_of(pair.second);
    check_pair(pair, first, second);
    check_boot(pair.first, first);
    check_boot(pair.second, second);
    remember(pair.first, first);
    remember(pair.second, second);
    return 0;
}
