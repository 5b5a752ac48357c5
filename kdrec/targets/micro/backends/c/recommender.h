/* Made by kdrec from a .tflite file: do not edit, export it again. */
#ifndef RECOMMENDER_H
#define RECOMMENDER_H

#include <stddef.h>
#include <stdint.h>

/* Items are numbered by their position in items.json, from 0. */
#define RECOMMENDER_ITEMS $n_items /* items that may be recommended */
#define RECOMMENDER_HISTORY $length /* of a history, its last so many known items are read */
$bundle_part
/*
 * The k best items for a history.
 *
 * history    items, the most recent last; those that are not known are skipped
 * length     of the history, any number$context_manual
 * exclude    items that are not listed, in any order; give the history here, too, to list new items alone
 * n_exclude  of them
 * items      k places for the list, best first; of equal scores the lower item comes first
 * scores     k places for its scores, which compare within this list alone
 *
 * Returns how many were found: fewer than k if no more are left, 0 if the history has no known item (show popular
 * ones then). It uses static memory, so two calls must not run at a time.
 */
size_t recommender_recommend(const int32_t *history, size_t length,$context_parameters const int32_t *exclude,
                             size_t n_exclude, int32_t *items, int32_t *scores, size_t k);

#ifdef RECOMMENDER_LOGITS
/* For tests: the score of every item as TensorFlow Lite Micro gives it. Returns 0, and nothing else, as above. */
size_t recommender_logits(const int32_t *history, size_t length,$context_parameters int8_t *logits);
#endif

#endif
