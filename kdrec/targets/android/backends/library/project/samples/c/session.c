#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* A call that must succeed. */
#define MUST(call) ((call) == 0 ? (void)0 : fail("LiteRT refused " #call))

void session_open(Session *session, const char *path, int threads) {
    MUST(LiteRtCreateEnvironment(0, NULL, &session->environment));
    MUST(LiteRtCreateModelFromFile(session->environment, path, &session->model));
    MUST(LiteRtCreateOptions(&session->options));
    MUST(LiteRtSetOptionsHardwareAccelerators(session->options, LITERT_CPU));
    char *text = malloc(32);
    if (text == NULL) fail("no memory");
    snprintf(text, 32, "num_threads = %d\n", threads);
    LiteRtOpaqueOptions cpu;
    MUST(LiteRtCreateOpaqueOptions("xnnpack", text, free, &cpu));
    MUST(LiteRtAddOpaqueOptions(session->options, cpu));
    MUST(LiteRtCreateCompiledModel(session->environment, session->model, session->options, &session->compiled));
}

void session_close(Session *session) {
    LiteRtDestroyCompiledModel(session->compiled);
    LiteRtDestroyOptions(session->options);
    LiteRtDestroyModel(session->model);
    LiteRtDestroyEnvironment(session->environment);
}

static LiteRtTensorBuffer buffer(Session *session, LiteRtTensor tensor, LiteRtTensorBufferRequirements requirements) {
    LiteRtRankedTensorType type;
    LiteRtTensorBuffer made;
    MUST(LiteRtGetRankedTensorType(tensor, &type));
    MUST(LiteRtCreateManagedTensorBufferFromRequirements(session->environment, &type, requirements, &made));
    return made;
}

static LiteRtSignature find(Session *session, Call *call, const char *name) {
    LiteRtSignature signature;
    const char *key;
    size_t n;
    MUST(LiteRtGetNumModelSignatures(session->model, &n));
    for (call->index = 0; call->index < n; call->index++) {
        MUST(LiteRtGetModelSignature(session->model, call->index, &signature));
        MUST(LiteRtGetSignatureKey(signature, &key));
        if (strcmp(key, name) == 0) return signature;
    }
    fail("the model has no such signature");
    return NULL;
}

void call_open(Session *session, Call *call, const char *name) {
    LiteRtSignature signature = find(session, call, name);
    LiteRtTensor tensor;
    LiteRtTensorBufferRequirements requirements;
    MUST(LiteRtGetNumSignatureInputs(signature, &call->n_inputs));
    MUST(LiteRtGetNumSignatureOutputs(signature, &call->n_outputs));
    if (call->n_inputs > MOST_ENDS || call->n_outputs > MOST_ENDS) fail("raise MOST_ENDS");
    for (size_t n = 0; n < call->n_inputs; n++) {
        MUST(LiteRtGetSignatureInputName(signature, n, &call->input_names[n]));
        MUST(LiteRtGetSignatureInputTensorByIndex(signature, n, &tensor));
        MUST(LiteRtGetCompiledModelInputBufferRequirements(session->compiled, call->index, n, &requirements));
        call->inputs[n] = buffer(session, tensor, requirements);
    }
    for (size_t n = 0; n < call->n_outputs; n++) {
        MUST(LiteRtGetSignatureOutputName(signature, n, &call->output_names[n]));
        MUST(LiteRtGetSignatureOutputTensorByIndex(signature, n, &tensor));
        MUST(LiteRtGetCompiledModelOutputBufferRequirements(session->compiled, call->index, n, &requirements));
        call->outputs[n] = buffer(session, tensor, requirements);
    }
}

void call_close(Call *call) {
    for (size_t n = 0; n < call->n_inputs; n++) LiteRtDestroyTensorBuffer(call->inputs[n]);
    for (size_t n = 0; n < call->n_outputs; n++) LiteRtDestroyTensorBuffer(call->outputs[n]);
}

static void copy(const char **names, LiteRtTensorBuffer *buffers, size_t n, const char *name, const void *from, void *to,
                 size_t bytes) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) != 0) continue;
        size_t packed;
        void *address;
        MUST(LiteRtGetTensorBufferPackedSize(buffers[i], &packed));
        if (packed != bytes) fail("a tensor has another size");
        MUST(LiteRtLockTensorBuffer(buffers[i], &address, from != NULL ? LITERT_WRITE : LITERT_READ));
        memcpy(from != NULL ? address : to, from != NULL ? from : address, bytes);
        MUST(LiteRtUnlockTensorBuffer(buffers[i]));
        return;
    }
    fail("the signature has no tensor of that name");
}

void call_write(Call *call, const char *input, const void *from, size_t bytes) {
    copy(call->input_names, call->inputs, call->n_inputs, input, from, NULL, bytes);
}

void call_run(Session *session, Call *call) {
    MUST(LiteRtRunCompiledModel(session->compiled, call->index, call->n_inputs, call->inputs, call->n_outputs,
                                call->outputs));
}

void call_read(Call *call, const char *output, void *to, size_t bytes) {
    copy(call->output_names, call->outputs, call->n_outputs, output, NULL, to, bytes);
}
