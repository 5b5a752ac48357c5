// Made by kdrec from a .tflite file: do not edit, export it again.
#include "op_resolver.h"

namespace recommender {

TfLiteStatus AddOperators(OpResolver& resolver) {
  if ($operators) {
    return kTfLiteError;
  }
  return kTfLiteOk;
}

}  // namespace recommender
