/* Instructions and stack of a recommendation, by SysTick under an emulator that takes a nanosecond for each one. */
#include "board.h"
#include "cases.h"
#include "recommender.h"

#define K 10
#define REPEATED 8
#define ROUNDS 500000

int main(void)
{
    static int32_t items[K], scores[K];
    (void)ticks();
    count_down(ROUNDS);
    put_number((int32_t)ticks());
    uint32_t stack = 0;
    for (size_t i = 0; i < N_CASES; i++) {
        const int32_t *const history = cases + i * LENGTH;
        paint_stack();
        (void)recommender_recommend(history, LENGTH, CONTEXT history, LENGTH, items, scores, K);
        const uint32_t used = painted_over();
        stack = used > stack ? used : stack;
    }
    (void)ticks();
    for (size_t i = 0; i < N_CASES; i++) {
        const int32_t *const history = cases + i * LENGTH;
        for (size_t repeated = 0; repeated < REPEATED; repeated++) {
            (void)recommender_recommend(history, LENGTH, CONTEXT history, LENGTH, items, scores, K);
        }
    }
    put_number((int32_t)ticks());
    put_number((int32_t)stack);
    return 0;
}
