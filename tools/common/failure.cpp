// SPDX-License-Identifier: Apache-2.0
#include "tools/common/failure.hpp"

#include <algorithm>
#include <system_error>

#include "tools/common/text.hpp"

namespace tdshim::tools {

namespace {

/// A secure version number is decimal wherever else people meet it.
std::string number_in(const Error& error, std::uint64_t value) {
    return error.fault == Fault::payload_svn ? std::to_string(value) : hex(value);
}

} // namespace

std::string_view shown_name(std::string_view file) {
    return file.starts_with("pkcs11:") ? file.substr(0, std::min(file.find('?'), file.find("pin-")))
                                       : file;
}

Failure failure(std::string_view file, const Error& error) {
    std::string text(sentence(error.fault));
    const bool has_values = error.expected != 0 || error.found != 0;
    if (has_values || error.at != 0)
        text += " at offset " + hex(error.at);
    if (has_values)
        text += ": expected " + number_in(error, error.expected) + ", found " +
                number_in(error, error.found);
    return failure(file, text);
}

Failure failure(std::string_view file, std::string_view text) {
    return {.text = std::string(shown_name(file)) + ": " + std::string(text)};
}

Failure system_failure(std::string_view file, std::string_view text, int error_number) {
    return failure(file, std::string(text) + ": " +
                             std::error_code(error_number, std::generic_category()).message());
}

} // namespace tdshim::tools
