// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/soundness/choices.hpp"

#include <algorithm>
#include <random>

// libFuzzer's own mutations.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t limit);

namespace tdshim::soundness {
namespace {

// An input is: the first launch's choices; how many the second has otherwise; these; patches.
constexpr std::size_t changes_at = choice_count + 1;

struct Change {
    std::uint8_t choice;
    std::uint8_t value;
};

struct PatchHeader {
    std::uint8_t target; ///< the highest bit: of the second launch alone
    le16 offset;
    std::uint8_t length;
};
constexpr std::uint8_t second_alone = 0x80;
// More would make most of a mutated pair differ in what nobody compares any more.
constexpr std::size_t max_changes = choice_count;

std::size_t patches_at(const std::uint8_t* input) {
    return changes_at + (input[choice_count] % (max_changes + 1)) * sizeof(Change);
}

/// libFuzzer's own generator is std::minstd_rand, and its seeds for us are that generator's values:
/// the same one here would draw what libFuzzer draws next, choice after choice the same.
using Random = std::mt19937;

/// Alternatives are few, and the plainest is what most of them are best beside.
std::uint8_t random_value(Random& random) {
    return static_cast<std::uint8_t>(random() % 4 == 0 ? 0 : random() % 64);
}

/// What libFuzzer keeps breeds near itself; this is from anywhere. Sparse ones boot more often,
/// full ones tell more.
void draw_anew(std::uint8_t* input, std::size_t& size, Random& random) {
    const std::size_t plain_of_eight = 1 + random() % 7;
    for (std::size_t i = 0; i < choice_count; ++i)
        input[i] = static_cast<std::uint8_t>(random() % 8 < plain_of_eight ? 0 : random() % 64);
    input[choice_count] = 0;
    size = changes_at;
}

void change_second(std::uint8_t* input, std::size_t& size, std::size_t limit, Random& random) {
    const std::size_t count = input[choice_count] % (max_changes + 1);
    const std::size_t end = changes_at + count * sizeof(Change);
    if (count > 0 && random() % 3 == 0) { // one less
        std::copy(input + end, input + size, input + end - sizeof(Change));
        size -= sizeof(Change);
        input[choice_count] = static_cast<std::uint8_t>(count - 1);
        return;
    }
    if (count == max_changes || size + sizeof(Change) > limit)
        return;
    std::copy_backward(input + end, input + size, input + size + sizeof(Change));
    size += sizeof(Change);
    input[end] = static_cast<std::uint8_t>(random() % choice_count);
    input[end + 1] = random_value(random);
    input[choice_count] = static_cast<std::uint8_t>(count + 1);
}

} // namespace

void apply(const std::vector<Patch>& patches, Patched target, Blob& blob) {
    for (const Patch& patch : patches)
        for (std::size_t i = 0; patch.target == target && i < patch.bytes.size(); ++i)
            if (patch.offset + i < blob.size())
                blob[patch.offset + i] = patch.bytes[i];
}

Pair pair_of(Bytes input) {
    Pair pair;
    Reader reader(input);
    for (std::size_t i = 0; i < choice_count; ++i)
        pair.first.choices.set(static_cast<Choice>(i), reader.take<std::uint8_t>().value_or(0));
    pair.second = pair.first;
    const std::size_t changes = reader.take<std::uint8_t>().value_or(0) % (max_changes + 1);
    for (std::size_t i = 0; i < changes; ++i)
        if (const auto change = reader.take<Change>())
            pair.second.choices.set(static_cast<Choice>(change->choice % choice_count),
                                    change->value);
    while (const auto header = reader.take<PatchHeader>()) {
        const auto bytes = reader.take_bytes(std::min<std::size_t>(header->length, reader.left()));
        const Patch patch{
            .target = static_cast<Patched>((header->target & ~second_alone) % patched_count),
            .offset = header->offset,
            .bytes = Blob(bytes->begin(), bytes->end())};
        pair.second.patches.push_back(patch);
        if ((header->target & second_alone) == 0)
            pair.first.patches.push_back(patch);
    }
    return pair;
}

Blob input_of(const Choices& first, const Choices& second) {
    Blob input(changes_at);
    const auto put = [&](std::uint8_t value) { input.push_back(std::byte{value}); };
    std::uint8_t changes = 0;
    for (std::size_t i = 0; i < choice_count; ++i) {
        input[i] = std::byte{first.values()[i]};
        if (first.values()[i] == second.values()[i])
            continue;
        put(static_cast<std::uint8_t>(i));
        put(second.values()[i]);
        ++changes;
    }
    input[choice_count] = std::byte{changes};
    return input;
}

std::size_t mutate(std::uint8_t* input, std::size_t size, std::size_t limit, unsigned seed) {
    if (limit < changes_at)
        return size;
    Random random(seed);
    if (size < changes_at)
        std::fill(input + size, input + changes_at, std::uint8_t{0});
    size = std::max(size, changes_at);
    size = std::max(size, std::min(patches_at(input), limit));
    if (patches_at(input) > size)
        input[choice_count] = 0;
    if (random() % 4 == 0)
        draw_anew(input, size, random);
    for (std::size_t steps = 1 + random() % 4; steps > 0; --steps) {
        const std::size_t patches = patches_at(input);
        switch (random() % 8) {
        case 0:
        case 1:
        case 2:
        case 3: input[random() % choice_count] = random_value(random); break;
        case 4:
        case 5:
        case 6: change_second(input, size, limit, random); break;
        default:
            size = patches + LLVMFuzzerMutate(input + patches, size - patches, limit - patches);
        }
    }
    return size;
}

} // namespace tdshim::soundness
