// Which of the devices there is.
#include "device.h"

namespace recommender {

std::unique_ptr<Device> open_device(const std::string &folder)
{
    for (auto *open : {open_edge_tpu, open_litert, open_tflite}) {
        std::unique_ptr<Device> device = open(folder);
        if (device != nullptr) return device;
    }
    throw std::runtime_error(
        "neither libLiteRt.so nor libtensorflowlite_c.so can be loaded; README.md says where they are, put the folder of "
        "one into LD_LIBRARY_PATH");
}

}  // namespace recommender
