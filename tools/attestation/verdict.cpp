// SPDX-License-Identifier: Apache-2.0
#include "tools/attestation/verdict.hpp"

#include <algorithm>
#include <format>
#include <openssl/evp.h>
#include <utility>

#include "tools/attestation/tcb.hpp"
#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

constexpr std::uint64_t sept_ve_disable = std::uint64_t{1} << 28;
constexpr std::uint64_t migratable = std::uint64_t{1} << 29;
/// x and y of "Intel SGX Root CA", whose certificate Intel publishes.
constexpr std::string_view intel_root_key =
    "0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f5"
    "67918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394";
constexpr std::size_t pck_chain_length = 3; // PCK certificate, CA of the platform, root
constexpr std::size_t signer_chain_length = 2;

Leniency leniency_for(TcbStatus status) {
    switch (status) {
    case TcbStatus::sw_hardening_needed: return Leniency::sw_hardening_needed;
    case TcbStatus::configuration_needed: return Leniency::configuration_needed;
    case TcbStatus::configuration_and_sw_hardening_needed:
        return Leniency::configuration_and_sw_hardening_needed;
    case TcbStatus::out_of_date_configuration_needed:
        return Leniency::out_of_date_configuration_needed;
    case TcbStatus::up_to_date:
    case TcbStatus::out_of_date:
    case TcbStatus::revoked: break;
    }
    return Leniency::out_of_date;
}

std::string list_of(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

/// "2023-06-18T08:42:58Z to 2023-07-18T08:42:58Z"
std::string validity_of(const Dates& dates) {
    return text_of(dates.issued) + " to " + text_of(dates.next_update);
}

bool is_sha256_and_zeros(const tdx::ReportData& data, Bytes first, Bytes second) {
    std::array<std::byte, 32> digest{};
    const openssl::Handle<EVP_MD_CTX, &EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), first.data(), first.size()) != 1 ||
        EVP_DigestUpdate(context.get(), second.data(), second.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), openssl::characters(MutableBytes(digest)), nullptr) != 1)
        return false;
    return std::ranges::equal(Bytes(data).first(digest.size()), digest) &&
           std::ranges::all_of(Bytes(data).subspan(digest.size()),
                               [](std::byte byte) { return byte == std::byte{0}; });
}

class Verifier {
  public:
    Verifier(const Evidence& evidence, const Demands& demands)
        : evidence_(evidence), demands_(demands) {}

    std::vector<Check> run() {
        const auto quote = parse_quote(evidence_.name, evidence_.quote);
        if (!quote) {
            add("quote-format", false, quote.error().text);
            return std::move(checks_);
        }
        quote_ = &*quote;
        check_format();
        const auto chain = parse_chain("the quote's certification data", quote_->pck_chain);
        if (chain)
            check_signatures(*chain);
        else
            add("pck-chain", false, chain.error().text);
        check_attributes();
        check_service_tds();
        check_measurements();
        check_report_data();
        return std::move(checks_);
    }

  private:
    void add(std::string name, bool is_good, std::string text) {
        checks_.push_back({.name = std::move(name),
                           .judgement = is_good ? Judgement::passed : Judgement::failed,
                           .text = std::move(text)});
    }
    void add(std::string name, const Outcome<>& outcome, std::string good) {
        add(std::move(name), outcome.has_value(), outcome ? std::move(good) : outcome.error().text);
    }
    /// What may be otherwise, where that was asked for.
    void add_lenient(std::string name, Leniency leniency, std::string text) {
        checks_.push_back({.name = std::move(name),
                           .judgement = demands_.lenient.contains(leniency) ? Judgement::accepted
                                                                            : Judgement::failed,
                           .text = std::move(text)});
    }

