/* Start, output by semihosting, SysTick and stack of a Cortex-M in qemu; instead of a C library. */
#include "board.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define PATTERN UINT32_C(0xa5c3f00d)
#define OWN 8 /* words that the painter may have on it itself */
#define PAINTED 4096 /* bytes of stack, of which a program must use less */

extern uint32_t data_stored[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];
int main(void);
void reset(void);

static void semihost(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void leave(uint32_t status)
{
    const uint32_t exited[] = {0x20026, status}; /* ADP_Stopped_ApplicationExit */
    semihost(0x20, exited);
    for (;;) {
    }
}

static void fault(void)
{
    leave(1);
}

void reset(void)
{
#if __ARM_ARCH >= 7
    REGISTER(0xe000ed88) |= UINT32_C(15) << 20; /* switch the units for vectors and floating point on, if there are any */
#endif
    for (uint32_t *to = data_start, *from = data_stored; to < data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end;) {
        *to++ = 0;
    }
    REGISTER(0xe000e014) = 0xffffff;
    REGISTER(0xe000e018) = 0;
    REGISTER(0xe000e010) = 5;
    leave((uint32_t)main());
}

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {
    stack_top, (const void *)reset, (const void *)fault, (const void *)fault,
};

void put_text(const char *text)
{
    semihost(0x04, text);
}

void put_number(int32_t number)
{
    char text[13], *place = text + 12;
    uint32_t left = number < 0 ? 0 - (uint32_t)number : (uint32_t)number;
    *place = 0;
    *--place = ' ';
    do {
        *--place = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0) {
        *--place = '-';
    }
    put_text(place);
}

uint32_t ticks(void)
{
    static uint32_t before = 0xffffff;
    const uint32_t now = REGISTER(0xe000e018), passed = (before - now) & 0xffffff;
    before = now;
    return passed;
}

void count_down(uint32_t rounds)
{
    __asm__ volatile(".syntax unified\n1: subs %0, #1\n bne 1b" : "+l"(rounds) : : "cc");
}

static uint32_t *caller; /* where the stack of a measured call begins */

static volatile uint32_t *lowest(void)
{
    return (volatile uint32_t *)((uintptr_t)stack_top - PAINTED);
}

__attribute__((noinline)) void paint_stack(void)
{
    __asm__ volatile("mov %0, sp" : "=r"(caller));
    for (volatile uint32_t *place = lowest(); place < caller - OWN; place++) {
        *place = PATTERN;
    }
}

__attribute__((noinline)) uint32_t painted_over(void)
{
    const volatile uint32_t *place = lowest();
    while (place < caller && *place == PATTERN) {
        place++;
    }
    return (uint32_t)((uintptr_t)caller - (uintptr_t)place);
}

/* The compiler calls these for loops that fill and copy. */
void *memset(void *to, int value, size_t n)
{
    for (volatile uint8_t *place = to; n > 0; n--) {
        *place++ = (uint8_t)value;
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    const uint8_t *source = from;
    for (volatile uint8_t *place = to; n > 0; n--) {
        *place++ = *source++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *target = to;
    const uint8_t *source = from;
    if (target < source) {
        return memcpy(to, from, n);
    }
    for (volatile uint8_t *place = target + n; n > 0; n--) {
        *--place = source[n - 1];
    }
    return to;
}
