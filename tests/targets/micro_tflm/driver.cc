// Runs the cases of cases.h through generated code, and writes what the model was given and what it lists.
#include <stdio.h>
#include <string.h>

#include "cases.h"
#include "model.h"
#include "recommender.h"

static size_t number = 0;

const void* Answered(const int32_t* first, const int32_t* second) {
  const int32_t* const tokens = HISTORY_FIRST ? first : second;
  const int32_t* const context = HISTORY_FIRST ? second : first;
  for (size_t i = 0; i < recommender::kHistory; i++) {
    printf("%ld ", static_cast<long>(tokens[i]));
  }
  printf("%ld", static_cast<long>(context[0]));
  return logits + static_cast<size_t>(recommender::kItems) * number;
}

int main(int n_arguments, char**) {
  if (n_arguments > 1) {  // the array itself
    return fwrite(recommender::kModel, 1, recommender::kModelBytes, stdout) == recommender::kModelBytes ? 0 : 1;
  }
  int32_t items[MOST];
  recommender::Score scores[MOST];
  const int32_t* place = cases;
  if (recommender::Recommend(place, 0, 0, place, 0, items, scores, 1) != 0 || !recommender::Setup()) {
    return 1;
  }
  if (reinterpret_cast<uintptr_t>(recommender::kModel) % 16 != 0) {
    return 2;
  }
  for (; number < N_CASES; number++) {
    const size_t length = static_cast<size_t>(place[0]);
    const size_t n_exclude = static_cast<size_t>(place[1]), k = static_cast<size_t>(place[2]);
    const int32_t context = place[3];
    const int32_t* const history = place + 4;
    place = history + length + n_exclude;
    const size_t found =
        recommender::Recommend(history, length, context, history + length, n_exclude, items, scores, k);
    printf("\n");
    for (size_t i = 0; i < found; i++) {
      printf("%ld ", static_cast<long>(items[i]));
    }
    printf("\n");
    for (size_t i = 0; i < found; i++) {
      printf("%g ", static_cast<double>(scores[i]));
    }
    printf("\n");
  }
  return 0;
}
