/*
 * Made by kdrec from a .tflite file: do not edit, export it again.
 *
 * C99 and nothing else: no library, no heap, no floating point. A right shift of a negative number is taken to keep its
 * sign, as it does with every compiler for these chips.
 */
#include "recommender.h"

#include <stdbool.h>

$tables

/* Last items of the history, right-aligned: 0 is none, else position + 1. */
static $token history[RECOMMENDER_HISTORY];

/* Values on their way, each the stored int8 minus its zero point; those never needed together share places. */
static int16_t memory[$size];
$kept

$kernels
/* The history's known items; returns whether there is one. */
static bool read_history(const int32_t *ids, size_t length)
{
    size_t place = RECOMMENDER_HISTORY;
    while (length > 0 && place > 0) {
        const int32_t id = ids[--length];
        if (id >= 0 && id < $known) {
            history[--place] = ($token)(id + 1);
        }
    }
    const bool is_known = place < RECOMMENDER_HISTORY;
    while (place > 0) {
        history[--place] = 0;
    }
    return is_known;
}

/* From the history to the query. */
static void encode($encode_parameters)
{
$steps
}

/* The query times the rows of four items: what the file would round to eight bits. */
static void score(size_t item, int32_t sums[4])
{
$four
}

static bool is_among(int32_t item, const int32_t *items, size_t n)
{
    while (n > 0) {
        if (items[--n] == item) {
            return true;
        }
    }
    return false;
}

size_t recommender_recommend(const int32_t *ids, size_t length,$context_parameters const int32_t *exclude,
                             size_t n_exclude, int32_t *items, int32_t *scores, size_t k)
{
    size_t found = 0;
    if (k == 0 || !read_history(ids, length)) {
        return 0;
    }
    encode($encode_arguments);
    int32_t sums[4];
    for (int32_t item = 0; item < RECOMMENDER_ITEMS; item++) {
        if (item % 4 == 0) {
            score((size_t)item, sums);
        }
        const int32_t scored = sums[item % 4];
        /* Items come by number, so that an equal score never moves one up. Few get past this line. */
        if ((found == k && scored <= scores[k - 1]) || is_among(item, exclude, n_exclude)) {
            continue;
        }
        size_t place = found < k ? found++ : k - 1;
        for (; place > 0 && scores[place - 1] < scored; place--) {
            items[place] = items[place - 1];
            scores[place] = scores[place - 1];
        }
        items[place] = item;
        scores[place] = scored;
    }
    return found;
}

#ifdef RECOMMENDER_LOGITS
size_t recommender_logits(const int32_t *ids, size_t length,$context_parameters int8_t *logits)
{
    if (!read_history(ids, length)) {
        return 0;
    }
    encode($encode_arguments);
    for (int32_t item = 0; item < RECOMMENDER_ITEMS; item++) {
        logits[item] = (int8_t)($logit + $zero_point);
    }
    return RECOMMENDER_ITEMS;
}
#endif
