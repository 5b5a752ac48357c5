// Made by kdrec: what comes before and after the model, and needs no runtime.
#include "ranking.h"

namespace recommender {
namespace {

bool IsAmong(int32_t item, const int32_t* items, size_t n) {
  while (n > 0) {
    if (items[--n] == item) {
      return true;
    }
  }
  return false;
}

}  // namespace

size_t FillTokens(const int32_t* history, size_t length, int32_t* tokens) {
  size_t place = kHistory;
  while (length > 0 && place > 0) {
    const int32_t item = history[--length];
    if (item >= 0 && item < kKnown) {
      tokens[--place] = item + 1;
    }
  }
  const size_t read = kHistory - place;
  while (place > 0) {
    tokens[--place] = 0;
  }
  return read;
}

int32_t Clamped(int32_t value, int32_t values) {
  return value >= 0 && value < values ? value : 0;
}

size_t TopK(const Score* scores, const int32_t* exclude, size_t n_exclude, int32_t* items, Score* listed, size_t k) {
  size_t found = 0;
  for (int32_t item = 0; k > 0 && item < kItems; item++) {
    const Score score = scores[item];
    // Items come by number, so that an equal score never moves one up. Few get past this line.
    if ((found == k && score <= listed[k - 1]) || IsAmong(item, exclude, n_exclude)) {
      continue;
    }
    size_t place = found < k ? found++ : k - 1;
    for (; place > 0 && listed[place - 1] < score; place--) {
      items[place] = items[place - 1];
      listed[place] = listed[place - 1];
    }
    items[place] = item;
    listed[place] = score;
  }
  return found;
}

}  // namespace recommender
