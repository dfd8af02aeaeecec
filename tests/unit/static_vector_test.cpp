// SPDX-License-Identifier: Apache-2.0
//
// shim/base/static_vector.hpp: order of the items, and that a full list says so and stays as it
// was.

#include <array>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <initializer_list>
#include <type_traits>
#include <utility>
#include <vector>

#include "shim/base/static_vector.hpp"

namespace tdshim { namespace {

using List = StaticVector<int, 4>;

List list_of(std::initializer_list<int> values) {
    List list;
    for (const int value : values)
        REQUIRE(list.push(value));
    return list;
}

std::vector<int> items(const List& list) {
    return {list.begin(), list.end()};
}

TEST_CASE("a new list is empty", "[static_vector]") {
    const List list;
    CHECK(list.empty());
    CHECK(list.size() == 0);
    CHECK(list.begin() == list.end());
    CHECK(list.view().empty());
    STATIC_CHECK(List::capacity() == 4);
}

TEST_CASE("items stay in the order of their pushes", "[static_vector]") {
    const List list = list_of({3, 1, 2});
    CHECK_FALSE(list.empty());
    CHECK(items(list) == std::vector{3, 1, 2});
    CHECK(list[0] == 3);
    CHECK(list[2] == 2);
    CHECK(list.view().size() == 3);
}

TEST_CASE("a full list refuses another item and keeps the ones that it has", "[static_vector]") {
    List list = list_of({1, 2, 3, 4});
    CHECK_FALSE(list.push(5));
    CHECK_FALSE(list.insert(0, 5));
    CHECK_FALSE(list.insert(4, 5));
    CHECK(items(list) == std::vector{1, 2, 3, 4});
}

TEST_CASE("an item is inserted before the position", "[static_vector]") {
    SECTION("first") {
        List list = list_of({1, 2, 3});
        CHECK(list.insert(0, 9));
        CHECK(items(list) == std::vector{9, 1, 2, 3});
    }
    SECTION("in the middle") {
        List list = list_of({1, 2, 3});
        CHECK(list.insert(1, 9));
        CHECK(items(list) == std::vector{1, 9, 2, 3});
    }
    SECTION("behind the last") {
        List list = list_of({1, 2, 3});
        CHECK(list.insert(3, 9));
        CHECK(items(list) == std::vector{1, 2, 3, 9});
    }
    SECTION("into an empty list") {
        List list;
        CHECK(list.insert(0, 9));
        CHECK(items(list) == std::vector{9});
    }
}

TEST_CASE("a position behind the end is refused", "[static_vector]") {
    List list = list_of({1, 2});
    CHECK_FALSE(list.insert(3, 9));
    CHECK(items(list) == std::vector{1, 2});
}

TEST_CASE("erasing closes the gap", "[static_vector]") {
    List list = list_of({1, 2, 3, 4});
    SECTION("at the front") {
        list.erase(0);
        CHECK(items(list) == std::vector{2, 3, 4});
    }
    SECTION("in the middle") {
        list.erase(2);
        CHECK(items(list) == std::vector{1, 2, 4});
    }
    SECTION("at the end") {
        list.erase(3);
        CHECK(items(list) == std::vector{1, 2, 3});
    }
    CHECK(list.push(9));
    CHECK(list[3] == 9);
    CHECK_FALSE(list.push(10));
}

TEST_CASE("a cleared list has room for its whole capacity again", "[static_vector]") {
    List list = list_of({1, 2, 3, 4});
    list.clear();
    CHECK(list.empty());
    CHECK(items(list).empty());
    for (const int value : {5, 6, 7, 8})
        CHECK(list.push(value));
    CHECK(items(list) == std::vector{5, 6, 7, 8});
}

TEST_CASE("items can be changed in place", "[static_vector]") {
    List list = list_of({1, 2, 3});
    list[1] = 20;
    for (int& value : list)
        value += 1;
    list.view()[2] = 7;
    CHECK(items(list) == std::vector{2, 21, 7});
    STATIC_CHECK(std::is_same_v<decltype(std::as_const(list)[0]), const int&>);
}

TEST_CASE("a list works in constant expressions", "[static_vector]") {
    constexpr std::size_t size = [] {
        List list;
        if (!list.push(1) || !list.insert(0, 2))
            return std::size_t{99};
        list.erase(1);
        return list[0] == 2 ? list.size() : std::size_t{98};
    }();
    STATIC_CHECK(size == 1);
}

TEST_CASE("a list is sorted by a key, and equal items stay in their order", "[static_vector]") {
    using Item = std::pair<int, char>;
    StaticVector<Item, 8> list;
    for (const Item& item : {Item{3, 'a'}, {1, 'a'}, {3, 'b'}, {0, 'a'}, {1, 'b'}, {2, 'a'}})
        REQUIRE(list.push(item));
    list.sort_by([](const Item& item) { return item.first; });
    CHECK(std::ranges::equal(list, std::array{Item{0, 'a'}, Item{1, 'a'}, Item{1, 'b'},
                                              Item{2, 'a'}, Item{3, 'a'}, Item{3, 'b'}}));
    StaticVector<Item, 1> one;
    one.sort_by([](const Item& item) { return item.first; });
    CHECK(one.empty());
    REQUIRE(one.push({1, 'a'}));
    one.sort_by([](const Item& item) { return item.first; });
    CHECK(one[0] == Item{1, 'a'});
}

}} // namespace tdshim
