// SPDX-License-Identifier: Apache-2.0
#include "tools/quoting/platform.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <format>
#include <sys/file.h>
#include <sys/stat.h>

#include "tools/common/descriptor.hpp"
#include "tools/common/files.hpp"
#include "tools/common/text.hpp"
#include "tools/quoting/collateral_made.hpp"
#include "tools/quoting/enclave.hpp"

namespace tdshim::quoting {

using tools::failure;
using tools::Outcome;

namespace {

constexpr std::time_t day = 24 * 60 * 60;
constexpr std::time_t certificates_last = 3650 * day;
constexpr std::time_t collateral_lasts = 30 * day;

Validity from_yesterday(std::time_t lasting) {
    const std::time_t now = std::time(nullptr);
    return {now - day, now + lasting};
}

std::vector<std::byte> bytes_of_text(std::string_view text) {
    const Bytes bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

} // namespace

Outcome<Platform> Platform::make(Names names) {
    const Validity validity = from_yesterday(certificates_last);
    const tools::PckExtensions facts = platform_facts();
    const auto member = [&](CertificateKind kind, const Member* issuer) -> Outcome<Member> {
        Key key = TRY(Key::make());
        const Issuer by = issuer == nullptr ? Issuer{nullptr, &key}
                                            : Issuer{issuer->certificate.get(), &issuer->key};
        auto certificate = TRY(make_certificate(names, kind, key, by, validity, facts));
        return Member{std::move(key), std::move(certificate)};
    };
    Member root = TRY(member(CertificateKind::root, nullptr));
    Member authority = TRY(member(CertificateKind::platform_authority, &root));
    Member pck = TRY(member(CertificateKind::pck, &authority));
    Member signer = TRY(member(CertificateKind::tcb_signer, &root));
    return Platform(std::move(root), std::move(authority), std::move(pck), std::move(signer),
                    TRY(Key::make()));
}

namespace {

constexpr std::array members{std::pair{"root", CertificateKind::root},
                             std::pair{"platform-ca", CertificateKind::platform_authority},
                             std::pair{"pck", CertificateKind::pck},
                             std::pair{"tcb-signer", CertificateKind::tcb_signer}};
constexpr const char* attestation_key = "attestation.key";

std::vector<std::string> file_names() {
    std::vector<std::string> names{attestation_key};
    for (const auto& [name, kind] : members)
        names.append_range(std::array{std::format("{}.key", name), std::format("{}.pem", name)});
    return names;
}

/// Whether a platform was left there: all of it, or nothing.
Outcome<bool> has_platform(const std::string& folder) {
    std::string lacking;
    std::size_t there = 0;
    const auto names = file_names();
    for (const std::string& name : names) {
        std::error_code ignored;
        if (std::filesystem::exists(folder + "/" + name, ignored))
            ++there;
        else
            lacking = name;
    }
    if (there != 0 && there != names.size())
        return std::unexpected(
            failure(folder + "/" + lacking,
                    "is not there, and others of its keys are; give an empty folder for new ones"));
    return there != 0;
}

/// Written today, so that a folder that cannot be written to serves for a while.
bool has_fresh_collateral(const std::string& folder) {
    struct stat status{};
    return ::stat((folder + "/pckcrl.der").c_str(), &status) == 0 && // the last that is written
           status.st_mtime > std::time(nullptr) - day;
}

/// While one lives, what this process creates is for its user alone.
class Private {
  public:
    Private() : before_(::umask(S_IRWXG | S_IRWXO)) {}
    ~Private() { ::umask(before_); }
    Private(const Private&) = delete;
    Private& operator=(const Private&) = delete;

