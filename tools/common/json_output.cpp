// SPDX-License-Identifier: Apache-2.0
#include "tools/common/json_output.hpp"

#include <iostream>

namespace tdshim::tools {

void print_json(const nlohmann::ordered_json& value) {
    constexpr auto replace = nlohmann::ordered_json::error_handler_t::replace;
    std::cout << value.dump(2, ' ', false, replace) << '\n';
}

} // namespace tdshim::tools
