// Made by kdrec: what comes before and after the model, and needs no runtime.
#ifndef RECOMMENDER_RANKING_H_
#define RECOMMENDER_RANKING_H_

#include <stddef.h>
#include <stdint.h>

#include "recommender.h"

namespace recommender {

// The last known items of a history as the model takes them: right-aligned, 0 is none, else item + 1. Other ids are
// skipped: the runtime reads rows without looking whether they exist. Returns how many were read.
size_t FillTokens(const int32_t* history, size_t length, int32_t* tokens);

// A value of context, or 0, which is unknown, when it is not below `values`.
int32_t Clamped(int32_t value, int32_t values);

// The k best items by score, of equal scores the lower item first, those of `exclude` left out. Returns how many.
size_t TopK(const Score* scores, const int32_t* exclude, size_t n_exclude, int32_t* items, Score* listed, size_t k);

}  // namespace recommender

#endif  // RECOMMENDER_RANKING_H_