    void check_format() {
        std::string text = std::format("version {}", quote_->td.version);
        if (!quote_->behind.empty())
            text += std::format("; {} bytes behind it, which nobody signed", quote_->behind.size());
        if (quote_->unread != 0)
            text +=
                std::format("; {} bytes in its signature that are part of nothing", quote_->unread);
        add("quote-format", quote_->unread == 0, text);
        add("quoting-enclave-vendor", quote_->td.vendor == quote_layout::intel_vendor,
            hex(Bytes(quote_->td.vendor)));
    }

    void check_signatures(const Chain& pck_chain) {
        const Quote& quote = *quote_;
        add("quote-signature",
            is_signed_by(quote.attestation_key, quote.signed_bytes, quote.signature),
            "ECDSA of the attestation key over header and body");
        add("attestation-key",
            is_sha256_and_zeros(quote.enclave_report.report_data, quote.attestation_key,
                                quote.authentication_data),
            "the quoting enclave's report names it");
        add("quoting-enclave-report",
            is_signed_by(*pck_chain.front(), bytes_of(quote.enclave_report),
                         quote.enclave_signature),
            "ECDSA of the PCK certificate's key");
        if (demands_.collateral == nullptr) {
            for (const char* const name :
                 {"pck-chain", "tcb-info", "enclave-identity", "tcb-info-dates",
                  "enclave-identity-dates", "quoting-enclave", "module-attributes", "tdx-module",
                  "tcb-level"})
                add(name, false, "no collateral was given: --collateral DIR");
            return;
        }
        check_pck_chain(pck_chain);
        check_collateral(*demands_.collateral);
        check_tcb(*demands_.collateral, pck_chain);
    }

    static bool is_intels(const X509& root) {
        EcNumbers key{};
        std::ranges::copy(bytes_of_hex(intel_root_key).value_or(std::vector<std::byte>{}),
                          key.begin());
        return has_key(root, key);
    }

    /// Whether another root than Intel's is trusted.
    [[nodiscard]] bool has_other_root() const {
        return demands_.root != nullptr && !is_intels(*demands_.root);
    }

    /// The certificate that everything has to lead to: the given one, or the last of `chain`, if
    /// that has Intel's key.
    [[nodiscard]] const X509* root_for(const Chain& chain) const {
        if (demands_.root != nullptr)
            return demands_.root;
        const X509* const last = chain.back().get();
        return is_intels(*last) ? last : nullptr;
    }

    Outcome<> check_trust(const Chain& chain, const std::vector<const X509_CRL*>& lists) const {
        const X509* const root = root_for(chain);
        if (root == nullptr)
            return std::unexpected(Failure{common_name(*chain.back()) +
                                           ": is not Intel's root, whose key is known here"});
        return check_chain(chain, *root, lists, demands_.moment);
    }

    /// With what was asked for that is not as it should be.
    [[nodiscard]] std::string noted(std::string text) const {
        if (has_other_root())
            text += "; the root was given, and is not known to be Intel's";
        return demands_.moment.ignores_dates ? text + "; dates were ignored" : text;
    }

    /// Under Intel's root each certificate has the name of its role [Intel SGX PCK Certificate and
    /// CRL Profile Specification, 1.3].
    [[nodiscard]] bool has_role(const X509& certificate,
                                std::initializer_list<std::string_view> names) const {
        return has_other_root() || std::ranges::contains(names, common_name(certificate));
    }

    /// Whose chain it is that nobody asked for: an emulated platform's, say.
    [[nodiscard]] std::string strangers(const Chain& chain) const {
        return root_for(chain) != nullptr
                   ? ""
                   : std::format(" of Intel's: it ends in {}, whose key is not Intel's (--root "
                                 "FILE trusts another)",
                                 common_name(*chain.back()));
    }

