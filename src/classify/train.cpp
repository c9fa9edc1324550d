// `triaged train`: fits, and writes the model file whole or not at all.
#include "classify/files.h"
#include "classify/trainer.h"
#include "triage/model/time.h"

namespace triage::classify {

Result<void> train(const std::vector<LabelledPost>& posts, const TrainOptions& options,
                   const std::filesystem::path& out, const std::function<void(std::string_view)>& progress) {
  Settings settings;
  settings.seed = options.seed;
  Result<Model::Parts> parts = fit(posts, settings, progress);
  if (!parts) return parts.error();
  parts->version = options.version;
  if (parts->version.empty()) {
    std::string day = format_time(wall_clock_now()).substr(0, 10);
    for (char& c : day) c = c == '-' ? '.' : c;
    parts->version = day;
  }
  const std::string bytes = Model::write(*parts);
  if (progress) progress("writing " + std::to_string(bytes.size()) + " bytes to " + out.string());
  return write_file(out, bytes);
}

}  // namespace triage::classify
