/* What a program on an emulated Cortex-M may use. */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

void put_text(const char *text);
void put_number(int32_t number); /* and a space */

/* Ticks of SysTick since the last call of the same, modulo 2^24. */
uint32_t ticks(void);

/* Run 2 * rounds instructions and a few: with `ticks`, how many instructions a tick takes. */
void count_down(uint32_t rounds);

/* Fill the free stack with a pattern; then how many bytes below the caller were written since. */
void paint_stack(void);
uint32_t painted_over(void);

#endif
