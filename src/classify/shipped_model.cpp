// The models that are built into the binary, and models from files.
#include "classify/deep_judge.h"
#include "classify/fast_judge.h"
#include "classify/files.h"
#include "classify/model_bytes.h"
#include "triage/classify/training.h"

extern "C" {
extern const char triage_embedded_fast_model[];
extern const char triage_embedded_fast_model_end[];
#ifdef TRIAGED_DEEP_MODEL
extern const char triage_embedded_deep_model[];
extern const char triage_embedded_deep_model_end[];
#endif
}

namespace triage::classify {
namespace {

Result<std::shared_ptr<const Classifier>> judge_from(std::string_view bytes, const std::string& name) {
  Result<Model> model = Model::read(bytes, name);
  if (!model) return model.error();
  return std::shared_ptr<const Classifier>(std::make_shared<FastJudge>(std::move(*model)));
}

Result<std::shared_ptr<const Classifier>> deep_judge_from(std::string_view bytes, const std::string& name,
                                                          const std::shared_ptr<const Classifier>& fast) {
  auto fast_judge = std::dynamic_pointer_cast<const FastJudge>(fast);
  if (!fast_judge) return make_error(ErrorCode::bad_request, "a deep judge needs a fast judge beside it");
  Result<DeepModel> model = DeepModel::read(bytes, name);
  if (!model) return model.error();
  return std::shared_ptr<const Classifier>(std::make_shared<DeepJudge>(std::move(*model), std::move(fast_judge)));
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

Result<std::shared_ptr<const Classifier>> load_deep_model(const std::filesystem::path& file,
                                                          const std::shared_ptr<const Classifier>& fast) {
  Result<std::string> bytes = read_file(file);
  if (!bytes) return bytes.error();
  return deep_judge_from(*bytes, file.string(), fast);
}

Result<std::shared_ptr<const Classifier>> shipped_deep_model(const std::shared_ptr<const Classifier>& fast) {
  if (!shipped_deep_bytes().empty()) return deep_judge_from(shipped_deep_bytes(), "the shipped deep model", fast);
  if (!fast) return make_error(ErrorCode::bad_request, "a deep judge needs a fast judge beside it");
  return make_error(ErrorCode::not_found, "this build has no deep model in it");
}

std::string_view shipped_deep_bytes() {
#ifdef TRIAGED_DEEP_MODEL
  return {triage_embedded_deep_model,
          static_cast<std::size_t>(triage_embedded_deep_model_end - triage_embedded_deep_model)};
#else
  return {};
#endif
}

Result<ModelFacts> read_model_facts(const std::filesystem::path& file) {
  Result<std::string> bytes = read_file(file);
  if (!bytes) return bytes.error();
  return model_facts(*bytes, file.string());
}

}  // namespace triage::classify
