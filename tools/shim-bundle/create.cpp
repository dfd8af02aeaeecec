// SPDX-License-Identifier: Apache-2.0
#include <format>
#include <iostream>

#include "tools/common/file_digest.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-bundle/commands.hpp"

namespace tdshim::tools {

Outcome<ExitCode> create(const CreateOptions& options) {
    const auto file = TRY(bundle_of(options.inputs));
    TRY(write_file(options.output, file));
    const std::string digest = hex(Bytes(TRY(digest_of_contents(options.output, file)).digest));
    if (options.json)
        print_json("shim-bundle-create/1",
                   {{"file", options.output}, {"size", file.size()}, {"digest", digest}});
    else
        std::cout << std::format("{}: Linux bundle, {} bytes\n  sha384 {}\n", options.output,
                                 file.size(), digest);
    return ExitCode::good;
}

} // namespace tdshim::tools
