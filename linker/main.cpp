// SPDX-License-Identifier: Apache-2.0
//
// shim-ld RESETVECTOR SHIM -o final.bin: links a firmware image, writes it flat or as an IGVM file,
// and prints its layout.

#include <algorithm>
#include <array>
#include <format>
#include <iostream>
#include <map>
#include <optional>

#include "linker/image.hpp"
#include "shim/formats/tdvf/aml_policy.hpp"
#include "shim/formats/tdvf/wire.hpp"
#include "shim/memory/layout.hpp"
#include "shim/plan/payload_files.hpp"
#include "tools/common/command.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/look.hpp"
#include "tools/common/metadata_table.hpp"
#include "tools/common/text.hpp"
#include "tools/igvm/file.hpp"
#include "tools/igvm/writer.hpp"

namespace tdshim::linker { namespace {

using tools::ExitCode;
using tools::hex;
using tools::of_file;
using tools::Outcome;

/// The flat image with its metadata, or what a VMM makes of both.
enum class ImageFormat { tdvf, igvm };

struct Arguments {
    std::string reset_vector;
    std::string shim;
    std::string output;
    std::optional<std::string> payload;
    Profile profile = Profile::qemu;
    ImageFormat format = ImageFormat::tdvf;
    std::uint32_t measurement = 0; ///< option bits
    bool has_static_acpi = false;
    bool is_quiet = false;
    tdvf::AmlPolicy aml = tdvf::AmlPolicy::measured;
    std::optional<bool> extends_payload;
    std::uint64_t payload_address = layout::payload_address;
    std::uint64_t payload_room = 64 * MiB;
    std::uint64_t permanent_memory = 64 * MiB;
    std::string td_info_guid;
    std::uint32_t td_info_version = 0;
    std::uint32_t td_info_svn = 0;
    std::string td_info_data;
    std::string td_params;
    bool json = false;
};

constexpr std::array profiles{std::pair{"qemu", Profile::qemu},
                              std::pair{"tdvf-payload", Profile::tdvf_payload},
                              std::pair{"service-td", Profile::service_td}};

void add_aml_option(CLI::App& options, Arguments& arguments) {
    using enum tdvf::AmlPolicy;
    std::map<std::string, tdvf::AmlPolicy> choices;
    for (const auto policy : {measured, refuse, drop, enrolled})
        choices.emplace(name_of(policy), policy);
    tools::add_choice<tdvf::AmlPolicy>(
        options, "--aml", arguments.aml, choices,
        "DSDT and SSDTs of the VMM's, code that the kernel executes: measured, no more; refuse: "
        "end the boot; drop: a DSDT of the firmware's own in their place; enrolled: end the boot "
        "but for those that shim-enroll --aml names");
}

void add_payload_options(CLI::App& options, Arguments& arguments) {
    options
        .add_option_function<std::string>(
            "--payload-measured",
            [&](const std::string& where) { arguments.extends_payload = where == "mrtd"; },
            "into which register the payload goes beside RTMR[1]: mrtd, by the VMM, or rtmr, no "
            "other; mrtd where it is embedded")
        ->check(CLI::IsMember({"mrtd", "rtmr"}));
    tools::add_number(options, "--payload-address", arguments.payload_address,
                      "where a VMM puts the payload, in hexadecimal with 0x")
        ->capture_default_str();
    tools::add_size(options, "--payload-room", arguments.payload_room,
                    "memory that a VMM has for payload and initrd where none is embedded");
    tools::add_size(options, "--permanent-memory", arguments.permanent_memory,
                    "memory of a service TD above the shim's");
}

void add_info_options(CLI::App& options, Arguments& arguments) {
    auto* const guid = options.add_option("--td-info-guid", arguments.td_info_guid,
                                          "of a service TD: adds a TD_INFO section with this GUID");
    tools::add_number(options, "--td-info-version", arguments.td_info_version, "its version")
        ->needs(guid);
    tools::add_number(options, "--td-info-svn", arguments.td_info_svn,
                      "its security version number")
        ->needs(guid);
    options.add_option("--td-info-data", arguments.td_info_data, "file of what follows these")
        ->needs(guid);
    options.add_option("--td-params", arguments.td_params,
                       "of a service TD: adds a TD_PARAMS section with this file as data");
}

/// The data of a TD_INFO section; empty when none is asked for.
Outcome<std::vector<std::byte>> td_info_of(const Arguments& arguments) {
    std::vector<std::byte> info;
    if (arguments.td_info_guid.empty())
        return info;
    const auto guid = tools::guid_of(arguments.td_info_guid);
    if (!guid)
        return std::unexpected(
            tools::failure("--td-info-guid", "expected 36 characters of a GUID"));
    std::vector<std::byte> data;
    if (!arguments.td_info_data.empty())
        data = TRY(tools::read_file(arguments.td_info_data));
    const tdvf::TdInfoHeader header{
        .guid = *guid,
        .length = static_cast<std::uint32_t>(sizeof(tdvf::TdInfoHeader) + data.size()),
        .version = arguments.td_info_version,
        .svn = arguments.td_info_svn};
    info.append_range(bytes_of(header));
    info.append_range(data);
    return info;
}

Outcome<GpaRange> payload_memory_of(const Arguments& arguments, std::uint64_t payload_size) {
    const std::uint64_t room = payload_size != 0 ? payload_size : arguments.payload_room;
    const auto whole_pages = align_up(room, page_size);
    return of_file("--payload-address",
                   GpaRange::make({arguments.payload_address}, whole_pages.value_or(room)));
}

void declare(tools::Command& command, Arguments& arguments) {
    CLI::App& options = command.options();
    options.add_option("RESETVECTOR", arguments.reset_vector, "flat binary of the reset vector")
        ->required();
    options.add_option("SHIM", arguments.shim, "the firmware as a static ELF file")->required();
    options.add_option("-o,--output", arguments.output, "image to write")->required();
    options.add_option("--payload", arguments.payload, "payload to embed in the image");
    tools::add_choice<Profile>(
        options, "--profile", arguments.profile,
        std::map<std::string, Profile>(profiles.begin(), profiles.end()),
        "whom the image is made for: QEMU; a VMM that places payload and command line itself; a "
        "service TD that owns its memory and gets nothing from the VMM");
    tools::add_choice<std::uint32_t>(options, "--measurement", arguments.measurement,
                                     {{"tdshim-spec", 0},
                                      {"portable", tdvf::option_portable},
                                      {"td-shim", tdvf::option_region_digests}},
                                     "portable: RTMR[0] does not depend on the TD HOB; td-shim: "
                                     "digests of whole regions, in the "
                                     "order of td-shim's code");
    tools::add_choice<bool>(options, "--acpi", arguments.has_static_acpi,
                            {{"vmm", false}, {"static", true}},
                            "static: tables of the firmware's own in place of the VMM's");
    tools::add_choice<bool>(options, "--console", arguments.is_quiet,
                            {{"lines", false}, {"quiet", true}},
                            "quiet: nothing but why a boot ends; in a TD each character is a call "
                            "of the VMM");
    add_aml_option(options, arguments);
    tools::add_choice<ImageFormat>(options, "--image-format", arguments.format,
                                   {{"tdvf", ImageFormat::tdvf}, {"igvm", ImageFormat::igvm}},
                                   "tdvf: flat, for QEMU; igvm: an IGVM file for TDX");
    add_payload_options(options, arguments);
    add_info_options(options, arguments);
    command.add_json_option(arguments.json);
}

Outcome<std::uint32_t> options_of(const Arguments& arguments) {
    if (arguments.has_static_acpi && arguments.aml != tdvf::AmlPolicy::measured)
        return std::unexpected(tools::failure(
            "--aml", std::format("{} has no meaning with --acpi static, which takes no table of "
                                 "the VMM's",
                                 name_of(arguments.aml))));
    if (arguments.profile == Profile::service_td &&
        (arguments.measurement & tdvf::option_portable) != 0)
        return std::unexpected(tools::failure(
            "--measurement", "portable has no meaning with --profile service-td, whose RTMR[0] "
                             "depends on nothing of the VMM's"));
    for (const auto& [name, value] : {std::pair{"--td-params", &arguments.td_params},
                                      std::pair{"--td-info-guid", &arguments.td_info_guid}})
        if (!value->empty() && arguments.profile != Profile::service_td)
            return std::unexpected(tools::failure(
                name, "goes with --profile service-td alone: QEMU and Cloud Hypervisor refuse an "
                      "image with such a section"));
    return arguments.measurement | option_of(arguments.aml) |
           (arguments.has_static_acpi ? tdvf::option_static_acpi : 0) |
           (arguments.is_quiet ? tdvf::option_quiet : 0);
}

std::string name_of(Profile profile) {
    return std::ranges::find(profiles, profile, &std::pair<const char*, Profile>::second)->first;
}

struct Output {
    std::string name;
    ImageFormat format{};
    std::vector<std::byte> bytes;
};

/// As with the image itself, the tools' own parser reads what will be written.
Result<std::vector<std::byte>> igvm_of(const Image& image) {
    auto file = TRY(igvm::write(image.bytes, image.metadata));
    TRY(igvm::parse(file));
    return file;
}

void print_table(const Shim& shim, const Image& image, const Output& output) {
    std::cout << std::format("{}: {} bytes ({} KiB)\n", output.name, output.bytes.size(),
                             output.bytes.size() / KiB);
    if (output.format == ImageFormat::igvm)
        std::cout << std::format("IGVM file of this image of {} bytes:\n", image.bytes.size());
    std::cout << std::format("  {:>10}  {:>10}  {:<23}  {}\n", "offset", "size", "memory", "what");
    for (const Region& region : image.regions)
        std::cout << std::format("  {:>10}  {:>10}  {:<23}  {}\n", hex(region.offset),
                                 hex(region.memory.size()), tools::text_of(region.memory),
                                 region.what);
    std::cout << tools::table_of(image.metadata);
    std::cout << std::format(
        "shim: code (RX) {} bytes, constants (R) {} bytes, memory (RW) {} bytes; "
        "entry {}\n",
        shim.code_size, shim.constants_size, shim.memory_size, hex(shim.executable.entry.value));
}

/// Nothing is enrolled yet; a service TD gets nothing of the VMM's in any case. A payload that the
/// firmware would not start is linked all the same: its owner may know better.
nlohmann::ordered_json notes_of(const Arguments& arguments, Bytes payload) {
    nlohmann::ordered_json notes = nlohmann::ordered_json::array();
    if (arguments.payload)
        if (const auto kind = of_file(*arguments.payload, payload, plan::kind_of_file(payload));
            !kind)
            notes.push_back("no firmware of ours starts it: " + kind.error().text);
    if (arguments.aml != tdvf::AmlPolicy::measured && arguments.profile != Profile::service_td)
        notes.push_back(tdvf::unsealed_aml_note);
    return notes;
}

nlohmann::ordered_json json_of(const Shim& shim, const Image& image, const Output& output,
                               Profile profile, const nlohmann::ordered_json& notes) {
    nlohmann::ordered_json layout = nlohmann::ordered_json::array();
    for (const Region& region : image.regions)
        layout.push_back({{"what", region.what},
                          {"offset", region.offset},
                          {"size", region.memory.size()},
                          {"address", region.memory.start().value}});
    return {{"image", output.name},
            {"image_format", output.format == ImageFormat::igvm ? "igvm" : "tdvf"},
            {"file_size", output.bytes.size()},
            {"profile", name_of(profile)},
            {"notes", notes},
            {"image_size", image.bytes.size()},
            {"layout", layout},
            {"metadata", tools::json_of(image.metadata)},
            {"shim",
             {{"entry", shim.executable.entry.value},
              {"rom_size", shim.rom_size},
              {"code_size", shim.code_size},
              {"constants_size", shim.constants_size},
              {"memory_size", shim.memory_size}}}};
}

Outcome<ExitCode> run(const Arguments& arguments) {
    const auto reset_vector = TRY(tools::read_file(arguments.reset_vector));
    TRY(of_file(arguments.reset_vector, check_reset_vector(reset_vector)));
    const auto elf = TRY(tools::read_file(arguments.shim));
    const Shim shim = TRY(of_file(arguments.shim, parse_shim(elf)));
    std::vector<std::byte> payload;
    Contents contents{.payload = {},
                      .options = TRY(options_of(arguments)),
                      .plan = {},
                      .td_info = {},
                      .td_params = {}};
    if (arguments.payload) {
        payload = TRY(tools::read_file(*arguments.payload));
        contents.payload = payload;
        TRY(of_file(*arguments.payload, image_size(contents.payload)));
    }
    if (arguments.profile == Profile::service_td && !arguments.payload)
        return std::unexpected(
            tools::failure("--profile", "service-td needs a --payload: nobody else brings one"));
    contents.plan.profile = arguments.profile;
    contents.plan.extends_payload =
        arguments.extends_payload.value_or(arguments.payload.has_value());
    contents.plan.payload_memory = TRY(payload_memory_of(arguments, payload.size()));
    contents.plan.permanent_memory = arguments.permanent_memory;
    const auto td_info = TRY(td_info_of(arguments));
    contents.td_info = td_info;
    std::vector<std::byte> td_params;
    if (!arguments.td_params.empty())
        td_params = TRY(tools::read_file(arguments.td_params));
    contents.td_params = td_params;
    const std::string unwritten = arguments.output + " (not written)";
    const Image image = TRY(of_file(unwritten, link(reset_vector, shim, contents)));
    const Output output{.name = arguments.output,
                        .format = arguments.format,
                        .bytes = arguments.format == ImageFormat::igvm
                                     ? TRY(of_file(unwritten, igvm_of(image)))
                                     : image.bytes};
    TRY(tools::write_file(output.name, output.bytes));
    const auto notes = notes_of(arguments, payload);
    if (arguments.json)
        tools::print_json("shim-ld/1", json_of(shim, image, output, arguments.profile, notes));
    else
        print_table(shim, image, output);
    if (!arguments.json)
        for (const auto& note : notes)
            std::cout << "note: " << note.get<std::string>() << '\n';
    return ExitCode::good;
}

}} // namespace tdshim::linker

int main(int argc, char** argv) {
    using namespace tdshim;
    linker::Arguments arguments;
    tools::Command command("shim-ld", "Links reset vector and shim into a firmware image.",
                           "shim-ld resetvector.bin shim.elf -o final.bin");
    linker::declare(command, arguments);
    return command.run(argc, argv, [&] { return linker::run(arguments); });
}