    void check_pck_chain(const Chain& chain) {
        const Collateral& collateral = *demands_.collateral;
        const bool is_formed =
            chain.size() == pck_chain_length && has_pck_extensions(*chain.front()) &&
            !has_pck_extensions(*chain[1]) && is_signer(*chain.front()) &&
            has_role(*chain.front(), {"Intel SGX PCK Certificate"}) &&
            has_role(*chain[1], {"Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"});
        if (!is_formed) {
            add("pck-chain", false,
                "is not a PCK certificate, a CA of platforms and a root" + strangers(chain));
            return;
        }
        add("pck-chain",
            check_trust(chain, {collateral.root_list.get(), collateral.pck_list.get()}),
            noted(std::format("{}, by {}, by {}; none of them revoked", common_name(*chain[0]),
                              common_name(*chain[1]), common_name(*chain[2]))));
    }

    /// Collateral is signed by a certificate of the root's own, which is no platform's.
    Outcome<> check_signer(const SignedJson& json) const {
        const X509& signer = *json.chain.front();
        if (json.chain.size() != signer_chain_length || has_pck_extensions(signer) ||
            !is_signer(signer) || !has_role(signer, {"Intel SGX TCB Signing"}))
            return std::unexpected(Failure{json.file +
                                           ": its issuer chain is not a signer and a root" +
                                           strangers(json.chain)});
        TRY(check_trust(json.chain, {demands_.collateral->root_list.get()})
                .transform_error(
                    [&](const Failure& error) { return failure(json.file, error.text); }));
        if (!is_signed_by(*json.chain.front(), json.content, json.signature))
            return std::unexpected(failure(json.file, "its signature is not that of " +
                                                          common_name(*json.chain.front())));
        return {};
    }

    void check_dates(const std::string& name, const std::string& file, const Dates& dates) {
        const Moment& moment = demands_.moment;
        const bool is_fresh = dates.issued <= moment.time && moment.time <= dates.next_update;
        const std::string text = std::format("{}: {}", file, validity_of(dates));
        if (is_fresh)
            add(name, true, text);
        else
            add(name, moment.ignores_dates,
                std::format("{}, not at {}{}", text, text_of(moment.time),
                            moment.ignores_dates ? ": ignored" : "; fetch it again"));
    }

    /// Intel counts its evaluations: an old one is good until nextUpdate, unless somebody minds.
    void check_json(const std::string& name, const SignedJson& json, std::uint64_t evaluation) {
        if (evaluation < demands_.min_evaluation)
            add(name, false,
                std::format("{}: evaluation {}, and at least {} was asked for", json.file,
                            evaluation, demands_.min_evaluation));
        else
            add(name, check_signer(json),
                noted(std::format("signed by {}, evaluation {}", common_name(*json.chain.front()),
                                  evaluation)));
    }

    void check_collateral(const Collateral& collateral) {
        check_json("tcb-info", collateral.tcb_info, collateral.tcb.evaluation);
        check_json("enclave-identity", collateral.enclave_identity, collateral.enclave.evaluation);
        check_dates("tcb-info-dates", collateral.tcb_info.file, collateral.tcb.dates);
        check_dates("enclave-identity-dates", collateral.enclave_identity.file,
                    collateral.enclave.dates);
    }

    /// A part that has its own line when it is not what it should be.
    std::optional<TcbVerdict> part(const std::string& name, const Outcome<TcbVerdict>& verdict,
                                   std::string_view note = "") {
        if (!verdict) {
            add(name, false, verdict.error().text);
            return std::nullopt;
        }
        add(name, verdict->status != TcbStatus::revoked,
            std::format("{}{}", name_of(verdict->status), note));
        return *verdict;
    }

    void check_tcb(const Collateral& collateral, const Chain& pck_chain) {
        const auto pck = pck_extensions_of(*pck_chain.front());
        if (!pck) {
            add("platform", false, pck.error().text);
            return;
        }
        QuoteBody body = quote_->td.body;
        const auto enclave =
            part("quoting-enclave", enclave_tcb(collateral.enclave, quote_->enclave_report));
        check_module_attributes(body.seam_attributes);
        check_level("", collateral.tcb, *pck, body, enclave);
        const auto& now = quote_->td.tee_tcb_svn_2;
        if (!now || *now == body.tee_tcb_svn)
            return;
        body.tee_tcb_svn = *now;
        check_level("-now", collateral.tcb, *pck, body, enclave);
    }

