// SPDX-License-Identifier: Apache-2.0
//
// Quotes and what vouches for them, by an oracle that knows no rule: a good quote with good
// collateral is edited, and whatever verdict_on() takes then has every byte that was signed as it
// was. Inputs: what is edited, then edits of four bytes each (offset, how, value); or a quote as a
// stranger would write it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <span>

#include "tools/attestation/verdict.hpp"
#include "tools/quoting/platform.hpp"
#include "tools/tdx-model/emulated.hpp"

namespace tdshim { namespace {

using File = std::vector<std::byte>;

constexpr std::array leniencies{tools::Leniency::no_log, tools::Leniency::no_nonce,
                                tools::Leniency::no_policy, tools::Leniency::no_sept_ve_disable};

template <class T>
T must(tools::Outcome<T> outcome) {
    if (outcome)
        return std::move(*outcome);
    std::fprintf(stderr, "%s\n", outcome.error().text.c_str());
    std::abort();
}

tdx::Report report() {
    tdx::Report report{};
    report.report_mac.type = 0x81;
    report.report_mac.mac = tdx_model::emulated<32>();
    report.tee_tcb_info.tee_tcb_svn = tdx_model::emulated<16>();
    report.report_mac.tee_tcb_info_hash = crypto::sha384(bytes_of(report.tee_tcb_info));
    report.report_mac.tee_info_hash = crypto::sha384(bytes_of(report.td_info));
    return report;
}

/// All of it good.
struct Original {
    quoting::Platform platform = must(quoting::Platform::make(quoting::Names::emulated));
    File quote = must(platform.quote(bytes_of(report()), quoting::QuoteVersion::v4));
    std::map<std::string, File> files;

    Original() {
        for (auto& [name, content] : must(platform.collateral()))
            files[name] = std::move(content);
    }
};

/// The collateral of these files, or nothing where one is none.
tools::Outcome<tools::Collateral> collateral_of(std::map<std::string, File> files) {
    tools::Collateral collateral;
    collateral.tcb_info =
        TRY(tools::split_signed_json("tcb", std::move(files["tcbinfo.json"]), "tcbInfo"));
    collateral.tcb_info.chain = TRY(tools::parse_chain("chain", files["tcbinfo-issuer-chain.pem"]));
    collateral.tcb = TRY(tools::parse_tcb_info("tcb", collateral.tcb_info.content));
    collateral.enclave_identity = TRY(tools::split_signed_json(
        "identity", std::move(files["qeidentity.json"]), "enclaveIdentity"));
    collateral.enclave_identity.chain =
        TRY(tools::parse_chain("chain", files["qeidentity-issuer-chain.pem"]));
    collateral.enclave =
        TRY(tools::parse_enclave_identity("identity", collateral.enclave_identity.content));
    collateral.root_list = TRY(tools::parse_revocation_list("list", files["rootcrl.der"]));
    collateral.pck_list = TRY(tools::parse_revocation_list("list", files["pckcrl.der"]));
    return collateral;
}

void edit(File& file, Bytes edits) {
    for (; edits.size() >= 4 && !file.empty(); edits = edits.subspan(4)) {
        const std::size_t at =
            (std::to_integer<std::size_t>(edits[0]) | std::to_integer<std::size_t>(edits[1]) << 8) %
            file.size();
        const auto place = file.begin() + static_cast<std::ptrdiff_t>(at);
        switch (std::to_integer<unsigned>(edits[2]) % 4) {
        case 0: *place = edits[3]; break;
        case 1: *place ^= edits[3]; break;
        case 2:
            file.erase(place,
                       place + std::min<std::ptrdiff_t>(file.end() - place,
                                                        std::to_integer<std::ptrdiff_t>(edits[3])));
            break;
        default: file.insert(place, edits[3]); break;
        }
    }
}

bool is_taken(const File& quote, const std::map<std::string, File>& files, const X509* root) {
    const auto collateral = collateral_of(files);
    if (!collateral)
        return false;
    tools::Demands demands;
    demands.collateral = &*collateral;
    demands.root = root;
    demands.moment.time = std::time(nullptr);
    demands.lenient = {leniencies.begin(), leniencies.end()};
    return tools::holds(tools::verdict_on({.name = "quote", .quote = quote, .log = {}}, demands));
}

/// What was signed: of the quote its signed bytes, of JSON its content, of other files all.
bool is_as_it_was(const File& quote, const std::map<std::string, File>& files,
                  const Original& original) {
    const auto parsed = tools::parse_quote("quote", quote);
    const auto before = tools::parse_quote("quote", original.quote);
    const auto now = collateral_of(files);
    const auto then = collateral_of(original.files);
    return parsed && now && then &&
           std::ranges::equal(parsed->signed_bytes, before->signed_bytes) &&
           std::ranges::equal(now->tcb_info.content, then->tcb_info.content) &&
           std::ranges::equal(now->enclave_identity.content, then->enclave_identity.content);
}

}} // namespace tdshim

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tdshim;
    static const Original original;
    static const auto chain =
        must(tools::parse_chain("chain", original.files.at("tcbinfo-issuer-chain.pem")));
    static const bool is_good = is_taken(original.quote, original.files, chain.back().get());
    if (!is_good)
        std::abort();
    if (size == 0)
        return 0;
    const Bytes edits = std::as_bytes(std::span(data, size)).subspan(1);
    File quote = original.quote;
    auto files = original.files;
    const std::size_t kinds = files.size() + 2;
    const std::size_t kind = data[0] % kinds;
    if (kind == 0)
        quote.assign(edits.begin(), edits.end());
    else if (kind == 1)
        edit(quote, edits);
    else
        edit(std::next(files.begin(), static_cast<std::ptrdiff_t>(kind - 2))->second, edits);
    if (is_taken(quote, files, chain.back().get()) && !is_as_it_was(quote, files, original))
        std::abort();
    return 0;
}
