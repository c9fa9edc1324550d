// Reading and writing the model file that model.h describes. Untrusted bytes: every length is checked before use.
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "classify/model.h"
#include "classify/model_bytes.h"

namespace triage::classify {
namespace {

constexpr std::string_view kMagic = "TRIAGEFM";
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kRowBytes = 4 + kWidth;
constexpr std::size_t kMostBytes = 64U << 20U;

Error bad(const std::string& name, const std::string& what) {
  return make_error(ErrorCode::bad_request, name + " is not a usable model file: " + what);
}

}  // namespace

std::string Model::write(const Parts& parts) {
  nlohmann::json header = {{"judge", "fast"},
                           {"version", parts.version},
                           {"trained_on", parts.trained_on},
                           {"rows", parts.rows.size()},
                           {"words", parts.words.size()},
                           {"bias", parts.bias},
                           {"scale", parts.scale},
                           {"calibration", calibration_json(parts.calibration)},
                           {"calibration_of_others", calibration_json(parts.calibration_of_others)}};
  put_corrections(parts.corrections, header);
  const std::string text = header.dump();
  std::string out(kMagic);
  put(out, kFormat);
  put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
  for (const StoredRow& row : parts.rows) {
    put(out, row.key);
    put(out, row.weights);
  }
  for (const std::string& word : parts.words) {
    out += word;
    out.push_back('\n');
  }
  put(out, fnv1a(out));
  return out;
}

Result<Model> Model::read(std::string_view bytes, const std::string& name) {
  constexpr std::size_t kFixed = 16;
  if (bytes.size() > kMostBytes) return bad(name, "it is larger than 64 MiB");
  if (bytes.substr(0, kMagic.size()) != kMagic.substr(0, std::min(kMagic.size(), bytes.size())) || bytes.empty()) {
    return bad(name, "it does not begin with the magic \"TRIAGEFM\"");
  }
  if (bytes.size() < kFixed + 8) return bad(name, "it is truncated: " + std::to_string(bytes.size()) + " bytes");
  const auto format = get<std::uint32_t>(bytes, 8);
  if (format != kFormat) {
    return bad(name, "its format version is " + std::to_string(format) + ", this program reads version " +
                         std::to_string(kFormat));
  }
  const std::size_t header_size = get<std::uint32_t>(bytes, 12);
  if (header_size > bytes.size() - kFixed - 8) {
    return bad(name, "it is truncated: its header of " + std::to_string(header_size) + " bytes is not whole");
  }
  const nlohmann::json header =
      nlohmann::json::parse(bytes.substr(kFixed, header_size), nullptr, /*allow_exceptions=*/false);
  if (header.is_discarded() || !header.is_object()) return bad(name, "its header is damaged: not JSON");
  Parts parts;
  std::size_t rows = 0, words = 0;
  try {
    if (header.at("judge").get<std::string>() != "fast") return bad(name, "it is of another judge than \"fast\"");
    parts.version = header.at("version").get<std::string>();
    parts.trained_on = header.at("trained_on").get<std::string>();
    rows = header.at("rows").get<std::size_t>();
    words = header.at("words").get<std::size_t>();
    read_array(header.at("bias"), parts.bias);
    if (header.at("scale").size() != kGroups) throw std::runtime_error("scales of the wrong number");
    for (std::size_t g = 0; g < kGroups; ++g) read_array(header.at("scale").at(g), parts.scale[g]);
    parts.calibration = calibration_from(header.at("calibration"));
    // A file of before the other languages has none.
    const bool others = header.contains("calibration_of_others");
    parts.calibration_of_others = others ? calibration_from(header.at("calibration_of_others")) : parts.calibration;
  } catch (const std::exception& problem) {
    return bad(name, std::string("its header is damaged: ") + problem.what());
  }
  const std::size_t body = bytes.size() - kFixed - header_size - 8;
  if (rows > body / kRowBytes) {
    return bad(name, "it is truncated: " + std::to_string(rows) + " rows of weights were announced");
  }
  if (get<std::uint64_t>(bytes, bytes.size() - 8) != fnv1a(bytes.substr(0, bytes.size() - 8))) {
    return bad(name, "its checksum is wrong: it is damaged or truncated");
  }
  parts.rows.resize(rows);
  std::size_t at = kFixed + header_size;
  std::uint32_t before = 0;
  for (StoredRow& row : parts.rows) {
    row.key = get<std::uint32_t>(bytes, at);
    std::memcpy(row.weights.data(), bytes.data() + at + 4, kWidth);
    at += kRowBytes;
    if (row.key <= before) return bad(name, "its rows are not in order");
    before = row.key;
  }
  std::string_view rest = bytes.substr(at, bytes.size() - 8 - at);
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos || end == 0 || end > 255) return bad(name, "its vocabulary is damaged");
    parts.words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  if (parts.words.size() != words) return bad(name, "its vocabulary has another number of words than announced");
  return Model(std::move(parts));
}

}  // namespace triage::classify
