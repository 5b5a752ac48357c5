// Recommendations of a bundle for the Edge TPU: what an application calls.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "host.h"

namespace recommender {

struct Listed {
    std::string id, title;
    float score;
};

class Recommender {
   public:
    // Reads items.tsv, the tables and the model of a folder. Throws std::runtime_error, which names what is missing.
    explicit Recommender(const std::string &folder);

    // The k best items for a history, the most recent item last; items of the history are not listed. Unknown ids are
    // skipped; without a known one the most popular items are listed, with score 0. An unknown value of the context counts
    // as none. Throws std::invalid_argument where k is larger than what may be listed, or the context has an unknown name.
    std::vector<Listed> recommend(const std::vector<std::string> &history, std::size_t k,
                                  const std::vector<std::string> &exclude = {},
                                  const std::map<std::string, std::string> &context = {});

    // The score of every item, by position.
    std::vector<float> scores(const std::vector<std::string> &history, const std::map<std::string, std::string> &context = {});

    std::string device() const { return device_->name(); }

   private:
    std::vector<int32_t> tokens(const std::vector<std::string> &ids) const;
    std::map<std::string, int32_t> context_tokens(const std::map<std::string, std::string> &context) const;

    Host host_;
    std::unique_ptr<Device> device_;
    std::vector<std::string> ids_, titles_;
    std::unordered_map<std::string, int32_t> tokens_;  // position + 1, or the one that rare items share
};

}  // namespace recommender
