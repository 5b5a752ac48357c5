// Made by kdrec from a .tflite file: do not edit, export it again.
#ifndef RECOMMENDER_MODEL_H_
#define RECOMMENDER_MODEL_H_

#include <stddef.h>

namespace recommender {

// The .tflite file, byte by byte.
constexpr size_t kModelBytes = $bytes;
extern const unsigned char kModel[kModelBytes];

}  // namespace recommender

#endif  // RECOMMENDER_MODEL_H_
