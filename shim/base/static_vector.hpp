// SPDX-License-Identifier: Apache-2.0
//
// A list with a stated bound and no heap. Reaching the bound is an error for the caller to report,
// never a silent truncation.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <utility>

namespace tdshim {

template <class T, std::size_t Capacity>
class StaticVector {
  public:
    [[nodiscard]] constexpr bool push(T value) {
        if (size_ == Capacity)
            return false;
        items_[size_++] = std::move(value);
        return true;
    }

    /// Puts `value` before position `index`.
    [[nodiscard]] constexpr bool insert(std::size_t index, T value) {
        if (size_ == Capacity || index > size_)
            return false;
        for (std::size_t i = size_; i > index; --i)
            items_[i] = std::move(items_[i - 1]);
        items_[index] = std::move(value);
        ++size_;
        return true;
    }

    constexpr void erase(std::size_t index) {
        for (std::size_t i = index + 1; i < size_; ++i)
            items_[i - 1] = std::move(items_[i]);
        --size_;
    }

    constexpr void clear() { size_ = 0; }

    /// Ascending by `key(item)`; equal ones stay in their order. By insertion: lists are short, and
    /// std::ranges::sort is 4 KiB of measured code for each type.
    template <class Key>
    constexpr void sort_by(Key key) {
        for (std::size_t i = 1; i < size_; ++i) {
            T item = std::move(items_[i]);
            std::size_t at = i;
            for (; at > 0 && key(item) < key(items_[at - 1]); --at)
                items_[at] = std::move(items_[at - 1]);
            items_[at] = std::move(item);
        }
    }

    [[nodiscard]] static constexpr std::size_t capacity() { return Capacity; }
    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
    [[nodiscard]] constexpr auto begin(this auto& self) { return self.view().begin(); }
    [[nodiscard]] constexpr auto end(this auto& self) { return self.view().end(); }
    [[nodiscard]] constexpr auto& operator[](this auto& self, std::size_t index) {
        return self.view()[index];
    }
    [[nodiscard]] constexpr std::span<T> view() { return std::span(items_).first(size_); }
    [[nodiscard]] constexpr std::span<const T> view() const {
        return std::span(items_).first(size_);
    }

  private:
    std::array<T, Capacity> items_{};
    std::size_t size_ = 0;
};

} // namespace tdshim
