// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/chosen_fault.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <format>

#include "shim/base/error.hpp"
#include "tools/common/files.hpp"
#include "tools/common/text.hpp"

namespace tdshim::td_emu {
namespace {

using tools::failure;
using tools::Outcome;

/// Faults with a name that are no calls.
struct NamedText {
    std::string_view name;
    std::string_view text;
};
constexpr std::array named_texts{
    NamedText{"other-processors-late", R"([{"processors": {"arrive_after": 1000}}])"},
    NamedText{"other-processors-twice", R"([{"processors": {"arrive_twice": true}}])"},
};

Outcome<ChosenFault> faults_of(const std::string& origin, std::string text) {
    auto faults = parse_faults(text);
    if (!faults)
        return std::unexpected(failure(origin, tools::printable(faults.error())));
    return ChosenFault{{}, std::move(text), std::move(*faults)};
}

} // namespace

std::string fault_names() {
    std::string names;
    const auto add = [&](std::string_view name) {
        names += std::format("{}{}", names.empty() ? "" : ", ", name);
    };
    for (const tdx_model::NamedFault& fault : tdx_model::named_faults)
        add(fault.name);
    for (const NamedText& fault : named_texts)
        add(fault.name);
    return names;
}

Outcome<ChosenFault> choose_fault(const std::string& chosen) {
    if (chosen.empty())
        return ChosenFault{};
    const auto named =
        std::ranges::find(tdx_model::named_faults, chosen, &tdx_model::NamedFault::name);
    if (named != tdx_model::named_faults.end())
        return ChosenFault{named->fault, {}, {}};
    if (const auto found = std::ranges::find(named_texts, chosen, &NamedText::name);
        found != named_texts.end())
        return faults_of(chosen, std::string(found->text));
    std::error_code ignored;
    if (!std::filesystem::exists(chosen, ignored))
        return std::unexpected(
            failure("--fault",
                    std::format("expected a file or one of {}, found {}", fault_names(), chosen)));
    const auto bytes = TRY(tools::read_file(chosen));
    return faults_of(chosen,
                     std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

Outcome<> spoil_hob(std::vector<std::byte>& hob, const ChosenFault& fault, const std::string& file,
                    std::uint64_t room) {
    for (const HobFault& change : fault.faults.hob) {
        if (!change.file.empty()) {
            hob = TRY(tools::read_file(change.file));
            if (hob.size() > room)
                return std::unexpected(failure(
                    change.file, std::format("expected at most {} bytes of TD HOB, found {}", room,
                                             hob.size())));
            continue;
        }
        if (change.offset > room || change.bytes.size() > room - change.offset)
            return std::unexpected(failure(
                file, std::format("expected a change of the TD HOB inside its {} bytes, found one "
                                  "of {} bytes at offset {}",
                                  room, change.bytes.size(), change.offset)));
        hob.resize(std::max<std::size_t>(hob.size(), change.offset + change.bytes.size()));
        std::ranges::copy(change.bytes, hob.begin() + static_cast<std::ptrdiff_t>(change.offset));
    }
    return {};
}

} // namespace tdshim::td_emu
