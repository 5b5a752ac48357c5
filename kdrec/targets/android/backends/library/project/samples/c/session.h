/* A .tflite file in LiteRT on the CPU; its signatures and tensors are called by name. A call that fails ends the program. */
#ifndef SESSION_H
#define SESSION_H

#include "litert.h"

enum { MOST_ENDS = 8 };

/* A signature with its buffers, which are made once. */
typedef struct {
    size_t index, n_inputs, n_outputs;
    const char *input_names[MOST_ENDS], *output_names[MOST_ENDS];
    LiteRtTensorBuffer inputs[MOST_ENDS], outputs[MOST_ENDS];
} Call;

typedef struct {
    LiteRtEnvironment environment;
    LiteRtModel model;
    LiteRtOptions options;
    LiteRtCompiledModel compiled;
} Session;

/* LiteRT dies of a file that is cut: compare its sha256 with manifest.json first, as the Kotlin code does. */
void session_open(Session *session, const char *path, int threads);
void session_close(Session *session);

void call_open(Session *session, Call *call, const char *signature);
void call_close(Call *call);

/* Set an input; `bytes` must be its size. */
void call_write(Call *call, const char *input, const void *from, size_t bytes);
void call_run(Session *session, Call *call);
void call_read(Call *call, const char *output, void *to, size_t bytes);

#endif
