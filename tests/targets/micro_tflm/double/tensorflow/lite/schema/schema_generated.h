// A double for tests, written for them: a model that tells its version.
#ifndef DOUBLE_SCHEMA_GENERATED_H_
#define DOUBLE_SCHEMA_GENERATED_H_

#include <stdint.h>

namespace tflite {

struct Model {
  unsigned char file[8];
  uint32_t version() const { return file[4] == 'T' && file[7] == '3' ? 3 : 0; }
};

inline const Model* GetModel(const void* file) { return static_cast<const Model*>(file); }

}  // namespace tflite

#endif  // DOUBLE_SCHEMA_GENERATED_H_
