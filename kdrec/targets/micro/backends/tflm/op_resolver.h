// Made by kdrec from a .tflite file: do not edit, export it again.
#ifndef RECOMMENDER_OP_RESOLVER_H_
#define RECOMMENDER_OP_RESOLVER_H_

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

namespace recommender {

// Room for the operators of this file, and for no other.
using OpResolver = tflite::MicroMutableOpResolver<$n_operators>;

TfLiteStatus AddOperators(OpResolver& resolver);

}  // namespace recommender

#endif  // RECOMMENDER_OP_RESOLVER_H_
