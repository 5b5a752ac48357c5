// The Edge TPU, or the CPU, by the C interface of TensorFlow Lite: libtensorflowlite_c.so, whose functions are stable.
#include <cstdio>
#include <fstream>

#include "device.h"

namespace recommender {
namespace {

void report(const char *message) { std::fprintf(stderr, "libedgetpu.so.1: %s\n", message); }

class TfLite final : public Device {
   public:
    // delegate: of the Edge TPU's library, which is to destroy it; both null for the CPU.
    TfLite(void *library, void *edge_tpu, void *delegate, const std::string &path)
        : library_(library), edge_tpu_(edge_tpu), delegate_(delegate)
    {
        model_ = get<void *(const char *)>("TfLiteModelCreateFromFile")(path.c_str());
        if (model_ == nullptr) throw std::runtime_error(path + " cannot be read as a model; export the bundle again");
        options_ = get<void *()>("TfLiteInterpreterOptionsCreate")();
        if (delegate != nullptr) {
            get<void(void *, void *)>("TfLiteInterpreterOptionsAddDelegate")(options_, delegate);
        }
        interpreter_ = get<void *(const void *, const void *)>("TfLiteInterpreterCreate")(model_, options_);
        if (interpreter_ == nullptr || get<int(void *)>("TfLiteInterpreterAllocateTensors")(interpreter_) != 0) {
            throw std::runtime_error(path + " cannot be loaded by TensorFlow Lite; compile it again with compile.sh");
        }
        for (const HostInput &input : manifest().inputs) inputs_.push_back(tensor("Input", input.edge));
        for (const Edge &edge : manifest().outputs) outputs_.push_back(tensor("Output", edge));
    }

    ~TfLite() override
    {
        if (interpreter_ != nullptr) get<void(void *)>("TfLiteInterpreterDelete")(interpreter_);
        if (delegate_ != nullptr) symbol<void(void *)>(edge_tpu_, "tflite_plugin_destroy_delegate")(delegate_);
        get<void(void *)>("TfLiteInterpreterOptionsDelete")(options_);
        get<void(void *)>("TfLiteModelDelete")(model_);
    }

    TfLite(const TfLite &) = delete;
    TfLite &operator=(const TfLite &) = delete;

    std::string name() const override { return edge_tpu_ == nullptr ? "CPU, TensorFlow Lite" : "Edge TPU"; }

    Stored run(const Stored &inputs) override
    {
        for (std::size_t i = 0; i < inputs.size(); i++) {
            check(get<int(void *, const void *, std::size_t)>("TfLiteTensorCopyFromBuffer")(inputs_[i], inputs[i].data(),
                                                                                            inputs[i].size()));
        }
        check(get<int(void *)>("TfLiteInterpreterInvoke")(interpreter_));
        Stored outputs;
        for (std::size_t i = 0; i < outputs_.size(); i++) {
            outputs.emplace_back(manifest().outputs[i].size);
            check(get<int(const void *, void *, std::size_t)>("TfLiteTensorCopyToBuffer")(outputs_[i], outputs[i].data(),
                                                                                          outputs[i].size()));
        }
        return outputs;
    }

   private:
    template <typename Function>
    Function *get(const char *name) const
    {
        return symbol<Function>(library_, name);
    }

    static void check(int status)
    {
        if (status != 0) throw std::runtime_error("TensorFlow Lite failed while it ran the model");
    }

    // By the tensor's own name: a compiled file keeps it, its signatures it may not.
    void *tensor(const std::string &side, const Edge &edge) const
    {
        const std::string count = "TfLiteInterpreterGet" + side + "TensorCount", at = "TfLiteInterpreterGet" + side + "Tensor";
        const int32_t n = get<int32_t(const void *)>(count.c_str())(interpreter_);
        for (int32_t i = 0; i < n; i++) {
            void *found = get<void *(const void *, int32_t)>(at.c_str())(interpreter_, i);
            if (edge.tensor != get<const char *(const void *)>("TfLiteTensorName")(found)) continue;
            const std::size_t size = get<std::size_t(const void *)>("TfLiteTensorByteSize")(found);
            if (size == edge.size) return found;
            throw std::runtime_error("tensor " + edge.tensor + " must have " + std::to_string(edge.size) + " bytes, it has " +
                                     std::to_string(size) + "; compile the bundle's own model.tflite");
        }
        throw std::runtime_error("the model must have a tensor " + edge.tensor + "; compile the bundle's own model.tflite");
    }

    void *library_, *edge_tpu_, *delegate_, *model_ = nullptr, *options_ = nullptr, *interpreter_ = nullptr;
    std::vector<void *> inputs_, outputs_;
};

}  // namespace

std::unique_ptr<Device> open_edge_tpu(const std::string &folder)
{
    const std::string compiled = folder + "/model_edgetpu.tflite";
    if (!std::ifstream(compiled)) return nullptr;
    void *edge_tpu = open_library("libedgetpu.so.1");
    void *library = open_library("libtensorflowlite_c.so");
    if (edge_tpu == nullptr || library == nullptr) return nullptr;
    using Create = void *(char **, char **, std::size_t, void (*)(const char *));
    void *delegate = symbol<Create>(edge_tpu, "tflite_plugin_create_delegate")(nullptr, nullptr, 0, report);
    if (delegate == nullptr) return nullptr;  // no Edge TPU answers, and the CPU gives the same scores
    return std::make_unique<TfLite>(library, edge_tpu, delegate, compiled);
}

std::unique_ptr<Device> open_tflite(const std::string &folder)
{
    void *library = open_library("libtensorflowlite_c.so");
    if (library == nullptr) return nullptr;
    return std::make_unique<TfLite>(library, nullptr, nullptr, folder + "/model.tflite");
}

}  // namespace recommender
