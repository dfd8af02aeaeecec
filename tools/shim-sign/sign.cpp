// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <format>
#include <functional>
#include <iostream>
#include <memory>

#include "shim/formats/payload/kind.hpp"
#include "tools/common/file_digest.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/look.hpp"
#include "tools/common/progress.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-sign/commands.hpp"
#include "tools/signing/external_signer.hpp"
#include "tools/signing/keys.hpp"
#include "tools/signing/token_key.hpp"

namespace tdshim::tools {
namespace {

using signed_payload::Algorithm;

Failure wrong_usage(const std::string& text) {
    return {text + " (see shim-sign --help)"};
}

Outcome<> check_usage(const SignOptions& options) {
    const std::array ways{&options.key, &options.token_key, &options.command, &options.signature,
                          &options.to_be_signed};
    if (std::ranges::count_if(ways, [](const std::string* way) { return !way->empty(); }) != 1)
        return std::unexpected(wrong_usage("give one of --key, --pkcs11, --external-command, "
                                           "--signature and --to-be-signed"));
    if (options.payload.empty())
        return std::unexpected(wrong_usage("give the payload to sign"));
    if (options.token_key.empty() && options.key.empty() == options.public_key.empty())
        return std::unexpected(wrong_usage("--public-key goes with all but --key"));
    if (!options.token_key.empty() && !is_token_uri(options.token_key))
        return std::unexpected(wrong_usage("--pkcs11 takes a URI that begins with pkcs11:"));
    if (options.key.empty() && !options.passphrase_file.empty())
        return std::unexpected(wrong_usage("--passphrase-file goes with --key; a token's PIN is in "
                                           "its URI, as pin-source=file:FILE"));
    if (is_token_uri(options.key))
        return std::unexpected(
            wrong_usage("a token's private key is given by --pkcs11, not --key"));
    if (options.to_be_signed.empty() == options.output.empty())
        return std::unexpected(wrong_usage("--output goes with all but --to-be-signed"));
    return {};
}

/// The key that signs, or makes others sign.
struct Signer {
    std::string source; ///< for messages
    PublicKey key;
    std::function<Outcome<std::vector<std::byte>>(Bytes message)> sign;
};

Outcome<> check_algorithm(const SignOptions& options, const Signer& signer) {
    const Algorithm algorithm = signer.key.algorithm;
    const KeyKind kind =
        algorithm == Algorithm::rsa_pss_3072_sha384 ? KeyKind::rsa : KeyKind::ecdsa;
    if (options.algorithm != KeyKind::any && options.algorithm != kind)
        return std::unexpected(
            failure(options.public_key.empty() ? signer.source : options.public_key,
                    std::format("is a key of {}", signed_payload::name_of(algorithm))));
    return {};
}

/// Header and contents.
Outcome<std::vector<std::byte>> message_of(const SignOptions& options, Algorithm algorithm) {
    const auto contents = TRY(read_file(options.payload));
    if (contents.empty())
        return std::unexpected(failure(options.payload, "is empty: expected a payload"));
    if (signed_payload::is_signed(contents))
        return std::unexpected(failure(options.payload, "is signed already"));
    const auto header =
        TRY(of_file(options.payload, signed_payload::make_header(contents.size(), options.version,
                                                                 options.svn.value_or(0), algorithm,
                                                                 options.numbering)));
    std::vector<std::byte> message;
    message.append_range(bytes_of(header));
    message.append_range(contents);
    return message;
}

Outcome<Signer> signer_with_file(const std::string& file, const std::string& passphrase_file) {
    const auto key = std::make_shared<PrivateKey>(TRY(PrivateKey::read(file, passphrase_file)));
    return Signer{.source = file, .key = key->public_key(), .sign = [key](Bytes message) {
                      return key->sign(message);
                  }};
}

Outcome<Signer> signer_with_token(const SignOptions& options) {
    const auto token = std::make_shared<TokenKey>(TRY(TokenKey::open(options.token_key)));
    auto key =
        TRY(options.public_key.empty() ? token->public_key() : read_public_key(options.public_key));
    const Algorithm algorithm = key.algorithm;
    return Signer{
        .source = options.token_key,
        .key = std::move(key),
        .sign = [token, algorithm](Bytes message) { return token->sign(algorithm, message); }};
}

/// For messages: the command itself may hold a PIN.
std::string foreign_source(const SignOptions& options) {
    return options.command.empty() ? options.signature : "--external-command";
}

/// A signature that was not made here, in the form of the block.
Outcome<std::vector<std::byte>> foreign_signature(const SignOptions& options, Algorithm algorithm,
                                                  Bytes message) {
    const auto signature = TRY(options.command.empty() ? read_file(options.signature)
                                                       : sign_by_command(options.command, message));
    return plain_signature(algorithm, signature, foreign_source(options));
}

Outcome<Signer> signer_of(const SignOptions& options) {
    if (!options.key.empty())
        return signer_with_file(options.key, options.passphrase_file);
    if (!options.token_key.empty())
        return signer_with_token(options);
    auto key = TRY(read_public_key(options.public_key));
    const Algorithm algorithm = key.algorithm;
    return Signer{.source = foreign_source(options),
                  .key = std::move(key),
                  .sign = [&options, algorithm](Bytes message) {
                      return foreign_signature(options, algorithm, message);
                  }};
}

Outcome<std::vector<std::byte>> signature_of(const SignOptions& options, const Signer& signer,
                                             Bytes message) {
    const Progress progress(options.payload, "signing", message.size());
    return signer.sign(message);
}

Outcome<> check_result(const SignOptions& options, const std::string& source, Bytes file) {
    const Progress progress(options.payload, "checking", file.size());
    const auto parsed = TRY(of_file(source, signed_payload::parse(file)));
    crypto::SignatureMemory memory;
    auto result = of_file(source, verify::check_signature(parsed, memory.bytes));
    if (!result && options.key.empty() && parsed.algorithm == Algorithm::rsa_pss_3072_sha384)
        result.error().text +=
            "; of RSA it is PSS with SHA-384 and a salt of 48 bytes, which openssl "
            "dgst makes with -sigopt rsa_padding_mode:pss -sigopt "
            "rsa_pss_saltlen:48";
    return result;
}

/// Of what no firmware would start; whoever signs it may know better.
void print_note_on_kind(const SignOptions& options, Bytes contents) {
    const auto kind = of_file(options.payload, contents, payload::kind_of(contents));
    if (!kind)
        std::cout << std::format("note: no firmware of ours starts it: {}\n", kind.error().text);
}

Outcome<> report(const SignOptions& options, const PublicKey& key, Bytes message,
                 const std::string& written) {
    const auto to_be_signed = TRY(digest_of_contents(written, message)).digest;
    if (options.json) {
        const Bytes contents = message.subspan(sizeof(signed_payload::Header));
        print_json("shim-sign/1",
                   {{"file", written},
                    {"algorithm", signed_payload::name_of(key.algorithm)},
                    {"key", hex(key.hash())},
                    {"svn", options.svn.value_or(0)},
                    {"version", options.version},
                    {"digest", hex(TRY(digest_of_contents(written, contents)).digest)},
                    {"to_be_signed", hex(to_be_signed)}});
        return {};
    }
    std::cout << std::format("{}: {}, SVN {}, version {}\n  key {}\n", written,
                             signed_payload::name_of(key.algorithm), options.svn.value_or(0),
                             options.version, hex(key.hash()));
    if (!options.to_be_signed.empty())
        std::cout << std::format("  to be signed: this file, whose sha384 is {}\n",
                                 hex(to_be_signed));
    if (!options.svn)
        std::cout << "note: without --svn it is 0, which every minimum above refuses\n";
    print_note_on_kind(options, message.subspan(sizeof(signed_payload::Header)));
    return {};
}

} // namespace

Outcome<ExitCode> sign(const SignOptions& options) {
    TRY(check_usage(options));
    const Signer signer = TRY(signer_of(options));
    TRY(check_algorithm(options, signer));
    const auto message = TRY(message_of(options, signer.key.algorithm));
    if (!options.to_be_signed.empty()) {
        TRY(write_file(options.to_be_signed, message));
        TRY(report(options, signer.key, message, options.to_be_signed));
        return ExitCode::good;
    }
    std::vector<std::byte> file = message;
    file.append_range(signer.key.bytes);
    file.append_range(TRY(signature_of(options, signer, message)));
    TRY(check_result(options, signer.source, file));
    TRY(write_file(options.output, file));
    TRY(report(options, signer.key, message, options.output));
    return ExitCode::good;
}

} // namespace tdshim::tools
