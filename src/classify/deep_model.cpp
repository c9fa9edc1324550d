// Reading the file that deep_model.h describes. Untrusted bytes: every length is checked before use.
#include "classify/deep_model.h"

#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "classify/model_bytes.h"

namespace triage::classify {
namespace {

constexpr std::string_view kMagic = "TRIAGEDM";
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kFixed = 16, kChecksum = 8;
constexpr std::size_t kMostBytes = 64U << 20U;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMostTensors = 1024;
constexpr float kLargest = 1e4F;

Error bad(const std::string& name, const std::string& what) {
  return make_error(ErrorCode::bad_request, name + " is not a usable model file: " + what);
}

std::uint64_t whole_number(const nlohmann::json& in) {
  if (!in.is_number_unsigned()) throw std::runtime_error("something else where a whole number was expected");
  return in.get<std::uint64_t>();
}

// The tensors of a file that stays in memory while they are read.
class FileTensors : public Tensors {
 public:
  // What is wrong, or nothing.
  std::string add(const nlohmann::json& in, std::string_view data) {
    const auto name = in.at("name").get<std::string>();
    const auto type = in.at("type").get<std::string>();
    const auto offset = whole_number(in.at("offset"));
    const nlohmann::json& shape = in.at("shape");
    const std::string what = "its tensor \"" + name.substr(0, 60) + "\" ";
    if (!shape.is_array() || shape.empty() || shape.size() > 2) return what + "has a shape that is not [n] or [n, m]";
    Entry entry;
    entry.shape.columns = whole_number(shape.back());
    entry.shape.rows = shape.size() == 2 ? whole_number(shape.front()) : 1;
    const std::size_t each = type == "f32" ? 4 : 1;
    if (type != "f32" && type != "i8" && type != "text")
      return what + "is of unknown type \"" + type.substr(0, 20) + '"';
    // 32 bits times 32 bits times 4 does not fit 64 bits: first rows and columns each must fit the file.
    const std::uint64_t room = data.size();
    if (entry.shape.rows > room || entry.shape.columns > room) return what + "does not fit the file";
    const std::uint64_t size = std::uint64_t{entry.shape.rows} * entry.shape.columns * each;
    if (size == 0) return what + "is empty";
    if (offset % kAlignment != 0) return what + "does not begin at a multiple of 64 bytes";
    if (offset > room || size > room - offset) return what + "does not fit the file";
    entry.type = type;
    entry.data = data.substr(offset, size);
    if (type == "f32") {
      entry.floats.resize(size / 4);
      std::memcpy(entry.floats.data(), entry.data.data(), size);
      for (const float value : entry.floats) {
        if (!(std::abs(value) <= kLargest)) return what + "has a number that is not finite or larger than 10000";
      }
    }
    if (!entries_.emplace(name, std::move(entry)).second) return what + "is there twice";
    return {};
  }

  const Shape* shape(const std::string& name) const override {
    const auto it = entries_.find(name);
    return it == entries_.end() ? nullptr : &it->second.shape;
  }
  const std::int8_t* bytes(const std::string& name) const override {
    const Entry* entry = find(name, "i8");
    return entry == nullptr ? nullptr : static_cast<const std::int8_t*>(static_cast<const void*>(entry->data.data()));
  }
  const float* floats(const std::string& name) const override {
    const Entry* entry = find(name, "f32");
    return entry == nullptr ? nullptr : entry->floats.data();
  }
  const std::string_view* text(const std::string& name) const {
    const Entry* entry = find(name, "text");
    return entry == nullptr ? nullptr : &entry->data;
  }

