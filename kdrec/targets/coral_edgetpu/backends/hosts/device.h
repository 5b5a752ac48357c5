// What runs the device's part of the model: an Edge TPU, or a library on the CPU that gives the same scores.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "manifest.h"

namespace recommender {

using Stored = std::vector<std::vector<int8_t>>;  // one a tensor, in the manifest's order

class Device {
   public:
    virtual ~Device() = default;
    virtual std::string name() const = 0;
    virtual Stored run(const Stored &inputs) = 0;
};

// The Edge TPU if its library, libtensorflowlite_c.so and model_edgetpu.tflite are there; else LiteRT or TensorFlow Lite.
std::unique_ptr<Device> open_device(const std::string &folder);

// Each is null where its library or its device is not there, and throws where they are but do not take the file.
std::unique_ptr<Device> open_edge_tpu(const std::string &folder);
std::unique_ptr<Device> open_litert(const std::string &folder);
std::unique_ptr<Device> open_tflite(const std::string &folder);

inline void *open_library(const char *name) { return dlopen(name, RTLD_NOW | RTLD_LOCAL); }

template <typename Function>
Function *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == nullptr) {
        throw std::runtime_error(std::string("the library has no ") + name + "; install the version that README.md names");
    }
    return reinterpret_cast<Function *>(found);
}

}  // namespace recommender
