// Made by kdrec from a .tflite file: do not edit, export it again.
#include "model.h"

namespace recommender {

alignas($alignment) const unsigned char kModel[kModelBytes] = {
$array
};

}  // namespace recommender
