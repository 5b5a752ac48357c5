/* Stands for libedgetpu.so.1: a delegate that takes no operator, so that all of them stay on the CPU. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct Delegate { /* TfLiteDelegate */
    void *data;
    int (*prepare)(void *context, struct Delegate *delegate);
    void *from_buffer, *to_buffer, *free_buffer;
    int64_t flags;
    void *opaque;
} Delegate;

static int prepare(void *context, Delegate *delegate)
{
    (void)context;
    (void)delegate;
    return 0;
}

void *tflite_plugin_create_delegate(char **keys, char **values, size_t n, void (*report)(const char *))
{
    (void)keys;
    (void)values;
    (void)n;
    if (getenv("NO_EDGE_TPU") != NULL) {
        if (report != NULL) report("no device");
        return NULL;
    }
    Delegate *delegate = calloc(1, sizeof *delegate);
    delegate->prepare = prepare;
    return delegate;
}

void tflite_plugin_destroy_delegate(void *delegate) { free(delegate); }
