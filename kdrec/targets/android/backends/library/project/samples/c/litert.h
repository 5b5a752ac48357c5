/* What the sample calls of LiteRT's C API, as libLiteRt.so of ai-edge-litert 2.3.0 has it; a status of 0 is success.
 * LiteRT's own headers say the same at length. Of older versions the functions that load a model take no environment. */
#ifndef LITERT_H
#define LITERT_H

#include <stddef.h>
#include <stdint.h>

typedef struct LiteRtEnvironmentT *LiteRtEnvironment;
typedef struct LiteRtModelT *LiteRtModel;
typedef struct LiteRtOptionsT *LiteRtOptions;
typedef struct LiteRtOpaqueOptionsT *LiteRtOpaqueOptions;
typedef struct LiteRtCompiledModelT *LiteRtCompiledModel;
typedef struct LiteRtSignatureT *LiteRtSignature;
typedef struct LiteRtTensorT *LiteRtTensor;
typedef struct LiteRtTensorBufferT *LiteRtTensorBuffer;
typedef struct LiteRtTensorBufferRequirementsT *LiteRtTensorBufferRequirements;

/* Passed on as it is; larger than the real one, whose size is nobody's business here. */
typedef struct {
    uint64_t hidden[32];
} LiteRtRankedTensorType;

enum { LITERT_CPU = 1, LITERT_READ = 0, LITERT_WRITE = 1 };

int LiteRtCreateEnvironment(int n_options, const void *options, LiteRtEnvironment *environment);
int LiteRtCreateModelFromFile(LiteRtEnvironment environment, const char *path, LiteRtModel *model);
int LiteRtCreateOptions(LiteRtOptions *options);
int LiteRtSetOptionsHardwareAccelerators(LiteRtOptions options, int accelerators);
int LiteRtCreateOpaqueOptions(const char *name, void *payload, void (*free_payload)(void *), LiteRtOpaqueOptions *made);
int LiteRtAddOpaqueOptions(LiteRtOptions options, LiteRtOpaqueOptions added);
int LiteRtCreateCompiledModel(LiteRtEnvironment environment, LiteRtModel model, LiteRtOptions options,
                              LiteRtCompiledModel *compiled);

int LiteRtGetNumModelSignatures(LiteRtModel model, size_t *n);
int LiteRtGetModelSignature(LiteRtModel model, size_t index, LiteRtSignature *signature);
int LiteRtGetSignatureKey(LiteRtSignature signature, const char **key);
int LiteRtGetNumSignatureInputs(LiteRtSignature signature, size_t *n);
int LiteRtGetNumSignatureOutputs(LiteRtSignature signature, size_t *n);
int LiteRtGetSignatureInputName(LiteRtSignature signature, size_t index, const char **name);
int LiteRtGetSignatureOutputName(LiteRtSignature signature, size_t index, const char **name);
int LiteRtGetSignatureInputTensorByIndex(LiteRtSignature signature, size_t index, LiteRtTensor *tensor);
int LiteRtGetSignatureOutputTensorByIndex(LiteRtSignature signature, size_t index, LiteRtTensor *tensor);
int LiteRtGetRankedTensorType(LiteRtTensor tensor, LiteRtRankedTensorType *type);

int LiteRtGetCompiledModelInputBufferRequirements(LiteRtCompiledModel compiled, size_t signature, size_t index,
                                                  LiteRtTensorBufferRequirements *requirements);
int LiteRtGetCompiledModelOutputBufferRequirements(LiteRtCompiledModel compiled, size_t signature, size_t index,
                                                   LiteRtTensorBufferRequirements *requirements);
int LiteRtCreateManagedTensorBufferFromRequirements(LiteRtEnvironment environment, const LiteRtRankedTensorType *type,
                                                    LiteRtTensorBufferRequirements requirements,
                                                    LiteRtTensorBuffer *buffer);
int LiteRtGetTensorBufferPackedSize(LiteRtTensorBuffer buffer, size_t *bytes);
int LiteRtLockTensorBuffer(LiteRtTensorBuffer buffer, void **address, int mode);
int LiteRtUnlockTensorBuffer(LiteRtTensorBuffer buffer);
int LiteRtRunCompiledModel(LiteRtCompiledModel compiled, size_t signature, size_t n_inputs, LiteRtTensorBuffer *inputs,
                           size_t n_outputs, LiteRtTensorBuffer *outputs);

void LiteRtDestroyTensorBuffer(LiteRtTensorBuffer buffer);
void LiteRtDestroyCompiledModel(LiteRtCompiledModel compiled);
void LiteRtDestroyOptions(LiteRtOptions options);
void LiteRtDestroyModel(LiteRtModel model);
void LiteRtDestroyEnvironment(LiteRtEnvironment environment);

#endif
