// `triaged train`: fits, and writes the model file whole or not at all.
#include "classify/files.h"
#include "classify/trainer.h"
#include "triage/model/time.h"

namespace triage::classify {

std::string version_of(const TrainOptions& options) {
  if (!options.version.empty()) return options.version;
  std::string day = format_time(wall_clock_now()).substr(0, 10);
  for (char& c : day) c = c == '-' ? '.' : c;
  return day;
}

std::string sentence_of(std::size_t posts, const CorrectionsSeen& corrections) {
  std::string sentence = std::to_string(posts - corrections.posts) + " labelled posts";
  if (corrections.posts > 0) sentence += " and " + std::to_string(corrections.posts) + " corrections from the desk";
  return sentence;
}

Result<void> train(const std::vector<LabelledPost>& posts, const TrainOptions& options,
                   const std::filesystem::path& out, const std::function<void(std::string_view)>& progress) {
  Settings settings;
  settings.seed = options.seed;
  Result<Model::Parts> parts = fit(posts, settings, progress);
  if (!parts) return parts.error();
  parts->version = version_of(options);
  parts->trained_on = sentence_of(posts.size(), options.corrections);
  parts->corrections = options.corrections;
  const std::string bytes = Model::write(*parts);
  if (progress) progress("writing " + std::to_string(bytes.size()) + " bytes to " + out.string());
  return write_file(out, bytes);
}

}  // namespace triage::classify
