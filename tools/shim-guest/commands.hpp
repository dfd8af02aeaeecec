// SPDX-License-Identifier: Apache-2.0
//
// What shim-guest's subcommands do.
#pragma once

#include <cstdint>
#include <string>

#include "launch/guest/stage1/root_words.hpp"
#include "tools/common/exit_code.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

struct BuildOptions {
    std::string root; ///< a folder or a tar archive,
    std::string oci;  ///< or a container image
    std::string kernel;
    std::string modules;
    std::string append;
    std::string stage1; ///< its program; empty: the one beside this tool
    std::string key;    ///< that signs the bundle; or empty
    std::string passphrase_file;
    std::uint64_t svn = 0;
    std::string firmware; ///< image that is to start it: its registers are predicted; or empty
    std::uint64_t memory = std::uint64_t{2} << 30; ///< of the TD, in bytes
    unsigned cpus = 1;
    std::string qemu;   ///< that starts it; empty: the one that shim-measure asks
    std::string output; ///< a folder that is not there yet
    guest::Root wanted; ///< all but its tree
    bool json = false;
};

/// Makes a guest: disk, bundle and manifest.
[[nodiscard]] Outcome<ExitCode> build(const BuildOptions& options);

/// Holds `disk` against the root that the command line of `bundle` names, as stage 1 does, to the
/// last block.
[[nodiscard]] Outcome<ExitCode> verify(const std::string& disk, const std::string& bundle,
                                       bool json);

} // namespace tdshim::tools
