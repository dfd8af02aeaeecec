// SPDX-License-Identifier: Apache-2.0
//
// shim-check FINAL.BIN --vmm NAME: whether a VMM will take a firmware image, ours or one of another
// make, and why not.

#include <format>
#include <iostream>
#include <map>

#include "tools/common/command.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/look.hpp"
#include "tools/common/text.hpp"
#include "tools/vmm/image_rules.hpp"

namespace tdshim::tools { namespace {

using vmm::Kind;
using vmm::Violation;

constexpr std::array names{std::pair{"qemu", Kind::qemu},
                           std::pair{"cloud-hypervisor", Kind::cloud_hypervisor},
                           std::pair{"tdshim-spec", Kind::tdshim_spec}};

struct Options {
    std::string image;
    Kind vmm = Kind::qemu;
    std::optional<std::uint64_t> memory;
    bool json = false;

    [[nodiscard]] std::string_view vmm_name() const {
        return std::ranges::find(names, vmm, &std::pair<const char*, Kind>::second)->first;
    }
};

/// "section 4 (Payload)", "image".
std::string subject_of(const Violation& violation, const tdvf::Metadata& metadata) {
    if (!violation.section)
        return "image";
    return std::format("section {} ({})", *violation.section,
                       tdvf::name_of(metadata.sections[*violation.section].type));
}

void print_text(const Options& options, const std::vector<Violation>& broken,
                const tdvf::Metadata& metadata) {
    for (const Violation& violation : broken)
        std::cout
            << failure(options.image + ": " + subject_of(violation, metadata), violation.error).text
            << ": " << violation.consequence << '\n';
    if (broken.empty())
        std::cout << std::format("{}: good for {}\n", options.image, options.vmm_name());
}

nlohmann::ordered_json json_of(const Options& options, const std::vector<Violation>& broken,
                               const tdvf::Metadata& metadata) {
    nlohmann::ordered_json json{{"image", options.image},
                                {"vmm", options.vmm_name()},
                                {"good", broken.empty()},
                                {"broken", nlohmann::ordered_json::array()}};
    for (const Violation& violation : broken) {
        nlohmann::ordered_json section;
        if (violation.section)
            section = *violation.section;
        json["broken"].push_back({{"subject", subject_of(violation, metadata)},
                                  {"section", section},
                                  {"rule", sentence(violation.error.fault)},
                                  {"offset", violation.error.at},
                                  {"expected", violation.error.expected},
                                  {"found", violation.error.found},
                                  {"consequence", violation.consequence}});
    }
    return json;
}

Outcome<ExitCode> run(const Options& options) {
    const auto image = TRY(read_file(options.image));
    const auto metadata = TRY(of_file(options.image, image, tdvf::parse_metadata(image)));
    const auto broken = vmm::violations(options.vmm, image.size(), metadata, options.memory);
    if (options.json)
        print_json("shim-check/1", json_of(options, broken, metadata));
    else
        print_text(options, broken, metadata);
    return broken.empty() ? ExitCode::good : ExitCode::check_failed;
}

}} // namespace tdshim::tools

int main(int argc, char** argv) {
    using namespace tdshim;
    tools::Options options;
    tools::Command command("shim-check",
                           "Says whether a VMM will take a firmware image, and why not.",
                           "shim-check final.bin --vmm qemu --memory 2G");
    CLI::App& app = command.options();
    app.add_option("FINAL.BIN", options.image, "firmware image, of any make")->required();
    const std::map<std::string, vmm::Kind> kinds(tools::names.begin(), tools::names.end());
    tools::add_choice(app, "--vmm", options.vmm, kinds, "whose rules")->required();
    tools::add_memory_option(app, options.memory,
                             "memory of the guest, e.g. 2G: sections must lie in its RAM");
    command.add_json_option(options.json);
    return command.run(argc, argv, [&] { return tools::run(options); });
}
