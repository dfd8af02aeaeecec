// SPDX-License-Identifier: Apache-2.0
#include "tools/common/json_output.hpp"

#include <iostream>

namespace tdshim::tools {

void print_json(const nlohmann::ordered_json& value) {
    constexpr auto replace = nlohmann::ordered_json::error_handler_t::replace;
    std::cout << value.dump(2, ' ', false, replace) << '\n';
}

void print_json(std::string_view schema, const nlohmann::ordered_json& object) {
    nlohmann::ordered_json value{{"schema", schema}};
    value.update(object);
    print_json(value);
}

} // namespace tdshim::tools
