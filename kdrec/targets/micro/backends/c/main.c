/* An example: the best items for somebody who took items 0 and 1, which are not listed again. */
#include <stdio.h>

#include "recommender.h"

#define K 10
$popular_defined
int main(void)
{
    const int32_t history[] = {0, 1};
    const size_t length = sizeof history / sizeof history[0];
    int32_t items[K], scores[K];

    const size_t found = recommender_recommend(history, length,$context_example history, length, items, scores, K);
    for (size_t i = 0; i < found; i++) {
        printf("item %ld, score %ld\n", (long)items[i], (long)scores[i]);
    }$popular_shown
    return 0;
}
