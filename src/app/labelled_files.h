// What `train` and `evaluate` share: labelled posts from several files.
#pragma once

#include <string>
#include <vector>

#include "triage/classify/training.h"

namespace triage::app {

// The posts of all files, in their order.
inline Result<std::vector<classify::LabelledPost>> read_all_labelled(const std::vector<std::string>& files) {
  std::vector<classify::LabelledPost> all;
  for (const std::string& file : files) {
    Result<std::vector<classify::LabelledPost>> posts = classify::read_labelled(file);
    if (!posts) return posts.error();
    all.insert(all.end(), std::make_move_iterator(posts->begin()), std::make_move_iterator(posts->end()));
  }
  return all;
}

}  // namespace triage::app
