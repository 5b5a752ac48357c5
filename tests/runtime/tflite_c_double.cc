// Stands for libtensorflowlite_c.so, which no package here has: its functions over the host's own LiteRT.
#include <cstring>

#include "device.h"

using namespace recommender;

namespace {

struct Tensor {
    const Edge *edge;
    std::vector<int8_t> stored;
};

struct Interpreter {
    std::unique_ptr<Device> device;
    std::vector<Tensor> inputs, outputs;
};

std::string folder;  // of the model that was read last
bool has_delegate = false;

}  // namespace

extern "C" {

void *TfLiteModelCreateFromFile(const char *path)
{
    folder = std::string(path).substr(0, std::string(path).rfind('/'));
    return &folder;
}
void *TfLiteInterpreterOptionsCreate() { return &has_delegate; }
void TfLiteInterpreterOptionsAddDelegate(void *, void *delegate) { has_delegate = delegate != nullptr; }
void *TfLiteInterpreterCreate(const void *, const void *)
{
    auto *made = new Interpreter{open_litert(folder), {}, {}};
    for (const HostInput &input : manifest().inputs) made->inputs.insert(made->inputs.begin(), {&input.edge, {}});
    for (const Edge &edge : manifest().outputs) made->outputs.insert(made->outputs.begin(), {&edge, {}});
    return made;  // in another order than the manifest's
}
int TfLiteInterpreterAllocateTensors(void *) { return 0; }
int32_t TfLiteInterpreterGetInputTensorCount(const void *of) { return (int32_t)((Interpreter *)of)->inputs.size(); }
int32_t TfLiteInterpreterGetOutputTensorCount(const void *of) { return (int32_t)((Interpreter *)of)->outputs.size(); }
void *TfLiteInterpreterGetInputTensor(const void *of, int32_t at) { return &((Interpreter *)of)->inputs[(size_t)at]; }
void *TfLiteInterpreterGetOutputTensor(const void *of, int32_t at) { return &((Interpreter *)of)->outputs[(size_t)at]; }
const char *TfLiteTensorName(const void *tensor) { return ((const Tensor *)tensor)->edge->tensor.c_str(); }
size_t TfLiteTensorByteSize(const void *tensor) { return ((const Tensor *)tensor)->edge->size; }
int TfLiteTensorCopyFromBuffer(void *tensor, const void *from, size_t size)
{
    ((Tensor *)tensor)->stored.assign((const int8_t *)from, (const int8_t *)from + size);
    return 0;
}
int TfLiteTensorCopyToBuffer(const void *tensor, void *to, size_t size)
{
    std::memcpy(to, ((const Tensor *)tensor)->stored.data(), size);
    return 0;
}
int TfLiteInterpreterInvoke(void *of)
{
    auto *interpreter = (Interpreter *)of;
    Stored inputs;
    for (auto each = interpreter->inputs.rbegin(); each != interpreter->inputs.rend(); ++each) inputs.push_back(each->stored);
    const Stored outputs = interpreter->device->run(inputs);
    for (size_t i = 0; i < outputs.size(); i++) interpreter->outputs[outputs.size() - 1 - i].stored = outputs[i];
    return 0;
}
void TfLiteInterpreterDelete(void *of) { delete (Interpreter *)of; }
void TfLiteInterpreterOptionsDelete(void *) {}
void TfLiteModelDelete(void *) {}

}  // extern "C"
