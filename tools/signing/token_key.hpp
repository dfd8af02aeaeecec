// SPDX-License-Identifier: Apache-2.0
//
// Keys of the two signing algorithms in a PKCS#11 token, named by a URI [RFC 7512]. The private key
// stays in the token, which is given the digest of what is to be signed.
#pragma once

#include <memory>

#include "tools/signing/keys.hpp"

namespace tdshim::tools {

/// Whether an option that takes files was given a URI.
[[nodiscard]] bool is_token_uri(std::string_view text);

/// The public key that the URI names. Refused as by read_public_key().
[[nodiscard]] Outcome<PublicKey> read_token_public_key(const std::string& uri);

class TokenKey {
  public:
    /// Logs in, with the URI's PIN or one asked for on the terminal, and finds the private key.
    [[nodiscard]] static Outcome<TokenKey> open(const std::string& uri);
    ~TokenKey();
    TokenKey(TokenKey&& other) noexcept;
    TokenKey& operator=(TokenKey&&) = delete;
    TokenKey(const TokenKey&) = delete;
    TokenKey& operator=(const TokenKey&) = delete;

    /// That of the public key object with the private one's ID, or where it has none, with the
    /// URI's name; of RSA without such an object from the private one.
    [[nodiscard]] Outcome<PublicKey> public_key() const;
    /// The signature over `message` as in a signature block.
    [[nodiscard]] Outcome<std::vector<std::byte>> sign(signed_payload::Algorithm algorithm,
                                                       Bytes message);

  private:
    struct Parts;
    explicit TokenKey(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

} // namespace tdshim::tools
