// SPDX-License-Identifier: Apache-2.0
//
// What shim-sign does with a payload.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shim/verify/payload.hpp"
#include "tools/common/exit_code.hpp"
#include "tools/common/failure.hpp"
#include "tools/signing/judgement.hpp"

namespace tdshim::tools {

enum class KeyKind { any, rsa, ecdsa };

struct SignOptions {
    std::string payload;
    std::string key;             ///< of the five ways to a signature one is given:
    std::string token_key;       ///< the PKCS#11 URI of a key in a token,
    std::string command;         ///< a command that signs,
    std::string signature;       ///< a file with a signature,
    std::string to_be_signed;    ///< or a file to write, for who signs elsewhere
    std::string passphrase_file; ///< for `key`; empty: a terminal is asked
    std::string public_key;      ///< for all but `key`; a token mostly has it, too
    KeyKind algorithm = KeyKind::any;
    signed_payload::Numbering numbering = signed_payload::Numbering::document;
    std::optional<std::uint64_t> svn; ///< nothing: 0, which is said
    std::uint64_t version = 0;
    std::string output;
    bool json = false;
};

/// Writes the signed payload, after the firmware's own check of it, or what is to be signed.
[[nodiscard]] Outcome<ExitCode> sign(const SignOptions& options);

/// What a payload is to be.
enum class ExpectedKind {
    any, ///< what its contents are
    executable,
    linux_bundle,
    raw_vmlinux, ///< its bytes show nothing
};

struct VerifyOptions {
    std::string file;
    Judge judge;
    bool json = false;
    ExpectedKind kind = ExpectedKind::any;
};

/// Asks the question that the firmware asks. A refusal is printed, with exit code 1.
[[nodiscard]] Outcome<ExitCode> verify_file(const VerifyOptions& options);

} // namespace tdshim::tools
