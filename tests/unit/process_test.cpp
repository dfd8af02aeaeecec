// SPDX-License-Identifier: Apache-2.0
//
// launch/guest/stage1: the description of a container's process.

#include <catch2/catch_test_macros.hpp>

#include "launch/guest/stage1/process.hpp"

namespace tdshim::guest { namespace {

std::string error_of(const std::string& lines) {
    const auto process = process_of(std::string(process_magic) + lines);
    return process ? std::string() : process.error();
}

TEST_CASE("a process that was written is read", "[guest]") {
    const Process process{.arguments = {"/bin/server", "", "two words", "=\xC3\xA4"},
                          .environment = {"PATH=/bin:/sbin", "EMPTY="},
                          .folder = "/srv/a b",
                          .user = 4294967295,
                          .group = 100};
    const auto read = process_of(text_of(process));
    REQUIRE(read);
    CHECK(*read == process);
}

TEST_CASE("what is no process is refused", "[guest]") {
    CHECK_FALSE(process_of(""));
    CHECK_FALSE(process_of("#!/bin/sh\n"));
    CHECK(error_of("") == "names no program");
    CHECK(error_of("argument a\nargument b\n").empty());
    for (const char* const lines :
         {"argument a", "argument\n", "argument a\n\n", "arguments a\n", "user -1\nargument a\n",
          "user 4294967296\nargument a\n", "group x\nargument a\n", "user \nargument a\n"})
        CHECK(error_of(lines) == "has a line that is none of a process's");
    CHECK(error_of(std::string("argument a\0b\n", 13)) == "has a line that is none of a process's");
}

}} // namespace tdshim::guest
