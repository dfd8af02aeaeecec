// SPDX-License-Identifier: Apache-2.0
//
// shim-sign: signs a payload in td-shim's format, with a key in a file, in a PKCS#11 token or
// elsewhere, and checks a signed payload as the firmware does.

#include <string_view>

#include "tools/common/command.hpp"
#include "tools/shim-sign/commands.hpp"

namespace {

using namespace tdshim;
using signed_payload::Numbering;

void add_sign_options(CLI::App& app, tools::SignOptions& options, bool asks_for_version) {
    app.add_option("PAYLOAD", options.payload, "file to sign");
    app.add_option("--key", options.key,
                   "private key, RSA of 3072 bits or EC on P-384, PEM or DER");
    app.add_option("--passphrase-file", options.passphrase_file,
                   "file whose first line is the passphrase of --key; else the terminal is asked");
    app.add_option("--pkcs11", options.token_key,
                   "URI of a private key in a PKCS#11 token: "
                   "pkcs11:token=T;object=O?pin-source=file:FILE; without PIN it is asked for")
        ->option_text("URI");
    app.add_option("--external-command", options.command,
                   "shell command that reads what is to be signed and writes the signature");
    app.add_option("--to-be-signed", options.to_be_signed,
                   "file to write, with what is to be signed elsewhere");
    app.add_option("--signature", options.signature,
                   "file with the signature over that; of ECDSA r and s plain or in DER");
    app.add_option("--public-key", options.public_key,
                   "public key, PEM or DER or a token's URI, where the private one is elsewhere; "
                   "with --pkcs11 only if the token has none");
    tools::add_number(app, "--svn", options.svn, "secure version number of the payload");
    if (!asks_for_version) {
        app.set_version_flag();
        tools::add_number(app, "--version", options.version,
                          "version of the payload; alone on the command line: that of this tool");
    }
    tools::add_choice<tools::KeyKind>(app, "--algorithm", options.algorithm,
                                      {{"auto", tools::KeyKind::any},
                                       {"rsa", tools::KeyKind::rsa},
                                       {"ecdsa", tools::KeyKind::ecdsa}},
                                      "algorithm that the key has to be of");
    tools::add_choice<Numbering>(
        app, "--numbering", options.numbering,
        {{"document", Numbering::document}, {"td-shim", Numbering::td_shim_tools}},
        "how the header names it: as td-shim's document does, or as its tools and firmware do");
    app.add_option("-o,--output", options.output, "file to write");
    app.add_flag("--json", options.json, "print one JSON object in place of tables");
}

void add_verify_options(CLI::App& app, tools::VerifyOptions& options) {
    app.add_option("FILE", options.file, "payload")->required();
    tools::add_judge_options(app, options.judge);
    app.add_flag("--any-key", options.judge.any_key,
                 "whether the signature is that of the key in FILE, which anybody can have made");
    tools::add_choice<tools::ExpectedKind>(app, "--kind", options.kind,
                                           {{"any", tools::ExpectedKind::any},
                                            {"executable", tools::ExpectedKind::executable},
                                            {"linux-bundle", tools::ExpectedKind::linux_bundle},
                                            {"raw-vmlinux", tools::ExpectedKind::raw_vmlinux}},
                                           "what the payload is to be; a raw vmlinux shows by "
                                           "nothing that it is one");
    app.add_flag("--json", options.json, "print one JSON object in place of tables");
}

} // namespace

int main(int argc, char** argv) {
    tools::SignOptions sign;
    tools::VerifyOptions verify;
    tools::Command command("shim-sign", "Signs a payload, and checks a signed one.",
                           "shim-sign vmlinuz --key key.pem --svn 1 -o vmlinuz.signed");
    auto& app = command.options();
    const bool asks_for_version = argc == 2 && std::string_view(argv[1]) == "--version";
    add_sign_options(app, sign, asks_for_version);
    app.require_subcommand(0, 1);
    CLI::App& check = command.add_subcommand("verify", "checks a payload as the firmware does",
                                             "shim-sign verify vmlinuz.signed --public-key "
                                             "public.pem");
    add_verify_options(check, verify);
    return command.run(argc, argv,
                       [&] { return check ? tools::verify_file(verify) : tools::sign(sign); });
}
