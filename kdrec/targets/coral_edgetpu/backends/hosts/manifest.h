// What the host needs to know of a bundle: manifest.json as C++ values. manifest.cc holds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace recommender {

// An int8 matrix in a .npy file: value = scale * (stored - zero_point).
struct Table {
    std::string file;
    double scale;
    int zero_point;
};

// An int8 tensor at the edge of the graph, by its name in the signature and by its own.
struct Edge {
    std::string name, tensor;
    std::size_t size;
    double scale;
    int zero_point;
};

// A feature of the context: value i has token i + 1, and 0 is unknown.
struct Feature {
    std::string name;
    std::vector<std::string> values;
};

struct FeatureTable {
    std::string name;
    Table table;
};

enum class Kind { kLookup, kWeightedMean, kAttention, kContext };

// How one input of the device is made of the n items of a history:
//   kLookup        the rows of its tokens, the padding's too
//   kWeightedMean  n^-power * sum_l weight_l * row_l, and the context's rows
//   kAttention     n^(1-power) * sum_l share_l * row_l for each head's block of columns, and the context's rows, with
//                  share = softmax over the items of bound * tanh(item score + position score)
//   kContext       the context's rows alone
struct HostInput {
    Edge edge;
    Kind kind;
    double power;
    std::vector<double> position_weights;
    std::vector<FeatureTable> context;
    Table item_scores;
    std::vector<double> position_scores;
    double bound;
};

struct Manifest {
    std::size_t n_items, length;
    int32_t rare;  // the token that rare items share; 0 where there are none
    Table items;
    std::vector<HostInput> inputs;
    std::vector<Edge> outputs;  // scores, in the order of the item positions
    std::vector<Feature> context;
    std::vector<std::size_t> popular;
};

const Manifest &manifest();

}  // namespace recommender
