// Made from manifest.json and model.tflite of the bundle `$name`; `kdrec export` writes it anew.
#include "manifest.h"

namespace recommender {

const Manifest &manifest()
{
    static const Manifest held{
        $n_items,
        $length,
        $rare,
        $items,
        {$inputs},
        {$outputs},
        {$context},
        {$popular},
    };
    return held;
}

}  // namespace recommender
