// SPDX-License-Identifier: Apache-2.0
#include "tests/native/machine.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "shim/memory/layout.hpp"

namespace tdshim::native {
std::string Outcome::refusal() const {
    constexpr std::string_view beginning = "tdshim: boot refused: ";
    for (const std::string& line : console)
        if (line.starts_with(beginning))
            return line.substr(beginning.size());
    return {};
}

bool PageSet::insert(std::uint64_t address) {
    const std::uint64_t page = address / page_size;
    if (page >= pages_.size())
        pages_.resize(page + large_page_size / page_size);
    const bool is_new = !pages_[page];
    pages_[page] = true;
    size_ += is_new ? 1 : 0;
    return is_new;
}

bool PageSet::contains(std::uint64_t address) const {
    const std::uint64_t page = address / page_size;
    return page < pages_.size() && pages_[page];
}

Machine::Machine() {
    void* const mapping = mmap(nullptr, address_space, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        std::abort();
    memory_ = static_cast<std::byte*>(mapping);
}

Machine::~Machine() {
    munmap(memory_, address_space);
}

void Machine::add_file(std::string_view name, Blob content) {
    files_.push_back({std::string(name), std::move(content)});
}

void Machine::remove_file(std::string_view name) {
    std::erase_if(files_, [&](const File& file) { return file.name == name; });
}

Blob& Machine::file(std::string_view name) {
    return std::ranges::find(files_, name, &File::name)->content;
}

void Machine::set_item(fw_cfg::Selector selector, Blob content) {
    items_[selector] = std::move(content);
}

fw_cfg::Selector Machine::selector_of(std::string_view name) const {
    const auto found = std::ranges::find(files_, name, &File::name);
    return static_cast<fw_cfg::Selector>(fw_cfg::first_file + (found - files_.begin()));
}

MutableBytes Machine::memory(Gpa start, std::uint64_t size) {
    return {memory_ + start.value, size};
}

Blob Machine::make_directory() const {
    Blob bytes(sizeof(be32) + files_.size() * sizeof(fw_cfg::DirectoryEntry));
    Writer writer(bytes);
    static_cast<void>(writer.put(be32{static_cast<std::uint32_t>(files_.size())}));
    for (const File& file : files_) {
        fw_cfg::DirectoryEntry entry{.size = static_cast<std::uint32_t>(file.content.size()),
                                     .select = selector_of(file.name),
                                     .reserved = 0,
                                     .name = {}};
        std::ranges::copy(file.name, entry.name.begin());
        static_cast<void>(writer.put(entry));
    }
    return bytes;
}

const Blob* Machine::item(fw_cfg::Selector selector) const {
    if (selector == fw_cfg::directory)
        return &directory_item_;
    if (selector >= fw_cfg::first_file && selector - fw_cfg::first_file < files_.size())
        return &files_[static_cast<std::size_t>(selector - fw_cfg::first_file)].content;
    const auto found = items_.find(selector);
    return found == items_.end() ? nullptr : &found->second;
}

void Machine::make_td(Blob hob, unsigned gpa_width) {
    gpa_width_ = gpa_width;
    std::ranges::copy(hob, memory(layout::td_hob.start(), hob.size()).begin());
}

void Machine::place(const GpaRange& memory_range, Bytes content) {
    added_.push_back(memory_range);
    std::ranges::copy(content, memory(memory_range.start(), content.size()).begin());
}

void Machine::select(fw_cfg::Selector selector) {
    selected_ = selector;
    position_ = 0;
}

bool Machine::read_selected(MutableBytes destination) {
    if (good_transfers_-- == 0)
        return false;
    const Blob* const content = item(selected_);
    std::size_t& end = read_up_to_[selected_];
    if (position_ < end)
        outcome_.findings.push_back("an input is read twice");
    for (std::byte& byte : destination) {
        byte = content != nullptr && position_ < content->size() ? (*content)[position_]
                                                                 : std::byte{0};
        ++position_;
    }
    end = std::max(end, position_);
    return true;
}

} // namespace tdshim::native
