// The CPU, by the C interface of LiteRT: libLiteRt.so of the Python package ai-edge-litert 2.3.0, which has no headers.
#include <cstdlib>
#include <cstring>

#include "device.h"

namespace recommender {
namespace {

constexpr int kCpu = 1, kInt8 = 9;
constexpr std::size_t kAlignment = 64;  // of the memory that LiteRT reads and writes

// LiteRtRankedTensorType, whose size and places its header pins.
struct TensorType {
    int32_t element;
    uint32_t rank;
    int32_t sizes[8];
    uint32_t strides[8];
};
static_assert(sizeof(TensorType) == 72, "LiteRtRankedTensorType has 72 bytes");

void check(int status, const char *what)
{
    if (status != 0) throw std::runtime_error(std::string("LiteRT: ") + what + " failed with status " + std::to_string(status));
}

struct Freed {
    void operator()(void *memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, Freed>;

class LiteRt final : public Device {
   public:
    LiteRt(void *library, const std::string &path) : library_(library)
    {
        check(get<int(int, const void *, void **)>("LiteRtCreateEnvironment")(0, nullptr, &environment_), "the environment");
        check(get<int(void *, const char *, void **)>("LiteRtCreateModelFromFile")(environment_, path.c_str(), &model_),
              path.c_str());
        check(get<int(void **)>("LiteRtCreateOptions")(&options_), "the options");
        check(get<int(void *, int)>("LiteRtSetOptionsHardwareAccelerators")(options_, kCpu), "choosing the CPU");
        check(get<int(void *, void *, void *, void **)>("LiteRtCreateCompiledModel")(environment_, model_, options_, &compiled_),
              "compiling the model");
        void *signature = nullptr;
        check(get<int(void *, std::size_t, void **)>("LiteRtGetModelSignature")(model_, 0, &signature), "the signature");
        for (const HostInput &input : manifest().inputs) edges_.push_back(input.edge);
        hold(signature, "Input", edges_, inputs_);
        hold(signature, "Output", manifest().outputs, outputs_);
        run_ = get<int(void *, std::size_t, std::size_t, void **, std::size_t, void **)>("LiteRtRunCompiledModel");
    }

    ~LiteRt() override
    {
        for (auto *ends : {&inputs_, &outputs_}) {
            for (void *buffer : ends->buffers) destroy("LiteRtDestroyTensorBuffer", buffer);
        }
        destroy("LiteRtDestroyCompiledModel", compiled_);
        destroy("LiteRtDestroyOptions", options_);
        destroy("LiteRtDestroyModel", model_);
        destroy("LiteRtDestroyEnvironment", environment_);
    }

    LiteRt(const LiteRt &) = delete;
    LiteRt &operator=(const LiteRt &) = delete;

    std::string name() const override { return "CPU, LiteRT"; }

    Stored run(const Stored &inputs) override
    {
        for (std::size_t i = 0; i < inputs.size(); i++) {
            std::memcpy(inputs_.memory[i].get(), inputs[i].data(), inputs[i].size());
        }
        check(run_(compiled_, 0, inputs_.buffers.size(), inputs_.in_order.data(), outputs_.buffers.size(),
                   outputs_.in_order.data()),
              "running the model");
        Stored outputs;
        for (std::size_t i = 0; i < outputs_.memory.size(); i++) {
            const auto *first = static_cast<const int8_t *>(outputs_.memory[i].get());
            outputs.emplace_back(first, first + manifest().outputs[i].size);
        }
        return outputs;
    }

   private:
    // Memory and buffers in the manifest's order; the same buffers as the signature counts them.
    struct Ends {
        std::vector<Memory> memory;
        std::vector<void *> buffers, in_order;
    };

    template <typename Function>
    Function *get(const char *name) const
    {
        return symbol<Function>(library_, name);
    }

    void destroy(const char *name, void *object) const
    {
        if (object != nullptr) get<void(void *)>(name)(object);
    }

    void hold(void *signature, const std::string &side, const std::vector<Edge> &edges, Ends &ends)
    {
        const std::string name_of = "LiteRtGetSignature" + side + "Name";
        const std::string tensor_of = "LiteRtGetSignature" + side + "TensorByIndex";
        ends.in_order.assign(edges.size(), nullptr);
        for (const Edge &edge : edges) {
            std::size_t at = 0;
            for (;; at++) {
                const char *name = nullptr;
                if (at == edges.size()) throw std::runtime_error("model.tflite must have the tensor " + edge.name + ", it has none");
                check(get<int(void *, std::size_t, const char **)>(name_of.c_str())(signature, at, &name), "a tensor's name");
                if (edge.name == name) break;
            }
            void *tensor = nullptr, *buffer = nullptr;
            TensorType type{};
            check(get<int(void *, std::size_t, void **)>(tensor_of.c_str())(signature, at, &tensor), "a tensor");
            check(get<int(void *, TensorType *)>("LiteRtGetRankedTensorType")(tensor, &type), "a tensor's type");
            if (type.element != kInt8) throw std::runtime_error(edge.name + " of model.tflite must be int8; export it again");
            ends.memory.emplace_back(std::aligned_alloc(kAlignment, (edge.size + kAlignment - 1) / kAlignment * kAlignment));
            check(get<int(const TensorType *, void *, std::size_t, void *, void **)>("LiteRtCreateTensorBufferFromHostMemory")(
                      &type, ends.memory.back().get(), edge.size, nullptr, &buffer),
                  "a tensor's memory");
            ends.buffers.push_back(buffer);
            ends.in_order[at] = buffer;
        }
    }

    void *library_, *environment_ = nullptr, *model_ = nullptr, *options_ = nullptr, *compiled_ = nullptr;
    std::vector<Edge> edges_;
    Ends inputs_, outputs_;
    int (*run_)(void *, std::size_t, std::size_t, void **, std::size_t, void **) = nullptr;
};

}  // namespace

std::unique_ptr<Device> open_litert(const std::string &folder)
{
    void *library = open_library("libLiteRt.so");
    if (library == nullptr) return nullptr;
    return std::make_unique<LiteRt>(library, folder + "/model.tflite");
}

}  // namespace recommender
