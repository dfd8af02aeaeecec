// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>

#include "shim/formats/bundle/bundle.hpp"
#include "shim/formats/signed_payload/signed_payload.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/look.hpp"
#include "tools/common/progress.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-guest/commands.hpp"
#include "tools/shim-guest/verity_tree.hpp"

namespace tdshim::tools {
namespace {

Outcome<guest::Root> root_of_bundle(const std::string& file) {
    const auto contents = TRY(read_file(file));
    const Bytes payload = TRY(of_file(file, signed_payload::contents_of(contents)));
    const bundle::Bundle parsed = TRY(of_file(file, payload, bundle::parse(payload)));
    const std::string_view line(reinterpret_cast<const char*>(parsed.command_line.data()),
                                parsed.command_line.size());
    return guest::root_of(line).transform_error(
        [&](const std::string& text) { return failure(file, "command line: " + text); });
}

} // namespace

Outcome<ExitCode> verify(const std::string& disk, const std::string& bundle, bool json) {
    const guest::Root root = TRY(root_of_bundle(bundle));
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(disk, error);
    if (error)
        return std::unexpected(failure(disk, "cannot open: " + error.message()));
    const Progress progress(disk, "verifying", size);
    const auto checked = check_tree(disk, root.verity);
    const std::string text =
        checked ? std::format("good: {} blocks of 4096 bytes, root hash {}",
                              root.verity.data_blocks, hex(Bytes(root.verity.root_hash)))
                : checked.error().text;
    if (json)
        print_json("shim-guest-verify/1",
                   {{"good", checked.has_value()},
                    {"reason", checked ? nlohmann::ordered_json() : nlohmann::ordered_json(text)},
                    {"root_hash", hex(Bytes(root.verity.root_hash))},
                    {"data_blocks", root.verity.data_blocks},
                    {"storage", guest::word_of(root.storage)},
                    {"init", root.init}});
    else
        std::cout << (checked ? disk + ": " : "") << text << '\n';
    return checked ? ExitCode::good : ExitCode::check_failed;
}

} // namespace tdshim::tools
