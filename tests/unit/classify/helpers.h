// What the tests of the judge share.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "triage/classify/classifier.h"
#include "triage/classify/training.h"
#include "triage/model/json.h"

namespace triage::classify {

inline const Classifier& shipped() {
  static const auto judge = shipped_model();
  if (!judge) throw std::runtime_error(judge.error().detail);
  return **judge;
}

inline Verdict judged(std::string text) {
  Post post;
  post.text = std::move(text);
  return shipped().judge(post, Time{});
}

inline std::string written(const Verdict& verdict) {
  return nlohmann::json(verdict).dump();
}  // throws on bad UTF-8

inline const std::vector<LabelledPost>& corpus() {
  static const auto posts = read_labelled(TRIAGED_SOURCE_DIR "/config/corpus/corpus.tsv");
  if (!posts) throw std::runtime_error(posts.error().detail);
  return *posts;
}

// A directory that is gone after the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "triage-classify-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void put_bytes(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace triage::classify
