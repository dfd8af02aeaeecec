// SPDX-License-Identifier: Apache-2.0
//
// shim-enroll: writes trust anchors and policy into the configuration volume of a firmware image.

#include "tools/common/command.hpp"
#include "tools/shim-enroll/enrol.hpp"

namespace {

using namespace tdshim;

void add_options(CLI::App& app, tools::EnrolOptions& options) {
    app.add_option("--firmware", options.firmware, "image to enrol into")->required();
    app.add_option("--key", options.keys,
                   "public key, PEM or DER, or the PKCS#11 URI of one in a token; "
                   "FILE,svn=N,for=executable|linux-bundle for one of several");
    tools::add_number(app, "--min-svn", options.minimum_svn,
                      "smallest secure version number to run; with --change and no --key, of all "
                      "keys that are enrolled");
    tools::add_choice<std::uint32_t>(app, "--for", options.kinds,
                                     {{"all", cfv::all_payloads},
                                      {"executable", cfv::payload_executable},
                                      {"linux-bundle", cfv::payload_linux_bundle}},
                                     "kinds of payload that the keys are good for");
    tools::add_choice<cfv::Policy>(app, "--policy", options.policy,
                                   {{"measured", cfv::Policy::measured},
                                    {"signed", cfv::Policy::signed_only},
                                    {"signed-and-pinned", cfv::Policy::signed_and_pinned}},
                                   "what is demanded of a payload; signed if not given");
    app.add_option("--revoke", options.revoked,
                   "payload that must not run: SHA-384 of its contents, or the file");
    app.add_option(
        "--revoke-key", options.revoked_keys,
        "key that must not sign: its hash as shim-info prints it, or the public key as for --key");
    app.add_option("--pin", options.pinned, "payload that may run: as --revoke");
    app.add_option("--aml", options.aml,
                   "table that the VMM may bring to an image linked with --aml enrolled: SHA-384, "
                   "a table's file, or a folder of them as /sys/firmware/acpi/tables");
    auto* td_shim =
        app.add_flag("--td-shim-numbering", options.takes_td_shim_numbering,
                     "take payloads of td-shim's tools, which number the algorithms the other way");
    app.add_flag("--document-numbering", options.refuses_td_shim_numbering,
                 "take the document's numbers alone, as policies do; td-shim's anchor, which a key "
                 "alone makes, takes both")
        ->excludes(td_shim);
    auto* change = app.add_flag("--change", options.changes,
                                "add to what is enrolled, which stays but for what is revoked; "
                                "minimum SVNs can only rise");
    app.add_flag("--replace", options.replaces,
                 "write everything anew, and say what is no longer enrolled")
        ->excludes(change);
    app.add_option("-o,--output", options.output, "image to write")->required();
}

} // namespace

int main(int argc, char** argv) {
    tools::EnrolOptions options;
    tools::Command command("shim-enroll",
                           "Enrols keys and policy into an image: whose payloads it runs.",
                           "shim-enroll --firmware final.bin --key public.pem -o signed.bin");
    add_options(command.options(), options);
    command.add_json_option(options.json);
    return command.run(argc, argv, [&] { return tools::enrol(options); });
}
