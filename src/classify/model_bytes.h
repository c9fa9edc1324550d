// What the files of both models have in common: little-endian numbers, the checksum, and the calibration in the header.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "classify/model.h"

namespace triage::classify {

std::uint64_t fnv1a(std::string_view bytes);

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

template <class T>
T get(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// These throw what the header's reader catches: what the JSON is not, or std::runtime_error.
double finite_number(const nlohmann::json& in);

template <class Array>
void read_array(const nlohmann::json& in, Array& out) {
  if (!in.is_array() || in.size() != out.size()) throw std::runtime_error("an array of the wrong length");
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<typename Array::value_type>(finite_number(in.at(i)));
}

nlohmann::json calibration_json(const Calibration& calibration);
Calibration calibration_from(const nlohmann::json& in);

// Which corrections a model has seen: "corrections" of the header, left out where there are none.
void put_corrections(const CorrectionsSeen& corrections, nlohmann::json& header);
CorrectionsSeen corrections_from(const nlohmann::json& header);

// From the header alone, whose place is the same in both: the rest is not looked at. `name` is for the error.
Result<ModelFacts> model_facts(std::string_view bytes, const std::string& name);

}  // namespace triage::classify
