// A double for tests, written for them: an interpreter whose inputs lie in the arena and whose answers are the test's.
#ifndef DOUBLE_MICRO_INTERPRETER_H_
#define DOUBLE_MICRO_INTERPRETER_H_

#include <stddef.h>
#include <stdint.h>

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

#define TFLITE_SCHEMA_VERSION (3)

// The test's: told of the inputs at every call, and gives the output.
const void* Answered(const int32_t* first, const int32_t* second);

namespace tflite {

class MicroInterpreter {
 public:
  MicroInterpreter(const Model*, const MicroOpResolver& resolver, uint8_t* arena, size_t arena_bytes)
      : resolver_(resolver), arena_(arena), bytes_(arena_bytes) {}

  TfLiteStatus AllocateTensors() {
    const bool aligned = reinterpret_cast<uintptr_t>(arena_) % 16 == 0;
    return aligned && bytes_ >= 2 * kInput && resolver_.added > 0 ? kTfLiteOk : kTfLiteError;
  }

  // Each input has its place, and its memory is overwritten when the graph has run.
  template <class T>
  T* typed_input_tensor(int index) {
    return index < 2 ? reinterpret_cast<T*>(arena_ + static_cast<size_t>(index) * kInput) : nullptr;
  }

  TfLiteStatus Invoke() {
    output_ = Answered(typed_input_tensor<int32_t>(0), typed_input_tensor<int32_t>(1));
    for (size_t i = 0; i < 2 * kInput; i++) {
      arena_[i] = 0x5a;
    }
    return output_ == nullptr ? kTfLiteError : kTfLiteOk;
  }

  template <class T>
  const T* typed_output_tensor(int) const {
    return static_cast<const T*>(output_);
  }

 private:
  static constexpr size_t kInput = 256;  // bytes: 64 tokens
  const MicroOpResolver& resolver_;
  uint8_t* arena_;
  size_t bytes_;
  const void* output_ = nullptr;
};

}  // namespace tflite

#endif  // DOUBLE_MICRO_INTERPRETER_H_
