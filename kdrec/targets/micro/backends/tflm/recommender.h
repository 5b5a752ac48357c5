// Made by kdrec from a .tflite file: do not edit, export it again.
#ifndef RECOMMENDER_RECOMMENDER_H_
#define RECOMMENDER_RECOMMENDER_H_

#include <stddef.h>
#include <stdint.h>

namespace recommender {

// Items are numbered by their position in items.json, from 0.
constexpr int32_t kItems = $n_items;  // that may be recommended
constexpr int32_t kKnown = $known;  // that a history may name: one more where number kItems stands for every rare item
constexpr size_t kHistory = $length;  // of a history, its last so many known items are read
using Score = $score;  // as the model gives it: scores compare within one list alone

// RAM for the runtime: what the tflite-micro interpreter used for this file on a 64-bit PC, by its own record, rounded
// up to $alignment bytes. A chip whose pointers have 32 bits uses less, unless its kernels (CMSIS-NN) want scratch memory:
// MicroInterpreter::arena_used_bytes() says what yours uses.
constexpr size_t kArenaBytes = $arena;

// Items for somebody without a history, best first.
constexpr size_t kPopularItems = $n_popular;
constexpr int32_t kPopular[] = {$popular};

// Once, before the first call of Recommend. False: the runtime lacks an operator, or the arena is too small.
bool Setup();

// The k best items for a history.
//
//   history    items, the most recent last; those that are not known are skipped
//   length     of the history, any number$context_manual
//   exclude    items that are not listed, in any order; give the history here, too, to list new items alone
//   n_exclude  of them
//   items      k places for the list, best first; of equal scores the lower item comes first
//   scores     k places for its scores
//
// Returns how many were found: fewer than k if no more are left, 0 if the history has no known item (show popular ones
// then), or without Setup. It uses static memory, so two calls must not run at a time.
size_t Recommend(const int32_t* history, size_t length,$context_parameters const int32_t* exclude, size_t n_exclude,
                 int32_t* items, Score* scores, size_t k);

}  // namespace recommender

#endif  // RECOMMENDER_RECOMMENDER_H_
