// Made by kdrec from a .tflite file: do not edit, export it again.
#include "recommender.h"

#include "model.h"
#include "op_resolver.h"
#include "ranking.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace recommender {
namespace {

alignas($alignment) uint8_t arena[kArenaBytes];
tflite::MicroInterpreter* interpreter = nullptr;

}  // namespace

bool Setup() {
  if (interpreter != nullptr) {
    return true;
  }
  const tflite::Model* const model = tflite::GetModel(kModel);
  static OpResolver resolver;
  if (model->version() != TFLITE_SCHEMA_VERSION || AddOperators(resolver) != kTfLiteOk) {
    return false;
  }
  static tflite::MicroInterpreter made(model, resolver, arena, kArenaBytes);
  if (made.AllocateTensors() != kTfLiteOk) {
    return false;
  }
  interpreter = &made;
  return true;
}

size_t Recommend(const int32_t* history, size_t length,$context_parameters const int32_t* exclude, size_t n_exclude,
                 int32_t* items, Score* scores, size_t k) {
  if (interpreter == nullptr) {
    return 0;
  }
  // The runtime reuses the inputs' memory while it computes, so they are written before every call.
  int32_t* const tokens = interpreter->typed_input_tensor<int32_t>($history_input);
  if (tokens == nullptr || FillTokens(history, length, tokens) == 0) {
    return 0;
  }$context_set
  if (interpreter->Invoke() != kTfLiteOk) {
    return 0;
  }
  const Score* const scored = interpreter->typed_output_tensor<Score>(0);
  return scored == nullptr ? 0 : TopK(scored, exclude, n_exclude, items, scores, k);
}

}  // namespace recommender