    /// Of the module that the TD began with, or, where it was updated since, of the one of `now`.
    void check_level(const std::string& now, const TcbInfo& info, const PckExtensions& pck,
                     const QuoteBody& body, const std::optional<TcbVerdict>& enclave) {
        constexpr std::string_view unknown = ", the one that the TD began with; this form of "
                                             "quote does not say which one runs now";
        const auto module = part("tdx-module" + now, module_tcb(info, body),
                                 quote_->td.tee_tcb_svn_2 ? "" : unknown);
        const auto platform = platform_tcb(info, pck, body);
        const std::string name = "tcb-level" + now;
        if (!platform)
            add(name, false, platform.error().text);
        else if (!enclave || !module)
            add(name, false, "is not known without the lines above");
        else
            add_level(name, together(*platform, *module, *enclave));
    }

    void add_level(const std::string& name, const TcbVerdict& verdict) {
        std::string text(name_of(verdict.status));
        if (!verdict.advisories.empty())
            text += ": " + list_of(verdict.advisories);
        if (verdict.status == TcbStatus::up_to_date)
            add(name, true, text);
        else if (verdict.status == TcbStatus::revoked)
            add(name, false, text);
        else
            add_lenient(name, leniency_for(verdict.status), text);
    }

    /// No module of Intel's for production has any, whatever TCB information allows.
    void check_module_attributes(std::uint64_t attributes) {
        const std::string text = "SEAMATTRIBUTES " + hex(attributes);
        if (attributes == 0)
            add("module-attributes", true, text);
        else
            add_lenient("module-attributes", Leniency::module_attributes,
                        text + ": a module for production has none");
    }

    void check_attributes() {
        const std::uint64_t attributes = quote_->td.body.attributes;
        const std::string text = "ATTRIBUTES " + hex(attributes);
        const bool is_under_debug = (attributes & attributes_under_debug) != 0;
        add("no-debug", !is_under_debug,
            is_under_debug ? text + ": its VMM reads and writes the TD" : text);
        if ((attributes & sept_ve_disable) != 0)
            add("sept-ve-disable", true, text);
        else
            add_lenient("sept-ve-disable", Leniency::no_sept_ve_disable,
                        text + ": the VMM may take pages of the TD at any time");
        check_migratable(attributes, text);
    }

    /// A policy that pins such ATTRIBUTES has said it.
    void check_migratable(std::uint64_t attributes, const std::string& text) {
        const bool is_pinned = demands_.policy && demands_.policy->attributes == attributes;
        if ((attributes & migratable) == 0)
            add("not-migratable", true, text);
        else if (is_pinned)
            add("not-migratable", true, text + ": migratable, as the policy has it");
        else
            add_lenient("not-migratable", Leniency::migratable,
                        text + ": a service TD may move the TD to another platform");
    }

    /// A service TD that is bound can read and move the TD, as a migration TD does.
    void check_service_tds() {
        const auto& hash = quote_->td.servtd_hash;
        if (!hash)
            check_unknown_service_tds();
        else if (demands_.servtd_hash != crypto::Digest{})
            add("service-td", *hash == demands_.servtd_hash,
                std::format("SERVTD_HASH: expected {}, found {}", hex(Bytes(demands_.servtd_hash)),
                            hex(Bytes(*hash))));
        else if (*hash == crypto::Digest{})
            add("service-td", true, "none is bound");
        else
            add_lenient("service-td", Leniency::service_td,
                        "SERVTD_HASH " + hex(Bytes(*hash)) +
                            ": one is bound, which may move the TD");
    }

