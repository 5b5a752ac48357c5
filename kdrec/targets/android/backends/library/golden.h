/* golden.json: what LiteRT on x86-64 answered when the bundle was made. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <stdint.h>

enum {
    GOLDEN_CASES = $cases,
    GOLDEN_INPUTS = $n_inputs,
    GOLDEN_ITEMS = $n_items,
    GOLDEN_TOP = $n_top,
    GOLDEN_K = $k
};

static const char *const golden_names[GOLDEN_INPUTS] = {$names};
static const int golden_sizes[GOLDEN_INPUTS] = {$sizes};

/* Tokens of a case, one input after the other. */
static const int32_t golden_inputs[GOLDEN_CASES][$n_tokens] = {
$inputs
};

/* The best of `score`, and what `recommend` returned. */
static const int32_t golden_top[GOLDEN_CASES][GOLDEN_TOP] = {
$tops
};
static const int32_t golden_items[GOLDEN_CASES][GOLDEN_K] = {
$items
};
static const float golden_scores[GOLDEN_CASES][GOLDEN_K] = {
$scores
};

#endif
