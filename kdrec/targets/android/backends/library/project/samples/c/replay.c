/* Asks the model of a bundle what golden.json holds, and compares: items, and scores to the bit.
 *
 *     replay MODEL.tflite [THREADS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h" /* golden.json as arrays, written beside this file */
#include "session.h"

static void ask(Session *session, Call *call, int number) {
    const int32_t *tokens = golden_inputs[number];
    for (int i = 0; i < GOLDEN_INPUTS; i++) {
        call_write(call, golden_names[i], tokens, golden_sizes[i] * sizeof *tokens);
        tokens += golden_sizes[i];
    }
    call_run(session, call);
}

/* Positions of the best scores, equal ones by position, as golden.json lists them. */
static int is_top(const float *scores, const int32_t *expected) {
    for (int place = 0; place < GOLDEN_TOP; place++) {
        int best = -1;
        for (int item = 0; item < GOLDEN_ITEMS; item++) {
            int is_taken = 0;
            for (int before = 0; before < place; before++) is_taken |= expected[before] == item;
            if (!is_taken && (best < 0 || scores[item] > scores[best])) best = item;
        }
        if (best != expected[place]) return 0;
    }
    return 1;
}

int main(int n_arguments, char **arguments) {
    static float scores[GOLDEN_ITEMS], top_scores[GOLDEN_K];
    static int32_t top_items[GOLDEN_K];
    if (n_arguments < 2) {
        fprintf(stderr, "usage: %s MODEL.tflite [THREADS]\n", arguments[0]);
        return 2;
    }
    Session session;
    Call score, recommend;
    session_open(&session, arguments[1], n_arguments > 2 ? atoi(arguments[2]) : 1);
    call_open(&session, &score, "score");
    call_open(&session, &recommend, "recommend");
    int differences = 0;
    for (int number = 0; number < GOLDEN_CASES; number++) {
        ask(&session, &score, number);
        call_read(&score, "scores", scores, sizeof scores);
        ask(&session, &recommend, number);
        call_read(&recommend, "items", top_items, sizeof top_items);
        call_read(&recommend, "scores", top_scores, sizeof top_scores);
        int is_equal = is_top(scores, golden_top[number]) &&
                       memcmp(top_items, golden_items[number], sizeof top_items) == 0 &&
                       memcmp(top_scores, golden_scores[number], sizeof top_scores) == 0;
        if (!is_equal) printf("case %d differs\n", number);
        differences += !is_equal;
    }
    call_close(&recommend);
    call_close(&score);
    session_close(&session);
    if (differences == 0) printf("%d golden vectors: equal\n", GOLDEN_CASES);
    return differences != 0;
}
