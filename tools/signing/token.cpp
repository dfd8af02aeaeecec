// SPDX-License-Identifier: Apache-2.0
#include "tools/signing/token.hpp"

#include <algorithm>
#include <array>
#include <format>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

/// More than any attribute that is read here has.
constexpr CK_ULONG max_attribute_size = 64 * 1024;
constexpr std::size_t max_signature_size = 4096;

unsigned char* characters(Bytes bytes) {
    // PKCS#11 declares what it only reads without const.
    return const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
}

const char* name_of(CK_OBJECT_CLASS object_class) {
    return object_class == CKO_PRIVATE_KEY ? "private key" : "public key";
}

} // namespace

Outcome<TokenSession> TokenSession::open(const std::string& text) {
    const P11Kit kit = TRY(load_p11_kit(std::string(shown_name(text))));
    auto uri = TRY(TokenUri::parse(kit, text));
    auto modules = TRY(TokenModules::load(kit, uri));
    auto token = TRY(modules.find(uri));
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    const CK_RV result =
        token.module->C_OpenSession(token.slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session);
    TokenSession opened(kit, std::move(uri), std::move(modules), std::move(token), session);
    if (result != CKR_OK)
        return opened.refused("opens no session", result);
    return opened;
}

TokenSession::~TokenSession() {
    if (session_ != CK_INVALID_HANDLE)
        static_cast<void>(token_.module->C_CloseSession(session_));
}

TokenSession::TokenSession(TokenSession&& other) noexcept
    : kit_(other.kit_), uri_(std::move(other.uri_)), modules_(std::move(other.modules_)),
      token_(std::move(other.token_)),
      session_(std::exchange(other.session_, CK_SESSION_HANDLE{CK_INVALID_HANDLE})),
      pin_(std::move(other.pin_)) {}

std::unexpected<Failure> TokenSession::refused(const std::string& what, CK_RV result) const {
    return std::unexpected(failure(name(), std::format("token \"{}\" {}: {} ({})", token_.label,
                                                       what, kit_.strerror(result), hex(result))));
}

Outcome<> TokenSession::log_in() {
    if ((token_.flags & CKF_LOGIN_REQUIRED) == 0)
        return {};
    TRY(take_pin());
    const bool has_keys_of_its_own = (token_.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
    if (!pin_ && !has_keys_of_its_own)
        if (auto typed = ask_for_pin(token_.label))
            pin_.emplace(std::move(*typed));
    if (!pin_ && !has_keys_of_its_own)
        return std::unexpected(failure(
            name(), std::format("token \"{}\" wants a PIN: give ?pin-source=file:FILE with the "
                                "URI, or a terminal to ask on",
                                token_.label)));
    return log_in_as(CKU_USER, "refuses the login");
}

Outcome<> TokenSession::log_in_if_pin_is_given() {
    if ((token_.flags & CKF_LOGIN_REQUIRED) != 0)
        TRY(take_pin());
    return pin_ ? log_in_as(CKU_USER, "refuses the login") : Outcome<>{};
}

Outcome<> TokenSession::take_pin() {
    if (auto pin = TRY(uri_.pin()))
        pin_.emplace(std::move(*pin));
    return {};
}

Outcome<> TokenSession::log_in_as(CK_USER_TYPE user, const char* what) {
    auto* const pin = pin_ ? reinterpret_cast<unsigned char*>(pin_->text().data()) : nullptr;
    const CK_RV result =
        token_.module->C_Login(session_, user, pin, pin_ ? pin_->text().size() : 0);
    if (result != CKR_OK && result != CKR_USER_ALREADY_LOGGED_IN)
        return refused(what, result);
    return {};
}

Outcome<std::optional<CK_OBJECT_HANDLE>> TokenSession::find(CK_OBJECT_CLASS wanted) const {
    return find_one(uri_.attributes(), wanted);
}

Outcome<std::optional<CK_OBJECT_HANDLE>> TokenSession::find(CK_OBJECT_CLASS wanted,
                                                            std::span<std::byte> identifier) const {
    return find_one(
        {{.type = CKA_ID, .pValue = identifier.data(), .ulValueLen = identifier.size()}}, wanted);
}

Outcome<std::optional<CK_OBJECT_HANDLE>>
TokenSession::find_one(std::vector<CK_ATTRIBUTE> wanted, CK_OBJECT_CLASS object_class) const {
    std::erase_if(wanted, [](const CK_ATTRIBUTE& one) { return one.type == CKA_CLASS; });
    wanted.push_back(
        {.type = CKA_CLASS, .pValue = &object_class, .ulValueLen = sizeof(object_class)});
    CK_FUNCTION_LIST& module = *token_.module;
    std::array<CK_OBJECT_HANDLE, 2> found{};
    CK_ULONG count = 0;
    CK_RV result = module.C_FindObjectsInit(session_, wanted.data(), wanted.size());
    if (result == CKR_OK) {
        result = module.C_FindObjects(session_, found.data(), found.size(), &count);
        static_cast<void>(module.C_FindObjectsFinal(session_));
    }
    if (result != CKR_OK)
        return refused("does not look for objects", result);
    if (count > 1)
        return std::unexpected(
            failure(name(), std::format("names more than one {} of token \"{}\" (object= and id= "
                                        "name one)",
                                        name_of(object_class), token_.label)));
    return count == 0 ? std::nullopt : std::optional(found[0]);
}

std::optional<std::vector<std::byte>> TokenSession::attribute(CK_OBJECT_HANDLE object,
                                                              CK_ATTRIBUTE_TYPE type) const {
    // [5.7.5]: the length first, then the value.
    CK_ATTRIBUTE one{.type = type, .pValue = nullptr, .ulValueLen = 0};
    if (token_.module->C_GetAttributeValue(session_, object, &one, 1) != CKR_OK ||
        one.ulValueLen > max_attribute_size)
        return std::nullopt;
    std::vector<std::byte> value(one.ulValueLen);
    one.pValue = value.data();
    if (token_.module->C_GetAttributeValue(session_, object, &one, 1) != CKR_OK ||
        one.ulValueLen > value.size())
        return std::nullopt;
    value.resize(one.ulValueLen);
    return value;
}

Outcome<std::vector<std::byte>> TokenSession::sign(CK_OBJECT_HANDLE key, CK_MECHANISM mechanism,
                                                   Bytes digest) {
    CK_FUNCTION_LIST& module = *token_.module;
    CK_RV result = module.C_SignInit(session_, &mechanism, key);
    if (result != CKR_OK)
        return refused("does not sign with this key", result);
    const auto again = attribute(key, CKA_ALWAYS_AUTHENTICATE);
    if (again && !again->empty() && (*again)[0] != std::byte{0})
        TRY(log_in_as(CKU_CONTEXT_SPECIFIC, "refuses the login for one signature"));
    std::vector<std::byte> signature(max_signature_size);
    CK_ULONG size = signature.size();
    result =
        module.C_Sign(session_, characters(digest), digest.size(), characters(signature), &size);
    if (result != CKR_OK)
        return refused("does not sign", result);
    signature.resize(std::min<std::size_t>(size, signature.size()));
    return signature;
}

} // namespace tdshim::tools
