// SPDX-License-Identifier: Apache-2.0
#include "tools/signing/token_modules.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <format>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

constexpr const char* advice = "(?module-path=FILE names a module, token=, serial= and slot-id= a "
                               "token)";

/// A field of a fixed size, filled up with spaces.
std::string text_of_field(const unsigned char* field, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(field), size);
    return printable(text.substr(0, text.find_last_not_of(' ') + 1));
}

std::vector<CK_SLOT_ID> slots_with_tokens(CK_FUNCTION_LIST& module) {
    CK_ULONG count = 0;
    if (module.C_GetSlotList(CK_TRUE, nullptr, &count) != CKR_OK)
        return {};
    std::vector<CK_SLOT_ID> slots(count);
    if (module.C_GetSlotList(CK_TRUE, slots.data(), &count) != CKR_OK)
        return {};
    slots.resize(std::min<std::size_t>(slots.size(), count));
    return slots;
}

void add_tokens(std::vector<Token>& tokens, CK_FUNCTION_LIST& module, const TokenUri& uri) {
    CK_INFO library{};
    if (module.C_GetInfo(&library) != CKR_OK || !uri.takes_module(library))
        return;
    for (const CK_SLOT_ID number : slots_with_tokens(module)) {
        CK_SLOT_INFO slot{};
        CK_TOKEN_INFO token{};
        if (module.C_GetSlotInfo(number, &slot) == CKR_OK && uri.takes_slot(number, slot) &&
            module.C_GetTokenInfo(number, &token) == CKR_OK && uri.takes_token(token) &&
            (token.flags & CKF_TOKEN_INITIALIZED) != 0)
            tokens.push_back({.module = &module,
                              .slot = number,
                              .flags = token.flags,
                              .label = text_of_field(token.label, sizeof(token.label))});
    }
}

/// Of "/usr/lib/softhsm/libsofthsm2.so" "softhsm2", as a URI's module-name has it [RFC 7512 2.3].
std::string name_of(const P11Kit& kit, CK_FUNCTION_LIST& module) {
    const std::unique_ptr<char, decltype(&std::free)> file(kit.module_get_filename(&module),
                                                           &std::free);
    std::string name = file ? std::filesystem::path(file.get()).filename().string() : "";
    name.resize(std::min(name.size(), name.find('.')));
    return name.starts_with("lib") ? name.substr(3) : name;
}

/// ": " and what libp11-kit says of its last call that went wrong, if it does.
std::string reason_of(const P11Kit& kit) {
    const char* const reason = kit.message();
    return reason == nullptr ? "" : ": " + printable(reason);
}

/// A list of one, as libp11-kit's own lists are: ended by a null pointer.
Outcome<CK_FUNCTION_LIST**> load_one(const P11Kit& kit, const TokenUri& uri) {
    const std::string path = uri.module_path();
    CK_FUNCTION_LIST* const module = kit.module_load(path.c_str(), 0);
    if (module == nullptr)
        return std::unexpected(
            failure(uri.name(), "module " + path + " cannot be loaded" + reason_of(kit)));
    const CK_RV result = kit.module_initialize(module);
    if (result != CKR_OK) {
        kit.module_release(module);
        return std::unexpected(
            failure(uri.name(), std::format("module {} does not start: {} ({})", path,
                                            kit.strerror(result), hex(result))));
    }
    return new CK_FUNCTION_LIST*[2]{module, nullptr};
}

} // namespace

void TokenModules::Unload::operator()(CK_FUNCTION_LIST** first) const {
    if (is_list) {
        kit.modules_finalize_and_release(first);
        return;
    }
    static_cast<void>(kit.module_finalize(*first));
    kit.module_release(*first);
    delete[] first;
}

Outcome<TokenModules> TokenModules::load(const P11Kit& kit, const TokenUri& uri) {
    const bool is_list = uri.module_path().empty();
    TokenModules modules(Unload{kit, is_list});
    modules.modules_.reset(is_list ? kit.modules_load_and_initialize(0) : TRY(load_one(kit, uri)));
    if (!modules.modules_)
        return std::unexpected(
            failure(uri.name(), "p11-kit does not start the modules that its configuration lists" +
                                    reason_of(kit)));
    if (*modules.modules_ == nullptr)
        return std::unexpected(failure(
            uri.name(), std::string("p11-kit's configuration lists no PKCS#11 module ") + advice));
    return modules;
}

Outcome<Token> TokenModules::find(const TokenUri& uri) const {
    std::vector<Token> tokens;
    const P11Kit& kit = modules_.get_deleter().kit;
    const std::string wanted = uri.module_name();
    for (CK_FUNCTION_LIST** module = modules_.get(); *module != nullptr; ++module)
        if (wanted.empty() || wanted == name_of(kit, **module))
            add_tokens(tokens, **module, uri);
    if (tokens.size() == 1)
        return tokens[0];
    return std::unexpected(failure(
        uri.name(), std::format("{} {}",
                                tokens.empty() ? "no such token"
                                               : std::format("names {} tokens", tokens.size()),
                                advice)));
}

} // namespace tdshim::tools
