// SPDX-License-Identifier: Apache-2.0
//
// shim-attest: from a TD's evidence to a relying party's verdict.

#include <array>

#include "tools/common/command.hpp"
#include "tools/shim-attest/commands.hpp"

namespace {

using namespace tdshim;
using tools::Leniency;
using Word = std::pair<const char*, Leniency>;

constexpr std::array leniencies{
    Word{"sw-hardening-needed", Leniency::sw_hardening_needed},
    Word{"configuration-needed", Leniency::configuration_needed},
    Word{"configuration-and-sw-hardening-needed", Leniency::configuration_and_sw_hardening_needed},
    Word{"out-of-date", Leniency::out_of_date},
    Word{"out-of-date-configuration-needed", Leniency::out_of_date_configuration_needed},
    Word{"no-sept-ve-disable", Leniency::no_sept_ve_disable},
    Word{"migratable", Leniency::migratable},
    Word{"module-attributes", Leniency::module_attributes},
    Word{"service-td", Leniency::service_td},
    Word{"no-nonce", Leniency::no_nonce},
    Word{"no-log", Leniency::no_log},
    Word{"no-policy", Leniency::no_policy}};

void add_verify_options(CLI::App& app, tools::VerifyOptions& options) {
    app.add_option("EVIDENCE", options.evidence,
                   "what the TD sent: JSON with \"quote\" and \"cc_eventlog\" in base64, as "
                   "Trustee's");
    app.add_option("--quote", options.quote, "a quote alone, version 4 or 5");
    app.add_option("--ccel", options.log, "with --quote, the event log");
    app.add_option("--policy", options.policy, "what should run: shim-measure ... --format policy");
    auto* nonce = app.add_option("--nonce", options.nonce, "what the TD was sent, hexadecimal");
    app.add_option("--bind", options.bound,
                   "file that the TD bound with it (specs/attestation.md says how)");
    app.add_option("--report-data", options.report_data,
                   "REPORTDATA itself, hexadecimal, with zeros behind it, where others made it")
        ->excludes(nonce);
    app.add_option("--servtd-hash", options.servtd_hash,
                   "SERVTD_HASH of the service TDs that may be bound, 96 hexadecimal digits; none "
                   "may be if not given");
    app.add_option(
        "--collateral", options.collateral,
        "folder with tcbinfo.json, qeidentity.json, their -issuer-chain.pem, rootcrl.der "
        "and pckcrl.der, of Intel's PCS or a PCCS (specs/attestation.md)");
    app.add_option("--root", options.root,
                   "certificate in PEM in place of Intel's root, whose key is built in");
    app.add_option("--time", options.time,
                   "verifies as of then, such as 2023-06-20T12:00:00Z; now if not given");
    tools::add_number(app, "--min-evaluation", options.min_evaluation,
                      "the least tcbEvaluationDataNumber that collateral may have");
    app.add_flag("--ignore-dates", options.ignores_dates,
                 "takes certificates, lists and collateral of any time, and says so");
    tools::add_choices<Leniency>(app, "--accept", options.lenient,
                                 {leniencies.begin(), leniencies.end()},
                                 "what may be so, and is shown as accepted");
    tools::add_json_option(app, options.json);
}

void add_collect_options(CLI::App& app, tools::CollectOptions& options) {
    app.add_option("--nonce", options.nonce,
                   "what the relying party sent, 16 to 64 bytes in hexadecimal")
        ->required();
    app.add_option("--bind", options.bound, "file that is bound with it, such as a public key");
    app.add_option("--connect", options.place,
                   "sends the evidence to who listens at tcp:ADDRESS:PORT or vsock:[CID:]PORT, in "
                   "place of stdout, and waits until it was taken");
    app.add_option("-o,--output", options.output, "writes it to this file in place of stdout");
    using tools::QuoteSource;
    tools::add_choice<QuoteSource>(
        app, "--source", options.source,
        {{"any", QuoteSource::any}, {"tsm", QuoteSource::tsm}, {"device", QuoteSource::device}},
        "where the quote comes from: tsm is Linux's configfs, device is /dev/tdx_guest and the "
        "quoting service; any, the default, is the first that is there");
    app.add_option("--quote-service", options.service,
                   "where the host's quoting service listens, for /dev/tdx_guest; the default is "
                   "vsock:4050");
}

void add_show_options(CLI::App& app, tools::ShowOptions& options) {
    app.add_option("FILE", options.file, "a quote, version 4 or 5, evidence, or a TDREPORT")
        ->required();
    tools::add_json_option(app, options.json);
}

} // namespace

int main(int argc, char** argv) {
    tools::VerifyOptions verify;
    constexpr const char* example = "shim-attest verify evidence.json --policy boot.json --nonce "
                                    "00112233445566778899aabbccddeeff --collateral pcs";
    tools::Command command(
        "shim-attest", "Collects a TD's evidence, and tells whether it is to be trusted.", example,
        "0 good, 1 a check failed, 2 bad input or usage, 3 nothing to collect "
        "here: no TD, or its Linux has no quotes");
    command.options().require_subcommand(1);
    tools::CollectOptions collect;
    CLI::App& collecting = command.add_subcommand(
        "collect", "writes quote and event log of the TD that it runs in, for verify",
        "shim-attest collect --nonce 00112233445566778899aabbccddeeff --connect vsock:4433");
    add_collect_options(collecting, collect);
    tools::ShowOptions show;
    CLI::App& showing = command.add_subcommand(
        "show", "prints the fields of a quote, of evidence or of a TDREPORT, and checks nothing",
        "shim-attest show evidence.json");
    add_show_options(showing, show);
    CLI::App& app = command.add_subcommand(
        "verify",
        "checks quote, certificates, TCB, attributes, registers, event log and nonce, a line each",
        example);
    add_verify_options(app, verify);
    return command.run(argc, argv, [&] {
        if (collecting.parsed())
            return tools::collect(collect);
        return showing.parsed() ? tools::show(show) : tools::verify(verify);
    });
}
