// SPDX-License-Identifier: Apache-2.0
//
// Why a tool gives up, as a value: an Error of the libraries of shim/ with the name of the file in
// which it was met, or what the operating system said. command.cpp is the one place that prints it.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "shim/base/error.hpp"

namespace tdshim::tools {

struct Failure {
    std::string text; ///< "FILE: sentence", without the tool's name and without a full stop
    bool is_in_output = false; ///< --json's object was printed as far as it goes, and has the text
};

template <class T = void>
using Outcome = std::expected<T, Failure>;

/// `file` as messages name it: of a PKCS#11 URI what stands before its query, which can hold a PIN.
[[nodiscard]] std::string_view shown_name(std::string_view file);

/// "FILE: sentence at offset 0x10: expected 0x4, found 0x2"; the numbers only where there are some.
[[nodiscard]] Failure failure(std::string_view file, const Error& error);

/// "FILE: text".
[[nodiscard]] Failure failure(std::string_view file, std::string_view text);

/// "FILE: text: what the operating system says to `error_number`".
[[nodiscard]] Failure system_failure(std::string_view file, std::string_view text,
                                     int error_number);

/// What was made of `file`: the value, or its error with the file's name.
template <class T>
[[nodiscard]] Outcome<T> of_file(std::string_view file, Result<T> result) {
    return std::move(result).transform_error(
        [&](const Error& error) { return failure(file, error); });
}

} // namespace tdshim::tools
