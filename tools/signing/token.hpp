// SPDX-License-Identifier: Apache-2.0
//
// A session with a token: login, objects and their attributes, signatures. What is asked of the
// token is PKCS#11 2.40; section numbers are those of its base specification.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shim/base/bytes.hpp"
#include "tools/signing/token_modules.hpp"

namespace tdshim::tools {

class TokenSession {
  public:
    /// Of the token that `uri` names.
    [[nodiscard]] static Outcome<TokenSession> open(const std::string& uri);
    ~TokenSession();
    TokenSession(TokenSession&& other) noexcept;
    TokenSession& operator=(TokenSession&&) = delete;
    TokenSession(const TokenSession&) = delete;
    TokenSession& operator=(const TokenSession&) = delete;

    /// The URI without its query, for messages.
    [[nodiscard]] const std::string& name() const { return uri_.name(); }

    /// With the URI's PIN, or one asked for on the terminal. Tries once: tokens lock after a few
    /// wrong ones.
    [[nodiscard]] Outcome<> log_in();
    /// The same where the URI has a PIN; else what everybody may read is enough.
    [[nodiscard]] Outcome<> log_in_if_pin_is_given();

    /// The object of this class that the URI names; nothing where there is none, and two are
    /// refused. The URI's own type= is not looked at: one URI names both keys of a pair.
    [[nodiscard]] Outcome<std::optional<CK_OBJECT_HANDLE>> find(CK_OBJECT_CLASS wanted) const;
    /// The object of this class with this CKA_ID.
    [[nodiscard]] Outcome<std::optional<CK_OBJECT_HANDLE>>
    find(CK_OBJECT_CLASS wanted, std::span<std::byte> identifier) const;
    /// Its bytes; nothing where the object does not have it, or does not show it.
    [[nodiscard]] std::optional<std::vector<std::byte>> attribute(CK_OBJECT_HANDLE object,
                                                                  CK_ATTRIBUTE_TYPE type) const;
    [[nodiscard]] Outcome<std::vector<std::byte>> sign(CK_OBJECT_HANDLE key, CK_MECHANISM mechanism,
                                                       Bytes digest);

  private:
    TokenSession(const P11Kit& kit, TokenUri uri, TokenModules modules, Token token,
                 CK_SESSION_HANDLE session)
        : kit_(kit), uri_(std::move(uri)), modules_(std::move(modules)), token_(std::move(token)),
          session_(session) {}
    [[nodiscard]] std::unexpected<Failure> refused(const std::string& what, CK_RV result) const;
    [[nodiscard]] Outcome<> take_pin();
    [[nodiscard]] Outcome<> log_in_as(CK_USER_TYPE user, const char* what);
    [[nodiscard]] Outcome<std::optional<CK_OBJECT_HANDLE>>
    find_one(std::vector<CK_ATTRIBUTE> wanted, CK_OBJECT_CLASS object_class) const;

    P11Kit kit_;
    TokenUri uri_;
    TokenModules modules_;
    Token token_;
    CK_SESSION_HANDLE session_;
    std::optional<Pin> pin_; ///< for keys that want it again
};

} // namespace tdshim::tools
