// SPDX-License-Identifier: Apache-2.0
//
// A platform that signs quotes for emulated TDs: a root, a CA of platforms, the platform's own
// certificate, a quoting enclave, and the collateral that belongs to them. Nothing that it signs
// proves anything.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tools/quoting/certificates_made.hpp"
#include "tools/quoting/enclave.hpp"

namespace tdshim::quoting {

class Platform {
  public:
    /// A new one.
    [[nodiscard]] static tools::Outcome<Platform> make(Names names);

    /// The one whose keys and certificates are in `folder`, or a new one, left there; its
    /// collateral is written beside them, fresh for 30 days and renewed each day, by the names that
    /// tools::read_collateral() has for it. The folder is made where there is none. Errors name the
    /// file: a part of them only is there, or they have other names.
    [[nodiscard]] static tools::Outcome<Platform> open(const std::string& folder, Names names);

    /// What the quoting enclave makes of a TD's report. Errors are sentences: it is no report of an
    /// emulated TD's, or a digest in it is not that of its parts.
    [[nodiscard]] tools::Outcome<std::vector<std::byte>> quote(Bytes report,
                                                               QuoteVersion version) const;

    using File = std::pair<std::string, std::vector<std::byte>>;
    /// What a relying party wants: (name, content).
    [[nodiscard]] tools::Outcome<std::vector<File>> collateral() const;

  private:
    struct Member {
        Key key;
        tools::Certificate certificate;
    };
    Platform(Member root, Member authority, Member pck, Member signer, Key attestation)
        : root_(std::move(root)), authority_(std::move(authority)), pck_(std::move(pck)),
          signer_(std::move(signer)), attestation_(std::move(attestation)) {}

    [[nodiscard]] static tools::Outcome<Platform> read(const std::string& folder, Names names);
    [[nodiscard]] tools::Outcome<> check(const std::string& folder) const;
    [[nodiscard]] tools::Outcome<> write(const std::string& folder) const;
    [[nodiscard]] tools::Outcome<std::vector<std::byte>>
    signed_json(const std::string& member, const std::string& content) const;

    Member root_;
    Member authority_;
    Member pck_;
    Member signer_;
    Key attestation_;
};

} // namespace tdshim::quoting
