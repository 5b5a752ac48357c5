// ./recommend --history ID --history ID [--exclude ID] [--context NAME=VALUE] [-k 10] [--folder .] [--scores]
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "recommender.h"

int main(int argc, char **argv)
{
    std::string folder = ".";
    std::vector<std::string> history, exclude;
    std::map<std::string, std::string> context;
    long k = 10;
    bool all = false;
    for (int i = 1; i < argc; i++) {
        const std::string name = argv[i];
        if (name == "--scores") {
            all = true;
            continue;
        }
        const std::string value = i + 1 < argc ? argv[++i] : "";
        const std::size_t equals = value.find('=');
        if (name == "--history") {
            history.push_back(value);
        } else if (name == "--exclude") {
            exclude.push_back(value);
        } else if (name == "--context" && equals != std::string::npos) {
            context[value.substr(0, equals)] = value.substr(equals + 1);
        } else if (name == "-k") {
            k = std::strtol(value.c_str(), nullptr, 10);
        } else if (name == "--folder") {
            folder = value;
        } else {
            std::fprintf(stderr, "error: unknown argument %s %s; main.cc names those there are\n", name.c_str(), value.c_str());
            return 2;
        }
    }
    try {
        recommender::Recommender recommender(folder);
        std::fprintf(stderr, "device: %s\n", recommender.device().c_str());
        if (all) {
            for (float score : recommender.scores(history, context)) std::printf("%.9g\n", static_cast<double>(score));
            return 0;
        }
        for (const auto &listed : recommender.recommend(history, k < 0 ? 0 : static_cast<std::size_t>(k), exclude, context)) {
            std::printf("%s\t%.9g\t%s\n", listed.id.c_str(), static_cast<double>(listed.score), listed.title.c_str());
        }
    } catch (const std::exception &error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 2;
    }
    return 0;
}