 private:
  struct Entry {
    Shape shape;
    std::string type;
    std::string_view data;
    std::vector<float> floats;
  };
  const Entry* find(const std::string& name, std::string_view type) const {
    const auto it = entries_.find(name);
    return it == entries_.end() || it->second.type != type ? nullptr : &it->second;
  }
  std::map<std::string, Entry> entries_;
};

// One number for all outputs, or one for each group of them.
Row blend_from(const nlohmann::json& in) {
  constexpr std::pair<const char*, Head> kHeads[] = {
      {"moment", kMoment}, {"actionable", kActionable}, {"urgency", kUrgency}, {"intent", kIntent}, {"topic", kTopic}};
  Row blend{};
  for (const auto& [name, head] : kHeads) {
    const double share = finite_number(in.is_object() ? in.at(name) : in);
    if (!(share >= 0 && share <= 1)) throw std::runtime_error("a blend outside 0 to 1");
    for (std::size_t k = 0; k < head.count; ++k) blend[head.first + k] = static_cast<float>(share);
  }
  return blend;
}

}  // namespace

Result<DeepModel> DeepModel::read(std::string_view bytes, const std::string& name) {
  if (bytes.size() > kMostBytes) return bad(name, "it is larger than 64 MiB");
  if (bytes.empty() || bytes.substr(0, kMagic.size()) != kMagic.substr(0, std::min(kMagic.size(), bytes.size()))) {
    return bad(name, "it does not begin with the magic \"TRIAGEDM\"");
  }
  if (bytes.size() < kFixed + kChecksum) {
    return bad(name, "it is truncated: " + std::to_string(bytes.size()) + " bytes");
  }
  const auto format = get<std::uint32_t>(bytes, 8);
  if (format != kFormat) {
    return bad(name, "its format version is " + std::to_string(format) + ", this program reads version " +
                         std::to_string(kFormat));
  }
  const std::size_t header_size = get<std::uint32_t>(bytes, 12);
  if (header_size > bytes.size() - kFixed - kChecksum) {
    return bad(name, "it is truncated: its header of " + std::to_string(header_size) + " bytes is not whole");
  }
  // Before anything is built from it: a damaged file should say so, and not which of its parts looks odd.
  if (get<std::uint64_t>(bytes, bytes.size() - kChecksum) != fnv1a(bytes.substr(0, bytes.size() - kChecksum))) {
    return bad(name, "its checksum is wrong: it is damaged or truncated");
  }
  const nlohmann::json header =
      nlohmann::json::parse(bytes.substr(kFixed, header_size), nullptr, /*allow_exceptions=*/false);
  if (header.is_discarded() || !header.is_object()) return bad(name, "its header is damaged: not JSON");
  const std::string_view data = bytes.substr(kFixed + header_size, bytes.size() - kFixed - header_size - kChecksum);
  DeepModel model;
  FileTensors tensors;
  std::size_t heads = 0, layers = 0;
  try {
    model.version = header.at("version").get<std::string>();
    model.trained_on = header.at("trained_on").get<std::string>();
    model.fast_version = header.at("fast").get<std::string>();
    model.corrections = corrections_from(header);
    model.blend = blend_from(header.at("blend"));
    model.calibration = calibration_from(header.at("calibration"));
    heads = whole_number(header.at("encoder").at("heads"));
    layers = whole_number(header.at("encoder").at("layers"));
    const nlohmann::json& list = header.at("tensors");
    if (!list.is_array() || list.size() > kMostTensors) throw std::runtime_error("a list of tensors that is none");
    for (const nlohmann::json& entry : list) {
      if (const std::string problem = tensors.add(entry, data); !problem.empty()) return bad(name, problem);
    }
  } catch (const std::exception& problem) {
    return bad(name, std::string("its header is damaged: ") + problem.what());
  }
  const std::string_view* lines = tensors.text("pieces");
  if (lines == nullptr) return bad(name, "it has no tensor \"pieces\" of type text");
  Result<Pieces> pieces = Pieces::read(*lines, name);
  if (!pieces) return pieces.error();
  Result<Encoder> encoder = Encoder::from(tensors, heads, layers, name);
  if (!encoder) return encoder.error();
  if (pieces->size() > encoder->pieces()) {
    return bad(name, "it has " + std::to_string(pieces->size()) + " pieces and weights for " +
                         std::to_string(encoder->pieces()));
  }
  model.pieces = std::move(*pieces);
  model.encoder = std::move(*encoder);
  return model;
}

std::string DeepModel::with_head(std::string_view bytes, const NewHead& head) {
  const std::size_t header_size = get<std::uint32_t>(bytes, 12);
  nlohmann::json header = nlohmann::json::parse(bytes.substr(kFixed, header_size));
  std::string data(bytes.substr(kFixed + header_size, bytes.size() - kFixed - header_size - kChecksum));
  for (const nlohmann::json& tensor : header.at("tensors")) {
    const auto name = tensor.at("name").get<std::string>();
    const std::vector<float>* values = name == "head" ? &head.weights : name == "head.bias" ? &head.bias : nullptr;
    if (values == nullptr) continue;
    std::memcpy(data.data() + tensor.at("offset").get<std::size_t>(), values->data(), values->size() * sizeof(float));
  }
  header["version"] = head.version;
  header["trained_on"] = head.trained_on;
  header["fast"] = head.fast_version;
  header.erase("corrections");
  put_corrections(head.corrections, header);
  const std::string text = header.dump();
  std::string out(kMagic);
  put(out, kFormat);
  put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
  out += data;
  put(out, fnv1a(out));
  return out;
}

}  // namespace triage::classify
