/* Every case of cases.h through a recommender: the logits, then the list and its scores. */
#include "cases.h"
#include "recommender.h"
#ifdef BOARD
#include "board.h"
#else
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void put_text(const char *text)
{
    fputs(text, stdout);
}
static void put_number(int32_t number)
{
    printf("%ld ", (long)number);
}
#endif

/* n numbers, on a computer in memory of exactly that size, so that a sanitizer sees one read or written beyond. */
static int32_t *exactly(const int32_t *numbers, size_t n, int place)
{
#ifdef BOARD
    static int32_t rooms[4][MOST];
    int32_t *const room = rooms[place];
    for (size_t i = 0; i < n && numbers != NULL; i++) {
        room[i] = numbers[i];
    }
#else
    int32_t *const room = malloc(n * sizeof *room + !n);
    (void)place;
    if (numbers != NULL && n > 0) {
        memcpy(room, numbers, n * sizeof *room);
    }
#endif
    return room;
}

static void put_numbers(const int32_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_number(numbers[i]);
    }
    put_text("\n");
}

int main(void)
{
    const int32_t *next = cases;
    for (int32_t number = 0; number < N_CASES; number++) {
        const size_t length = (size_t)next[0], n_exclude = (size_t)next[1], k = (size_t)next[2];
        const int32_t *context = next + 3;
        int32_t *const history = exactly(context + N_CONTEXT, length, 0);
        int32_t *const exclude = exactly(context + N_CONTEXT + length, n_exclude, 1);
        int32_t *const items = exactly(NULL, k, 2), *const scores = exactly(NULL, k, 3);
        static int8_t logits[RECOMMENDER_ITEMS];
        (void)context;
        next = context + N_CONTEXT + length + n_exclude;
        const size_t scored = recommender_logits(history, length, CONTEXT logits);
        for (size_t i = 0; i < scored; i++) {
            put_number(logits[i]);
        }
        put_text("\n");
        const size_t found = recommender_recommend(history, length, CONTEXT exclude, n_exclude, items, scores, k);
        put_numbers(items, found);
        put_numbers(scores, found);
#ifndef BOARD
        free(history);
        free(exclude);
        free(items);
        free(scores);
#endif
    }
    return 0;
}