    /// The host chooses the form of the quote, so that a form without SERVTD_HASH is no excuse.
    void check_unknown_service_tds() {
        const std::string text = "this form of quote has no SERVTD_HASH";
        if (demands_.servtd_hash != crypto::Digest{})
            add("service-td", false,
                text + ": expected " + hex(Bytes(demands_.servtd_hash)) +
                    "; ask for version 5 with a body of TDX 1.5");
        else if ((quote_->td.body.attributes & migratable) != 0)
            add_lenient("service-td", Leniency::service_td,
                        text + ": one may be bound, and may move the TD; ask for version 5 with a "
                               "body of TDX 1.5");
        else
            add("service-td", true, text + "; none may move a TD that is not migratable");
    }

    static std::string first_of(const std::vector<Finding>& findings) {
        return findings.front().text +
               (findings.size() == 1
                    ? ""
                    : std::format(", and {} more differences", findings.size() - 1));
    }

    static std::string names_of(const std::vector<RegisterName>& registers) {
        std::vector<std::string> names;
        for (const RegisterName& name : registers)
            names.push_back(name.name);
        return list_of(names);
    }

    void check_measurements() {
        const TdRegisters td = registers_of(quote_->td);
        if (demands_.policy)
            check_policy(td);
        else
            add_lenient("policy", Leniency::no_policy,
                        "none was given (--policy FILE): nobody said what should run");
        if (evidence_.log)
            check_log(td, *evidence_.log);
        else
            add_lenient("event-log", Leniency::no_log,
                        demands_.policy ? "there is none: the policy's registers alone are compared"
                                        : "there is none");
    }

    void check_policy(const TdRegisters& td) {
        auto findings = compare_attributes(td, demands_.policy);
        findings.append_range(compare_registers(td, *demands_.policy));
        if (!findings.empty()) {
            add("policy", false, first_of(findings));
            return;
        }
        if (!demands_.policy->mrtd || !demands_.policy->rtmr[1]) {
            add_lenient("policy", Leniency::no_policy,
                        "does not pin both MRTD and RTMR[1]: nobody said what should run");
            return;
        }
        std::vector<RegisterName> registers = not_compared(td, demands_.policy).with_policy;
        // It has a line of its own.
        std::erase_if(registers,
                      [](const RegisterName& name) { return name.key == "servtd_hash"; });
        const std::string left = names_of(registers);
        add("policy", true, left.empty() ? "every register" : "not pinned: " + left);
    }

    void check_log(const TdRegisters& td, Bytes bytes) {
        const auto log = decode_log(bytes);
        if (!log || log->error) {
            add("event-log", false, failure("event log", log ? *log->error : log.error()).text);
            return;
        }
        const LogCoverage coverage = coverage_of(*log);
        const auto findings = differences(*log, coverage, td, demands_.policy);
        add("event-log", findings.empty(),
            findings.empty()
                ? std::format("{} events lead to the registers; no register covers its header, "
                              "addresses in it and what is behind them",
                              log->events.size())
                : first_of(findings));
    }

    void check_report_data() {
        const tdx::ReportData& found = quote_->td.body.report_data;
        if (!demands_.report_data)
            add_lenient("report-data", Leniency::no_nonce,
                        "no nonce was asked for: this quote may be an old one");
        else
            add("report-data", found == *demands_.report_data,
                found == *demands_.report_data
                    ? "is what was asked for"
                    : std::format("expected {}, found {}", hex(Bytes(*demands_.report_data)),
                                  hex(Bytes(found))));
    }

    const Evidence& evidence_;
    const Demands& demands_;
    const Quote* quote_ = nullptr;
    std::vector<Check> checks_;
};

} // namespace

std::vector<Check> verdict_on(const Evidence& evidence, const Demands& demands) {
    return Verifier(evidence, demands).run();
}

bool holds(const std::vector<Check>& checks) {
    return !std::ranges::contains(checks, Judgement::failed, &Check::judgement);
}

} // namespace tdshim::tools
