// SPDX-License-Identifier: Apache-2.0
//
// shim/plan/payload_files: what a payload brings, and what may go beside it.

#include <catch2/catch_test_macros.hpp>

#include "shim/plan/payload_files.hpp"
#include "tests/unit/kernel_blob.hpp"
#include "tests/unit/uki_blob.hpp"

namespace tdshim::plan { namespace {

using namespace tdshim::test;

std::string text_of(const Blob& blob) {
    return {reinterpret_cast<const char*>(blob.view().data()), blob.size()};
}

Blob uki_with(const std::string& kernel) {
    return pe_with(
        {{.name = ".linux", .content = kernel}, {.name = ".initrd", .content = "initrd"}});
}

TEST_CASE("a unified kernel image brings a kernel, and no other image in its place", "[plan]") {
    const Blob good = uki_with(text_of(kernel_blob()));
    const auto files = files_of({.kind = payload::Kind::uki, .contents = good.view()});
    REQUIRE(files.has_value());
    CHECK(files->program.size() == kernel_blob().size());
    CHECK(files->is_container);
    for (const std::string& inner : {text_of(good), std::string(0x1000, 'k')}) {
        const Blob nested = uki_with(inner);
        require_refused(files_of({.kind = payload::Kind::uki, .contents = nested.view()}),
                        Fault::uki_nested, 0, 0, 0);
    }
}

TEST_CASE("what a unified kernel image brings nobody brings again", "[plan]") {
    const Blob image = uki_with(text_of(kernel_blob()));
    auto files = files_of({.kind = payload::Kind::uki, .contents = image.view()});
    REQUIRE(files.has_value());
    require_refused(check_beside(files->initrd, true), Fault::uki_supplied_twice, 0, 0, 0);
    CHECK(check_beside(files->initrd, false).has_value());
    CHECK(check_beside(files->command_line, true).has_value()); // it brings none
    files = files_of(
        {.kind = payload::Kind::uki, .contents = image.view(), .signer = crypto::Digest{}});
    REQUIRE(files.has_value());
    require_refused(check_beside(files->command_line, true), Fault::payload_sealed, 0, 0, 0);
}

}} // namespace tdshim::plan
