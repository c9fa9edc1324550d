// The model that is built into the binary, and models from files.
#include "classify/fast_judge.h"
#include "classify/files.h"

extern "C" {
extern const char triage_embedded_fast_model[];
extern const char triage_embedded_fast_model_end[];
}

namespace triage::classify {
namespace {

Result<std::shared_ptr<const Classifier>> judge_from(std::string_view bytes, const std::string& name) {
  Result<Model> model = Model::read(bytes, name);
  if (!model) return model.error();
  return std::shared_ptr<const Classifier>(std::make_shared<FastJudge>(std::move(*model)));
}

}  // namespace

Result<std::shared_ptr<const Classifier>> load_model(const std::filesystem::path& file) {
  Result<std::string> bytes = read_file(file);
  if (!bytes) return bytes.error();
  return judge_from(*bytes, file.string());
}

Result<std::shared_ptr<const Classifier>> shipped_model() {
  const auto size = static_cast<std::size_t>(triage_embedded_fast_model_end - triage_embedded_fast_model);
  return judge_from({triage_embedded_fast_model, size}, "the shipped model");
}

}  // namespace triage::classify
