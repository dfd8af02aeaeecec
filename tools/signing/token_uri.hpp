// SPDX-License-Identifier: Apache-2.0
//
// A PKCS#11 URI [RFC 7512] as an option gives it, and the PIN that it leads to.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/signing/p11_kit.hpp"

namespace tdshim::tools {

/// A PIN, gone from memory with its owner.
class Pin {
  public:
    explicit Pin(std::string_view text) : text_(text) {}
    ~Pin();
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    Pin(Pin&& other) noexcept;
    Pin& operator=(Pin&&) = delete;

    [[nodiscard]] std::string& text() { return text_; }

  private:
    std::string text_;
};

class TokenUri {
  public:
    /// Refused: what is no PKCS#11 URI, and one with attributes that libp11-kit does not know,
    /// which could mean another key.
    [[nodiscard]] static Outcome<TokenUri> parse(const P11Kit& kit, const std::string& text);

    /// The URI without its query, for messages.
    [[nodiscard]] const std::string& name() const { return name_; }
    /// "" where the URI does not say, as the next.
    [[nodiscard]] std::string module_path() const;
    [[nodiscard]] std::string module_name() const;
    [[nodiscard]] bool takes_module(CK_INFO& info) const;
    [[nodiscard]] bool takes_slot(CK_SLOT_ID number, CK_SLOT_INFO& info) const;
    [[nodiscard]] bool takes_token(CK_TOKEN_INFO& info) const;
    /// What the URI says of the object: label, ID, class; views into it.
    [[nodiscard]] std::vector<CK_ATTRIBUTE> attributes() const;
    /// By pin-value or pin-source=file:FILE, whose first line it is; nothing where it has neither.
    [[nodiscard]] Outcome<std::optional<Pin>> pin() const;

  private:
    using Handle = std::unique_ptr<P11KitUri, decltype(&p11_kit_uri_free)>;
    TokenUri(const P11Kit& kit, std::string name, Handle uri)
        : kit_(kit), name_(std::move(name)), uri_(std::move(uri)) {}

    P11Kit kit_;
    std::string name_;
    Handle uri_;
};

/// Asks on the terminal; nothing where there is none, or nothing was typed.
[[nodiscard]] std::optional<Pin> ask_for_pin(const std::string& token);

} // namespace tdshim::tools
