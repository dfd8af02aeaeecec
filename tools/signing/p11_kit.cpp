// SPDX-License-Identifier: Apache-2.0
#include "tools/signing/p11_kit.hpp"

#include <dlfcn.h>

namespace tdshim::tools {
namespace {

constexpr const char* library_name = "libp11-kit.so.0";

/// Sets functions one by one and remembers whether one was lacking.
class Symbols {
  public:
    explicit Symbols(void* library) : library_(library) {}

    template <class Function>
    void set(Function*& function, const char* name) {
        function = reinterpret_cast<Function*>(::dlsym(library_, name));
        is_complete_ = is_complete_ && function != nullptr;
    }
    [[nodiscard]] bool is_complete() const { return is_complete_; }

  private:
    void* library_;
    bool is_complete_ = true;
};

void set_module_functions(P11Kit& kit, Symbols& symbols) {
    symbols.set(kit.message, "p11_kit_message");
    symbols.set(kit.strerror, "p11_kit_strerror");
    symbols.set(kit.module_load, "p11_kit_module_load");
    symbols.set(kit.module_initialize, "p11_kit_module_initialize");
    symbols.set(kit.module_finalize, "p11_kit_module_finalize");
    symbols.set(kit.module_get_filename, "p11_kit_module_get_filename");
    symbols.set(kit.module_release, "p11_kit_module_release");
    symbols.set(kit.modules_load_and_initialize, "p11_kit_modules_load_and_initialize");
    symbols.set(kit.modules_finalize_and_release, "p11_kit_modules_finalize_and_release");
}

void set_uri_functions(P11Kit& kit, Symbols& symbols) {
    symbols.set(kit.uri_new, "p11_kit_uri_new");
    symbols.set(kit.uri_free, "p11_kit_uri_free");
    symbols.set(kit.uri_parse, "p11_kit_uri_parse");
    symbols.set(kit.uri_message, "p11_kit_uri_message");
    symbols.set(kit.uri_any_unrecognized, "p11_kit_uri_any_unrecognized");
    symbols.set(kit.uri_get_attributes, "p11_kit_uri_get_attributes");
    symbols.set(kit.uri_get_module_name, "p11_kit_uri_get_module_name");
    symbols.set(kit.uri_get_module_path, "p11_kit_uri_get_module_path");
    symbols.set(kit.uri_get_pin_source, "p11_kit_uri_get_pin_source");
    symbols.set(kit.uri_get_pin_value, "p11_kit_uri_get_pin_value");
    symbols.set(kit.uri_get_slot_id, "p11_kit_uri_get_slot_id");
    symbols.set(kit.uri_match_module_info, "p11_kit_uri_match_module_info");
    symbols.set(kit.uri_match_slot_info, "p11_kit_uri_match_slot_info");
    symbols.set(kit.uri_match_token_info, "p11_kit_uri_match_token_info");
}

} // namespace

Outcome<P11Kit> load_p11_kit(const std::string& name) {
    void* const library = ::dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr)
        return std::unexpected(failure(name, std::string("a token needs ") + library_name +
                                                 ", of the package libp11-kit0, which is not "
                                                 "installed"));
    P11Kit kit{};
    Symbols symbols(library);
    set_module_functions(kit, symbols);
    set_uri_functions(kit, symbols);
    if (!symbols.is_complete())
        return std::unexpected(failure(name, std::string(library_name) +
                                                 " is too old: install a newer package "
                                                 "libp11-kit0"));
    return kit;
}

} // namespace tdshim::tools
