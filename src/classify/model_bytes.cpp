#include "classify/model_bytes.h"

namespace triage::classify {
namespace {

nlohmann::json platt_json(const Platt& platt) {
  return {{"slope", platt.slope}, {"offset", platt.offset}};
}

Platt platt_from(const nlohmann::json& in) {
  return {finite_number(in.at("slope")), finite_number(in.at("offset"))};
}

}  // namespace

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001B3ULL;
  }
  return hash;
}

double finite_number(const nlohmann::json& in) {
  const double value = in.get<double>();
  if (!std::isfinite(value)) throw std::runtime_error("a number that is not finite");
  return value;
}

nlohmann::json calibration_json(const Calibration& c) {
  nlohmann::json urgency = nlohmann::json::array();
  for (const Platt& platt : c.urgency) urgency.push_back(platt_json(platt));
  return {{"moment_temperature", c.moment_temperature},
          {"moment_offset", c.moment_offset},
          {"neither_threshold", c.neither_threshold},
          {"moment_confidence", platt_json(c.moment_confidence)},
          {"actionable", platt_json(c.actionable)},
          {"actionable_threshold", c.actionable_threshold},
          {"urgency", urgency},
          {"urgency_threshold", c.urgency_threshold}};
}

Calibration calibration_from(const nlohmann::json& in) {
  Calibration c;
  c.moment_temperature = finite_number(in.at("moment_temperature"));
  if (!(c.moment_temperature > 0)) throw std::runtime_error("a moment_temperature that is not above 0");
  read_array(in.at("moment_offset"), c.moment_offset);
  c.neither_threshold = finite_number(in.at("neither_threshold"));
  c.moment_confidence = platt_from(in.at("moment_confidence"));
  c.actionable = platt_from(in.at("actionable"));
  c.actionable_threshold = finite_number(in.at("actionable_threshold"));
  for (std::size_t i = 0; i < 3; ++i) c.urgency[i] = platt_from(in.at("urgency").at(i));
  read_array(in.at("urgency_threshold"), c.urgency_threshold);
  for (const double t : c.urgency_threshold) {
    if (!(t > 0 && t < 1)) throw std::runtime_error("an urgency threshold outside 0 to 1");
  }
  return c;
}

void put_corrections(const CorrectionsSeen& corrections, nlohmann::json& header) {
  if (corrections.posts > 0) header["corrections"] = {{"posts", corrections.posts}, {"to", corrections.to}};
}

CorrectionsSeen corrections_from(const nlohmann::json& header) {
  CorrectionsSeen seen;
  const auto it = header.find("corrections");
  if (it == header.end()) return seen;
  seen.posts = it->at("posts").get<std::size_t>();
  seen.to = it->at("to").get<std::int64_t>();
  return seen;
}

Result<ModelFacts> model_facts(std::string_view bytes, const std::string& name) {
  constexpr std::size_t kFixed = 16;
  const auto bad = [&](const std::string& what) {
    return make_error(ErrorCode::bad_request, name + " is not a usable model file: " + what);
  };
  ModelFacts facts;
  if (bytes.starts_with("TRIAGEFM")) facts.judge = "fast";
  if (bytes.starts_with("TRIAGEDM")) facts.judge = "deep";
  if (facts.judge.empty()) return bad("it begins neither with \"TRIAGEFM\" nor with \"TRIAGEDM\"");
  if (bytes.size() < kFixed || get<std::uint32_t>(bytes, 12) > bytes.size() - kFixed) return bad("it is truncated");
  const nlohmann::json header =
      nlohmann::json::parse(bytes.substr(kFixed, get<std::uint32_t>(bytes, 12)), nullptr, /*allow_exceptions=*/false);
  if (header.is_discarded() || !header.is_object()) return bad("its header is damaged: not JSON");
  try {
    facts.version = header.at("version").get<std::string>();
    facts.trained_on = header.at("trained_on").get<std::string>();
    if (facts.judge == "deep") facts.fast_version = header.at("fast").get<std::string>();
    facts.corrections = corrections_from(header);
  } catch (const std::exception& problem) {
    return bad(std::string("its header is damaged: ") + problem.what());
  }
  return facts;
}

}  // namespace triage::classify
