// An example: the best items for somebody who took items 0 and 1, which are not listed again.
#include <stdio.h>

#include "recommender.h"

int main() {
  constexpr size_t k = 10;
  const int32_t history[] = {0, 1};
  const size_t length = sizeof history / sizeof history[0];
  int32_t items[k];
  recommender::Score scores[k];

  if (!recommender::Setup()) {
    printf("the runtime cannot run the model\n");
    return 1;
  }
  const size_t found =
      recommender::Recommend(history, length,$context_example history, length, items, scores, k);
  for (size_t i = 0; i < found; i++) {
    printf("item %ld, score %g\n", static_cast<long>(items[i]), static_cast<double>(scores[i]));
  }
  for (size_t i = 0; found == 0 && i < recommender::kPopularItems; i++) {
    printf("item %ld, popular\n", static_cast<long>(recommender::kPopular[i]));
  }
  return 0;
}
