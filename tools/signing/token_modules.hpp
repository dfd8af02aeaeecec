// SPDX-License-Identifier: Apache-2.0
//
// The PKCS#11 modules in which a URI's token is looked for, and the one token that it names.
#pragma once

#include <memory>
#include <vector>

#include "tools/signing/token_uri.hpp"

namespace tdshim::tools {

struct Token {
    CK_FUNCTION_LIST* module = nullptr;
    CK_SLOT_ID slot = 0;
    CK_FLAGS flags = 0;
    std::string label; ///< printable
};

/// Finalises the modules with its end.
class TokenModules {
  public:
    /// The module that the URI has the path of, or those that p11-kit's configuration lists.
    [[nodiscard]] static Outcome<TokenModules> load(const P11Kit& kit, const TokenUri& uri);

    /// Refused: a URI that no initialised token answers to, or more than one, so that no PIN goes
    /// to a token that was not meant.
    [[nodiscard]] Outcome<Token> find(const TokenUri& uri) const;

  private:
    struct Unload {
        P11Kit kit;
        bool is_list;
        void operator()(CK_FUNCTION_LIST** first) const;
    };
    explicit TokenModules(Unload unload) : modules_(nullptr, unload) {}

    std::unique_ptr<CK_FUNCTION_LIST*, Unload> modules_; ///< ends with a null pointer
};

} // namespace tdshim::tools
