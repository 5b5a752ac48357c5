// Ids become tokens, tokens scores, and scores a list.
#include "recommender.h"

#include <algorithm>
#include <fstream>

namespace recommender {

Recommender::Recommender(const std::string &folder) : host_(folder), device_(open_device(folder))
{
    const std::string path = folder + "/items.tsv";
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        const std::size_t tab = line.find('\t');
        const std::string id = line.substr(0, tab);
        if (ids_.size() < manifest().n_items) {
            ids_.push_back(id);
            titles_.push_back(tab == std::string::npos ? "" : line.substr(tab + 1));
            tokens_[id] = static_cast<int32_t>(ids_.size());
        } else {
            tokens_[id] = manifest().rare;
        }
    }
    if (ids_.size() != manifest().n_items || tokens_.size() < ids_.size()) {
        throw std::runtime_error(path + " must have a line an item, " + std::to_string(manifest().n_items) + ", it has " +
                                 std::to_string(ids_.size()) + "; copy the bundle again");
    }
}

std::vector<int32_t> Recommender::tokens(const std::vector<std::string> &ids) const
{
    std::vector<int32_t> known;
    for (const std::string &id : ids) {
        const auto found = tokens_.find(id);
        if (found != tokens_.end()) known.push_back(found->second);
    }
    return known;
}

std::map<std::string, int32_t> Recommender::context_tokens(const std::map<std::string, std::string> &context) const
{
    std::map<std::string, int32_t> known;
    for (const Feature &feature : manifest().context) {
        const auto given = context.find(feature.name);
        const auto at = given == context.end() ? feature.values.end()
                                               : std::find(feature.values.begin(), feature.values.end(), given->second);
        known[feature.name] = at == feature.values.end() ? 0 : static_cast<int32_t>(at - feature.values.begin()) + 1;
    }
    for (const auto &[name, value] : context) {
        if (known.count(name) == 0) throw std::invalid_argument("the model knows no context " + name + "; leave it out");
    }
    return known;
}

std::vector<float> Recommender::scores(const std::vector<std::string> &history, const std::map<std::string, std::string> &context)
{
    const std::map<std::string, int32_t> values = context_tokens(context);
    const std::vector<int32_t> known = tokens(history);
    std::vector<int32_t> aligned(manifest().length, 0);
    const std::size_t n = std::min(known.size(), aligned.size());
    std::copy(known.end() - static_cast<std::ptrdiff_t>(n), known.end(), aligned.end() - static_cast<std::ptrdiff_t>(n));
    return joined(device_->run(host_.inputs(aligned, values)));
}

std::vector<Listed> Recommender::recommend(const std::vector<std::string> &history, std::size_t k,
                                           const std::vector<std::string> &exclude,
                                           const std::map<std::string, std::string> &context)
{
    context_tokens(context);  // an unknown name is an error without a history, too
    std::vector<bool> allowed(ids_.size(), true);
    for (const auto *barred : {&history, &exclude}) {
        for (int32_t token : tokens(*barred)) {
            const auto position = static_cast<std::size_t>(token - 1);
            if (position < ids_.size()) allowed[position] = false;
        }
    }
    const auto left = static_cast<std::size_t>(std::count(allowed.begin(), allowed.end(), true));
    if (k < 1 || k > left) {
        throw std::invalid_argument("k must be from 1 to " + std::to_string(left) + ", the items that may be listed, received " +
                                    std::to_string(k));
    }
    std::vector<float> ranked(ids_.size(), 0.0F);
    std::vector<std::size_t> positions;
    if (!tokens(history).empty()) {
        ranked = scores(history, context);
    } else {
        for (std::size_t position : manifest().popular) {
            if (!allowed[position] || positions.size() == k) continue;
            positions.push_back(position);
            allowed[position] = false;
        }
    }
    for (std::size_t position : best(ranked, allowed, k - positions.size())) positions.push_back(position);
    std::vector<Listed> listed;
    for (std::size_t position : positions) listed.push_back({ids_[position], titles_[position], ranked[position]});
    return listed;
}

}  // namespace recommender
