// SPDX-License-Identifier: Apache-2.0
//
// launch/guest/stage1: what of a command line names a root file system, and what is refused.

#include <catch2/catch_test_macros.hpp>

#include "launch/guest/stage1/root_words.hpp"

namespace tdshim::guest { namespace {

const std::string hash(64, 'a');
const std::string salt(64, '0');
const std::string whole = "roothash=" + hash + " stage1.data_blocks=239 stage1.salt=" + salt;

std::string error_of(const std::string& line) {
    const auto root = root_of(line);
    return root ? std::string() : root.error();
}

TEST_CASE("what is written is read", "[guest]") {
    Root root;
    root.verity.root_hash.fill(std::byte{0xAB});
    root.verity.salt.fill(std::byte{0x01});
    root.verity.data_blocks = 1'000'000;
    root.storage = Storage::overlay;
    root.init = "/bin/start";
    root.checks_all = true;
    root.wait_seconds = 7;
    root.extends_rtmr2 = true;
    root.network = Network{.address = {10, 0, 2, 15}, .prefix = 24, .gateway = {{10, 0, 2, 2}}};
    const auto read = root_of("console=ttyS0 " + words_of(root) + " quiet\n");
    REQUIRE(read);
    CHECK(read->verity == root.verity);
    CHECK(read->storage == root.storage);
    CHECK(read->init == root.init);
    CHECK(read->checks_all);
    CHECK(read->wait_seconds == 7);
    CHECK(read->extends_rtmr2);
    CHECK(read->network == root.network);
}

TEST_CASE("what is not said is as it is documented", "[guest]") {
    const auto root = root_of(whole);
    REQUIRE(root);
    CHECK(root->storage == Storage::none);
    CHECK(root->init == "/sbin/init");
    CHECK_FALSE(root->checks_all);
    CHECK(root->wait_seconds == 30);
    CHECK(words_of(*root) == whole);
}

TEST_CASE("each word is needed, once, and has one form", "[guest]") {
    CHECK(error_of("quiet") == "roothash is missing on the command line");
    CHECK(error_of("roothash=" + hash) == "stage1.data_blocks is missing on the command line");
    CHECK(error_of("roothash=" + hash + " stage1.data_blocks=1") ==
          "stage1.salt is missing on the command line");
    CHECK(error_of(whole + " roothash=" + hash) == "roothash is there twice");
    CHECK(error_of(whole + " stage1.storage=ram stage1.storage=ram") ==
          "stage1.storage is there twice");
    CHECK(error_of(whole + " stage1.storge=ram") == "stage1.storge is no word of stage 1's");
    const std::string rest = " stage1.data_blocks=1 stage1.salt=" + salt;
    for (const std::string& wrong :
         {hash.substr(1), hash + "a", std::string(64, 'A'), std::string(64, 'g'), std::string()})
        CHECK(error_of("roothash=" + wrong + rest).starts_with("roothash: expected 64 "));
    for (const char* const wrong :
         {"", "0", "01", "-1", "+1", "0x10", "18446744073709551616", "274877906945", "1k"})
        CHECK(error_of("roothash=" + hash + " stage1.salt=" + salt + " stage1.data_blocks=" + wrong)
                  .starts_with("stage1.data_blocks: expected "));
    for (const char* const wrong :
         {"stage1.storage=", "stage1.storage=disk", "stage1.init=sh", "stage1.check=some",
          "stage1.measure=rtmr3", "stage1.wait=0", "stage1.wait=3601"})
        CHECK(error_of(whole + " " + wrong).contains(": expected "));
}

TEST_CASE("an address is four numbers and the bits of its network", "[guest]") {
    CHECK(parse_network("0.0.0.0/1") == Network{.address = {0, 0, 0, 0}, .prefix = 1});
    CHECK(parse_network("255.1.20.3/32,1.2.3.4") ==
          Network{.address = {255, 1, 20, 3}, .prefix = 32, .gateway = {{1, 2, 3, 4}}});
    for (const char* const wrong :
         {"", "1.2.3.4", "1.2.3.4/", "1.2.3.4/0", "1.2.3.4/33", "1.2.3/8", "1.2.3.4.5/8",
          "1.2.3.256/8", "1.2.3.04/8", "1.2..4/8", "1.2.3.4./8", "1.2.3.4/8,", "1.2.3.4/8,1.2.3",
          "1.2.3.4/8,1.2.3.4,", "a.2.3.4/8", "1.2.3.4 /8", "-1.2.3.4/8"})
        CHECK_FALSE(parse_network(wrong));
}

TEST_CASE("a tree has 128 hashes a block, up to its root", "[guest]") {
    CHECK(tree_blocks(1) == 0);
    CHECK(tree_blocks(2) == 1);
    CHECK(tree_blocks(128) == 1);
    CHECK(tree_blocks(129) == 3);
    CHECK(tree_blocks(16384) == 129);
    CHECK(tree_blocks(16385) == 129 + 3);
}

TEST_CASE("dm-verity's table has all that it opens the disk by", "[guest]") {
    const Root root = root_of(whole).value();
    const Table table = table_of(root.verity, "/dev/vda", true);
    CHECK(table.sectors == 239 * 8);
    CHECK(table.parameters == "1 /dev/vda /dev/vda 4096 4096 239 239 sha256 " + hash + " " + salt +
                                  " 1 panic_on_corruption");
    CHECK_FALSE(table_of(root.verity, "/dev/vda", false).parameters.contains("panic"));
}

}} // namespace tdshim::guest