  private:
    ::mode_t before_;
};

} // namespace

/// The files of a folder that somebody copied together may belong to several.
Outcome<> Platform::check(const std::string& folder) const {
    const std::array<std::pair<const Member*, const Member*>, members.size()> issued{
        {{&root_, &root_}, {&authority_, &root_}, {&pck_, &authority_}, {&signer_, &root_}}};
    for (std::size_t i = 0; i < issued.size(); ++i) {
        X509* const certificate = issued[i].first->certificate.get();
        if (X509_check_private_key(certificate, issued[i].first->key.handle()) != 1 ||
            X509_verify(certificate, issued[i].second->key.handle()) != 1)
            return std::unexpected(failure(
                std::format("{}/{}.pem", folder, members[i].first),
                "does not belong to its key or its issuer; give an empty folder for new ones"));
    }
    return {};
}

Outcome<Platform> Platform::read(const std::string& folder, Names names) {
    std::vector<Member> read;
    for (const auto& [name, kind] : members) {
        const std::string file = std::format("{}/{}.pem", folder, name);
        const auto text = TRY(tools::read_file(file, tools::max_message_size));
        auto chain = TRY(tools::parse_chain(file, text));
        if (tools::common_name(*chain.front()) != common_name(names, kind))
            return std::unexpected(failure(
                file, std::format("expected a certificate of \"{}\", found \"{}\": give "
                                  "--quote-names as for the run that made it, or another folder",
                                  common_name(names, kind), tools::common_name(*chain.front()))));
        read.emplace_back(TRY(Key::read(std::format("{}/{}.key", folder, name))),
                          std::move(chain.front()));
    }
    Platform platform(std::move(read[0]), std::move(read[1]), std::move(read[2]),
                      std::move(read[3]), TRY(Key::read(folder + "/" + attestation_key)));
    TRY(platform.check(folder));
    return platform;
}

Outcome<> Platform::write(const std::string& folder) const {
    const Private keys;
    const std::array<const Member*, members.size()> of{&root_, &authority_, &pck_, &signer_};
    for (std::size_t i = 0; i < members.size(); ++i) {
        const std::string key = TRY(of[i]->key.text());
        const std::string certificate = TRY(pem_of(*of[i]->certificate));
        TRY(tools::write_file(std::format("{}/{}.key", folder, members[i].first),
                              bytes_of_text(key)));
        TRY(tools::write_file(std::format("{}/{}.pem", folder, members[i].first),
                              bytes_of_text(certificate)));
    }
    const std::string key = TRY(attestation_.text());
    return tools::write_file(folder + "/" + attestation_key, bytes_of_text(key));
}

Outcome<Platform> Platform::open(const std::string& folder, Names names) {
    if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
        return std::unexpected(tools::system_failure(folder, "cannot make this folder", errno));
    // Of two runs the second finds what the first left.
    const tools::Descriptor lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock.is_open() || ::flock(lock.number(), LOCK_EX) != 0)
        return std::unexpected(tools::system_failure(folder, "cannot lock this folder", errno));
    const bool is_there = TRY(has_platform(folder));
    Platform platform = is_there ? TRY(read(folder, names)) : TRY(make(names));
    if (!is_there)
        TRY(platform.write(folder));
    if (is_there && has_fresh_collateral(folder))
        return platform;
    const auto files = TRY(platform.collateral());
    for (const auto& [name, content] : files)
        TRY(tools::write_file(folder + "/" + name, content));
    return platform;
}

Outcome<std::vector<std::byte>> Platform::signed_json(const std::string& member,
                                                      const std::string& content) const {
    const auto signature = TRY(signer_.key.sign(bytes_of_text(content)));
    return bytes_of_text(
        std::format(R"({{"{}":{},"signature":"{}"}})", member, content, tools::hex(signature)));
}

Outcome<std::vector<Platform::File>> Platform::collateral() const {
    const Validity validity = from_yesterday(collateral_lasts);
    const auto chain =
        bytes_of_text(TRY(pem_of(*signer_.certificate)) + TRY(pem_of(*root_.certificate)));
    const auto root_list =
        TRY(make_revocation_list({root_.certificate.get(), &root_.key}, validity));
    const auto pck_list =
        TRY(make_revocation_list({authority_.certificate.get(), &authority_.key}, validity));
    std::vector<File> files;
    files.emplace_back("tcbinfo.json", TRY(signed_json("tcbInfo", tcb_info(validity))));
    files.emplace_back("qeidentity.json",
                       TRY(signed_json("enclaveIdentity", enclave_identity(validity))));
    files.emplace_back("tcbinfo-issuer-chain.pem", chain);
    files.emplace_back("qeidentity-issuer-chain.pem", chain);
    files.emplace_back("rootcrl.der", TRY(der_of(*root_list)));
    files.emplace_back("pckcrl.der", TRY(der_of(*pck_list)));
    return files;
}

Outcome<std::vector<std::byte>> Platform::quote(Bytes report, QuoteVersion version) const {
    std::string chain;
    for (const Member* member : {&pck_, &authority_, &root_})
        chain += TRY(pem_of(*member->certificate));
    return quote_of(report, version,
                    {.attestation = &attestation_, .platform = &pck_.key, .pck_chain = chain});
}

} // namespace tdshim::quoting
