// The host's share: table rows, pooling, and the best items of the scores.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "device.h"

namespace recommender {

// An int8 matrix of a .npy file, row by row.
struct Matrix {
    std::size_t rows, columns;
    std::vector<int8_t> stored;

    const int8_t *row(std::size_t number) const { return stored.data() + number * columns; }
};

// Throws std::runtime_error with the file's name where it is no int8 matrix of numpy.
Matrix read_npy(const std::string &path);

class Host {
   public:
    // Reads the tables of the manifest from a folder.
    explicit Host(const std::string &folder);

    // Stored inputs of the device. tokens: (length,) right-aligned, 0 is padding; context: a token a feature.
    Stored inputs(const std::vector<int32_t> &tokens, const std::map<std::string, int32_t> &context) const;

   private:
    std::vector<double> values(const HostInput &input, const std::vector<int32_t> &tokens,
                               const std::map<std::string, int32_t> &context) const;
    const Matrix &table(const Table &named) const { return tables_.at(named.file); }

    std::map<std::string, Matrix> tables_;
};

// (n_items,) scores of the device's outputs, one after the other, in float32 as every kdrec runtime has them.
std::vector<float> joined(const Stored &outputs);

// The k best allowed positions: score descending, then lower position.
std::vector<std::size_t> best(const std::vector<float> &scores, const std::vector<bool> &allowed, std::size_t k);

}  // namespace recommender
