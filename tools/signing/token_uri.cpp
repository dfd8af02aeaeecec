// SPDX-License-Identifier: Apache-2.0
#include "tools/signing/token_uri.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "tools/common/descriptor.hpp"
#include "tools/common/files.hpp"

namespace tdshim::tools {
namespace {

/// More than tokens take; what is longer is some other file.
constexpr std::size_t max_pin_size = 255;

std::string text_of(const char* text) {
    return text == nullptr ? "" : text;
}

/// The path in "file:/run/pin" or "file:///run/pin" [RFC 8089]; a path alone is one too. "" for
/// anything else, as commands and other hosts' files.
std::string path_of(std::string source) {
    if (source.starts_with("file:"))
        source.erase(0, 5);
    if (source.starts_with("///"))
        source.erase(0, 2);
    return source.starts_with("/") && !source.starts_with("//") ? source : "";
}

} // namespace

Pin::~Pin() {
    OPENSSL_cleanse(text_.data(), text_.size());
}

Pin::Pin(Pin&& other) noexcept : text_(other.text_) {}

Outcome<TokenUri> TokenUri::parse(const P11Kit& kit, const std::string& text) {
    std::string name(shown_name(text));
    Handle uri(kit.uri_new(), kit.uri_free);
    if (!uri)
        return std::unexpected(failure(name, "no memory for the URI"));
    const int result = kit.uri_parse(text.c_str(), P11_KIT_URI_FOR_ANY, uri.get());
    if (result != P11_KIT_URI_OK)
        return std::unexpected(
            failure(name, "is no PKCS#11 URI: " + text_of(kit.uri_message(result))));
    if (kit.uri_any_unrecognized(uri.get()) != 0)
        return std::unexpected(failure(name, "the URI has an attribute that libp11-kit does not "
                                             "know"));
    return TokenUri(kit, std::move(name), std::move(uri));
}

std::string TokenUri::module_path() const {
    return text_of(kit_.uri_get_module_path(uri_.get()));
}

std::string TokenUri::module_name() const {
    return text_of(kit_.uri_get_module_name(uri_.get()));
}

bool TokenUri::takes_module(CK_INFO& info) const {
    return kit_.uri_match_module_info(uri_.get(), &info) == 1;
}

bool TokenUri::takes_slot(CK_SLOT_ID number, CK_SLOT_INFO& info) const {
    const CK_SLOT_ID wanted = kit_.uri_get_slot_id(uri_.get());
    return (wanted == CK_UNAVAILABLE_INFORMATION || wanted == number) &&
           kit_.uri_match_slot_info(uri_.get(), &info) == 1;
}

bool TokenUri::takes_token(CK_TOKEN_INFO& info) const {
    return kit_.uri_match_token_info(uri_.get(), &info) == 1;
}

std::vector<CK_ATTRIBUTE> TokenUri::attributes() const {
    CK_ULONG count = 0;
    const CK_ATTRIBUTE* const first = kit_.uri_get_attributes(uri_.get(), &count);
    return first == nullptr ? std::vector<CK_ATTRIBUTE>{}
                            : std::vector<CK_ATTRIBUTE>{first, first + count};
}

Outcome<std::optional<Pin>> TokenUri::pin() const {
    if (const char* const value = kit_.uri_get_pin_value(uri_.get()))
        return Pin(value);
    const char* const source = kit_.uri_get_pin_source(uri_.get());
    if (source == nullptr)
        return std::nullopt;
    const std::string file = path_of(source);
    if (file.empty())
        return std::unexpected(failure(name_, "pin-source is not file: and an absolute path"));
    auto bytes = TRY(read_file(file));
    std::string_view line(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    line = line.substr(0, line.find_first_of("\r\n"));
    const bool is_pin = !line.empty() && line.size() <= max_pin_size;
    std::optional<Pin> pin;
    if (is_pin)
        pin.emplace(line);
    OPENSSL_cleanse(bytes.data(), bytes.size());
    if (!is_pin)
        return std::unexpected(failure(file, "its first line is no PIN of 1 to 255 characters"));
    return pin;
}

std::optional<Pin> ask_for_pin(const std::string& token) {
    // Without a terminal libcrypto would ask on standard error and read standard input.
    if (!Descriptor(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)).is_open())
        return std::nullopt;
    std::array<char, max_pin_size + 1> typed{};
    const std::string prompt = "PIN of token " + token + ": ";
    const int result =
        EVP_read_pw_string_min(typed.data(), 1, static_cast<int>(max_pin_size), prompt.c_str(), 0);
    ERR_clear_error();
    std::optional<Pin> pin;
    if (result == 0)
        pin.emplace(typed.data());
    OPENSSL_cleanse(typed.data(), typed.size());
    return pin;
}

} // namespace tdshim::tools
