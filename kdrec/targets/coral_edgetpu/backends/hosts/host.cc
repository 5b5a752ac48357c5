// Sums are in double: whatever their order, they round to the same int8.
#include "host.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

namespace recommender {
namespace {

double real(int8_t stored, const Table &table) { return (stored - table.zero_point) * table.scale; }

int8_t quantized(double value, const Edge &edge)
{
    const double steps = value / edge.scale;
    const double rounded = std::copysign(std::floor(std::fabs(steps) + 0.5), steps) + edge.zero_point;
    return static_cast<int8_t>(std::clamp(rounded, -128.0, 127.0));
}

// Places of a history that hold an item.
std::vector<std::size_t> present(const std::vector<int32_t> &tokens)
{
    std::vector<std::size_t> places;
    for (std::size_t l = 0; l < tokens.size(); l++) {
        if (tokens[l] > 0) places.push_back(l);
    }
    return places;
}

void add_weighted_mean(const HostInput &input, const std::vector<int32_t> &tokens, const Matrix &rows, std::vector<double> &sum)
{
    const std::vector<std::size_t> places = present(tokens);
    if (places.empty()) return;
    const double share = std::pow(static_cast<double>(places.size()), -input.power);
    for (std::size_t column = 0; column < rows.columns; column++) {
        double total = 0;
        for (std::size_t l : places) total += input.position_weights[l] * real(rows.row(tokens[l])[column], manifest().items);
        sum[column] += total * share;
    }
}

void add_attention(const HostInput &input, const std::vector<int32_t> &tokens, const Matrix &rows, const Matrix &item_scores,
                   std::vector<double> &sum)
{
    const std::vector<std::size_t> places = present(tokens);
    if (places.empty()) return;
    const std::size_t heads = item_scores.columns, width = rows.columns / heads;
    const double share = std::pow(static_cast<double>(places.size()), 1 - input.power);
    for (std::size_t head = 0; head < heads; head++) {
        std::vector<double> shares;
        for (std::size_t l : places) {
            shares.push_back(std::tanh(real(item_scores.row(tokens[l])[head], input.item_scores) +
                                       input.position_scores[l * heads + head]));
        }
        const double most = *std::max_element(shares.begin(), shares.end());
        double whole = 0;
        for (double &each : shares) whole += each = std::exp(input.bound * (each - most));
        for (std::size_t column = head * width; column < (head + 1) * width; column++) {
            double total = 0;
            for (std::size_t i = 0; i < places.size(); i++) {
                total += shares[i] / whole * real(rows.row(tokens[places[i]])[column], manifest().items);
            }
            sum[column] += total * share;
        }
    }
}

}  // namespace

Matrix read_npy(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (content.size() < 10 || content.compare(0, 8, std::string("\x93NUMPY\x01\x00", 8)) != 0) {
        throw std::runtime_error(path + " is no .npy table; copy the bundle again");
    }
    const std::size_t begin = 10 + static_cast<unsigned char>(content[8]) + 256 * static_cast<unsigned char>(content[9]);
    const std::string header = content.substr(0, std::min(begin, content.size()));
    const std::size_t shape = header.find("'shape': (");
    Matrix matrix{};
    if (header.find("'descr': '|i1'") == std::string::npos || header.find("'fortran_order': False") == std::string::npos ||
        shape == std::string::npos ||
        std::sscanf(header.c_str() + shape, "'shape': (%zu, %zu)", &matrix.rows, &matrix.columns) != 2 ||
        matrix.columns == 0 || matrix.rows != (content.size() - header.size()) / matrix.columns ||
        matrix.rows * matrix.columns != content.size() - header.size()) {
        throw std::runtime_error(path + " must be an int8 matrix of numpy; copy the bundle again");
    }
    matrix.stored.assign(content.begin() + static_cast<std::ptrdiff_t>(begin), content.end());
    return matrix;
}

Host::Host(const std::string &folder)
{
    const auto read = [&](const Table &table) { tables_.emplace(table.file, read_npy(folder + "/" + table.file)); };
    read(manifest().items);
    for (const HostInput &input : manifest().inputs) {
        for (const FeatureTable &feature : input.context) read(feature.table);
        if (input.kind == Kind::kAttention) read(input.item_scores);
    }
    if (table(manifest().items).rows != manifest().n_items + (manifest().rare != 0) + 1) {
        throw std::runtime_error(manifest().items.file + " must have a row an item and one of padding; copy the bundle again");
    }
}

std::vector<double> Host::values(const HostInput &input, const std::vector<int32_t> &tokens,
                                 const std::map<std::string, int32_t> &context) const
{
    const Matrix &rows = table(manifest().items);
    std::vector<double> found;
    if (input.kind == Kind::kLookup) {
        for (int32_t token : tokens) {
            for (std::size_t column = 0; column < rows.columns; column++) {
                found.push_back(real(rows.row(token)[column], manifest().items));
            }
        }
        return found;
    }
    found.assign(rows.columns, 0.0);
    if (input.kind == Kind::kWeightedMean) add_weighted_mean(input, tokens, rows, found);
    if (input.kind == Kind::kAttention) add_attention(input, tokens, rows, table(input.item_scores), found);
    for (const FeatureTable &feature : input.context) {
        const int8_t *row = table(feature.table).row(static_cast<std::size_t>(context.at(feature.name)));
        for (std::size_t column = 0; column < found.size(); column++) found[column] += real(row[column], feature.table);
    }
    return found;
}

Stored Host::inputs(const std::vector<int32_t> &tokens, const std::map<std::string, int32_t> &context) const
{
    Stored inputs;
    for (const HostInput &input : manifest().inputs) {
        inputs.emplace_back();
        for (double value : values(input, tokens, context)) inputs.back().push_back(quantized(value, input.edge));
    }
    return inputs;
}

std::vector<float> joined(const Stored &outputs)
{
    std::vector<float> scores;
    for (std::size_t i = 0; i < outputs.size(); i++) {
        const Edge &edge = manifest().outputs[i];
        for (int8_t stored : outputs[i]) {
            scores.push_back((static_cast<float>(stored) - static_cast<float>(edge.zero_point)) * static_cast<float>(edge.scale));
        }
    }
    return scores;
}

std::vector<std::size_t> best(const std::vector<float> &scores, const std::vector<bool> &allowed, std::size_t k)
{
    std::vector<std::size_t> positions;
    for (std::size_t position = 0; position < scores.size(); position++) {
        if (allowed[position]) positions.push_back(position);
    }
    const auto first = [&](std::size_t one, std::size_t other) {
        return scores[one] != scores[other] ? scores[one] > scores[other] : one < other;
    };
    std::partial_sort(positions.begin(), positions.begin() + static_cast<std::ptrdiff_t>(k), positions.end(), first);
    positions.resize(k);
    return positions;
}

}  // namespace recommender
