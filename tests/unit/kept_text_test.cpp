// SPDX-License-Identifier: Apache-2.0
//
// shim/base/kept_text.hpp: the beginning stays, and what comes too late is counted.

#include <catch2/catch_test_macros.hpp>

#include "shim/base/kept_text.hpp"

namespace tdshim { namespace {

TEST_CASE("a text is kept up to its room, and the rest is counted", "[base]") {
    KeptText<8> kept;
    CHECK(kept.text().empty());
    kept.add("abc");
    kept.add("defgh");
    CHECK(kept.text() == "abcdefgh");
    CHECK(kept.lost() == 0);
    kept.add("ij");
    kept.add("");
    CHECK(kept.text() == "abcdefgh");
    CHECK(kept.lost() == 2);
    KeptText<4> cut;
    cut.add("abcdef");
    CHECK(cut.text() == "abcd");
    CHECK(cut.lost() == 2);
}

}} // namespace tdshim
