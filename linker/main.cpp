// SPDX-License-Identifier: Apache-2.0
//
// shim-ld RESETVECTOR SHIM -o final.bin: links a firmware image and prints its layout.

#include <format>
#include <iostream>
#include <optional>

#include "linker/image.hpp"
#include "shim/formats/tdvf/wire.hpp"
#include "tools/common/command.hpp"
#include "tools/common/files.hpp"
#include "tools/common/metadata_table.hpp"
#include "tools/common/text.hpp"

namespace tdshim::linker { namespace {

using tools::ExitCode;
using tools::hex;
using tools::of_file;
using tools::Outcome;

struct Arguments {
    std::string reset_vector;
    std::string shim;
    std::string output;
    std::optional<std::string> payload;
    std::string profile = "qemu";
    bool is_portable = false;
    bool has_static_acpi = false;
    bool json = false;
};

void declare(tools::Command& command, Arguments& arguments) {
    CLI::App& options = command.options();
    options.add_option("RESETVECTOR", arguments.reset_vector, "flat binary of the reset vector")
        ->required();
    options.add_option("SHIM", arguments.shim, "the firmware as a static ELF file")->required();
    options.add_option("-o,--output", arguments.output, "image to write")->required();
    options.add_option("--payload", arguments.payload, "kernel to embed in the image");
    options.add_option("--profile", arguments.profile, "VMM that the image is made for")
        ->check(CLI::IsMember({"qemu"}))
        ->capture_default_str();
    tools::add_choice<bool>(options, "--measurement", arguments.is_portable,
                            {{"tdshim-spec", false}, {"portable", true}},
                            "portable: RTMR[0] does not depend on the TD HOB");
    tools::add_choice<bool>(options, "--acpi", arguments.has_static_acpi,
                            {{"vmm", false}, {"static", true}},
                            "static: tables of the firmware's own in place of the VMM's");
    command.add_json_option(arguments.json);
}

void print_table(const Shim& shim, const Image& image, const std::string& output) {
    std::cout << std::format("{}: {} bytes ({} KiB)\n", output, image.bytes.size(),
                             image.bytes.size() / KiB);
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

nlohmann::ordered_json json_of(const Shim& shim, const Image& image, const Arguments& arguments) {
    nlohmann::ordered_json layout = nlohmann::ordered_json::array();
    for (const Region& region : image.regions)
        layout.push_back({{"what", region.what},
                          {"offset", region.offset},
                          {"size", region.memory.size()},
                          {"address", region.memory.start().value}});
    return {{"image", arguments.output},
            {"profile", arguments.profile},
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
    std::optional<Bytes> embedded;
    if (arguments.payload) {
        payload = TRY(tools::read_file(*arguments.payload));
        embedded = payload;
        TRY(of_file(*arguments.payload, image_size(embedded)));
    }
    const std::uint32_t options = (arguments.is_portable ? tdvf::option_portable : 0) |
                                  (arguments.has_static_acpi ? tdvf::option_static_acpi : 0);
    const Image image = TRY(
        of_file(arguments.output + " (not written)", link(reset_vector, shim, embedded, options)));
    TRY(tools::write_file(arguments.output, image.bytes));
    if (arguments.json)
        tools::print_json(json_of(shim, image, arguments));
    else
        print_table(shim, image, arguments.output);
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
